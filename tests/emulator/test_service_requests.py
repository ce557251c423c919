"""Service requests, and the support people who move legacy Azure subscriptions (core reference 9.2, rules K)."""

from __future__ import annotations

from typing import cast

import httpx2
import msgspec
import pytest

from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.azure import HandOver, ServiceRequest
from partner_center_emulator.state.behaviour import SupportManner
from partner_center_emulator.world import Subscription, World
from tests.emulator.commerce import Json, commerce_emulator, refused, subscription_path
from tests.emulator.conftest import Client
from tests.emulator.moving import DAY, HOUR
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, BRAVO, CHARLIE, SE, TARGET

TICKETS = "/v1/servicerequests"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world; Alfa and Bravo are customers of both tenants; support takes eight hours sharp."""
    made = commerce_emulator()
    made.world.behaviour.support.manner = SupportManner(median_hours=8, sigma=0)
    return made


def legacy(emulator: Emulator, customer_id: str = ALFA) -> Subscription:
    """Give a customer a legacy Azure subscription in the Swedish tenant."""
    return azure.open_legacy(emulator, emulator.world.partner_tenants[SE], emulator.world.customers[customer_id])


def clumsy(emulator: Emulator, mistake: str) -> None:
    """Let support make this mistake from now on."""
    manner = SupportManner(median_hours=8, sigma=0, mistake_probability=1, mistakes=[mistake])
    emulator.world.behaviour.support.manner = manner


def careful(emulator: Emulator) -> None:
    """Let support make no mistakes from now on."""
    emulator.world.behaviour.support.manner = SupportManner(median_hours=8, sigma=0)


async def ticket(caller: httpx2.AsyncClient, **order: object) -> str:
    """Open a ticket in the portal and return its number."""
    answer = await caller.post("/_emulator/servicerequests", json={"partner": "se", **order})
    assert answer.status_code == 200, answer.text
    return cast("str", answer.json()["request"]["id"])


async def complain(caller: httpx2.AsyncClient, number: str, text: str = "One is missing.") -> httpx2.Response:
    """Write a note into a ticket."""
    return await caller.patch(f"{TICKETS}/{number}", json={"newNote": {"text": text}})


def over(emulator: Emulator, number: str) -> HandOver:
    """Return what support has to do for a ticket."""
    return emulator.world.azure.hand_overs[number]


def state(emulator: Emulator, number: str) -> ServiceRequest:
    """Return a ticket as it stands in the world."""
    return emulator.world.azure.service_requests[number]


async def azure_at(caller: httpx2.AsyncClient, customer_id: str = ALFA) -> list[Json]:
    """Return the Azure subscriptions that a partner lists for a customer."""
    answer = await caller.get(subscription_path(customer_id=customer_id))
    return [row for row in answer.json()["items"] if row["offerId"] == "MS-AZR-0145P"]


# -- tickets ----------------------------------------------------------------------------------------------------------


async def test_tickets_are_listed_read_and_shown_like_the_published_sample(client: Client):
    """Own ones only; under the customer they were filed for; a 15-digit number."""
    number = await ticket(client("se"), title="Test", customer=ALFA)
    assert (len(number), number.isdigit()) == (15, True)
    listed = (await client("se").get(f"/v1/customers/{ALFA}/servicerequests")).json()
    assert set(missing(sample_body("get-all-service-requests-for-a-customer"), listed)) == set()
    assert [row["id"] for row in (await client("se").get(TICKETS)).json()["items"]] == [number]
    assert (await client("se").get(f"{TICKETS}?status=closed")).json()["items"] == []
    wanted = '{"Field":"Status","Value":"open","Operator":"equals"}'
    assert len((await client("se").get(TICKETS, params={"filter": wanted})).json()["items"]) == 1
    one = (await client("se").get(f"/v1/customers/{ALFA}/servicerequests/{number}")).json()
    assert (one["supportTopicName"], one["status"], one["notes"]) == ("Azure subscription management", 1, [])
    assert refused(await client("target").get(f"{TICKETS}/{number}")) == (404, 1000)
    assert refused(await client("se").get(f"/v1/customers/{BRAVO}/servicerequests/{number}")) == (404, 1000)
    assert refused(await client("se", user=None).get(TICKETS)) == (403, 900329)


async def test_a_partner_adds_notes_and_closes(client: Client):
    """Only changed members matter; other states are refused."""
    number = await ticket(client("se"))
    caller = client("se")
    noted = (await complain(caller, number, "Any news?")).json()
    assert [note["text"] for note in noted["notes"]] == ["Any news?"]
    closed = (await caller.patch(f"{TICKETS}/{number}", json={"Status": "closed"})).json()
    assert (closed["status"], closed["lastClosedDate"][:10]) == (2, "2026-03-02")
    assert refused(await caller.patch(f"{TICKETS}/{number}", json={"status": "attention_needed"})) == (400, 2000)
    assert refused(await caller.patch(f"{TICKETS}/{number}", json={"status": "lost"})) == (400, 900126)


async def test_creating_through_the_api_is_withdrawn_unless_switched_on(emulator: Emulator, client: Client):
    """404 as a gateway answers; with the switch 201 and the topics of the list."""
    caller, body = client("se"), {"title": "Invoice", "severity": "minimal", "supportTopicId": "32451178"}
    assert (await caller.post(f"{TICKETS}/en-US", json=body)).status_code == 404
    emulator.options.service_request_create = True
    made = await caller.post(f"{TICKETS}/en-US", json=body)
    assert (made.status_code, made.json()["supportTopicName"]) == (201, "Billing and invoices")
    topics = (await caller.get(f"{TICKETS}/supporttopics")).json()["items"]
    assert "32451178" in [topic["id"] for topic in topics]
    assert refused(await caller.post(f"{TICKETS}/en-US", json={})) == (400, 2000)
    assert refused(await caller.post(f"{TICKETS}/en-US", json={**body, "supportTopicId": "1"})) == (400, 2000)


# -- the move ---------------------------------------------------------------------------------------------------------


async def test_support_moves_what_the_ticket_names(emulator: Emulator, client: Client):
    """After eight hours: suspended here, active there, other id, same entitlement id, same roles, ticket closed."""
    old, other = legacy(emulator), legacy(emulator)
    roles = msgspec.to_builtins(emulator.world.azure.entitlements[old.id].roles)
    number = await ticket(client("se"), subscriptions=[old.id.upper()])
    emulator.clock.advance(7 * HOUR)
    assert await azure_at(client("target")) == []
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    emulator.clock.advance(HOUR)
    here = {str(row["id"]).lower(): row["status"] for row in await azure_at(client("se"))}
    assert here == {old.id: "suspended", other.id: "active"}
    there = await azure_at(client("target"))
    assert [(row["status"], row["entitlementId"]) for row in there] == [("active", old.entitlement_id)]
    assert str(there[0]["id"]).lower() != old.id
    entitlement = emulator.world.azure.entitlements[old.id]
    assert (entitlement.tenant_id, msgspec.to_builtins(entitlement.roles)) == (TARGET, roles)
    assert (state(emulator, number).status, len(state(emulator, number).notes)) == ("closed", 1)


async def test_a_list_of_company_names_in_the_text_is_enough(emulator: Emulator, client: Client):
    """R-185: with the target's tenant id; customers that are not named stay."""
    emulator.options.service_request_create = True
    first, second = legacy(emulator), legacy(emulator, BRAVO)
    text = f"Please move Azure of Alfa Bygg AB to {TARGET}."
    body = {"title": "Consolidation", "description": text, "severity": "minimal"}
    await client("se").post(f"{TICKETS}/en-US", json=body)
    emulator.clock.advance(DAY)
    assert [row.status for row in (first, second)] == ["suspended", "active"]


@pytest.mark.parametrize("becomes", ["suspended", "disabled", "deleted"])
async def test_what_is_left_at_the_source_is_a_habit(emulator: Emulator, client: Client, becomes: str):
    """The label changed over the years; all three were seen."""
    old = legacy(emulator)
    await client("se").post("/_emulator/azure/support", json={"source_becomes": becomes})
    await ticket(client("se"), customers=[ALFA])
    emulator.clock.advance(DAY)
    assert (await azure_at(client("se")))[0]["status"] == becomes
    assert old.status == becomes


async def test_what_cannot_move_is_said_in_the_ticket(emulator: Emulator, client: Client):
    """No relationship with the new partner: attention needed, the others are moved."""
    fine, stranded = legacy(emulator), legacy(emulator, CHARLIE)
    number = await ticket(client("se"), subscriptions=[fine.id, stranded.id])
    emulator.clock.advance(DAY)
    assert (fine.status, stranded.status) == ("suspended", "active")
    assert state(emulator, number).status == "attention_needed"
    assert "Charlie Skog AB" in state(emulator, number).notes[0].text


async def test_a_closed_ticket_is_left_alone(emulator: Emulator, client: Client):
    """Closing before support has begun takes the work back."""
    old = legacy(emulator)
    number = await ticket(client("se"), subscriptions=[old.id])
    await client("se").patch(f"{TICKETS}/{number}", json={"status": "closed"})
    emulator.clock.advance(DAY)
    assert old.status == "active"


# -- mistakes ---------------------------------------------------------------------------------------------------------


async def test_support_asks_back_and_goes_on_after_the_answer(emulator: Emulator, client: Client):
    """Attention needed, nothing moved; a note, and eight hours later it is done."""
    clumsy(emulator, "asks_back")
    old = legacy(emulator)
    number = await ticket(client("se"), subscriptions=[old.id])
    emulator.clock.advance(8 * HOUR)
    assert (state(emulator, number).status, old.status) == ("attention_needed", "active")
    careful(emulator)
    await complain(client("se"), number, "The form is attached.")
    emulator.clock.advance(8 * HOUR)
    assert (state(emulator, number).status, old.status) == ("closed", "suspended")


async def test_a_subscription_left_out_is_moved_after_a_complaint(emulator: Emulator, client: Client):
    """The ticket is closed as if all was done; a note opens it again."""
    clumsy(emulator, "partial")
    rows = [legacy(emulator), legacy(emulator)]
    number = await ticket(client("se"), subscriptions=[row.id for row in rows])
    emulator.clock.advance(8 * HOUR)
    assert (state(emulator, number).status, sorted(row.status for row in rows)) == ("closed", ["active", "suspended"])
    careful(emulator)
    assert (await complain(client("se"), number)).json()["status"] == 1
    emulator.clock.advance(8 * HOUR)
    assert [row.status for row in rows] == ["suspended", "suspended"]
    assert len(await azure_at(client("target"))) == 2


async def test_a_wrong_one_is_put_back_after_a_complaint(emulator: Emulator, client: Client):
    """Billing of the wrong one returns, the right one moves; nothing is there twice."""
    clumsy(emulator, "wrong_item")
    right, wrong = legacy(emulator), legacy(emulator, BRAVO)
    number = await ticket(client("se"), subscriptions=[right.id])
    emulator.clock.advance(8 * HOUR)
    assert (right.status, wrong.status) == ("active", "suspended")
    assert over(emulator, number).wrongly_moved == [wrong.id]
    careful(emulator)
    await complain(client("se"), number)
    emulator.clock.advance(8 * HOUR)
    assert (right.status, wrong.status) == ("suspended", "active")
    assert [len(await azure_at(client("target"), customer)) for customer in (ALFA, BRAVO)] == [1, 0]
    assert emulator.world.azure.entitlements[wrong.id].tenant_id == SE
