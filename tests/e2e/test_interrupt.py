"""A person stops a run with Ctrl-C; it ends in order, says so, and the next run goes on."""

from __future__ import annotations

import signal

from tests.e2e.conftest import Bench

INTERRUPTED, UNFINISHED = 130, 6


def test_ctrl_c_ends_the_run_in_order_and_the_next_run_goes_on(bench: Bench) -> None:
    """Exit code 130, no call without outcome; afterwards everybody who accepted has moved, once."""
    to_move = bench.approved_plan()
    bench.good("invite")
    bench.mails_arrive()
    bench.slow_down("*", after=100, seconds=0.02)
    before = bench.world.get("ledger")["totals"]["calls"]
    process = bench.start("run")
    while process.poll() is None and bench.world.get("ledger")["totals"]["calls"] < before + 120:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED, out + err
    assert "tenantfold run" in out
    bench.world.post("faults", {"faults": []})
    half = bench.world.get("ledger")["totals"]
    assert half["moved"] < to_move - 2
    last = bench.run("run")
    totals = bench.world.get("ledger")["totals"]
    assert last.returncode == UNFINISHED, last.stdout + last.stderr
    assert (totals["twins"], totals["gaps"], totals["unequal"], totals["partly"]) == (0, 0, 0, 0)
    assert totals["moved"] == to_move - 2
