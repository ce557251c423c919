"""Subscriptions: reading, the PATCH of the whole object, what time does (commerce reference 3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast

import msgspec
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.subscriptions.models import change_in_portal
from partner_center_emulator.subscriptions.months import add_months
from partner_center_emulator.wire import version_etag
from partner_center_emulator.world import Subscription, World
from tests.emulator.commerce import (
    AUDIO,
    E1,
    E3,
    PREMIUM,
    PROTECTION,
    TRIAL,
    bought,
    buy,
    buy_one,
    commerce_emulator,
    line,
    patch,
    read,
    refused,
    subscription_path,
)
from tests.emulator.conftest import Client
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import BRAVO

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog; Alfa and Bravo are customers of both tenants."""
    return commerce_emulator()


def state(emulator: Emulator, wire: dict[str, object]) -> Subscription:
    """Return the world's subscription behind an answer."""
    return emulator.world.subscriptions[str(wire["id"]).lower()]


async def bought_with_add_ons(client: Client) -> list[dict[str, object]]:
    """Buy a base with two add-ons and return the three subscriptions."""
    base = await buy_one(client(), E3, 20)
    first = await buy_one(client(), AUDIO, 5, parentSubscriptionId=base["id"])
    second = await buy_one(client(), PROTECTION, 9, parentSubscriptionId=base["id"])
    return [base, first, second]


# -- reading ----------------------------------------------------------------------------------------------------------


async def test_lists_every_state_in_one_answer(emulator: Emulator, client: Client):
    """Active, suspended, deleted and unknown ones; those of other tenants and customers are not there."""
    order = await buy(client(), line(E3), line(E1, number=1), line(PREMIUM, number=2), line(E3, number=3))
    for subscription_id, status in zip(bought(order), ("active", "suspended", "deleted", "odd_hold"), strict=True):
        emulator.world.subscriptions[subscription_id.lower()].status = status
    await buy(client("se"), line(E3))
    await buy(client(), line(E3), customer_id=BRAVO)
    body = (await client().get(subscription_path())).json()
    assert body["totalCount"] == 4
    assert [row["status"] for row in body["items"]] == ["active", "suspended", "deleted", "odd_hold"]
    by_order = (await client().get(f"{subscription_path()}?order_id={str(order['id']).upper()}")).json()
    assert by_order["totalCount"] == 4
    assert (await client().get(f"{subscription_path()}?order_id=other")).json()["items"] == []


async def test_reads_one_in_any_case(client: Client):
    """Ids are upper case in answers and any case in paths."""
    found = await buy_one(client())
    assert found["id"] == str(found["id"]).upper()
    assert await read(client(), str(found["id"]).lower()) == found


async def test_does_not_find_what_belongs_to_others(client: Client):
    """404 code 20003 for an unknown one, another tenant's, and another customer's."""
    found = await buy_one(client("se"))
    for caller, path in (
        (client(), subscription_path(str(found["id"]))),
        (client("se"), subscription_path(str(found["id"]), BRAVO)),
        (client("se"), subscription_path("00000000-0000-4000-8000-000000000000")),
    ):
        assert refused(await caller.get(path)) == (404, 20003)
        assert refused(await caller.patch(path, json={"quantity": 3})) == (404, 20003)


async def test_lists_the_add_ons_of_a_base(client: Client):
    """Both add-ons in any state, nothing below an add-on."""
    base, first, second = await bought_with_add_ons(client)
    body = (await client().get(f"{subscription_path(str(base['id']))}/addons")).json()
    assert [row["id"] for row in body["items"]] == [first["id"], second["id"]]
    assert (await client().get(f"{subscription_path(str(first['id']))}/addons")).json()["items"] == []


# -- changing ---------------------------------------------------------------------------------------------------------


async def test_suspends_a_base_with_its_add_ons(emulator: Emulator, client: Client):
    """One call stops all three, each with a new version, one ledger entry each, all under the call's request id."""
    rows = await bought_with_add_ons(client)
    emulator.world.changes.clear()
    answer = await patch(client(), rows[0], status="suspended")
    assert (answer.status_code, answer.json()["status"]) == (200, "suspended")
    assert answer.json()["suspensionReasons"] == []
    for row in rows:
        now = await read(client(), str(row["id"]))
        assert now["status"] == "suspended"
        assert now["attributes"] != row["attributes"]
    assert [change.after["status"] for change in emulator.world.changes] == ["suspended"] * 3
    assert len({change.request_id for change in emulator.world.changes}) == 1
    assert emulator.world.audit[-1].operation_type == "update_subscription"


async def test_brings_add_ons_back_only_after_their_base(client: Client):
    """The child cannot be enabled while the parent is suspended; reactivating the base does not bring it back."""
    rows = await bought_with_add_ons(client)
    await patch(client(), rows[0], status="suspended")
    base, child = [await read(client(), str(row["id"])) for row in rows[:2]]
    assert refused(await patch(client(), child, status="active")) == (409, 27009)
    assert (await patch(client(), base, status="active")).status_code == 200
    assert (await read(client(), str(child["id"])))["status"] == "suspended"
    assert (await patch(client(), child, status="active")).json()["status"] == "active"


async def test_suspends_an_add_on_alone(client: Client):
    """Its base goes on."""
    base, first, _ = await bought_with_add_ons(client)
    assert (await patch(client(), first, status="suspended")).status_code == 200
    assert (await read(client(), str(base["id"])))["status"] == "active"


async def test_refuses_a_stale_etag(client: Client):
    """The second of two changes with the same etag is 400 code 2055, by body or by If-Match."""
    caller, found = client(), await buy_one(client())
    assert (await patch(caller, found, quantity=11)).status_code == 200
    assert refused(await patch(caller, found, quantity=12)) == (400, 2055)
    stale = {"If-Match": f'"{found["attributes"]["etag"]}"'}  # type: ignore[index]
    path = subscription_path(str(found["id"]))
    assert refused(await caller.patch(path, json={"quantity": 12}, headers=stale)) == (400, 2055)
    assert refused(await caller.patch(path, json={"quantity": 12}, headers={"If-Match": "nonsense"})) == (400, 2055)
    fresh = {"If-Match": version_etag(str(found["id"]), 2)}
    assert (await caller.patch(path, json={**found, "quantity": 12}, headers=fresh)).json()["quantity"] == 12


async def test_accepts_a_change_without_etag(client: Client):
    """Samples do it; so it works."""
    found = await buy_one(client())
    path = subscription_path(str(found["id"]))
    assert (await client().patch(path, json={"Quantity": 14})).json()["quantity"] == 14
    assert (await client().patch(path, json={"quantity": 15}, headers={"If-Match": "*"})).json()["quantity"] == 15


async def test_raises_the_version_only_when_something_changes(emulator: Emulator, client: Client):
    """Sending the object back as it is changes nothing and writes nothing."""
    found = await buy_one(client())
    before = len(emulator.world.changes)
    assert (await patch(client(), found)).json() == found
    assert len(emulator.world.changes) == before


async def test_changes_seats_both_ways_inside_the_limits(client: Client):
    """Legacy seats go up and down; outside of minimum and maximum is 2002."""
    found = await buy_one(client(), PREMIUM, 10)
    for quantity in (300, 1):
        answer = await patch(client(), found, quantity=quantity)
        assert answer.json()["quantity"] == quantity
        found = answer.json()
    assert refused(await patch(client(), found, quantity=301)) == (400, 2002)
    assert refused(await patch(client(), found, quantity=0)) == (400, 2002)


@pytest.mark.parametrize(
    ("status", "changes", "expected"),
    [
        ("active", {"status": "deleted"}, (400, 800040)),
        ("active", {"status": "expired"}, (400, 800040)),
        ("active", {"status": 3}, (400, 800040)),
        ("active", {"status": "frozen"}, (400, 2000)),
        ("active", {"quantity": "many"}, (400, 2000)),
        ("active", {"quantity": 1.5}, (400, 2000)),
        ("active", {"quantity": True}, (400, 2000)),
        ("active", {"billingCycle": "annual"}, (400, 2054)),
        ("active", {"id": "00000000-0000-4000-8000-000000000000"}, (400, 2000)),
        ("active", {"status": "suspended", "quantity": 5}, (400, 2001)),
        ("suspended", {"quantity": 5}, (400, 2001)),
        ("suspended", {"status": "active", "quantity": 5}, (400, 2001)),
        ("suspended", {"status": "deleted"}, (400, 800040)),
        ("deleted", {"status": "active"}, (400, 2011)),
        ("deleted", {"friendlyName": "x"}, (400, 2011)),
        ("expired", {"status": "active"}, (400, 800040)),
        ("expired", {"quantity": 5}, (400, 800040)),
        ("disabled", {"status": "suspended"}, (400, 800040)),
        ("odd_hold", {"friendlyName": "x"}, (409, 800082)),
        ("odd_hold", {"status": "suspended"}, (400, 800040)),
    ],
)
async def test_refuses_a_change_by_number(
    emulator: Emulator, client: Client, status: str, changes: dict[str, object], expected: tuple[int, int]
):
    """Each documented error of a change, and nothing is changed."""
    found = await buy_one(client())
    state(emulator, found).status = status
    shown = await read(client(), str(found["id"]))
    answer = await client().patch(subscription_path(str(found["id"])), json={**shown, **changes})
    assert refused(answer) == expected
    assert await read(client(), str(found["id"])) == shown


@pytest.mark.parametrize(("number", "status"), [(0, "active"), (1, "active"), (2, "suspended")])
async def test_reads_the_status_as_a_number(client: Client, number: int, status: str):
    """The number of the enum's member; 0 means none was given."""
    assert (await patch(client(), await buy_one(client()), status=number)).json()["status"] == status


async def test_switches_auto_renew_off_when_it_is_left_out(client: Client):
    """The PATCH is a full replace in disguise; name and partner stay when they are left out."""
    found = await buy_one(client(), E3, 10, friendlyName="Desk", partnerIdOnRecord="4847383")
    path = subscription_path(str(found["id"]))
    changed = (await client().patch(path, json={"quantity": 11})).json()
    assert (changed["autoRenewEnabled"], changed["friendlyName"], changed["partnerId"]) == (False, "Desk", "4847383")
    renamed = (await patch(client(), changed, friendlyName="Bench", autoRenewEnabled=True)).json()
    assert (renamed["autoRenewEnabled"], renamed["friendlyName"]) == (True, "Bench")


async def test_needs_a_role_to_change(client: Client):
    """Helpdesk agents read but do not change."""
    found = await buy_one(client("se"))
    helper = client("se", "helper")
    assert (await helper.get(subscription_path(str(found["id"])))).status_code == 200
    assert refused(await patch(helper, found, quantity=11)) == (403, 900150)


# -- the portal -------------------------------------------------------------------------------------------------------


async def test_the_portal_changes_behind_the_clients_back(emulator: Emulator, client: Client):
    """The etag rises and the ledger entry has no request id; a base takes its add-ons along."""
    base, first, _ = await bought_with_add_ons(client)
    change_in_portal(emulator, str(base["id"]), {"quantity": 33})
    assert refused(await patch(client(), base, quantity=20)) == (400, 2055)
    assert emulator.world.changes[-1].request_id == ""
    assert emulator.world.changes[-1].before == {"status": "active", "quantity": 20}
    change_in_portal(emulator, str(base["id"]), {"status": "suspended"})
    assert state(emulator, first).status == "suspended"


@pytest.mark.parametrize(
    "changes", [{"colour": "red"}, {"quantity": "3"}, {"quantity": True}, {"auto_renew": 1}, {"status": 2}]
)
async def test_the_portal_refuses_nonsense(emulator: Emulator, client: Client, changes: dict[str, object]):
    """Unknown members and wrong types are a ValueError, an unknown subscription a KeyError."""
    found = await buy_one(client())
    with pytest.raises(ValueError, match="member"):
        change_in_portal(emulator, str(found["id"]), changes)
    with pytest.raises(KeyError):
        change_in_portal(emulator, "nothing", {"quantity": 1})


# -- time -------------------------------------------------------------------------------------------------------------


async def test_deletes_after_ninety_days_of_suspension(emulator: Emulator, client: Client):
    """To the second, with the add-ons, and recorded as the clock's doing."""
    rows = await bought_with_add_ons(client)
    await patch(client(), rows[0], status="suspended")
    emulator.clock.advance(90 * DAY - 1)
    assert {state(emulator, row).status for row in rows} == {"suspended"}
    emulator.clock.advance(1)
    assert {state(emulator, row).status for row in rows} == {"deleted"}
    assert emulator.world.changes[-1].request_id == ""


async def test_counts_the_ninety_days_anew_after_a_reactivation(emulator: Emulator, client: Client):
    """A reactivated subscription lives; a second suspension has its own ninety days."""
    found = await buy_one(client())
    await patch(client(), found, status="suspended")
    emulator.clock.advance(60 * DAY)
    change_in_portal(emulator, str(found["id"]), {"status": "active"})
    emulator.clock.advance(10 * DAY)
    change_in_portal(emulator, str(found["id"]), {"status": "suspended"})
    emulator.clock.advance(89 * DAY)
    assert state(emulator, found).status == "suspended"
    emulator.clock.advance(2 * DAY)
    assert state(emulator, found).status == "deleted"


async def test_renews_for_twelve_months_at_term_end(emulator: Emulator, client: Client):
    """Year after year, each time with a new version."""
    found = state(emulator, await buy_one(client()))
    emulator.clock.advance(365 * DAY)
    assert (found.status, found.commitment_end, found.version) == ("active", date(2028, 3, 1), 2)
    emulator.clock.advance(366 * DAY)
    assert (found.status, found.commitment_end, found.version) == ("active", date(2029, 3, 1), 3)


async def test_deletes_a_suspended_one_at_term_end(emulator: Emulator, client: Client):
    """The term end may come before the ninety days are over."""
    wire = await buy_one(client())
    emulator.clock.advance(350 * DAY)
    change_in_portal(emulator, str(wire["id"]), {"status": "suspended"})
    emulator.clock.advance(16 * DAY)
    assert state(emulator, wire).status == "deleted"


async def test_lets_one_without_auto_renew_end(emulator: Emulator, client: Client):
    """It rests suspended with the one reason ever seen, and is deleted ninety days later; so does a trial."""
    wire, order = await buy_one(client()), await buy(client(), line(TRIAL, 25), cycle="none")
    await patch(client(), wire, autoRenewEnabled=False)
    trial = emulator.world.subscriptions[bought(order)[0].lower()]
    emulator.clock.advance(31 * DAY)
    assert trial.status == "suspended"
    emulator.clock.advance(335 * DAY)
    shown = await read(client(), str(wire["id"]))
    assert (shown["status"], shown["suspensionReasons"]) == ("suspended", ["Expiration"])
    assert trial.status == "deleted"
    emulator.clock.advance(90 * DAY)
    assert state(emulator, wire).status == "deleted"


async def test_timers_come_back_with_a_snapshot(emulator: Emulator, client: Client):
    """A loaded world deletes and renews as the saved one would have."""
    suspended, active = await buy_one(client()), await buy_one(client(), E1)
    await patch(client(), suspended, status="suspended")
    text = msgspec.json.encode(emulator.world)
    later = Emulator(msgspec.json.decode(text, type=World))
    later.clock.freeze()
    later.clock.advance(366 * DAY)
    assert state(later, suspended).status == "deleted"
    assert state(later, active).commitment_end == date(2028, 3, 1)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 3, 31), 1, date(2026, 4, 30)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 3, 1), 12, date(2027, 3, 1)),
    ],
)
def test_adds_months_inside_the_calendar(day: date, months: int, expected: date):
    """The last day of a month stays in the month."""
    assert add_months(day, months) == expected


# -- published examples -----------------------------------------------------------------------------------------------

# the example of 2015 is an Azure subscription: only those have an entitlement
_AZURE_ONLY = {"/items[0]/entitlementId: missing"}


@pytest.mark.parametrize(
    ("sample", "query"),
    [
        ("get-all-of-a-customer-s-subscriptions", ""),
        ("get-a-list-of-subscriptions-by-order", "?order_id={order}"),
        ("get-a-list-of-add-ons-for-a-subscription", "/{base}/addons"),
    ],
)
async def test_has_every_member_of_the_published_examples(client: Client, sample: str, query: str):
    """Lists of subscriptions and add-ons have the members of the documentation's examples."""
    base, *_ = await bought_with_add_ons(client)
    path = subscription_path() + query.format(order=base["orderId"], base=base["id"])
    answer = cast("dict[str, object]", (await client().get(path)).json())
    assert answer["items"]
    assert set(missing(sample_body(sample), answer)) == _AZURE_ONLY
