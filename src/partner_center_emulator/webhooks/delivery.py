"""Carrying events to their receivers (wire room): signed POSTs to addresses on this machine, and to no other.

It runs after the request that made an event due, so a receiver may call back meanwhile. An answer in the 200s is a
delivery; anything else is tried again on the emulator's clock, ten times in all, then the event goes offline.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from http import HTTPStatus

import httpx2

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.state.webhooks import Attempt, Delivery
from partner_center_emulator.webhooks import certificate
from partner_center_emulator.webhooks.models import Outbox, check_url, event_body, postpone
from partner_center_emulator.wire import encode
from partner_center_emulator.world import World

MAXIMUM_ATTEMPTS = 10
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0
_TIMEOUT = 10.0


class Courier:
    """The running task of deliveries, if any; obtained with ``emulator.derived(Courier)``.

    ``transport`` carries them where there is no network.
    """

    def __init__(self, _world: World) -> None:
        self.task: asyncio.Task[int] | None = None
        self.transport: httpx2.AsyncBaseTransport | None = None


def kick(emulator: Emulator) -> None:
    """Start carrying what is due, unless somebody is at it; called after each request."""
    if not emulator.derived(Outbox).ready:
        return
    courier = emulator.derived(Courier)
    if courier.task is None or courier.task.done():
        courier.task = asyncio.get_running_loop().create_task(_carry(emulator))


async def finish(emulator: Emulator) -> int:
    """Wait until nothing is due any more; returns how many posts were made."""
    courier = emulator.derived(Courier)
    count = 0
    if courier.task is not None:
        count += await courier.task
        courier.task = None
    return count + await _carry(emulator)


async def _carry(emulator: Emulator) -> int:
    outbox = emulator.derived(Outbox)
    count = 0
    # the receiver may use whatever certificate it likes: nothing leaves this machine
    carrier = emulator.derived(Courier).transport
    async with httpx2.AsyncClient(transport=carrier, trust_env=False, verify=False, timeout=_TIMEOUT) as client:
        while outbox.ready:
            delivery = emulator.world.webhooks.deliveries.get(outbox.ready.pop(0))
            if delivery is not None and delivery.status == "waiting":
                await _post(emulator, client, delivery)
                count += 1
    return count


async def _post(emulator: Emulator, client: httpx2.AsyncClient, delivery: Delivery) -> None:
    registration = emulator.world.webhooks.registrations.get(delivery.tenant_id)
    body = encode(event_body(emulator, delivery))
    signature = certificate.sign(emulator, body)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-MS-Certificate-Url": certificate.url(emulator),
        "X-MS-Signature-Algorithm": "rsa-sha256",
    }
    if registration is not None and registration.ms_signature_header:
        headers["x-ms-signature"] = signature
    else:
        headers["Authorization"] = f"Signature {signature}"
    attempt = Attempt(at=emulator.clock.now(), response_code="")
    try:
        url = httpx2.URL(check_url(delivery.url))
        headers["Host"] = url.netloc.decode()
        # a name is never looked up: localhost means the loopback address
        target = url.copy_with(host="127.0.0.1") if url.host == "localhost" else url
        answer = await client.post(target, content=body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL, ApiError) as error:
        attempt.message, attempt.system_error = str(error) or type(error).__name__, True
        _judge(emulator, delivery, attempt, delivered=False)
        return
    attempt.response_code = _name_of(answer.status_code)
    _judge(emulator, delivery, attempt, delivered=answer.is_success)


def _judge(emulator: Emulator, delivery: Delivery, attempt: Attempt, *, delivered: bool) -> None:
    delivery.attempts.append(attempt)
    tried = len(delivery.attempts)
    if delivered:
        delivery.status = "delivered"
    elif tried >= MAXIMUM_ATTEMPTS:
        delivery.status = "offline"
    else:
        wait = min(_FIRST_WAIT * 2 ** (tried - 1), _LONGEST_WAIT)
        postpone(emulator, delivery, emulator.clock.now() + timedelta(seconds=wait))


def _name_of(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.replace(" ", "")
    except ValueError:
        return str(status)
