"""The same-day rule through the real commands, with the emulator's truth ledger as judge."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Bench

UNFINISHED = 6
TEN_MINUTES = {"pace": {"subscription.status": {"advance": "after_seconds", "seconds": 600}}}


def _ordered_and_one_target_changed(bench: Bench) -> tuple[str, str]:
    """Everybody is ordered at 20:00 UTC; meanwhile somebody takes a license away at one target."""
    bench.settings("# retry_seconds = 15", "retry_seconds = 3000")
    bench.approved_plan()
    bench.good("invite")
    bench.mails_arrive()
    bench.world.post("clock", {"advance_to": "2026-03-02T20:00:00Z"})
    bench.world.post("options", TEN_MINUTES)
    assert bench.run("run").returncode == UNFINISHED
    assert bench.world.get("ledger")["totals"]["moved"] == 0
    bench.world.post("clock", {"advance_seconds": 900})
    before = bench.world.get("snapshot")
    target = next(one["id"] for one in bench.world.get("credentials")["tenants"] if one["role"] == "target")
    changed = next(
        one
        for one in before["subscriptions"].values()
        if one["tenant_id"] == target and one["quantity"] > 2 and one["created_at"] >= "2026-03-02T20:00"
    )
    bench.world.post(f"subscriptions/{changed['id']}", {"quantity": changed["quantity"] - 1})
    bench.world.post("options", {"pace": {}})
    bench.run("run")
    return str(changed["id"]), str(changed["customer_id"])


@pytest.mark.parametrize("policy", ["finish", "withdraw"])
def test_trouble_at_2340_follows_the_written_policy(bench: Bench, policy: str) -> None:
    """An alarm is raised; "withdraw" suspends the target until the next day, "finish" leaves it; nobody has a gap."""
    bench.settings('# late_case = "finish"', f'late_case = "{policy}"')
    subscription_id, customer_id = _ordered_and_one_target_changed(bench)
    moved_in_time = bench.world.get("ledger")["totals"]["moved"]
    assert moved_in_time > 40
    bench.world.post("clock", {"advance_to": "2026-03-02T23:40:00Z"})
    bench.run("run")
    alarms = [one["customer_id"] for one in bench.good("status")["customers"] if one["alarmed_at"]]
    assert alarms == ([customer_id] if policy == "finish" else [])  # withdrawn: nothing is open any more
    told = bench.good("explain", customer_id)
    assert any(event["name"] == "alarm.cutover_late" for event in told["events"])
    status = bench.world.get("snapshot")["subscriptions"][subscription_id]["status"]
    assert status == ("suspended" if policy == "withdraw" else "active")
    bench.world.post("clock", {"advance_to": "2026-03-03T08:00:00Z"})
    bench.run("run")  # taken up again; the license is still missing
    at_work = bench.world.get("snapshot")["subscriptions"][subscription_id]
    assert at_work["status"] == "active"
    bench.world.post(f"subscriptions/{subscription_id}", {"quantity": at_work["quantity"] + 1})
    bench.run("run")
    totals = bench.world.get("ledger")["totals"]
    assert (totals["twins"], totals["gaps"], totals["unequal"]) == (0, 0, 0)
    assert totals["moved"] == moved_in_time + 1
