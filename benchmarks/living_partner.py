"""A partner as real processes: an emulator that serves, a folder with an approved plan, and commands that are started.

For what only real processes show: being killed, and working side by side.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url

from tenantfold.cli.render import Renderer
from tenantfold.demo.small import Demo, Emulator, emulator

PATIENCE_SECONDS = 600.0
LOOK_SECONDS = 0.2


class Partner(Demo):
    """A generated world, whose customers accept at once; its own settings stand in ``settings``."""

    def __init__(self, folder: Path, world: Emulator) -> None:
        self.folder = folder
        self.world = world
        self.renderer = Renderer(as_json=True)

    def begin(self, settings: Mapping[str, str], postgres_url: str = "") -> int:
        """Set up, take inventory, plan, approve, let everybody accept; returns how many customers are to move."""
        self.answer("init", str(self.folder), "--emulator", self.world.url)
        for name, value in settings.items():
            self._set(name, value)
        if postgres_url:
            self._move_to(make_url(postgres_url))
            self.answer("init", str(self.folder))
        self.answer("inventory")
        self.write_list()
        plan = self.answer("plan", "--customers", str(self.folder / "customers-to-move.csv"))["plan"]
        self.answer("approve", plan["checksum"][:12], "--by", "benchmark")
        self.world.post("actors", {"customers": "all", "partner": "target", "kind": "preset"})
        return int(plan["to_move"])

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        command = [sys.executable, "-m", "tenantfold", *words, "--config", str(self.folder / "tenantfold.toml")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def totals(self) -> Mapping[str, int]:
        """What really happened so far, by the truth ledger."""
        found: Mapping[str, int] = self.world.get("ledger")["totals"]
        return found

    def until_moved(self, count: int) -> None:
        """Wait until so many customers have moved. TimeoutError when that takes too long."""
        for _ in patiently(every=1.0):
            if self.totals()["moved"] >= count:
                return

    def _set(self, name: str, value: str) -> None:
        file = self.folder / "tenantfold.toml"
        lines = file.read_text(encoding="utf-8").splitlines()
        place = next(at for at, line in enumerate(lines) if line.lstrip("# ").startswith(f"{name} = "))
        lines[place] = f"{name} = {value}"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _move_to(self, url: URL) -> None:
        """The ledger in PostgreSQL; its password, if any, in a file of its own."""
        bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
        self._set("database_url", f'"{bare.render_as_string()}"')
        if url.password:
            file = self.folder / "database-password"
            file.write_text(url.password)
            file.chmod(0o600)
            self._set("database_password", f'"file:{file}"')


@contextmanager
def living_partner(folder: Path, customers: int) -> Iterator[Partner]:
    """An emulator with a generated world in a process of its own, let through as fast as calls come."""
    folder.mkdir(parents=True, exist_ok=True)
    with emulator(folder, "--customers", str(customers)) as world:
        world.post("options", {"throttle_limit": 1_000_000})
        yield Partner(folder, world)


def patiently(*, every: float = LOOK_SECONDS) -> Iterator[None]:
    """Look again and again. TimeoutError in the end."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        yield
        time.sleep(every)
    raise TimeoutError(f"What was waited for did not come within {PATIENCE_SECONDS:.0f} s.")
