"""Webhooks with real processes: a customer accepts, the emulator delivers, and the run moves it without waiting."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tenantfold.clock import SystemClock
from tests.e2e.conftest import Bench, bench

__all__ = ["bench"]  # a fixture

CERTIFICATE = "/webhooks/certificates/emulator.cer"


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def set_up(bench: Bench) -> str:
    """Settings of webhooks for the emulator, and its certificate as the one to trust; the address of the receiver."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/partner-center"
    document = httpx2.get(f"{bench.world.url}{CERTIFICATE}").content
    pem = x509.load_der_x509_certificate(document).public_bytes(Encoding.PEM)
    (bench.folder / "webhook-issuers.pem").write_bytes(pem)
    lines = (
        f'url = "{address}"',
        f"port = {port}",
        f'certificate_hosts = "{bench.world.url.removeprefix("http://")}"',
        'certificate_organization = "Partner Center emulator"',
    )
    bench.settings("[webhooks]\n", "\n".join(("[webhooks]", *lines, "")))
    return address


@contextmanager
def started(bench: Bench, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs beside the test, and no longer than it."""
    process = bench.start(*words)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@contextmanager
def listening(bench: Bench, address: str) -> Iterator[subprocess.Popen[str]]:
    """A receiver that answers."""

    def answers() -> bool:
        try:
            httpx2.get(address)
        except httpx2.HTTPError:
            return False
        return True

    with started(bench, "webhooks", "listen", "--json") as process:
        wait_until(process, answers)
        yield process


def wait_until(process: subprocess.Popen[str], holds: Callable[[], bool]) -> None:
    """Wait for something that a process brings about, for two minutes at most."""
    for _ in range(600):
        if holds():
            return
        assert process.poll() is None, process.communicate()
        asyncio.run(SystemClock().sleep(0.2))
    pytest.fail("It did not happen.")


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Ask a process to end; its exit code and what it said."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.slow
def test_a_customer_that_accepts_moves_at_once_though_the_next_look_is_hours_away(bench: Bench) -> None:
    """Three processes that know of each other through the ledger; the truth ledger judges."""
    address = set_up(bench)
    to_move = bench.approved_plan()
    bench.good("invite")
    with listening(bench, address) as receiver:
        registered = {one["tenant"]: one["changed"] for one in bench.good("webhooks", "register")}
        assert registered["target"]
        assert not any(one["changed"] for one in bench.good("webhooks", "register"))
        before = looks(bench)
        with started(bench, "run", "--wait", "12h", "--poll", "6h", "--json") as run:
            wait_until(run, lambda: looks(bench) == before + 1)  # the first look; nobody has accepted
            bench.world.post("actors", {"customers": "all", "partner": "target", "kind": "now"})
            wait_until(run, lambda: bench.world.get("ledger")["totals"]["moved"] >= to_move // 2)
            assert looks(bench) >= before + 2
            ended(run)
        code, out, err = ended(receiver)
    assert code == 0, err
    assert json.loads(out)["deliveries"]["woke"] >= 1
    totals = bench.world.get("ledger")["totals"]
    assert (totals["twins"], totals["gaps"]) == (0, 0)
    assert "webhook.received" in (bench.folder / "tenantfold.log").read_text()


def looks(bench: Bench) -> int:
    """How many pages of lists of customers were read so far."""
    return int(bench.world.get("ledger")["calls"]["GET /v1/customers"]["calls"])


@pytest.mark.slow
def test_the_receiver_proves_what_it_is_sent(bench: Bench) -> None:
    """A test event arrives; a forged delivery is refused with 401, counted and logged."""
    address = set_up(bench)
    with listening(bench, address) as receiver:
        bench.good("webhooks", "register", "--tenant", "target")
        (tested,) = bench.good("webhooks", "test", "--tenant", "target")
        assert tested["outcome"]["status"] == "completed"
        forged = httpx2.post(address, json={"EventName": "subscription-updated"}, headers={"x-ms-signature": "AAAA"})
        assert forged.status_code == 401
        shown = {one["tenant"]: one["registration"] for one in bench.good("webhooks", "show")}
        assert shown["target"]["url"] == address
        assert shown["se"] is None
        _, out, _ = ended(receiver)
    assert json.loads(out)["deliveries"] == {"ignored": 1, "refused": 1}
    assert "webhook.refused" in (bench.folder / "tenantfold.log").read_text()


@pytest.mark.slow
def test_listening_without_anybody_to_trust_is_refused(bench: Bench) -> None:
    """The file, its setting and the page that helps are named; so is a missing address."""
    code, said = bench.refused("webhooks", "listen")
    assert code == 2
    assert "webhook-issuers.pem (webhooks.issuers)" in said
    assert "wake-early-with-webhooks" in said
    code, said = bench.refused("webhooks", "register")
    assert code == 2
    assert "webhooks.url" in said
    code, said = bench.refused("webhooks", "register", "--url", "http://hooks.example/")
    assert code == 2
    assert "https" in said
