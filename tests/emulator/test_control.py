"""The control plane (no token, no throttle)."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx2
import msgspec
import pytest

from partner_center_emulator.credentials import Sheet
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.world import Acceptance, World
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, BRAVO, CHARLIE, HELPLESS, OVERSEAS, START, STRANGER, TARGET


async def control(page: httpx2.AsyncClient, name: str, **order: object) -> httpx2.Response:
    """Post an order to the control plane."""
    return await page.post(f"/_emulator/{name}", json=order)


async def test_says_that_it_is_up(anonymous: httpx2.AsyncClient):
    """Health names the size of the world."""
    body = (await anonymous.get("/_emulator/health")).json()
    assert (body["status"], body["partner_tenants"], body["customers"]) == ("ok", 2, 5)


async def test_moves_the_clock(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Freeze, speed, advance by and to; the answer is the clock's new state."""
    moved = (await control(anonymous, "clock", freeze=True, advance_seconds=3600)).json()
    assert moved["now"] == "2026-03-02T09:00:00Z"
    to = (await control(anonymous, "clock", advance_to="2026-03-03T00:00:00+01:00")).json()
    assert to["now"] == "2026-03-02T23:00:00Z"
    fast = (await control(anonymous, "clock", freeze=False, speed=60)).json()
    assert (fast["frozen"], fast["speed"]) == (False, 60)
    assert (await anonymous.get("/_emulator/clock")).json()["speed"] == 60
    assert emulator.clock.speed == 60


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("clock", {"advance_seconds": -1}),
        ("clock", {"advance_to": "2020-01-01T00:00:00Z"}),
        ("clock", {"advance_to": "2027-01-01T00:00:00"}),
        ("clock", {"advance_seconds": 1e300}),
        ("clock", {"speed": 0}),
        ("clock", {"velocity": 5}),
        ("clock", {"freeze": "yes"}),
        ("options", {"port": 1}),
        ("options", {"throttel": 1}),
        ("options", {"mfa": "sometimes"}),
        ("reset", {"customers": -1}),
        ("reset", {"world": "flat"}),
        ("actors", {}),
        ("actors", {"customers": "some"}),
        ("actors", {"customers": [STRANGER]}),
        ("actors", {"customers": "all", "partner": "nobody"}),
        ("actors", {"customers": "all", "kind": "after", "after_seconds": -5}),
        ("snapshot", {"seed": "x"}),
        ("subscriptions/nothing", {}),
    ],
)
async def test_answers_bad_input_with_a_sentence(
    anonymous: httpx2.AsyncClient, emulator: Emulator, name: str, order: dict[str, object]
):
    """400 and one sentence, and nothing has changed."""
    answer = await anonymous.post(f"/_emulator/{name}", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert len(emulator.world.customers) == 5
    assert emulator.clock.now() == START


async def test_answers_broken_json_with_a_sentence(anonymous: httpx2.AsyncClient):
    """A body that is no JSON is 400 as well."""
    answer = await anonymous.post("/_emulator/clock", content=b"{")
    assert (answer.status_code, "error" in answer.json()) == (400, True)


async def test_changes_switches_while_it_runs(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """What is named changes, the rest stays."""
    changed = (await control(anonymous, "options", throttle_limit=7, mfa="off")).json()
    assert (changed["throttle_limit"], changed["mfa"], changed["strict"]) == (7, "off", False)
    assert emulator.options.throttle_limit == 7
    assert (await anonymous.get("/_emulator/options")).json() == changed


async def test_resets_to_a_generated_world(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The same seed and size give the same world, and the clock restarts."""
    emulator.clock.advance(1000)
    first = (await control(anonymous, "reset", seed=3, customers=8)).json()
    before = msgspec.json.encode(emulator.world)
    await control(anonymous, "reset", seed=3, customers=8)
    assert first["customers"] == 8
    assert msgspec.json.encode(emulator.world) == before
    assert emulator.clock.now() == emulator.world.started_at


async def test_resets_to_the_demo_world_and_shows_its_cast(anonymous: httpx2.AsyncClient):
    """Sixty customers, and the odd ones by role."""
    assert (await control(anonymous, "reset", world="demo")).json()["customers"] == 60
    cast = (await anonymous.get("/_emulator/cast")).json()
    assert {"never_accepts", "accepts_late", "offer_gone", "outside_region", "seat_change"} <= set(cast)


async def test_a_snapshot_brings_back_everything(emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client):
    """Clock, relationships, waiting acceptances and tokens survive a save and a load."""
    se = client("se")
    await control(anonymous, "actors", customers=[ALFA], kind="after", after_seconds=3600)
    await control(anonymous, "clock", advance_seconds=60)
    saved = (await anonymous.get("/_emulator/snapshot")).content
    await control(anonymous, "clock", advance_seconds=7200)
    assert f"{TARGET}/{ALFA}" in emulator.world.relationships
    loaded = await anonymous.post("/_emulator/snapshot", content=saved)
    assert loaded.json()["customers"] == 5
    assert emulator.clock.now() == START + timedelta(seconds=60)
    assert f"{TARGET}/{ALFA}" not in emulator.world.relationships
    assert (await se.get("/v1/customers")).status_code == 200
    await control(anonymous, "clock", advance_seconds=3540)
    assert emulator.world.relationships[f"{TARGET}/{ALFA}"].since == START + timedelta(seconds=3600)
    assert msgspec.json.decode(saved, type=World).seed == 7


async def test_asks_customers_who_accept_at_once(emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client):
    """Those who may accept do, the others are named with the reason."""
    body = (await control(anonymous, "actors", customers="all", partner="target", kind="now")).json()
    assert (body["asked"], body["accepted"], body["scheduled"], body["never"]) == (5, 3, 0, 0)
    assert {row["customer_id"]: row["reason"] for row in body["refused"]} == {
        OVERSEAS: "other_region",
        HELPLESS: "not_global_admin",
    }
    listed = (await client("target").get("/v1/customers")).json()["items"]
    assert {row["id"] for row in listed} == {ALFA, BRAVO, CHARLIE}
    again = (await control(anonymous, "actors", customers="all", partner=TARGET.upper(), kind="now")).json()
    assert (again["accepted"], again["already"]) == (0, 3)


async def test_lets_customers_accept_later_or_never(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The clock brings the late one; the one who never accepts does not, whatever the time."""
    await control(anonymous, "actors", customers=[ALFA], kind="after", after_seconds=600)
    await control(anonymous, "actors", customers=[BRAVO], kind="never")
    await control(anonymous, "clock", advance_seconds=599)
    assert f"{TARGET}/{ALFA}" not in emulator.world.relationships
    await control(anonymous, "clock", advance_seconds=86_400)
    assert emulator.world.relationships[f"{TARGET}/{ALFA}"].since == START + timedelta(seconds=600)
    assert f"{TARGET}/{BRAVO}" not in emulator.world.relationships
    assert emulator.world.pending_acceptances == {}


async def test_keeps_the_preset_of_each_customer(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Preset reads what the world says; a second mail does not make a late customer later."""
    emulator.world.customers[ALFA].acceptance = Acceptance(kind="after", after_seconds=100)
    emulator.world.customers[BRAVO].acceptance = Acceptance(kind="never")
    first = (await control(anonymous, "actors", customers=[ALFA, BRAVO, CHARLIE], kind="preset")).json()
    assert (first["scheduled"], first["never"], first["accepted"]) == (1, 1, 1)
    await control(anonymous, "clock", advance_seconds=60)
    await control(anonymous, "actors", customers=[ALFA], kind="preset")
    await control(anonymous, "clock", advance_seconds=40)
    assert emulator.world.relationships[f"{TARGET}/{ALFA}"].since == START + timedelta(seconds=100)


async def test_an_acceptance_by_hand_makes_the_waiting_one_void(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The customer accepts on the page before its time: one relationship, one ledger entry."""
    await control(anonymous, "actors", customers=[ALFA], kind="after", after_seconds=600)
    await control(anonymous, "actors", customers=[ALFA], kind="now")
    await control(anonymous, "clock", advance_seconds=600)
    assert [change.what for change in emulator.world.changes] == ["relationship.accepted"]


async def test_gives_credentials_that_work(anonymous: httpx2.AsyncClient):
    """With nothing but the sheet a tool signs in to every tenant and reads its profile."""
    sheet = msgspec.json.decode((await anonymous.get("/_emulator/credentials")).content, type=Sheet)
    seen = {}
    for tenant in sheet.tenants:
        data = {
            "grant_type": "refresh_token",
            "client_id": tenant.client_id,
            "client_secret": tenant.client_secret,
            "refresh_token": tenant.refresh_token,
            "scope": f"{sheet.partner_center_resource}/.default",
        }
        token = (await anonymous.post(f"{sheet.authority}/{tenant.id}/oauth2/v2.0/token", data=data)).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        profile = await anonymous.get(f"{sheet.partner_center_url}/v1/profiles/organization", headers=headers)
        seen[tenant.key] = (tenant.role, profile.json()["tenantId"] == tenant.id)
    assert seen == {"se": ("source", True), "target": ("target", True)}


async def test_credentials_do_not_pile_up_tokens(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Asking twice gives the same refresh tokens while they live."""
    first = (await anonymous.get("/_emulator/credentials")).json()
    count = len(emulator.world.refresh_tokens)
    assert (await anonymous.get("/_emulator/credentials")).json() == first
    assert len(emulator.world.refresh_tokens) == count


async def test_control_calls_are_not_counted(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The tallies hold calls of clients only."""
    await anonymous.get("/_emulator/health")
    await anonymous.get("/_emulator/clock")
    assert emulator.world.tallies == {}


async def test_serves_the_truth(anonymous: httpx2.AsyncClient):
    """The ledger answers for all and for one customer; an unknown customer is 400."""
    whole = (await anonymous.get("/_emulator/ledger")).json()
    one = await anonymous.get(f"/_emulator/ledger?customer={ALFA.upper()}")
    unknown = await anonymous.get(f"/_emulator/ledger?customer={STRANGER}")
    assert {"twins", "gaps", "overlaps", "parity", "calls", "violations", "totals"} <= set(whole)
    assert [row["customer_id"] for row in one.json()["customers"]] == [ALFA]
    assert unknown.status_code == 400


async def test_somebody_in_the_portal_changes_a_subscription(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The change is in the world and in the ledger without a request id; wrong members are refused."""
    await control(anonymous, "reset", seed=1, customers=3)
    held = next(row for row in emulator.world.subscriptions.values() if row.status == "active")
    changed = await control(anonymous, f"subscriptions/{held.id.upper()}", quantity=held.quantity + 1)
    assert json.loads(changed.content)["quantity"] == held.quantity
    assert emulator.world.changes[-1].request_id == ""
    assert (await control(anonymous, f"subscriptions/{held.id}", offer="x")).status_code == 400
    assert (await control(anonymous, f"subscriptions/{held.id}", quantity="x")).status_code == 400
    assert (await control(anonymous, "subscriptions/nothing", quantity=1)).status_code == 404


async def test_a_page_of_another_site_cannot_move_the_world(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Browsers name the site a request comes from; tools name none."""
    before = emulator.clock.now()
    foreign = {"Origin": "https://evil.example"}
    refused = await anonymous.post("/_emulator/clock", json={"advance_seconds": 60}, headers=foreign)
    assert refused.status_code == 403
    assert emulator.clock.now() - before < timedelta(seconds=60)
    assert (await anonymous.post("/_emulator/clock", json={"advance_seconds": 60})).status_code == 200
