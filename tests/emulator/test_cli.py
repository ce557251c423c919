"""The command line and the coverage table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest
from typer.testing import CliRunner

from partner_center_emulator import resources
from partner_center_emulator.cli import app
from partner_center_emulator.coverage import behaviours
from partner_center_emulator.requests import Route
from partner_center_emulator.world import World


def test_prints_the_coverage_table_as_markdown():
    """Every line is a row with documented or assumed."""
    result = CliRunner().invoke(app, ["coverage"])
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[:2] == ["| Route or part | Emulated | Source | Page | Behaviour |", "|---|---|---|---|---|"]
    assert all("| documented |" in line or "| assumed |" in line for line in lines[2:])


def test_every_api_route_is_in_the_coverage_table():
    """No route is served without saying how sure we are of it."""
    routes = {route.key for route in resources.routes() if isinstance(route, Route)}
    listed = {entry.route for entry in behaviours()}
    # a PUT is covered by the line of its GET: the profile pages document both in one table row
    reads = {route.replace("PUT ", "GET ").replace("/supportprofile", "/support") for route in routes}
    assert reads - listed == set()


@pytest.mark.parametrize("arguments", [["--start-at", "soon"], ["--world", "no such file"], ["--customers", "-1"]])
def test_refuses_to_start_with_a_sentence(arguments: list[str]):
    """A bad option ends with exit code 2 and no traceback."""
    result = CliRunner().invoke(app, ["serve", "--port", "0", *arguments])
    assert result.exit_code == 2
    assert "cannot start" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal_and_writes_the_snapshot(tmp_path: Path, number: signal.Signals):
    """A real process on the loopback: what happened is in the file it leaves, and the next start reads it."""
    snapshot = tmp_path / "world.json"
    for customers in (2, 0):  # the second start has the file, so the number no longer counts
        with _process("--customers", str(customers), "--snapshot", str(snapshot), "--frozen") as process:
            base = _address(process)
            assert httpx2.get(f"{base}/_emulator/health").json()["customers"] == 2
            assert "server" not in httpx2.get(f"{base}/_emulator/health").headers
            httpx2.post(f"{base}/_emulator/clock", json={"advance_seconds": 60})
            process.send_signal(number)
            process.wait(timeout=20)
    world = msgspec.json.decode(snapshot.read_bytes(), type=World)
    assert world.clock_at is not None
    assert (world.clock_at - world.started_at).total_seconds() == 120


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "partner_center_emulator", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    words = process.stdout.readline().split()
    return next(word for word in words if word.startswith("http://127.0.0.1:"))
