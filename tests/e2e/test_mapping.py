"""An offer that is no longer sold: proposed, signed by a person, planned. A plan edited by hand: refused."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing

import pytest

from tests.e2e.conftest import Bench

NOT_READY = 3


def test_a_proposal_is_written_signed_and_planned(bench: Bench) -> None:
    """The row has no effect without a name; what a person wrote stays when the command runs again."""
    bench.good("inventory")
    bench.good("plan")
    offered = bench.good("mapping")
    assert len(offered["added"]) == 1
    file = bench.folder / "offer-mapping.csv"
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["approved_by"] for row in rows] == [""]
    assert "mapping_not_approved" in _codes(bench.good("plan") or bench.good("show", "plan"))
    file.write_text(
        "source_offer_id,target_offer_id,approved_by\n"
        f"{rows[0]['source_offer_id']},{rows[0]['target_offer_id']},Ingrid Holm\n"
    )
    codes = _codes(bench.good("plan"))
    assert "mapping_not_approved" not in codes
    assert bench.good("mapping")["added"] == []
    assert "Ingrid Holm" in file.read_text()


@pytest.mark.slow
def test_an_offer_that_only_new_commerce_follows_is_proposed_signed_and_moved(bench: Bench) -> None:
    """R-121, the usual case: proposed with its term, signed, rehearsed and bought, as the truth ledger sees it."""
    world = bench.world.get("snapshot")
    for offer in world["offers"].values():
        offer["is_available_for_purchase"] &= "Business" not in offer["name"]
    bench.world.post("snapshot", world)
    mine = bench.world.get("cast")["offer_gone"]
    bench.good("inventory")
    bench.demo.write_list()
    everybody = bench.folder / "customers-to-move.csv"
    lines = everybody.read_text().splitlines(keepends=True)
    everybody.write_text("".join([lines[0], *(line for line in lines if line.startswith(mine))]))
    bench.good("plan", "--customers", str(everybody))
    (row,) = bench.good("mapping")["added"]
    assert row["sold_as"] == {"duration": "P1Y", "billing_cycle": "monthly"}
    assert row["target_offer_id"] in {one["id"] for one in bench.good("catalog", "DK", "--search", "business")}
    file = bench.folder / "offer-mapping.csv"
    with file.open(newline="", encoding="utf-8-sig") as unsigned:
        rows = [one | {"approved_by": "Ingrid Holm"} for one in csv.DictReader(unsigned)]
    with file.open("w", newline="", encoding="utf-8") as signed:
        writer = csv.DictWriter(signed, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    plan = bench.good("plan", "--customers", str(everybody))["plan"]
    assert plan["to_move"] == 1
    bench.good("approve", plan["checksum"][:12], "--by", "tester")
    rehearsed = bench.good("rehearse", "--acceptance", "at-once")["prediction"]
    assert rehearsed["phases"]["moved"] == 1
    assert any("the plan orders" in one["text"] for one in rehearsed["assumptions"])
    bench.good("invite")
    bench.mails_arrive()
    bench.good("run")
    found = bench.world.get(f"ledger?customer={mine}")
    totals = found["totals"]
    assert (totals["moved"], totals["twins"], totals["gaps"]) == (1, 0, 0)
    held = [one for one in bench.world.get("snapshot")["subscriptions"].values() if one["customer_id"] == mine]
    bought = [one for one in held if one["offer_id"].startswith(f"{row['target_offer_id']}:")]
    assert [(one["status"], one["quantity"]) for one in bought] == [("active", 12)]


def _codes(plan: dict[str, list[dict[str, list[dict[str, object]]]]]) -> set[object]:
    """What blocks customers of a plan."""
    found = [one for customer in plan["blocked"] for one in customer["findings"]]
    found += [one for customer in plan["blocked"] for item in customer["items"] for one in item["findings"]]  # type: ignore[attr-defined]  # JSON
    return {one["code"] for one in found}


def test_a_plan_edited_by_hand_to_suspend_new_commerce_is_refused(bench: Bench) -> None:
    """No command reads it and none carries it out, approved or not; the sentence says why and the way back."""
    bench.good("inventory")
    bench.good("approve", bench.good("plan")["plan"]["checksum"][:12], "--by", "Ingrid Holm")
    with closing(sqlite3.connect(bench.folder / "tenantfold.db")) as ledger, ledger:
        ledger.execute(
            """UPDATE plan_customer SET value = replace(value, '"kind":"legacy_license"', '"kind":"license"')"""
        )
    code, said = bench.refused("show", "plan")
    assert code == NOT_READY
    assert "R-135" in said
    assert "tenantfold plan" in said
    calls = bench.world.get("ledger")["totals"]["calls"]
    code, said = bench.refused("run")
    assert code == NOT_READY
    assert "tenantfold plan" in said
    assert bench.world.get("ledger")["totals"]["calls"] == calls
    bench.good("plan")
    bench.good("show", "plan")
