"""The activity log (core reference 9.3)."""

from __future__ import annotations

import json

import pytest

from partner_center_emulator.audit.models import Activity, write
from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, BRAVO, SE

DAY = 86_400


def fill(emulator: Emulator) -> None:
    """Write one record a day for four days, at 08:00, the last one today."""
    for number, (customer, operation, resource) in enumerate(
        ((ALFA, "add_customer", "customer"), (BRAVO, "create_order", "order"), (ALFA, "update_order", "order"))
    ):
        activity = Activity(
            operation_type=operation,
            resource_type=resource,
            new_value={"lineItems": [{"offerId": "x"}]},
            customized_data=(("OrderId", str(number)),),
        )
        write(emulator, SE, emulator.world.customers[customer], activity)
        emulator.clock.advance(DAY)


async def operations(client: Client, query: str = "") -> list[str]:
    """Return the operation types of the records a query finds."""
    body = (await client("se").get(f"/v1/auditrecords{query}")).json()
    return [item["operationType"] for item in body["items"]]


async def test_lists_the_tenants_own_records_of_the_last_30_days(emulator: Emulator, client: Client):
    """Older ones need a start date; another tenant sees nothing."""
    fill(emulator)
    assert await operations(client) == ["add_customer", "create_order", "update_order"]
    emulator.clock.advance(28 * DAY)
    assert await operations(client) == ["create_order", "update_order"]
    assert (await client("target").get("/v1/auditrecords")).json()["items"] == []


async def test_a_record_has_its_value_as_pascal_case_text(emulator: Emulator, client: Client):
    """The new value is JSON inside a string; customizedData is a list of pairs."""
    fill(emulator)
    record = (await client("se").get("/v1/auditrecords")).json()["items"][0]
    assert json.loads(record["resourceNewValue"]) == {"LineItems": [{"OfferId": "x"}]}
    assert record["customizedData"] == [{"key": "OrderId", "value": "0"}]
    assert record["id"].startswith(f"{SE}_{ALFA}_")
    single = await client("se").get(f"/auditactivity/v1/auditrecords/{record['id']}")
    assert single.json() == record
    assert (await client("target").get(f"/auditactivity/v1/auditrecords/{record['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?startDate=2026-03-03", ["create_order", "update_order"]),
        ("?startDate=2026-03-02&endDate=2026-03-03", ["add_customer", "create_order"]),
        ("?endDate=9999-12-31", ["add_customer", "create_order", "update_order"]),
        ("?startDate=3/4/2026 12:00:00 AM", ["update_order"]),
        ('?filter={"Field":"CompanyName","Value":"BRAVO","Operator":"substring"}', ["create_order"]),
        (f'?filter={{"Field":"CustomerId","Value":"{ALFA}","Operator":"equals"}}', ["add_customer", "update_order"]),
        ('?filter={"Field":"ResourceType","Value":"Order","Operator":"equals"}', ["create_order", "update_order"]),
    ],
)
async def test_narrows_by_date_and_filter(emulator: Emulator, client: Client, query: str, found: list[str]):
    """Dates in both forms, and each of the three filters."""
    fill(emulator)
    assert await operations(client, query) == found


@pytest.mark.parametrize(
    "query",
    [
        "?startDate=2025-11-01",
        "?startDate=soon",
        "?startDate=2026-03-04&endDate=2026-03-01",
        '?filter={"Field":"CompanyName","Value":"a","Operator":"equals"}',
        "?filter=text",
    ],
)
async def test_refuses_a_start_before_90_days_and_what_it_cannot_read(client: Client, query: str):
    """All of them are 400 2000."""
    answer = await client("se").get(f"/v1/auditrecords{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)


async def test_pages_by_continuation_token(emulator: Emulator, client: Client):
    """Two records, then the rest."""
    fill(emulator)
    se = client("se")
    first = (await se.get("/v1/auditrecords?size=2")).json()
    link = first["links"]["next"]
    headers = {header["key"]: header["value"] for header in link["headers"]}
    second = (await se.get(f"/v1{link['uri']}", headers=headers)).json()
    assert [item["operationType"] for item in first["items"] + second["items"]] == [
        "add_customer",
        "create_order",
        "update_order",
    ]
