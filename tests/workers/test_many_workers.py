"""Worker processes on a real PostgreSQL move the customers of an emulated partner; they are killed, and restarted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.fleets import IN_FLIGHT, Fleet, fleet_of, until_fired, until_moved

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ROUNDS = 2


@pytest.fixture
def fleet(tmp_path: Path, postgres_url: str) -> Iterator[Fleet]:
    """A world of 500 customers."""
    yield from fleet_of(500, tmp_path, postgres_url)


@pytest.fixture
def small_fleet(tmp_path: Path, postgres_url: str) -> Iterator[Fleet]:
    """A world of 60 customers, of which a worker drives four at a time: it is at work for a while."""
    for fleet in fleet_of(60, tmp_path, postgres_url):
        fleet.settings(f"concurrency = {IN_FLIGHT}", "concurrency = 4")
        yield fleet


def test_one_of_three_workers_is_killed_in_the_middle_and_nobody_pays_twice_or_is_locked_out(fleet: Fleet) -> None:
    """SIGKILL with 64 calls in flight: the others finish; the truth ledger has 0 twins, 0 gaps, 0 unequal."""
    to_move = fleet.approved_plan()
    fleet.mails_arrive()
    workers = {name: fleet.start("worker", "--name", name, "--json") for name in ("one", "two", "three")}
    until_moved(fleet, workers, to_move // 3)
    # every call takes long from here on, so that the one that is killed has all its calls under way
    fleet.world.post("faults", {"faults": [{"kind": "latency", "seconds": 5.0, "passing": "real", "count": 400}]})
    until_fired(fleet, 3 * IN_FLIGHT)
    workers["two"].kill()
    workers.pop("two").communicate()
    until_moved(fleet, workers, to_move)
    for process in workers.values():
        process.terminate()
    answers = {name: process.communicate(timeout=90) for name, process in workers.items()}
    driven = {name: json.loads(out)["driven"] for name, (out, _err) in answers.items()}
    assert {name: process.returncode for name, process in workers.items()} == {"one": 0, "three": 0}, answers
    totals = fleet.totals()
    story = f"{totals}; driven {driven}"
    assert (totals["twins"], totals["gaps"], totals["unequal"], totals["partly"]) == (0, 0, 0, 0), story
    assert totals["moved"] == to_move, story
    assert all(driven.values()), story
    states = {one["id"]: one["state"] for one in fleet.good("workers")}
    assert states == {"one": "stopped", "two": "lost", "three": "stopped"}


def test_workers_that_are_restarted_in_turn_lose_nothing(small_fleet: Fleet) -> None:
    """An upgrade under load: each worker is told to stop and started again, twice; nobody notices."""
    fleet = small_fleet
    to_move = fleet.approved_plan()
    fleet.mails_arrive()
    fleet.world.post("faults", {"faults": [{"kind": "latency", "seconds": 3.0, "passing": "real", "count": 100_000}]})
    workers = {name: _start(fleet, name) for name in ("one", "two")}
    until_fired(fleet, 3)
    moved = []
    for _ in range(ROUNDS):
        for name in tuple(workers):
            moved.append(fleet.totals()["moved"])
            _stopped(workers.pop(name))
            workers[name] = _start(fleet, name)
            until_fired(fleet, fleet.world.get("faults")["faults"][0]["fired"] + 5)
    assert moved[-1] < to_move, f"the last restart came when all was over: {moved}"
    fleet.world.post("faults", {"faults": []})
    until_moved(fleet, workers, to_move)
    for process in workers.values():
        _stopped(process)
    totals = fleet.totals()
    assert (totals["twins"], totals["gaps"], totals["unequal"], totals["partly"]) == (0, 0, 0, 0), totals
    assert totals["moved"] == to_move, totals
    assert {one["id"]: one["state"] for one in fleet.good("workers")} == {"one": "stopped", "two": "stopped"}
    assert fleet.good("stranded") == {"stranded": []}


def _start(fleet: Fleet, name: str) -> subprocess.Popen[str]:
    return fleet.start("worker", "--name", name, "--json")


def _stopped(process: subprocess.Popen[str]) -> None:
    """SIGTERM ends it in order."""
    process.terminate()
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, (out, err)
