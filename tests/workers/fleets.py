"""A fleet for tests: worker processes on a real PostgreSQL beside an emulated partner."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url

from tenantfold.cli.render import Renderer
from tenantfold.clock import SystemClock
from tenantfold.demo.small import Demo, Emulator
from tests.databases import fresh_postgres
from tests.e2e.conftest import Bench

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


def fleet_of(customers: int, folder: Path, server_url: str) -> Iterator[Fleet]:
    """Settings, an empty database and a world of so many customers that are let through as fast as they come."""
    for url in fresh_postgres(server_url, "template1"):
        with _emulator(folder, customers) as world:
            fleet = Fleet(folder, world)
            fleet.good("init", str(folder), "--emulator", world.url)
            for old, new in SETTINGS.items():
                fleet.settings(old, new)
            fleet.move_to(make_url(url))
            fleet.good("init", str(folder))
            world.post("options", {"throttle_limit": 1_000_000})
            yield fleet


@contextmanager
def _emulator(folder: Path, customers: int) -> Iterator[Emulator]:
    """The emulator as a process on a free port."""
    command = [sys.executable, "-m", "partner_center_emulator", "serve", "--customers", str(customers), "--port", "0"]
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


def until_moved(fleet: Fleet, workers: Mapping[str, subprocess.Popen[str]], count: int) -> None:
    """Return when so many customers have moved; a worker that ends before fails the test with what it says."""
    while fleet.totals()["moved"] < count:
        for name, process in workers.items():
            assert process.poll() is None, (name, process.communicate())
        breathe(1.0)


def breathe(seconds: float) -> None:
    """Leave the machine to the workers: the truth is expensive to ask for."""
    asyncio.run(SystemClock().sleep(seconds))


def until_fired(fleet: Fleet, count: int) -> None:
    """Return when so many calls have met the fault."""
    while fleet.world.get("faults")["faults"][0]["fired"] < count:
        breathe(0.2)
