"""Faults over a real server: what leaves the socket, byte by byte."""

from __future__ import annotations

import http.client
import json
import socket

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import plan as plans
from partner_center_emulator.state.behaviour import Fault, FaultPlan
from tests.emulator.conftest import access_token
from tests.emulator.small_world import ALFA

AGREEMENT = {
    "primaryContact": {"firstName": "Tove", "lastName": "Berg", "email": "tove@alfa.example"},
    "templateId": "117a77b0-9360-443b-8795-c6dedc750cf9",
    "dateAgreed": "2026-02-01T00:00:00Z",
    "type": "MicrosoftCustomerAgreement",
}


def raw_exchange(emulator: Emulator, method: str = "GET", body: bytes = b"") -> bytes:
    """Send one request by hand and return every byte until the server closes; raises what the socket raises."""
    path = f"/v1/customers/{ALFA}" + ("/agreements" if method == "POST" else "")
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {access_token(emulator, 'se')}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    received = b""
    with socket.create_connection(("127.0.0.1", emulator.options.port), timeout=20) as opened:
        opened.sendall(head.encode() + body)
        while piece := opened.recv(65536):
            received += piece
    return received


def plan(emulator: Emulator, fault: Fault) -> None:
    """Put a plan of one fault in place."""
    plans.install(emulator.world, FaultPlan(faults=[fault]))


@pytest.mark.parametrize("effect", ["before", "after"])
def test_resets_the_connection(emulator_server: Emulator, effect: str):
    """RST on the wire, before or after the agreement was made."""
    fault = Fault(kind="reset", methods=["POST"])
    fault.effect = "after" if effect == "after" else "before"
    plan(emulator_server, fault)
    with pytest.raises(ConnectionResetError):
        raw_exchange(emulator_server, "POST", json.dumps(AGREEMENT).encode())
    assert len(emulator_server.world.agreements) == (effect == "after")


def test_closes_without_a_word(emulator_server: Emulator):
    """Not one byte, and an orderly end; the write took effect and its answer is marked as lost."""
    plan(emulator_server, Fault(kind="lost_answer"))
    assert raw_exchange(emulator_server, "POST", json.dumps(AGREEMENT).encode()) == b""
    assert len(emulator_server.world.agreements) == 1
    assert [kept.lost for kept in emulator_server.world.answers.values()] == [True]


def test_cuts_the_body_short(emulator_server: Emulator):
    """The header promises more than comes."""
    plan(emulator_server, Fault(kind="truncated_body"))
    head, _, body = raw_exchange(emulator_server).partition(b"\r\n\r\n")
    promised = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    assert 0 < len(body) < int(promised.split(b":")[1])


def test_a_client_sees_each_of_them_as_a_broken_connection(emulator_server: Emulator):
    """What an HTTP client makes of it."""
    headers = {"Authorization": f"Bearer {access_token(emulator_server, 'se')}"}
    for fault in (Fault(kind="reset"), Fault(kind="lost_answer"), Fault(kind="truncated_body")):
        plan(emulator_server, fault)
        with httpx2.Client() as client, pytest.raises(httpx2.TransportError):
            client.get(f"{emulator_server.options.base_url}/v1/customers/{ALFA}", headers=headers)


def test_a_slow_body_trips_an_impatient_client_and_reaches_a_patient_one(emulator_server: Emulator):
    """Real seconds: pieces come one after the other."""
    headers = {"Authorization": f"Bearer {access_token(emulator_server, 'se')}"}
    url = f"{emulator_server.options.base_url}/v1/customers/{ALFA}"
    plan(emulator_server, Fault(kind="slow_body", seconds=0.4, passing="real"))
    with httpx2.Client(timeout=20) as client:
        answer = client.get(url, headers=headers)
    assert answer.json()["id"].lower() == ALFA
    assert answer.elapsed.total_seconds() >= 0.3
    plan(emulator_server, Fault(kind="slow_body", seconds=8, passing="real"))
    with httpx2.Client(timeout=0.2) as client, pytest.raises(httpx2.TimeoutException):
        client.get(url, headers=headers)


def test_real_latency_is_felt(emulator_server: Emulator):
    """The answer comes after the delay."""
    plan(emulator_server, Fault(kind="latency", seconds=0.3, passing="real"))
    headers = {"Authorization": f"Bearer {access_token(emulator_server, 'se')}"}
    with httpx2.Client(timeout=20) as client:
        answer = client.get(f"{emulator_server.options.base_url}/v1/customers/{ALFA}", headers=headers)
    assert answer.elapsed.total_seconds() >= 0.3


def test_the_next_request_on_a_fresh_connection_is_fine(emulator_server: Emulator):
    """A cut connection leaves the server unharmed."""
    plan(emulator_server, Fault(kind="reset", count=1))
    with pytest.raises(ConnectionResetError):
        raw_exchange(emulator_server)
    opened = http.client.HTTPConnection("127.0.0.1", emulator_server.options.port, timeout=20)
    headers = {"Authorization": f"Bearer {access_token(emulator_server, 'se')}"}
    opened.request("GET", f"/v1/customers/{ALFA}", headers=headers)
    assert opened.getresponse().status == 200
    opened.close()
