"""Perpetual software of a customer that holds nothing but legacy licenses: asked for once the plan is to move it."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Bench

PRODUCT, SKU = "DG7GMGF0FLR2", "0002"
ASKED = "GET /v1/customers/{customer}/entitlements"


def bought(bench: Bench) -> str:
    """Let one customer own perpetual software beside its legacy licenses; returns its id."""
    world = bench.world.get("snapshot")
    sources = {one["id"] for one in world["partner_tenants"].values() if one["key"] != "target"}
    held = next(
        one for one in world["subscriptions"].values() if one["tenant_id"] in sources and ":" not in one["offer_id"]
    )
    line = {"line_item_number": 0, "quantity": 2}
    world["orders"]["0a0b0c0d0e0f"] = {
        "id": "0a0b0c0d0e0f",
        "tenant_id": held["tenant_id"],
        "customer_id": held["customer_id"],
        "billing_cycle": "one_time",
        "currency": "EUR",
        "currency_symbol": "€",
        "created_at": held["created_at"],
        "lines": [line | {"offer_id": f"{PRODUCT}:{SKU}:DG7GMGF0K8VN", "friendly_name": "Office"}],
    }
    terms = {
        "product_id": PRODUCT,
        "sku_id": SKU,
        "product_type": "Software",
        "sub_type": "Perpetual",
        "term_duration": "",
    }
    price = {"currency": "EUR", "list_price": "1.00", "unit_price": "1.00", "prorated_price": "1.00"}
    world["commerce"]["orders"]["0a0b0c0d0e0f"] = {
        "lines": [{"line_item_number": 0, "billing_cycle": "one_time", **terms, **price}],
        "provision_at": None,
    }
    bench.world.post("snapshot", world)
    return str(held["customer_id"])


def said(bench: Bench, customer_id: str) -> list[dict[str, Any]]:
    """What the plan found about software of a customer."""
    found = bench.good("show", "customer", customer_id)["customer"]
    return [one for one in found["findings"] if one["rule"] == "R-151"]


def calls(bench: Bench) -> int:
    """How often anybody was asked."""
    return int(bench.world.get("ledger")["calls"].get(ASKED, {"calls": 0})["calls"])


def test_software_beside_legacy_licenses_is_named_once_the_plan_is_to_move_its_owner(bench: Bench) -> None:
    """The first plan says that it was not verified; the next inventory asks those whom that plan is to move."""
    owner = bought(bench)
    bench.good("inventory")
    before = calls(bench)
    bench.good("plan")
    assert [(one["code"], one["severity"]) for one in said(bench, owner)] == [("not_verified", "note")]
    bench.good("inventory")
    assert calls(bench) > 2 * before
    bench.good("plan")
    (found,) = said(bench, owner)
    assert (found["code"], found["owner"]) == ("software_stays", "operations")
    assert f"2 of {PRODUCT}:{SKU}" in found["detail"]


def test_nobody_is_asked_where_the_settings_say_so(bench: Bench) -> None:
    """The plan goes on saying that it is not verified, with the setting to change."""
    bench.settings('# legacy_software = "planned"', 'legacy_software = "no"')
    owner = bought(bench)
    for _ in range(2):
        bench.good("inventory")
        bench.good("plan")
    (found,) = said(bench, owner)
    assert found["code"] == "not_verified"
    assert "policy.legacy_software" in found["detail"]
