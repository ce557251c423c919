"""Migrations of legacy subscriptions into new commerce at the same partner (commerce reference 4.3)."""

from __future__ import annotations

from datetime import date
from typing import cast

import httpx2
import msgspec
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.world import World
from tests.emulator.commerce import (
    AUDIO,
    E3,
    POWER_BI,
    Json,
    buy_one,
    commerce_emulator,
    patch,
    read,
    refused,
    subscription_path,
)
from tests.emulator.conftest import Client
from tests.emulator.moving import DAY, HOUR
from tests.emulator.small_world import ALFA, BRAVO, STRANGER

BASE = f"/v1/customers/{ALFA}/migrations/newcommerce"
ALL = "/v1/migrations/newcommerce"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog; Alfa and Bravo are customers of both tenants."""
    return commerce_emulator()


async def old_one(emulator: Emulator, client: Client, quantity: int = 20) -> Json:
    """Buy Office 365 E3 and let forty days pass."""
    bought = await buy_one(client("se"), E3, quantity)
    emulator.clock.advance(40 * DAY)
    return bought


def body(row: Json, **more: object) -> Json:
    """Return what a migration of this subscription is asked with."""
    return {"currentSubscriptionId": row["id"], "termDuration": "P1Y", "billingCycle": "Monthly", **more}


async def migrated(caller: httpx2.AsyncClient, row: Json, **more: object) -> Json:
    """Begin a migration and insist on success."""
    answer = await caller.post(BASE, json=body(row, **more))
    assert answer.status_code == 200, answer.text
    return cast("Json", answer.json())


async def reasons(caller: httpx2.AsyncClient, row: Json, **more: object) -> list[int]:
    """Return the error numbers of a validation."""
    answer = await caller.post(f"{BASE}/validate", json=body(row, **more))
    assert answer.status_code == 200, answer.text
    assert answer.json()["isEligible"] is not bool(answer.json()["errors"])
    return [error["code"] for error in answer.json()["errors"]]


def reload(emulator: Emulator) -> None:
    """Save and load the world."""
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))


async def test_a_migration_creates_the_new_one_and_then_suspends_the_old_one(emulator: Emulator, client: Client):
    """Processing, then Completed; same seats; the new term ends with the old one; four events."""
    old = await old_one(emulator, client)
    migration = await migrated(client("se"), old, externalReferenceId="wave 3")
    assert (migration["status"], migration["quantity"]) == ("Processing", 20)
    assert (await read(client("se"), str(old["id"])))["status"] == "active"
    reload(emulator)
    emulator.clock.advance(HOUR)
    caller = client("se")
    done = (await caller.get(f"{BASE}/{migration['id']}")).json()
    assert (done["status"], done["subscriptionEndDate"]) == ("Completed", "2027-03-01T00:00:00Z")
    new = (await caller.get(subscription_path(done["newCommerceSubscriptionId"]))).json()
    assert (new["status"], new["quantity"], new["commitmentEndDate"][:10]) == ("active", 20, "2027-03-01")
    assert new["offerId"] == migration["catalogItemId"]
    assert (await read(caller, str(old["id"])))["status"] == "suspended"
    events = (await caller.get(f"{BASE}/events?migration_id={migration['id']}")).json()
    assert [event["name"] for event in events] == [
        "MigrationStarted",
        "NewCommerceSubscriptionCreated",
        "NewCommerceSubscriptionProvisioned",
        "MigrationCompleted",
    ]


async def test_a_full_term_begins_anew_and_seats_and_end_may_be_chosen(emulator: Emulator, client: Client):
    """A full term gives a year from today; customTermEndDate an earlier day inside it."""
    old = await old_one(emulator, client)
    full = await migrated(client("se"), old, purchaseFullTerm=True, quantity=7)
    assert (full["quantity"], full["subscriptionEndDate"]) == (7, "2027-04-10T00:00:00Z")
    other = await buy_one(client("se"), E3)
    emulator.clock.advance(40 * DAY)
    custom = await migrated(client("se"), other, customTermEndDate="2026-12-31")
    assert custom["subscriptionEndDate"] == "2026-12-31T00:00:00Z"


async def test_the_source_may_be_suspended_at_the_start(emulator: Emulator, client: Client):
    """A switch, because the published article says both."""
    emulator.options.migration_suspends = "start"
    old = await old_one(emulator, client)
    await migrated(client("se"), old)
    assert (await read(client("se"), str(old["id"])))["status"] == "suspended"


async def test_add_ons_come_along_flat_and_must_not_be_forgotten(emulator: Emulator, client: Client):
    """900262 without them, 900248 twice, then both are new and both old ones suspended."""
    base = await buy_one(client("se"), E3, 20)
    add_on = await buy_one(client("se"), AUDIO, 5, parentSubscriptionId=base["id"])
    emulator.clock.advance(40 * DAY)
    caller, part = client("se"), {"currentSubscriptionId": add_on["id"]}
    assert refused(await caller.post(BASE, json=body(base))) == (400, 900262)
    assert refused(await caller.post(BASE, json=body(base, addOnMigrations=[part, part]))) == (400, 900248)
    assert refused(await caller.post(BASE, json=body(add_on))) == (400, 900219)
    migration = await migrated(caller, base, addOnMigrations=[part])
    emulator.clock.advance(HOUR)
    caller = client("se")
    done = (await caller.get(f"{BASE}/{migration['id']}")).json()
    assert [row["quantity"] for row in done["addOnMigrations"]] == [5]
    assert done["addOnMigrations"][0]["newCommerceSubscriptionId"]
    assert [(await read(caller, str(row["id"])))["status"] for row in (base, add_on)] == ["suspended", "suspended"]


async def test_a_validation_says_what_stands_in_the_way(emulator: Emulator, client: Client):
    """Too young 2, trial 4, no equivalent 5, not active 1, another 0."""
    young = await buy_one(client("se"), E3)
    assert await reasons(client("se"), young) == [2]
    trial = await buy_one(client("se"), E3)
    emulator.world.subscriptions[str(trial["id"]).lower()].is_trial = True
    gone = await buy_one(client("se"), POWER_BI)
    emulator.world.offers[POWER_BI].name = "Nobody follows this"
    emulator.clock.advance(40 * DAY)
    caller = client("se")
    assert await reasons(caller, young) == []
    assert await reasons(caller, gone) == [5]
    assert await reasons(caller, trial) == [4]
    assert await reasons(caller, young, termDuration="P9Y") == [0]
    await patch(caller, young, status="suspended")
    assert await reasons(caller, young) == [1]
    assert refused(await caller.post(f"{BASE}/validate", json={"currentSubscriptionId": STRANGER})) == (404, 20003)


async def test_the_last_day_of_a_term_needs_a_full_term(emulator: Emulator, client: Client):
    """3 within 24 hours of the end, fine with purchaseFullTerm."""
    old = await old_one(emulator, client)
    emulator.world.subscriptions[str(old["id"]).lower()].commitment_end = emulator.clock.now().date()
    assert await reasons(client("se"), old) == [3]
    assert await reasons(client("se"), old, purchaseFullTerm=True) == []


async def test_bad_wishes_are_refused(emulator: Emulator, client: Client):
    """A running migration, an unknown term, a late end date, an unknown migration."""
    old = await old_one(emulator, client)
    caller = client("se")
    assert refused(await caller.post(BASE, json=body(old, termDuration="P5Y"))) == (400, 900222)
    assert refused(await caller.post(BASE, json=body(old, customTermEndDate="2030-01-01"))) == (400, 900291)
    assert refused(await caller.get(f"{BASE}/{STRANGER}")) == (404, 900224)
    await migrated(caller, old)
    assert refused(await caller.post(BASE, json=body(old))) == (400, 900216)


async def test_a_failed_migration_with_an_active_source_may_be_tried_again(emulator: Emulator, client: Client):
    """Failed, nothing new, the source as it was."""
    old = await old_one(emulator, client)
    await client("se").post("/_emulator/transfers/stumbles", json={"ids": [old["id"]]})
    migration = await migrated(client("se"), old)
    emulator.clock.advance(HOUR)
    caller = client("se")
    assert (await caller.get(f"{BASE}/{migration['id']}")).json()["status"] == "Failed"
    assert [row["status"] for row in (await caller.get(subscription_path())).json()["items"]] == ["active"]
    again = await migrated(caller, old)
    emulator.clock.advance(HOUR)
    assert (await client("se").get(f"{BASE}/{again['id']}")).json()["status"] == "Completed"


async def test_a_source_left_suspended_is_given_back_within_72_hours(emulator: Emulator, client: Client):
    """Microsoft repairs it; also after saving and loading."""
    old = await old_one(emulator, client)
    order = {"ids": [old["id"]], "suspends_source": True}
    await client("se").post("/_emulator/transfers/stumbles", json=order)
    await migrated(client("se"), old)
    emulator.clock.advance(2 * HOUR)
    assert (await read(client("se"), str(old["id"])))["status"] == "suspended"
    reload(emulator)
    emulator.clock.advance(72 * HOUR)
    assert (await read(client("se"), str(old["id"])))["status"] == "active"


async def test_lists_are_bare_arrays_with_pages(emulator: Emulator, client: Client):
    """At least one id; the token for the next page is a response header."""
    rows = [await buy_one(client("se"), E3) for _ in range(3)]
    emulator.clock.advance(40 * DAY)
    caller = client("se")
    made = [(await migrated(caller, row))["id"] for row in rows]
    assert refused(await caller.get(ALL)) == (400, 2000)
    first = await caller.get(f"{ALL}?CustomerTenantId={ALFA.upper()}&PageSize=2")
    assert [row["id"] for row in first.json()] == made[:2]
    headers = {"MS-ContinuationToken": first.headers["MS-ContinuationToken"]}
    second = await caller.get(f"{ALL}?customerTenantId={ALFA}&pageSize=2", headers=headers)
    assert [row["id"] for row in second.json()] == made[2:]
    assert "MS-ContinuationToken" not in second.headers
    one = await caller.get(f"{ALL}?CurrentSubscriptionId={rows[1]['id']}")
    assert [row["id"] for row in one.json()] == [made[1]]


async def test_a_hundred_creations_and_450_validations_in_five_minutes(client: Client):
    """429 with Retry-After for the next one; another customer has validations of its own; a retry is looked at."""
    caller = client("se")
    unknown = {"currentSubscriptionId": STRANGER}
    for _ in range(100):
        assert (await caller.post(BASE, json=unknown)).status_code == 404
    late = await caller.post(BASE, json=unknown, headers={"MS-RequestId": STRANGER})
    assert (late.status_code, late.headers["Retry-After"]) == (429, "300")
    for _ in range(450):
        assert (await caller.post(f"{BASE}/validate", json=unknown)).status_code == 404
    assert (await caller.post(f"{BASE}/validate", json=unknown)).status_code == 429
    other = f"/v1/customers/{BRAVO}/migrations/newcommerce/validate"
    assert (await caller.post(other, json=unknown)).status_code == 404


async def test_a_throttled_creation_is_looked_at_again_under_the_same_request_id(emulator: Emulator, client: Client):
    """A 429 is not kept as the answer to the write."""
    caller, unknown = client("se"), {"currentSubscriptionId": STRANGER}
    for _ in range(100):
        await caller.post(BASE, json=unknown)
    headers = {"MS-RequestId": STRANGER}
    assert (await caller.post(BASE, json=unknown, headers=headers)).status_code == 429
    emulator.clock.advance(301)
    assert (await caller.post(BASE, json=unknown, headers=headers)).status_code == 404


async def test_a_schedule_begins_on_its_day(emulator: Emulator, client: Client):
    """It can be read, changed and listed before; afterwards it is Completed and names the migration."""
    old = await old_one(emulator, client)
    caller = client("se")
    made = (await caller.post(f"{BASE}/schedules", json=body(old, targetDate="2026-05-01"))).json()
    path = f"{BASE}/schedules/{made['id']}"
    changed = await caller.put(path, json=body(old, targetDate="2026-05-02", quantity=9))
    assert changed.json()["targetDate"] == "2026-05-02T00:00:00Z"
    listed = (await caller.get(f"{ALL}/schedules?CustomerTenantId={ALFA}")).json()
    assert [(row["id"], row["status"]) for row in listed] == [(made["id"], "Active")]
    reload(emulator)
    emulator.clock.advance(30 * DAY)
    done = (await client("se").get(path)).json()
    assert done["status"] == "Completed"
    migration = emulator.world.transfers.migrations[done["newCommerceMigrationId"]]
    assert (migration.status, migration.quantity, migration.started_at.date()) == ("Completed", 9, date(2026, 5, 2))


async def test_a_schedule_at_the_renewal_takes_a_full_term(emulator: Emulator, client: Client):
    """A minute after the legacy term has renewed."""
    old = await old_one(emulator, client)
    made = (await client("se").post(f"{BASE}/schedules", json=body(old, migrateOnRenewal=True))).json()
    emulator.clock.advance(330 * DAY)
    schedule = emulator.world.transfers.schedules[made["id"]]
    migration = emulator.world.transfers.migrations[str(schedule.migration_id)]
    assert (migration.status, migration.subscription_end) == ("Completed", date(2028, 3, 1))


async def test_a_cancelled_schedule_does_nothing_and_a_blocked_one_fails(emulator: Emulator, client: Client):
    """Cancelled stays so; one whose subscription was suspended meanwhile is Failed."""
    old = await old_one(emulator, client)
    caller = client("se")
    wish = body(old, targetDate="2026-05-01")
    first = (await caller.post(f"{BASE}/schedules", json=wish)).json()
    assert refused(await caller.post(f"{BASE}/schedules", json=wish)) == (400, 900216)
    cancelled = await caller.post(f"{BASE}/schedules/{first['id']}/cancel")
    assert cancelled.json()["status"] == "Cancelled"
    assert refused(await caller.post(f"{BASE}/schedules/{first['id']}/cancel")) == (400, 2000)
    second = (await caller.post(f"{BASE}/schedules", json=wish)).json()
    await patch(caller, old, status="suspended")
    emulator.clock.advance(30 * DAY)
    states = [emulator.world.transfers.schedules[row["id"]].status for row in (first, second)]
    assert states == ["Cancelled", "Failed"]
    assert "migration_schedule.failed" in [change.what for change in emulator.world.changes]
    assert refused(await client("se").post(f"{BASE}/schedules", json=body(old))) == (400, 900215)
