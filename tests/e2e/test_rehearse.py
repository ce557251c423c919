"""Rehearsing with the real command, against a real folder: beside the emulator, without a call to it."""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path

import pytest

from tenantfold.errors import ExitCode
from tests.e2e.conftest import Bench


def _calls(bench: Bench) -> int:
    return sum(one["calls"] for one in bench.world.get("ledger")["calls"].values())


def _folders(process_id: int) -> list[Path]:
    """The throwaway folders of one process, wherever this machine keeps them."""
    places = [Path(tempfile.gettempdir()), Path("/dev/shm")]  # noqa: S108  # only looked into
    return [found for place in places for found in place.glob(f"tenantfold-rehearsal-{process_id}-*")]


def test_a_rehearsal_predicts_what_the_run_then_does(bench: Bench):
    """Calls by route and customers moved match within a few percent, and rehearsing called nobody."""
    bench.approved_plan()
    before = _calls(bench)
    rehearsed = bench.good("rehearse", "--acceptance", "at-once")
    assert _calls(bench) == before
    prediction = rehearsed["prediction"]
    assert rehearsed["good"]
    assert Path(rehearsed["page"]).read_text().startswith("<!doctype html>")

    asked = {"customers": "all", "partner": "target", "kind": "now"}
    bench.world.post("actors", asked)
    done = bench.run("run", "--json")
    real = json.loads(done.stdout)
    assert done.returncode == ExitCode.UNFINISHED, done.stderr
    assert real["summary"]["phases"]["moved"] == prediction["phases"]["moved"]
    predicted: dict[str, int] = {}
    for one in prediction["calls"]:
        predicted[one["route"]] = predicted.get(one["route"], 0) + one["calls"]
    # who has signed the agreement, and how many first calls ask for its template at once, no inventory knows
    compared = [route for route in predicted if "agreement" not in route.lower()]
    assert compared
    for route in compared:
        assert real["calls"][route] == pytest.approx(predicted[route], rel=0.05, abs=2), route

    status = bench.good("status")["rehearsal"]
    assert status["moved"] == real["summary"]["phases"]["moved"]
    assert status["calls"] == pytest.approx(sum(real["calls"].values()))


def test_a_draft_is_rehearsed_only_when_asked_for(bench: Bench):
    """Without approval the command refuses and names the way; with --draft it runs, and the plan stays a draft."""
    bench.good("inventory")
    code, said = bench.refused("rehearse")
    assert (code, "There is no plan yet" in said) == (ExitCode.NOT_READY, True)
    bench.demo.write_list()
    bench.good("plan", "--customers", str(bench.folder / "customers-to-move.csv"))
    code, said = bench.refused("rehearse")
    assert code == ExitCode.NOT_READY
    assert "--draft" in said
    bench.good("rehearse", "--draft", "--acceptance", "at-once")
    assert bench.good("show", "plan")["plan"]["approved_at"] is None


def test_an_interrupted_rehearsal_leaves_nothing_behind(bench: Bench):
    """Ctrl-C ends it with its own code: no prediction, no folder, no page."""
    bench.approved_plan()
    process = bench.start("rehearse", "--acceptance", "spread:300d")
    while process.poll() is None and not _folders(process.pid):
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert not _folders(process.pid)
    assert bench.good("status")["rehearsal"] is None
    assert not list(bench.folder.rglob("rehearsal.html"))
