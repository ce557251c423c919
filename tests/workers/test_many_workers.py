"""Three worker processes on a real PostgreSQL move 500 customers of an emulated partner; one of them is killed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from tenantfold.cli.render import Renderer
from tenantfold.clock import SystemClock
from tenantfold.demo.small import Demo, Emulator
from tests.databases import fresh_postgres
from tests.e2e.conftest import Bench

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

CUSTOMERS = 500
IN_FLIGHT = 64
SETTINGS = {
    "# settling_seconds = 900": "settling_seconds = 5",
    "# retry_seconds = 15": "retry_seconds = 2",
    "# in_flight = 64": f"in_flight = {IN_FLIGHT}",
    "# requests_per_minute = 500": "requests_per_minute = 10000",
    "# concurrency = 32": f"concurrency = {IN_FLIGHT}",
}


class Script(Demo):
    """The demo's steps over a generated world, which has no cast."""

    def __init__(self, folder: Path, world: Emulator) -> None:
        self.folder = folder
        self.world = world
        self.renderer = Renderer(as_json=True)


class Fleet(Bench):
    """A folder whose ledger is in PostgreSQL, beside an emulator with many customers."""

    @property
    def demo(self) -> Demo:
        """The steps before the workers."""
        return Script(self.folder, self.world)

    def move_to(self, url: URL) -> None:
        """Settings for a ledger in PostgreSQL; the password, if any, in a file of its own."""
        bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
        self.settings('# database_url = "sqlite:///tenantfold.db"', f'database_url = "{bare.render_as_string()}"')
        if url.password:
            file = self.folder / "database-password"
            file.write_text(url.password)
            file.chmod(0o600)
            self.settings('# database_password = ""', f'database_password = "file:{file}"')

    def totals(self) -> Mapping[str, int]:
        """What really happened so far."""
        found: Mapping[str, int] = self.world.get("ledger")["totals"]
        return found


@pytest.fixture
def fleet(tmp_path: Path, postgres_url: str) -> Iterator[Fleet]:
    """Settings, an empty database and a world of 500 customers that are let through as fast as they come."""
    for url in fresh_postgres(postgres_url, "template1"):
        with _emulator(tmp_path) as world:
            fleet = Fleet(tmp_path, world)
            fleet.good("init", str(tmp_path), "--emulator", world.url)
            for old, new in SETTINGS.items():
                fleet.settings(old, new)
            fleet.move_to(make_url(url))
            fleet.good("init", str(tmp_path))
            world.post("options", {"throttle_limit": 1_000_000})
            yield fleet


@contextmanager
def _emulator(folder: Path) -> Iterator[Emulator]:
    """The emulator as a process on a free port."""
    command = [sys.executable, "-m", "partner_center_emulator", "serve", "--customers", str(CUSTOMERS), "--port", "0"]
    command += ["--start-at", "2026-03-02T08:00:00Z"]
    with (folder / "emulator.err").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Emulator(next(word for word in line.split() if word.startswith("http://127.0.0.1:")))
        finally:
            process.terminate()
            process.communicate(timeout=20)


def test_one_of_three_workers_is_killed_in_the_middle_and_nobody_pays_twice_or_is_locked_out(fleet: Fleet) -> None:
    """SIGKILL with 64 calls in flight: the others finish; the truth ledger has 0 twins, 0 gaps, 0 unequal."""
    to_move = fleet.approved_plan()
    fleet.mails_arrive()
    workers = {name: fleet.start("worker", "--name", name, "--json") for name in ("one", "two", "three")}
    _until_moved(fleet, workers, to_move // 3)
    # every call takes long from here on, so that the one that is killed has all its calls under way
    fleet.world.post("faults", {"faults": [{"kind": "latency", "seconds": 5.0, "passing": "real", "count": 400}]})
    _until_fired(fleet, 3 * IN_FLIGHT)
    workers["two"].kill()
    workers.pop("two").communicate()
    _until_moved(fleet, workers, to_move)
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


def _until_moved(fleet: Fleet, workers: Mapping[str, subprocess.Popen[str]], count: int) -> None:
    while fleet.totals()["moved"] < count:
        for name, process in workers.items():
            assert process.poll() is None, (name, process.communicate())
        _breathe(1.0)


def _breathe(seconds: float) -> None:
    """Leave the machine to the workers: the truth is expensive to ask for."""
    asyncio.run(SystemClock().sleep(seconds))


def _until_fired(fleet: Fleet, count: int) -> None:
    """Return when so many calls have met the fault."""
    while fleet.world.get("faults")["faults"][0]["fired"] < count:
        _breathe(0.2)
