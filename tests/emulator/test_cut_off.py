"""A client that dies in the middle of its request has made no request."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from partner_center_emulator.app import create_app
from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import Client

SCOPE_HEADERS = ((b"content-type", b"application/json"), (b"ms-requestid", b"3f2504e0-4f89-41d3-9a0c-0305e82c3301"))


async def test_a_write_whose_body_was_cut_off_is_neither_carried_out_nor_remembered(emulator: Emulator, client: Client):
    """Else the resend with the same request id would be answered with the refusal of the torn body."""
    admin = client("target")
    sent: list[MutableMapping[str, Any]] = []
    messages = iter(
        (
            {"type": "http.request", "body": b'{"lineItems": [{"offer', "more_body": True},
            {"type": "http.disconnect"},
        )
    )

    async def receive() -> MutableMapping[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    customer = next(iter(emulator.world.customers))
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/v1/customers/{customer}/orders",
        "query_string": b"",
        "headers": [*SCOPE_HEADERS, (b"authorization", admin.headers["Authorization"].encode())],
    }
    kept = dict(emulator.world.answers)
    await create_app(emulator)(scope, receive, send)
    assert sent == []
    assert emulator.world.answers == kept
