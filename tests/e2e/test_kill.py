"""The process is killed in the middle of the job, again and again; nobody pays twice and nobody is locked out."""

from __future__ import annotations

import random
import subprocess

from tests.e2e.conftest import Bench

KILLS = 10


def test_ten_kills_at_random_moments_leave_no_twin_and_no_gap(bench: Bench) -> None:
    """SIGKILL ten times, start again each time: the truth ledger shows 0 twins, 0 gaps and everybody moved."""
    bench.settings("# settling_seconds = 900", "settling_seconds = 2")
    to_move = bench.approved_plan()
    bench.good("invite")
    bench.mails_arrive()
    rng = random.Random()
    killed_after = []
    for _ in range(KILLS):
        process = bench.start("run")
        calls = rng.randint(1, 90)
        killed_after.append(calls)
        _kill_after(bench, process, calls)
    last = bench.run("run", "--json")
    truth = bench.world.get("ledger")
    totals = truth["totals"]
    faults = {name: truth[name] for name in ("twins", "gaps", "parity")}
    story = f"killed after {killed_after} calls each; {faults}; {last.stdout[-1500:]}{last.stderr}"
    assert last.returncode == 6, story  # the late and the silent customer still wait
    assert totals["twins"] == 0, story
    assert totals["gaps"] == 0, story
    assert totals["unequal"] == 0, story
    assert totals["moved"] == to_move - 2, story
    assert totals["partly"] == 0, story


def _kill_after(bench: Bench, process: subprocess.Popen[str], calls: int) -> None:
    """SIGKILL once the process has made so many calls (or leave it when it ends before)."""
    begun = bench.world.get("ledger")["totals"]["calls"]
    while process.poll() is None and bench.world.get("ledger")["totals"]["calls"] < begun + calls:
        pass
    process.kill()
    process.communicate()
