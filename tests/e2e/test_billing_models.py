"""How the tenants are billed: a provider's link names the reseller, a reseller's own tenant is left to its provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.conftest import Bench

pytestmark = pytest.mark.slow

FIRST_UP = {"provider": "target", "name": "First Up", "partner_id": "4847383", "country": "IE"}


def _list_of(bench: Bench, customer_id: str) -> Path:
    """A list of one customer."""
    bench.demo.write_list()
    file = bench.folder / "customers-to-move.csv"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([lines[0], *(line for line in lines if line.startswith(customer_id))]))
    return file


def _held(bench: Bench, customer_id: str, tenant_id: str) -> list[dict[str, Any]]:
    """What a customer holds at a tenant, as the emulator knows it."""
    found = bench.world.get("snapshot")["subscriptions"].values()
    return [one for one in found if (one["customer_id"], one["tenant_id"]) == (customer_id, tenant_id)]


def _accept(bench: Bench, customer_id: str, url: str) -> None:
    """The customer's Global administrator signs in at the link, ticks the box and accepts."""
    customer = bench.world.get("snapshot")["customers"][customer_id]
    form = {"step": "accept", "user_name": f"admin@{customer['domain']}", "agreed": "yes"}
    answer = httpx2.post(url.partition("#")[0], data=form, timeout=30.0)
    assert answer.status_code == 303, answer.text


def test_a_resellers_customer_stays_its_customer(bench: Bench) -> None:
    """R-220, R-221: it accepts provider and reseller with one link; each line at the target names the reseller."""
    bench.settings('billing_model = "billing_owner"', 'billing_model = "indirect_provider"')
    mine = bench.world.get("cast")["seat_change"]
    world = bench.world.get("snapshot")
    for one in world["subscriptions"].values():
        if one["customer_id"] == mine:
            one["partner_id_on_record"] = FIRST_UP["partner_id"]
    bench.world.post("snapshot", world)
    bench.good("inventory")
    plan = bench.good("plan", "--customers", str(_list_of(bench, mine)))["plan"]
    bench.good("approve", plan["checksum"][:12], "--by", "tester")
    (left,) = bench.good("invite")["left"]
    assert FIRST_UP["partner_id"] in left["detail"]
    linked = bench.world.post("partners", FIRST_UP)
    (invitation,) = bench.good("invite")["written"]
    assert f"msppId={linked['reseller']}" in invitation["url"]
    assert "First Up" in Path(invitation["written_to"]).read_text(encoding="utf-8")
    _accept(bench, mine, invitation["url"])
    bench.good("run")
    behind = bench.world.get("snapshot")["relationships"][f"{linked['provider']}/{mine}"]
    assert behind["associated_partner_id"] == linked["reseller"]
    bought = _held(bench, mine, linked["provider"])
    assert {one["partner_id_on_record"] for one in bought} == {FIRST_UP["partner_id"]}
    totals = bench.world.get(f"ledger?customer={mine}")["totals"]
    assert (totals["moved"], totals["twins"], totals["gaps"], totals["unequal"]) == (1, 0, 0, 0)


def test_what_stands_at_a_reseller_is_left_to_its_provider(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-216: nothing is ordered, because nothing could be suspended; plan and reasons say the same."""
    monkeypatch.setenv("TENANTFOLD_SOURCES__DK__BILLING_MODEL", "indirect_reseller")
    mine = bench.world.get("cast")["seat_change"]
    bench.good("inventory")
    bench.good("plan", "--customers", str(_list_of(bench, mine)))
    shown = bench.good("show", "customer", mine)
    assert {one["route"] for one in shown["customer"]["items"]} == {"manual"}
    assert {one["weighed"]["choice"]["rules"][0] for one in shown["routes"]} == {"R-216"}
    said = {one["code"] for item in shown["customer"]["items"] for one in item["findings"]}
    assert said == {"by_hand"}
