"""The receiver and the registration calls against the emulator: real signatures, real posts, on this machine only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from partner_center_emulator.webhooks import delivery
from tenantfold.domain.webhooks import EVENTS, Registration
from tenantfold.errors import (
    ConfigError,
    ConflictError,
    NotFoundError,
)
from tenantfold.flow.webhooks import Received, send_test
from tenantfold.partnercenter.in_process import InProcessTransport
from tenantfold.receiver import LARGEST_BODY, DeliveryServer, application, open_door
from tests.contract.stage import OpenStage, Stage, wish
from tests.contract.webhook_desk import ACCEPTED, BODY, Desk


@pytest.fixture
async def desk(stage: Stage) -> Desk:
    """The demo's world with a receiver beside it."""
    return Desk(stage)


@pytest.fixture
async def address(desk: Desk) -> AsyncIterator[str]:
    """The receiver behind a real socket of this machine."""
    server = DeliveryServer(desk.receiver)
    with open_door(0) as door:
        serving = asyncio.create_task(server.serve(sockets=[door]))
        yield f"http://127.0.0.1:{door.getsockname()[1]}/hook"
        server.should_exit = True
        await serving


# --- the calls ------------------------------------------------------------------------------------------------------


async def test_a_registration_is_made_read_and_replaced(stage: Stage):
    """As the reference describes: none, made, a second one is a conflict, replaced, read."""
    client = stage.client("target")
    one = Registration(url="http://127.0.0.1:1/hook", events=("test-created",))
    more = Registration(url="http://127.0.0.1:1/hook", events=("test-created", ACCEPTED))
    with pytest.raises(NotFoundError):
        await client.replace_webhook_registration(one, wish("early"))
    assert await client.webhook_registration() is None
    assert await client.make_webhook_registration(one, wish("make")) == one
    with pytest.raises(ConflictError):
        await client.make_webhook_registration(one, wish("again"))
    assert await client.replace_webhook_registration(more, wish("replace")) == more
    assert await client.webhook_registration() == more


async def test_all_events_of_ours_are_offered(stage: Stage):
    """The names in the core are names of Partner Center."""
    assert set(EVENTS) <= set(await stage.client("target").webhook_events())


async def test_a_test_event_reaches_the_receiver(desk: Desk, address: str):
    """Asked for, delivered, its outcome read; the third within a minute is throttled."""
    client = desk.stage.client("target")
    await client.make_webhook_registration(Registration(url=address, events=("test-created",)), wish("make"))
    asked = await client.ask_for_test_event(wish("test"))
    await delivery.finish(desk.stage.emulator)
    outcome = await client.test_event(asked)
    assert (outcome.status, outcome.is_delivered, outcome.answers) == ("completed", True, ("OK",))
    assert desk.receiver.counts == {Received.IGNORED: 1}
    with pytest.raises(NotFoundError):
        await client.test_event("nonsense")


async def test_the_wait_for_a_test_event_ends_with_its_outcome(desk: Desk, address: str):
    """The whole use case over the wire."""
    client = desk.stage.client("target")
    await client.make_webhook_registration(Registration(url=address, events=("test-created",)), wish("make"))

    async def carry() -> None:
        while not desk.receiver.counts:
            await asyncio.sleep(0)
            await delivery.finish(desk.stage.emulator)

    carrying = asyncio.create_task(carry())
    outcome = await send_test(client, desk.stage.clock)
    await carrying
    assert outcome.status in {"completed", "pending"}
    assert desk.receiver.counts == {Received.IGNORED: 1}


# --- real deliveries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copies", [0.0, 1.0], ids=["once", "doubled"])
async def test_an_acceptance_is_delivered_proven_and_asks_for_the_look(open_stage: OpenStage, copies: float):
    """Over a socket, with the signature in the header that proxies leave alone."""
    desk = Desk(await open_stage(webhook_duplicates=copies))
    server = DeliveryServer(desk.receiver)
    with open_door(0) as door:
        serving = asyncio.create_task(server.serve(sockets=[door]))
        url = f"http://127.0.0.1:{door.getsockname()[1]}/any/path"
        client = desk.stage.client("target")
        await client.make_webhook_registration(Registration(url=url, events=(ACCEPTED,)), wish("make"))
        customer = desk.stage.cast("seat_change")
        desk.stage.accept(customer)
        await delivery.finish(desk.stage.emulator)
        server.should_exit = True
        await serving
    assert set(desk.kept.acceptances) == {customer}
    assert len(desk.kept.acceptances) == 1 + copies
    assert all(one.status == "delivered" for one in desk.stage.emulator.world.webhooks.deliveries.values())


async def test_a_receiver_without_its_ledger_is_asked_again(desk: Desk, address: str):
    """503, so that Microsoft tries later; nothing is lost."""
    client = desk.stage.client("target")
    await client.make_webhook_registration(Registration(url=address, events=(ACCEPTED,)), wish("make"))
    desk.kept.broken = True
    desk.stage.accept(desk.stage.cast("seat_change"))
    await delivery.finish(desk.stage.emulator)
    desk.kept.broken = False
    desk.stage.clock.move(120)
    await delivery.finish(desk.stage.emulator)
    (tried,) = desk.stage.emulator.world.webhooks.deliveries.values()
    assert [one.response_code for one in tried.attempts] == ["ServiceUnavailable", "OK"]
    assert desk.kept.acceptances == [desk.stage.cast("seat_change")]


# --- the door -------------------------------------------------------------------------------------------------------


async def test_the_door_answers_by_what_became_of_a_delivery(desk: Desk):
    """Proven 200, forged 401, not verified 503, too large 413, no delivery 405; no body says anything."""
    transport = InProcessTransport(application(desk.receiver))  # type: ignore[arg-type]  # an ASGI application
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as door:
        good = await door.post("/hook", content=BODY, headers=desk.signed())
        forged = await door.post("/", content=BODY + b" ", headers=desk.signed())
        gone = desk.signed(x_ms_certificate_url="https://other.example/a.cer")
        desk.stage.wire.losing = "GET"
        unclear = await door.post("/", content=BODY, headers=gone)
        desk.stage.wire.losing = ""
        large = await door.post("/", content=b"x" * (LARGEST_BODY + 1), headers=desk.signed())
        looked = await door.get("/hook")
    answers = (good, forged, unclear, large, looked)
    assert [one.status_code for one in answers] == [200, 401, 503, 413, 405]
    assert [one.content for one in answers[:3]] == [b"", b"", b""]
    assert desk.receiver.counts == {
        Received.NOTHING_WAITS: 1,
        Received.REFUSED: 1,
        Received.NOT_VERIFIED: 1,
    }


def test_a_taken_port_is_told_with_what_to_do():
    """Instead of a traceback."""
    with open_door(0) as door, pytest.raises(ConfigError, match=r"webhooks\.port"):
        open_door(door.getsockname()[1])


def test_the_door_is_open_to_this_machine_only():
    """ADR 0010."""
    with open_door(0) as door:
        assert door.getsockname()[0] == "127.0.0.1"


async def test_the_test_events_of_a_minute_are_limited(desk: Desk):
    """Two, then Microsoft throttles; the client says so after its patience."""
    client = desk.stage.client("target")
    await client.make_webhook_registration(
        Registration(url="http://127.0.0.1:1/", events=("test-created",)), wish("make")
    )
    started = desk.stage.clock.now()
    for number in range(3):
        await client.ask_for_test_event(wish(f"test-{number}"))
    assert desk.stage.clock.now() - started >= timedelta(seconds=30)
