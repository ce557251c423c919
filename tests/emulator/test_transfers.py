"""New-commerce transfers between partner tenants (commerce reference 4.1, rules H)."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.ledger import report
from partner_center_emulator.subscriptions.models import change_in_portal
from partner_center_emulator.world import World
from tests.emulator.commerce import E3 as LEGACY_OFFER
from tests.emulator.commerce import bought, buy, commerce_emulator, line, orders_path, refused, subscription_path
from tests.emulator.conftest import Client
from tests.emulator.moving import (
    DAY,
    HOUR,
    MINUTE,
    lines_of,
    new_commerce,
    read_transfer,
    request_body,
    requested,
    submitted,
    transfers_path,
)
from tests.emulator.small_world import ALFA, BRAVO, CHARLIE, SE, STRANGER, TARGET


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with catalogs; Alfa and Bravo are customers of both tenants."""
    return commerce_emulator()


async def moved(emulator: Emulator, client: Client, *ids: str) -> dict[str, object]:
    """Transfer things from the Swedish tenant to the target and return the finished transfer as the target sees it."""
    transfer = await requested(client("target"))
    assert (await submitted(client("se"), transfer, *ids)).status_code == 200
    emulator.clock.advance(15 * MINUTE)
    return await read_transfer(client("target"), transfer)


# -- the way it should go ---------------------------------------------------------------------------------------------


async def test_the_target_asks_and_the_source_sees_it_in_a_bare_array(client: Client):
    """201 Pending for thirty days, incoming for one side, outgoing for the other, without lines."""
    transfer = await requested(client("target"), transferType=3, targetProductTypes=["OnlineServicesNCE"])
    assert (transfer["status"], transfer["transferType"], transfer["lineItems"]) == ("Pending", 3, [])
    assert transfer["expirationTime"] == "2026-04-01T08:00:00.0000000Z"
    assert (transfer["targetPartnerTenantId"], transfer["transferDirection"]) == (TARGET, 1)
    seen = (await client("se").get(transfers_path())).json()
    assert [(row["id"], row["transferDirection"]) for row in seen] == [(transfer["id"], 2)]


async def test_a_submitted_subscription_goes_on_at_the_target(emulator: Emulator, client: Client):
    """New ids of subscription and order; seats, offer, term and end date unchanged; gone at the source."""
    old = new_commerce(emulator, 15)
    transfer = await requested(client("target"))
    answer = await submitted(client("se"), transfer, old.id.upper())
    assert (answer.json()["status"], lines_of(answer.json())[0]["status"]) == ("InProgress", "InProgress")
    assert lines_of(await read_transfer(client("target"), transfer)) == []
    emulator.clock.advance(15 * MINUTE)
    done = await read_transfer(client("target"), transfer)
    assert (done["status"], lines_of(done)[0]["status"]) == ("Complete", "Complete")
    new = emulator.world.subscriptions[str(lines_of(done)[0]["targetSubscriptionId"])]
    kept = ("offer_id", "quantity", "commitment_end", "billing_cycle", "friendly_name", "status", "auto_renew")
    old_values = {"status": "active"} | {name: getattr(old, name) for name in kept if name != "status"}
    assert {name: getattr(new, name) for name in kept} == old_values
    assert new.tenant_id == TARGET
    assert {new.id, new.order_id}.isdisjoint({old.id, old.order_id})
    assert refused(await client("se").get(subscription_path(old.id))) == (404, 20003)
    assert (await client("se").get(subscription_path())).json()["items"] == []
    assert (await client("target").get(subscription_path(new.id))).json()["quantity"] == 15
    assert (await client("target").get(f"{orders_path()}/{new.order_id}")).status_code == 200


async def test_the_terms_of_new_commerce_come_along_in_the_targets_currency(emulator: Emulator, client: Client):
    """Anchor and term stay, the price is exchanged."""
    old = new_commerce(emulator)
    done = await moved(emulator, client, old.id)
    terms = emulator.world.commerce.terms
    new = terms[str(lines_of(done)[0]["targetSubscriptionId"])]
    assert (new.anchor, new.term_duration, new.purchased_at) == (
        terms[old.id].anchor,
        terms[old.id].term_duration,
        terms[old.id].purchased_at,
    )
    assert (terms[old.id].currency, new.currency, new.unit_price) == ("SEK", "EUR", "2.04")


async def test_seats_added_while_it_is_under_way_come_along(emulator: Emulator, client: Client):
    """It is the same subscription that changes its owner, with what it holds by then (R-149)."""
    held = new_commerce(emulator)
    asked = await requested(client("target"))
    assert (await submitted(client("se"), asked, held.id)).status_code == 200
    change_in_portal(emulator, held.id, {"quantity": held.quantity + 3})
    emulator.clock.advance(HOUR)
    moved = emulator.world.subscriptions[str(held.moved_to)]
    assert (moved.tenant_id, moved.quantity) == (TARGET, 18)


async def test_the_truth_ledger_sees_neither_gap_nor_twin(emulator: Emulator, client: Client):
    """The target's copy exists before the source's goes; both on one day."""
    old = new_commerce(emulator)
    await moved(emulator, client, old.id)
    totals = report(emulator).totals
    assert (totals.twins, totals.gaps, totals.overlap_seat_days, totals.unequal, totals.moved) == (0, 0, 0, 0, 1)


async def test_the_moved_subscription_is_not_deleted_or_renewed_at_the_source(emulator: Emulator, client: Client):
    """A year later only the target's subscription has gone on."""
    old = new_commerce(emulator)
    done = await moved(emulator, client, old.id)
    emulator.clock.advance(400 * DAY)
    new = emulator.world.subscriptions[str(lines_of(done)[0]["targetSubscriptionId"])]
    assert (old.status, new.status) == ("deleted", "active")
    assert new.commitment_end.year == 2028


# -- how it ends otherwise --------------------------------------------------------------------------------------------


async def test_an_unanswered_request_expires_after_thirty_days(emulator: Emulator, client: Client):
    """Also when the world was saved and loaded in between."""
    transfer = await requested(client("target"))
    emulator.clock.advance(29 * DAY)
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    assert (await read_transfer(client("se"), transfer))["status"] == "Pending"
    emulator.clock.advance(DAY)
    assert (await read_transfer(client("se"), transfer))["status"] == "Expired"
    assert refused(await submitted(client("se"), transfer, STRANGER)) == (400, 900102)


async def test_only_the_creator_cancels_and_only_while_pending(emulator: Emulator, client: Client):
    """403 for the source, 409 in progress, 400 afterwards."""
    old = new_commerce(emulator)
    first = await requested(client("target"))
    path = transfers_path(str(first["id"]))
    assert refused(await client("se").patch(path, json={"status": "Cancel"})) == (403, 900308)
    assert (await client("target").patch(path, json={"status": "Cancel"})).json()["status"] == "Cancel"
    second = await requested(client("target"))
    path = transfers_path(str(second["id"]))
    await submitted(client("se"), second, old.id)
    assert refused(await client("target").patch(path, json={"status": "Cancel"})) == (409, 900101)
    emulator.clock.advance(15 * MINUTE)
    assert refused(await client("target").patch(path, json={"status": "Cancel"})) == (400, 900102)


async def test_the_source_rejects_and_nothing_moves(emulator: Emulator, client: Client):
    """The target cannot reject its own request."""
    old = new_commerce(emulator)
    transfer = await requested(client("target"))
    path = transfers_path(str(transfer["id"]))
    assert refused(await client("target").patch(path, json={"status": "reject"})) == (403, 900308)
    assert (await client("se").patch(path, json={"Status": "reject"})).json()["status"] == "Reject"
    emulator.clock.advance(DAY)
    assert (old.tenant_id, old.status, old.moved_to) == (SE, "active", None)


async def test_a_stumbling_line_is_tried_again(emulator: Emulator, client: Client):
    """Two failures and an hour each, then Complete."""
    old = new_commerce(emulator)
    stumbles = "/_emulator/transfers/stumbles"
    await client("se").post(stumbles, json={"ids": [old.id], "times": 2})
    transfer = await requested(client("target"))
    await submitted(client("se"), transfer, old.id)
    emulator.clock.advance(15 * MINUTE)
    line_now = lines_of(await read_transfer(client("se"), transfer))[0]
    assert (line_now["status"], cast("dict[str, object]", line_now["transferError"])["code"]) == ("InProgress", 900103)
    emulator.clock.advance(2 * HOUR)
    assert (await read_transfer(client("se"), transfer))["status"] == "Complete"


async def test_a_line_that_never_works_fails_after_three_days_and_the_rest_is_done(emulator: Emulator, client: Client):
    """PartiallyComplete, with the reason at the failed line; its subscription stays where it was."""
    good, bad = new_commerce(emulator), new_commerce(emulator)
    await client("se").post("/_emulator/transfers/stumbles", json={"ids": [bad.id], "times": 1000})
    transfer = await requested(client("target"))
    await submitted(client("se"), transfer, good.id, bad.id)
    emulator.clock.advance(2 * DAY)
    assert (await read_transfer(client("se"), transfer))["status"] == "InProgress"
    emulator.clock.advance(DAY + HOUR)
    done = await read_transfer(client("target"), transfer)
    assert done["status"] == "PartiallyComplete"
    assert [row["status"] for row in lines_of(done)] == ["Complete", "Failed"]
    assert (bad.tenant_id, bad.status) == (SE, "active")


async def test_an_attempt_survives_saving_and_loading(emulator: Emulator, client: Client):
    """The next attempt is put back on the clock."""
    old = new_commerce(emulator)
    transfer = await requested(client("target"))
    await submitted(client("se"), transfer, old.id)
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    emulator.clock.advance(15 * MINUTE)
    assert (await read_transfer(client("se"), transfer))["status"] == "Complete"


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"sourcePartnerTenantId": TARGET}, (400, 900148)),
        ({"sourcePartnerTenantId": ""}, (400, 2000)),
        ({"sourcePartnerTenantId": STRANGER}, (400, 900400)),
        ({"customerEmailId": ""}, (400, 2000)),
        ({"customerEmailId": "admin@bravo.onmicrosoft.com"}, (400, 900147)),
        ({"transferType": 9}, (400, 900126)),
        ({"targetProductTypes": ["Toasters"]}, (400, 900126)),
        ({"targetProductTypes": ["AzureSubscription"]}, (400, 900133)),
        ({"targetPartnerTenantId": STRANGER}, (400, 900400)),
    ],
)
async def test_a_bad_request_is_refused(client: Client, more: dict[str, object], expected: tuple[int, int]):
    """Each with its code."""
    assert refused(await client("target").post(transfers_path(), json=request_body(**more))) == expected


async def test_partners_that_cannot_take_part_are_refused(emulator: Emulator, client: Client):
    """No relationship, an indirect reseller, a national cloud, no contact, another region, switched off."""
    target, world = client("target"), emulator.world
    assert refused(await target.post(transfers_path(customer_id=CHARLIE), json=request_body())) == (403, 20002)
    source = world.partner_tenants[SE]
    del world.relationships[f"{SE}/{BRAVO}"]
    asked = await target.post(transfers_path(customer_id=BRAVO), json=request_body(customerEmailId="x@example.com"))
    assert refused(asked) == (403, 900159)
    source.program = "indirect_reseller"
    assert refused(await target.post(transfers_path(), json=request_body())) == (403, 900137)
    source.program, source.cloud = "direct", "us_government"
    assert refused(await target.post(transfers_path(), json=request_body())) == (403, 900138)
    source.cloud, email, source.email = "commercial", source.email, ""
    assert refused(await target.post(transfers_path(), json=request_body())) == (400, 900136)
    source.email, source.address.country = email, "US"
    assert refused(await target.post(transfers_path(), json=request_body())) == (400, 900400)
    source.address.country = "SE"
    await target.post("/_emulator/transfers/partners", json={"partner": "se", "enabled": False})
    assert refused(await target.post(transfers_path(), json=request_body())) == (403, 900137)


async def test_a_second_open_request_between_the_two_is_a_conflict(client: Client):
    """409 until the first is over."""
    first = await requested(client("target"))
    assert refused(await client("target").post(transfers_path(), json=request_body())) == (409, 900101)
    await client("target").patch(transfers_path(str(first["id"])), json={"status": "Cancelled"})
    assert (await client("target").post(transfers_path(), json=request_body())).status_code == 201


async def test_a_wrong_line_refuses_the_whole_submission(emulator: Emulator, client: Client):
    """Unknown, not active, legacy, twice, none, more than 25; the transfer stays pending."""
    good, idle = new_commerce(emulator), new_commerce(emulator)
    idle.status = "suspended"
    order = await buy(client("se"), line(LEGACY_OFFER))
    transfer = await requested(client("target"))
    for wrong in (STRANGER, idle.id, bought(order)[0]):
        assert refused(await submitted(client("se"), transfer, good.id, wrong)) == (400, 800078)
    assert refused(await submitted(client("se"), transfer, good.id, good.id)) == (400, 2000)
    assert refused(await submitted(client("se"), transfer)) == (400, 2000)
    many = [new_commerce(emulator).id for _ in range(26)]
    assert refused(await submitted(client("se"), transfer, *many)) == (400, 2000)
    assert (await submitted(client("se"), transfer, *many[:25])).status_code == 200


async def test_software_does_not_move(emulator: Emulator, client: Client):
    """R-151: 400 code 900134."""
    old = new_commerce(emulator)
    emulator.world.commerce.terms[old.id].product_type = "Software"
    transfer = await requested(client("target"))
    assert refused(await submitted(client("se"), transfer, old.id)) == (400, 900134)


async def test_only_the_two_sides_and_the_right_roles_see_and_answer(emulator: Emulator, client: Client):
    """404 for an unknown transfer, 403 for the target that submits, for helpdesk agents, and for sales agents."""
    old = new_commerce(emulator)
    transfer = await requested(client("target"))
    assert refused(await client("target").get(transfers_path(STRANGER))) == (404, 900100)
    assert refused(await submitted(client("target"), transfer, old.id)) == (403, 900308)
    assert refused(await client("se", "helper").get(transfers_path())) == (403, 900150)
    assert refused(await client("target", "seller").post(transfers_path(), json=request_body())) == (403, 900150)
    assert refused(await client("se").patch(transfers_path(str(transfer["id"])), json={"status": "x"})) == (400, 900102)


async def test_the_activity_log_tells_of_both_steps(emulator: Emulator, client: Client):
    """create_transfer at the target, update_transfer at the source."""
    old = new_commerce(emulator)
    await moved(emulator, client, old.id)
    seen = [(row.tenant_id, row.operation_type) for row in emulator.world.audit if row.customer_id == ALFA]
    assert seen == [(TARGET, "create_transfer"), (SE, "update_transfer")]


# -- what follows from a transfer -------------------------------------------------------------------------------------


async def test_a_customer_may_leave_the_source_when_all_has_moved(emulator: Emulator, client: Client):
    """R-199: suspended licenses of new commerce keep it there, transferred ones do not."""
    old = new_commerce(emulator)
    customer, leave = f"/v1/customers/{ALFA}", {"relationshipToPartner": "none"}
    old.status = "suspended"
    assert (await client("se").patch(customer, json=leave)).status_code == 400
    old.status = "active"
    await moved(emulator, client, old.id)
    assert (await client("se").patch(customer, json=leave)).status_code == 200


async def test_both_sides_hear_how_it_ended(emulator: Emulator, client: Client):
    """The events complete-transfer and fail-transfer are recorded for source and target."""
    good, bad = new_commerce(emulator), new_commerce(emulator)
    await moved(emulator, client, good.id)
    await client("se").post("/_emulator/transfers/stumbles", json={"ids": [bad.id], "times": 1000})
    await moved(emulator, client, bad.id)
    emulator.clock.advance(4 * DAY)
    heard = [(row.what, row.tenant_id) for row in emulator.world.changes if row.what in _EVENTS]
    assert heard == [(what, tenant) for what in _EVENTS for tenant in (SE, TARGET)]


_EVENTS = ("transfer.completed", "transfer.failed")
