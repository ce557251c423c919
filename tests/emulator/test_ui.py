"""The web page for people: what it shows, what its forms do, and what it refuses."""

from __future__ import annotations

import re
from html import unescape

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import plan as plans
from partner_center_emulator.state.behaviour import Fault, FaultPlan
from partner_center_emulator.ui.presets import PRESETS
from tests.emulator.small_world import ALFA, BRAVO, START, STRANGER

ROOT = "/_emulator/ui"
PAGES = ["/", f"{ROOT}/customers", f"{ROOT}/customers/{BRAVO}", f"{ROOT}/faults"]


def own(emulator: Emulator) -> dict[str, str]:
    """Return the header with which a browser sends a form of our own page."""
    return {"Origin": emulator.options.base_url}


async def press(
    page: httpx2.AsyncClient, emulator: Emulator, name: str, headers: dict[str, str] | None = None, /, **form: object
) -> httpx2.Response:
    """Send a form."""
    return await page.post(f"{ROOT}/{name}", data=form, headers=own(emulator) if headers is None else headers)


@pytest.mark.parametrize("address", PAGES)
async def test_every_page_is_plain_and_strict(anonymous: httpx2.AsyncClient, address: str):
    """No script, no inline style, nothing from elsewhere, and the header forbids all of it."""
    answer = await anonymous.get(address)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert {"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert not re.search(r"<script|<style|style=|onclick|javascript:|https?://", answer.text, re.IGNORECASE)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", PAGES[1:3])
async def test_text_of_the_world_is_escaped(anonymous: httpx2.AsyncClient, address: str):
    """A company called Bravo <b>& Co</b> is text."""
    text = (await anonymous.get(address)).text
    assert "Bravo &lt;b&gt;&amp; Co&lt;/b&gt;" in text
    assert "<b>& Co" not in text


async def test_what_is_searched_for_is_escaped(anonymous: httpx2.AsyncClient):
    """In the heading and in the field."""
    text = (await anonymous.get(f"{ROOT}/customers", params={"q": '"><script>alert(1)</script>'})).text
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 2


async def test_the_world_at_a_glance(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Tenants, figures, the clock and what happened."""
    await anonymous.post("/_emulator/actors", json={"customers": [ALFA], "kind": "now"})
    await anonymous.post("/_emulator/actors", json={"customers": [BRAVO], "kind": "after", "after_seconds": 60})
    text = unescape((await anonymous.get("/")).text)
    for fact in ("Fold & Sons SE", "foldtarget.onmicrosoft.com", "relationship.accepted", "2026-03-02 08:00:00 UTC"):
        assert fact in text
    assert "next event 2026-03-02 08:01:00 UTC" in text
    assert "/" not in emulator.world.tallies


async def test_a_customer_on_both_sides(anonymous: httpx2.AsyncClient):
    """Source and target beside each other, with every subscription of the world."""
    await anonymous.post("/_emulator/reset", json={"world": "demo"})
    snapshot = (await anonymous.get("/_emulator/snapshot")).json()
    two = (await anonymous.get("/_emulator/cast")).json()["already_at_target"]
    text = unescape((await anonymous.get(f"{ROOT}/customers/{two.upper()}")).text)
    held = [row for row in snapshot["subscriptions"].values() if row["customer_id"] == two]
    assert len({row["tenant_id"] for row in held}) == 2
    assert all(row["id"] in text for row in held)
    assert text.count('<section class="card">') == 3
    odd = (await anonymous.get("/_emulator/cast")).json()["unknown_status"]
    assert 'chip odd">pending_review_hold' in (await anonymous.get(f"{ROOT}/customers/{odd}")).text


async def test_customers_are_found_and_paged(anonymous: httpx2.AsyncClient):
    """By parts of name, domain or id; fifty to a page; odd page numbers do no harm."""
    await anonymous.post("/_emulator/reset", json={"world": "demo"})
    first = (await anonymous.get(f"{ROOT}/customers")).text
    assert (first.count("<tr>"), "Page 1 of 2" in first) == (51, True)
    assert (await anonymous.get(f"{ROOT}/customers?page=2")).text.count("<tr>") == 11
    for page in ("0", "-1", "x", "99", "9" * 30, "²"):
        assert (await anonymous.get(f"{ROOT}/customers", params={"page": page})).status_code == 200
    customer = next(iter((await anonymous.get("/_emulator/snapshot")).json()["customers"].values()))
    for words in (customer["company_name"].upper(), customer["domain"], customer["id"][:13]):
        assert customer["id"] in (await anonymous.get(f"{ROOT}/customers", params={"q": words})).text
    assert "No customer matches" in (await anonymous.get(f"{ROOT}/customers?q=nobody at all")).text


async def test_the_buttons_of_the_clock(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Run, freeze, speed, jump, and to the next event; each leads back to its page."""
    emulator.clock.set_speed(1)
    answer = await press(anonymous, emulator, "clock", action="advance", seconds=3600, back=f"{ROOT}/faults")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ROOT}/faults")
    assert (emulator.clock.now() - START).total_seconds() == 3600
    await anonymous.post("/_emulator/actors", json={"customers": [ALFA], "kind": "after", "after_seconds": 600})
    await press(anonymous, emulator, "clock", action="next")
    assert (emulator.clock.now() - START).total_seconds() == 4200
    await press(anonymous, emulator, "clock", action="next")
    await press(anonymous, emulator, "clock", action="run")
    await press(anonymous, emulator, "clock", action="speed", speed=60)
    assert (emulator.clock.frozen, emulator.clock.speed) == (False, 60)
    await press(anonymous, emulator, "clock", action="freeze")
    assert emulator.clock.frozen


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "explode"},
        {"action": "advance"},
        {"action": "advance", "seconds": "-5"},
        {"action": "advance", "seconds": "nan"},
        {"action": "advance", "seconds": "1e30"},
        {"action": "speed", "speed": "0"},
        {"action": "speed", "speed": "inf"},
    ],
)
async def test_the_clock_refuses_nonsense(emulator: Emulator, anonymous: httpx2.AsyncClient, form: dict[str, str]):
    """A sentence, and the clock stands where it stood."""
    answer = await press(anonymous, emulator, "clock", **form)
    assert (answer.status_code, "Not done" in answer.text) == (400, True)
    assert (emulator.clock.now(), emulator.clock.frozen) == (START, True)


async def test_the_buttons_of_the_faults(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Add every ready-made one, twice over, switch one off and on, clear all."""
    for name in [*PRESETS, *PRESETS]:
        assert (await press(anonymous, emulator, "faults", action="add", name=name)).status_code == 303
    faults = emulator.world.behaviour.faults.plan.faults
    assert len({fault.name for fault in faults}) == 2 * len(PRESETS)
    name = faults[0].name
    await press(anonymous, emulator, "faults", action="off", name=name)
    assert [fault.enabled for fault in emulator.world.behaviour.faults.plan.faults][:2] == [False, True]
    assert f"{2 * len(PRESETS) - 1} on" in (await anonymous.get("/")).text
    await press(anonymous, emulator, "faults", action="on", name=name)
    assert all(fault.enabled for fault in emulator.world.behaviour.faults.plan.faults)
    await press(anonymous, emulator, "faults", action="clear")
    assert emulator.world.behaviour.faults.plan.faults == []
    for form in ({"action": "on", "name": "x"}, {"action": "add", "name": "x"}, {"action": "x"}, {}):
        assert (await press(anonymous, emulator, "faults", **form)).status_code == 400


async def test_shows_where_a_fault_strikes_and_who_broke_rules(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Names instead of ids, in words, escaped."""
    fault = Fault(kind="reset", customers=[BRAVO, STRANGER], tenants=["se"], probability=0.5, count=3, methods=["GET"])
    plans.install(emulator.world, FaultPlan(faults=[fault, Fault(kind="latency")]))
    emulator.violate("x", "ignored_retry_after", "too <early>")
    text = unescape((await anonymous.get(f"{ROOT}/faults")).text)
    assert "GET, at se, for Bravo <b>& Co</b>, an unknown customer, 50% of calls, at most 3 times" in text
    assert "every call" in text
    assert "ignored retry after" in text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8701"},
        {"Origin": "https://127.0.0.1:8700"},
        {"Referer": "http://evil.example/http://127.0.0.1:8700/"},
        {"Origin": "http://evil.example", "Referer": "http://127.0.0.1:8700/"},
        {"Origin": "http://evil.example:8700", "Host": "evil.example:8700"},
    ],
)
async def test_forms_of_other_sites_do_nothing(
    emulator: Emulator, anonymous: httpx2.AsyncClient, headers: dict[str, str]
):
    """403 with a sentence for clock and faults, and nothing has changed."""
    assert emulator.options.port == 8700
    clock = await press(anonymous, emulator, "clock", headers, action="advance", seconds=60)
    faults = await press(anonymous, emulator, "faults", headers, action="add", name="storm")
    assert (clock.status_code, faults.status_code) == (403, 403)
    assert (emulator.clock.now(), emulator.world.behaviour.faults.plan.faults) == (START, [])


@pytest.mark.parametrize("headers", [{"Origin": "http://127.0.0.1:8700"}, {"Referer": "http://127.0.0.1:8700/"}])
async def test_forms_of_our_own_page_count(emulator: Emulator, anonymous: httpx2.AsyncClient, headers: dict[str, str]):
    """By origin, or by referrer where a browser sends no origin."""
    answer = await press(anonymous, emulator, "clock", headers, action="advance", seconds=60)
    assert answer.status_code == 303


@pytest.mark.parametrize("address", PAGES)
async def test_another_name_for_this_machine_shows_nothing(anonymous: httpx2.AsyncClient, address: str):
    """A name that somebody else made point here gets no page: the world stays unread."""
    answer = await anonymous.get(address, headers={"Host": "rebound.example:8700"})
    assert (answer.status_code, "Fold" in answer.text) == (403, False)


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/_emulator/ui//x", "/_emulator/ui/\\evil", "x", "/v1/customers"]
)
async def test_leads_back_to_our_own_pages_only(emulator: Emulator, anonymous: httpx2.AsyncClient, back: str):
    """Anything else becomes the first page."""
    answer = await press(anonymous, emulator, "clock", action="freeze", back=back)
    assert answer.headers["Location"] == "/"


async def test_an_unknown_customer_is_not_found(anonymous: httpx2.AsyncClient):
    """404 with a sentence."""
    answer = await anonymous.get(f"{ROOT}/customers/{STRANGER}")
    assert (answer.status_code, "no such customer" in answer.text) == (404, True)


async def test_a_big_world_links_to_its_ledger(
    emulator: Emulator, anonymous: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """The first page does not judge a world whose ledger takes seconds."""
    monkeypatch.setattr("partner_center_emulator.ui.views._LEDGER_CUSTOMERS", 4)
    assert 'href="/_emulator/ledger"' in (await anonymous.get("/")).text
