"""A folder with settings, a database and an emulated partner: everything a command needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tenantfold.cli.render import Renderer
from tenantfold.demo.small import Demo, Emulator, emulator


@dataclass
class Bench:
    """One consolidation folder beside one running emulator."""

    folder: Path
    world: Emulator

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        config = [] if words[0] == "init" else ["--config", str(self.folder / "tenantfold.toml")]
        command = [sys.executable, "-m", "tenantfold", *words, *config]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*words)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def good(self, *words: str) -> Any:  # noqa: ANN401  # JSON
        """Run a command that must succeed (in this process: a start of Python each would take minutes)."""
        return self.demo.answer(*words)

    def refused(self, *words: str) -> tuple[int, str]:
        """Run a command that must refuse; its exit code and what it says."""
        done = self.run(*words)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def settings(self, old: str, new: str) -> None:
        """Change the settings file by hand."""
        file = self.folder / "tenantfold.toml"
        text = file.read_text()
        assert old in text, old
        file.write_text(text.replace(old, new))

    def slow_down(self, route: str, *, after: int, seconds: float) -> None:
        """From so many calls on, a call of the route takes so many real seconds: no machine is too fast."""
        fault = {"kind": "latency", "route": route, "skip": after, "seconds": seconds, "passing": "real"}
        self.world.post("faults", {"faults": [fault]})

    @property
    def demo(self) -> Demo:
        """The demo's steps, quiet."""
        return Demo(self.folder, self.world, Renderer(as_json=True))

    def approved_plan(self) -> int:
        """Inventory, list, plan, approval; how many customers are to move."""
        self.good("inventory")
        self.demo.write_list()
        plan = self.good("plan", "--customers", str(self.folder / "customers-to-move.csv"))["plan"]
        self.good("approve", plan["checksum"][:12], "--by", "tester")
        return int(plan["to_move"])

    def mails_arrive(self) -> None:
        """Customers react to the invitation, each as the world says."""
        self.world.post("actors", {"customers": "all", "partner": "target", "kind": "preset"})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh demo world, settings and database."""
    with emulator(tmp_path) as world:
        bench = Bench(tmp_path, world)
        bench.good("init", str(tmp_path), "--emulator", world.url)
        yield bench
