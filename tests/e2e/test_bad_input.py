"""Bad input: one clear sentence (what, where, what is allowed), a documented exit code, and nothing changed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.e2e.conftest import Bench

BAD_INPUT, NOT_READY, PARTNER_CENTER, STORE = 2, 3, 4, 5


def test_refuses_unknown_and_wrong_settings_with_the_nearest_name(bench: Bench) -> None:
    """A misspelled key names the nearest one; a wrong value says what is allowed; nothing is called."""
    bench.settings("[policy]", '[policy]\nsettling_secs = 3\nlate_case = "hope"')
    code, said = bench.refused("inventory")
    assert code == BAD_INPUT
    assert "settling_secs" in said
    assert "settling_seconds" in said
    assert "hope" in said
    assert '"finish"' in said
    assert bench.world.get("ledger")["totals"]["calls"] == 0


def test_an_expired_secret_is_named_without_being_shown(bench: Bench) -> None:
    """The sentence names the tenant and what to renew; the secret itself appears nowhere."""
    world = bench.world.get("snapshot")
    for tenant in world["partner_tenants"].values():
        for app in tenant["apps"]:
            app["secret_expires_at"] = "2020-01-01T00:00:00Z"
    bench.world.post("snapshot", world)
    code, said = bench.refused("inventory", "se")
    secret = (bench.folder / "secrets" / "se-client-secret").read_text().strip()
    assert code == PARTNER_CENTER
    assert "expired" in said
    assert "se" in said
    assert secret not in said


def test_a_user_without_the_admin_agent_role_is_told_what_is_missing(bench: Bench) -> None:
    """Doctor fails with the role and the way to get it; inventory answers with the exit code of Partner Center."""
    world = bench.world.get("snapshot")
    for tenant in world["partner_tenants"].values():
        for user in tenant["users"]:
            user["roles"] = ["helpdesk_agent"]
    bench.world.post("snapshot", world)
    code, said = bench.refused("doctor")
    assert code == NOT_READY
    assert "Admin agent" in said
    assert "AdminAgents" in said


def test_a_list_with_an_unknown_customer_a_duplicate_or_a_formula_is_refused_with_its_row(bench: Bench) -> None:
    """Each names file, row, column and value; no plan is saved."""
    bench.good("inventory")
    customer = next(iter(bench.world.get("snapshot")["customers"].values()))["id"]
    cases = {
        "unknown.csv": ("customer_id\n00000000-0000-4000-8000-000000000000\n", "00000000-0000-4000-8000-000000000000"),
        "twice.csv": (f"customer_id\n{customer}\n{customer}\n", customer),
        "formula.csv": ("customer_id,company_name\n" + customer + ',"=HYPERLINK(""http://evil"")"\n', "formula"),
    }
    for name, (text, expected) in cases.items():
        file = bench.folder / name
        file.write_text(text)
        code, said = bench.refused("plan", "--customers", str(file))
        assert code == BAD_INPUT, said
        assert name in said
        assert "row" in said
        assert expected in said
    code, said = bench.refused("show", "plan")
    assert code == NOT_READY
    assert "tenantfold plan" in said


def test_a_half_written_snapshot_is_never_planned_on(bench: Bench) -> None:
    """An inventory killed halfway blocks planning, names the tenant, and goes on where it stopped."""
    bench.slow_down("GET /v1/customers/{customer}", after=22, seconds=60.0)
    process = bench.start("inventory", "se")
    while process.poll() is None and _details_kept(bench) == 0:
        pass
    process.kill()
    process.communicate()
    bench.world.post("faults", {"faults": []})
    code, said = bench.refused("plan")
    assert code == NOT_READY
    assert "half-written" in said
    assert "tenantfold inventory" in said
    before = _details_read(bench)
    bench.good("inventory", "se")
    read_again = _details_read(bench) - before
    assert read_again < _snapshots(bench)[0]["customers"]  # what was kept is not read again
    bench.good("inventory")
    bench.good("plan")


def _details_read(bench: Bench) -> int:
    tally = bench.world.get("ledger")["calls"].get("GET /v1/customers/{customer}", {"calls": 0})
    return int(tally["calls"])


def _details_kept(bench: Bench) -> int:
    with closing(sqlite3.connect(bench.folder / "tenantfold.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM snapshot_customer WHERE state = 'read'").fetchone()[0])


def _snapshots(bench: Bench) -> list[dict[str, int]]:
    return [one["snapshot"] for one in bench.good("tenants")]


def test_a_database_newer_than_the_program_is_left_alone(bench: Bench) -> None:
    """The sentence says so and what to do; the file is unchanged to the byte."""
    database = bench.folder / "tenantfold.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    connection.close()
    before = database.read_bytes()
    code, said = bench.refused("status")
    assert code == STORE
    assert "newer" in said
    assert database.read_bytes() == before


def test_a_second_run_is_refused_while_one_is_running(bench: Bench) -> None:
    """It names the process that runs; the first one is not disturbed."""
    bench.approved_plan()
    first = bench.start("run", "--wait", "10m", "--poll", "1s")
    try:
        while first.poll() is None and "GET /v1/customers" not in _calls(bench, at_least=6):
            pass
        code, said = bench.refused("run")
        assert code == STORE
        assert str(first.pid) in said
        assert first.poll() is None
    finally:
        first.kill()
        first.communicate()


def _calls(bench: Bench, *, at_least: int) -> set[str]:
    calls = bench.world.get("ledger")["calls"]
    return {route for route, tally in calls.items() if tally["calls"] >= at_least}


def test_a_stale_plan_cannot_be_approved_nor_a_wrong_checksum(bench: Bench) -> None:
    """A newer inventory makes the plan stale; a checksum that is not the newest plan's names the right one."""
    bench.good("inventory")
    plan = bench.good("plan")["plan"]
    code, said = bench.refused("approve", "deadbeef0000")
    assert code == BAD_INPUT
    assert plan["checksum"][:12] in said
    bench.good("inventory", "se")
    code, said = bench.refused("approve", plan["checksum"][:12])
    assert code == NOT_READY
    assert "tenantfold plan" in said
    assert bench.good("show", "plan")["plan"]["approved_at"] is None


def test_nothing_runs_without_a_database_or_settings(tmp_path: Path) -> None:
    """Without settings the sentence says how to begin."""
    done = subprocess.run(
        [sys.executable, "-m", "tenantfold", "status"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == BAD_INPUT
    assert "tenantfold init" in done.stderr
