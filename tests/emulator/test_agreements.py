"""Agreements (core reference 7)."""

from __future__ import annotations

import pytest

from partner_center_emulator.agreements.models import is_confirmed
from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, SE, TARGET
from tests.emulator.test_idempotency import agreement

PATH = f"/v1/customers/{ALFA}/agreements"


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("", ["MicrosoftCloudAgreement"]),
        ("?agreementType=MicrosoftCustomerAgreement", ["MicrosoftCustomerAgreement"]),
        ("?agreementType=*", ["MicrosoftCloudAgreement", "MicrosoftCustomerAgreement"]),
    ],
)
async def test_metadata_names_the_templates(client: Client, query: str, types: list[str]):
    """Without a type only the cloud agreement is listed; a star means all."""
    body = (await client("se").get(f"/v1/agreements{query}")).json()
    assert [item["agreementType"] for item in body["items"]] == types
    assert all(item["templateId"] and item["agreementLink"] for item in body["items"])


async def test_attests_once_per_contact(emulator: Emulator, client: Client):
    """201 echoes the date as sent and names the user; the same contact again is 600061 in form B."""
    se = client("se")
    first = await se.post(PATH, json=agreement())
    again = await se.post(PATH, json={**agreement(), "dateAgreed": "2026-02-02T00:00:00Z"})
    other = await se.post(PATH, json=agreement("Another"))
    assert (first.status_code, first.json()["dateAgreed"]) == (201, "2026-02-01T00:00:00Z")
    assert first.json()["userId"] == "se-admin"
    assert "phoneNumber" not in first.json()["primaryContact"]
    assert (again.status_code, again.json()["code"]) == (400, 600061)
    assert again.json()["errorName"] == "PartnerConfirmedAgreementAlreadyExists"
    assert other.status_code == 201
    assert [change.what for change in emulator.world.changes] == ["agreement.attested"] * 2
    assert emulator.world.audit[0].operation_type == "create_agreement"


async def test_lists_what_this_partner_attested(client: Client):
    """The list needs the type; items carry the link."""
    se = client("se")
    await se.post(PATH, json=agreement())
    default = (await se.get(PATH)).json()
    asked = (await se.get(f"{PATH}?agreementType=MicrosoftCustomerAgreement")).json()
    assert default["items"] == []
    assert asked["items"][0]["primaryContact"]["firstName"] == "Tove"
    assert asked["items"][0]["agreementLink"]


@pytest.mark.parametrize(
    "change",
    [
        {"dateAgreed": "2026-03-03T00:00:00Z"},
        {"dateAgreed": "yesterday"},
        {"dateAgreed": None},
        {"templateId": "00000000-0000-4000-8000-000000000000"},
        {"type": "MicrosoftCloudAgreement"},
        {"primaryContact": {"firstName": "Tove", "lastName": "Berg"}},
        {"primaryContact": None},
    ],
)
async def test_refuses_an_attestation_with_something_wrong(client: Client, change: dict[str, object]):
    """A future or unreadable date, a wrong template or type and a missing contact are 400 2000."""
    answer = await client("se").post(PATH, json={**agreement(), **change})
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)


async def test_reads_whether_the_customer_signed_itself(emulator: Emulator, client: Client):
    """The direct signature is the customer's own and counts for every partner."""
    path = f"/v1/customers/{ALFA}/directSignedMicrosoftCustomerAgreementStatus"
    assert (await client("se").get(path)).json() == {"isSigned": True}
    emulator.world.customers[ALFA].direct_signed_agreement = False
    assert (await client("se").get(path)).json() == {"isSigned": False}


async def test_a_purchase_is_open_after_attestation_or_own_signature(emulator: Emulator, client: Client):
    """The gate of 13605: per partner tenant by attestation, for all by the customer's signature."""
    customer = emulator.world.customers[ALFA]
    customer.direct_signed_agreement = False
    assert not is_confirmed(emulator, SE, customer)
    await client("se").post(PATH, json=agreement())
    assert is_confirmed(emulator, SE, customer)
    assert not is_confirmed(emulator, TARGET, customer)
    customer.direct_signed_agreement = True
    assert is_confirmed(emulator, TARGET, customer)


async def test_refuses_an_unknown_type_and_an_application_alone(client: Client):
    """An unknown agreement type is 400; agreements need a user."""
    unknown = await client("se").get("/v1/agreements?agreementType=Other")
    alone = await client("se", user=None).get("/v1/agreements")
    assert (unknown.status_code, alone.status_code, alone.json()["code"]) == (400, 403, 900329)
