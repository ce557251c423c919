"""How many small authenticated GETs the emulator answers in one CPU second: in process, and as a server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from http import HTTPStatus
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.measure import Bench, Figure, Outcome
from partner_center_emulator.app import Application, create_app
from partner_center_emulator.clock import Clock
from partner_center_emulator.credentials import Sheet, sheet
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.seed import generate_world

FULL_SIZE = 40_000
AT_LEAST = 5_000.0
CUSTOMERS = 1_000
SEED = 1
WARM_UP = 500
CONNECTIONS = 16
STARTS_WITHIN_SECONDS = 60.0

Message = MutableMapping[str, Any]


def run(requests: int, folder: Path) -> Outcome:
    """Half of the requests in this process, half over sockets."""
    half = max(1, requests // 2)
    in_process, size = asyncio.run(_in_process(half))
    served, in_user_time = _served(half, folder)
    return Outcome(
        figures=(
            Figure(
                what="in process (ASGI)",
                unit="GET a CPU s",
                measured=round(in_process),
                budget=AT_LEAST,
                at_least=True,
            ),
            Figure(
                what="as a server, its own CPU only",
                unit="GET a CPU s",
                measured=round(served),
                budget=AT_LEAST,
                at_least=True,
            ),
            Figure(what="as a server, without the kernel's part", unit="GET a CPU s", measured=round(in_user_time)),
        ),
        facts={"requests each way": half, "bytes an answer": size, "customers": CUSTOMERS},
    )


async def _in_process(requests: int) -> tuple[float, int]:
    """Requests in a CPU second, and the length of an answer."""
    emulator = Emulator(generate_world(SEED, CUSTOMERS), Options(throttling=False), Clock())
    application = create_app(emulator)
    token = await _token_in_process(application, sheet(emulator))
    mine = _customers_of_first_tenant(emulator)
    exchange = _Exchange(application, token)
    for customer_id in islice(cycle(mine), WARM_UP):
        await exchange.get(f"/v1/customers/{customer_id}")
    paths = [f"/v1/customers/{customer_id}" for customer_id in islice(cycle(mine), requests)]
    began = time.process_time()
    for path in paths:
        await exchange.get(path)
    return requests / (time.process_time() - began), exchange.length


def _customers_of_first_tenant(emulator: Emulator) -> list[str]:
    first = next(iter(emulator.world.partner_tenants))
    return [one.customer_id for one in emulator.world.relationships.values() if one.tenant_id == first]


class _Exchange:
    """Calls the application as a server would, and checks every answer."""

    def __init__(self, application: Application, token: str) -> None:
        self._application = application
        self._headers = [(b"authorization", f"Bearer {token}".encode()), (b"accept", b"application/json")]
        self.length = 0

    async def get(self, path: str) -> None:
        """One GET."""
        self._status = 0
        scope: Message = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": self._headers,
            "scheme": "http",
            "server": ("127.0.0.1", 8700),
        }
        await self._application(scope, self._receive, self._send)
        assert self._status == HTTPStatus.OK, f"{path}: {self._status}"

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self.length = len(message["body"])


async def _token_in_process(application: Application, known: Sheet) -> str:
    body, answer = _form(known), bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answer.extend(message.get("body", b""))

    scope: Message = {
        "type": "http",
        "method": "POST",
        "path": _token_path(known),
        "raw_path": _token_path(known).encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        "scheme": "http",
        "server": ("127.0.0.1", 8700),
    }
    await application(scope, receive, send)
    token: str = msgspec.json.decode(bytes(answer))["access_token"]
    return token


def _token_path(known: Sheet) -> str:
    return f"/{known.tenants[0].id}/oauth2/v2.0/token"


def _form(known: Sheet) -> bytes:
    first = known.tenants[0]
    return urllib.parse.urlencode(
        {
            "grant_type": "refresh_token",
            "client_id": first.client_id,
            "client_secret": first.client_secret,
            "refresh_token": first.refresh_token,
            "scope": f"{known.partner_center_resource}/.default",
        }
    ).encode()


def _served(requests: int, folder: Path) -> tuple[float, float]:
    """Requests in a CPU second of the server's process, and in a second of its user time; the client is this one."""
    with _server(folder) as (pid, port):
        base = f"http://127.0.0.1:{port}"
        _post(f"{base}/_emulator/options", b'{"throttling": false}')
        known = msgspec.json.decode(_get(f"{base}/_emulator/credentials"), type=Sheet)
        answer = msgspec.json.decode(_post(f"{base}{_token_path(known)}", _form(known)))
        world = generate_world(SEED, CUSTOMERS)  # the same seed makes the same customers
        first = known.tenants[0].id
        mine = [one.customer_id for one in world.relationships.values() if one.tenant_id == first]
        asyncio.run(_ask(port, answer["access_token"], mine, WARM_UP))
        before = cpu_seconds(pid)
        asyncio.run(_ask(port, answer["access_token"], mine, requests))
        user, system = (after - was for after, was in zip(cpu_seconds(pid), before, strict=True))
        return requests / (user + system), requests / user


def cpu_seconds(pid: int) -> tuple[float, float]:
    """User and system time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / ticks, int(fields[12]) / ticks


@contextmanager
def _server(folder: Path) -> Iterator[tuple[int, int]]:
    """The emulator as a process of its own: process id and port."""
    command = [sys.executable, "-m", "partner_center_emulator", "serve", "--port", "0"]
    command += ["--seed", str(SEED), "--customers", str(CUSTOMERS)]
    log = folder / "emulator.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process.pid, _port(process, log)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    began = time.perf_counter()
    while time.perf_counter() - began < STARTS_WITHIN_SECONDS and process.poll() is None:
        words = log.read_text(encoding="utf-8").split()
        for word in words:
            if word.startswith("http://127.0.0.1:"):
                return int(word.rpartition(":")[2])
        time.sleep(0.1)
    raise RuntimeError(f"The emulator did not start: {log.read_text(encoding='utf-8')}")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own server
        content: bytes = answer.read()
    return content


def _post(url: str, body: bytes) -> bytes:
    with urllib.request.urlopen(url, body, timeout=60) as answer:  # noqa: S310 - our own server
        content: bytes = answer.read()
    return content


async def _ask(port: int, token: str, customers: list[str], requests: int) -> None:
    """Ask for so many customers over a few connections that are kept open."""
    shares = [requests // CONNECTIONS + (number < requests % CONNECTIONS) for number in range(CONNECTIONS)]
    await asyncio.gather(*(_ask_on_one(port, token, customers, share) for share in shares))


async def _ask_on_one(port: int, token: str, customers: list[str], requests: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for customer_id in islice(cycle(customers), requests):
        writer.write(
            f"GET /v1/customers/{customer_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {token}\r\nAccept: application/json\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


BENCH = Bench(
    name="emulator_requests",
    what="small authenticated GETs of one customer: half in process, half over sockets from another process",
    unit="requests",
    full_size=FULL_SIZE,
    run=run,
)
