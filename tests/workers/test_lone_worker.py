"""A worker over a SQLite file, as a process: it moves everybody, it is the only one, and it stops in order."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections import Counter

from tenantfold.clock import SystemClock
from tenantfold.store import Store
from tenantfold.store.tally import Tally
from tests.e2e.conftest import Bench, bench

__all__ = ["bench"]  # a fixture


def _running(bench: Bench, process: subprocess.Popen[str]) -> None:
    """Return when the worker has signed on."""
    while process.poll() is None:
        if any(one["state"] == "running" for one in bench.good("workers")):
            return
        asyncio.run(SystemClock().sleep(0.5))
    raise AssertionError(process.communicate())


def test_one_worker_moves_everybody_and_a_second_one_is_refused(bench: Bench) -> None:
    """A second worker and a run are told who works here; SIGTERM ends the first in order."""
    to_move = bench.approved_plan()
    bench.good("invite")
    bench.mails_arrive()
    process = bench.start("worker", "--name", "first", "--json")
    _running(bench, process)
    for command in (("worker", "--name", "second"), ("run",)):
        code, said = bench.refused(*command)
        assert code == 5
        assert f"in use by process {process.pid}" in said
    while bench.world.get("ledger")["totals"]["moved"] < to_move - 2:
        assert process.poll() is None, process.communicate()
        asyncio.run(SystemClock().sleep(0.5))
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["worker"] == "first"
    totals = bench.world.get("ledger")["totals"]
    assert (totals["twins"], totals["gaps"], totals["unequal"], totals["partly"]) == (0, 0, 0, 0)
    (row,) = bench.good("workers")
    assert (row["id"], row["state"]) == ("first", "stopped")
    assert row["driven"] >= to_move - 2
    calls = asyncio.run(_calls(bench))
    assert calls["POST /v1/customers/{customer}/orders"] >= to_move - 2


async def _calls(bench: Bench) -> Counter[str]:
    """What the report and status count as the worker's calls."""
    async with Store.open(f"sqlite:///{bench.folder / 'tenantfold.db'}") as store:
        return await Tally(store.database).calls()


def test_jobs_for_workers_need_postgresql(bench: Bench) -> None:
    """The message names the command to run instead."""
    code, said = bench.refused("job", "inventory")
    assert code == 2
    assert "PostgreSQL" in said
    assert "tenantfold inventory" in said
