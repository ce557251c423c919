"""Webhooks: registration, signed delivery to this machine, attempts, lateness, duplicates (core reference 9.4)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import msgspec
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from partner_center_emulator import actors
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.webhooks import delivery
from partner_center_emulator.webhooks.models import EVENTS
from partner_center_emulator.world import World
from tests.emulator.conftest import Client, tenant_by_key
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, BRAVO, TARGET

ROOT = "/webhooks/v1/registration"
ACCEPTED = "reseller-relationship-accepted-by-customer"


class Receiver:
    """A web server on a free port of 127.0.0.1 that keeps what it is sent and answers with ``status``."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        self.posts.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {self.status} Answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def events(self) -> list[dict[str, str]]:
        return [json.loads(body) for _, body in self.posts]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Yield a receiver that is listening."""
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


async def register(target: httpx2.AsyncClient, receiver: Receiver, *events: str, **more: object) -> None:
    """Register the target for some events."""
    body = {"WebhookUrl": receiver.url, "WebhookEvents": list(events), **more}
    answer = await target.post(ROOT, json=body)
    assert answer.status_code == 200, answer.text


def accept(emulator: Emulator, customer_id: str = ALFA) -> None:
    """Let a customer's admin accept the target's request now."""
    customer = emulator.world.customers[customer_id]
    actors.ask(emulator, tenant_by_key(emulator, "target"), [customer], "now", 0.0)
    emulator.clock.run_due()


async def test_a_registration_is_made_read_replaced_and_ended(client: Client, receiver: Receiver):
    """One per tenant: a second POST is 409; PUT keeps the subscriber; after DELETE there is none."""
    target = client("target")
    body = {"webhookurl": receiver.url, "WEBHOOKEVENTS": ["Test-Created"], "Unknown": 1}
    absent = await target.get(ROOT)
    made = (await target.post(ROOT, json=body)).json()
    again = await target.post(ROOT, json=body)
    replaced = (await target.put(ROOT, json=body | {"WEBHOOKEVENTS": [ACCEPTED]})).json()
    read = (await target.get(ROOT)).json()
    ended = await target.delete(ROOT)
    put_none = await target.put(ROOT, json=body)
    assert (absent.status_code, again.status_code, ended.status_code, put_none.status_code) == (404, 409, 204, 404)
    assert replaced["SubscriberId"] == made["SubscriberId"]
    assert made["WebhookEvents"] == ["test-created"]
    assert read == {"WebhookUrl": receiver.url, "WebhookEvents": [ACCEPTED]}


async def test_the_names_of_the_events_are_a_bare_list(client: Client):
    """All of them, each once."""
    names = (await client("target").get(f"{ROOT}/events")).json()
    assert names == list(EVENTS)
    assert len(set(names)) == len(names)
    assert {"test-created", "invoice-ready", "granular-admin-relationship-expired"} <= set(names)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "http://127.0.0.1.example.com/",
        "http://user@127.0.0.1/",
        "http://10.0.0.1:80/",
        "ftp://localhost/",
        "http://localhost:99999999/",
        "http://[::1",
        "",
    ],
)
async def test_an_address_elsewhere_is_refused_with_the_reason(emulator: Emulator, client: Client, url: str):
    """Nothing that is not an http address on this machine gets into the world."""
    answer = await client("target").post(ROOT, json={"WebhookUrl": url, "WebhookEvents": ["test-created"]})
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)
    assert "address" in answer.json()["description"]
    assert emulator.world.webhooks.registrations == {}


async def test_an_address_that_got_into_the_world_by_a_snapshot_is_not_called(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """The address is checked again before each attempt."""
    await register(client("target"), receiver, ACCEPTED)
    emulator.world.webhooks.registrations[TARGET].url = "http://192.0.2.1/hook"
    accept(emulator)
    await delivery.finish(emulator)
    (tried,) = emulator.world.webhooks.deliveries.values()
    assert tried.attempts[0].system_error
    assert "other machines" in tried.attempts[0].message


@pytest.mark.parametrize("events", [["no-such-event"], [], "test-created", [1]])
async def test_bad_lists_of_events_are_refused(client: Client, receiver: Receiver, events: object):
    """Unknown, empty, no list, no names."""
    answer = await client("target").post(ROOT, json={"WebhookUrl": receiver.url, "WebhookEvents": events})
    assert answer.status_code == 400


@pytest.mark.parametrize("ms_header", [False, True])
async def test_an_acceptance_is_delivered_with_a_signature_that_holds(
    emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client, receiver: Receiver, ms_header: object
):
    """The certificate at its address verifies the body; a changed byte does not pass; the audit record exists."""
    target = client("target")
    await register(target, receiver, ACCEPTED, SignatureTokenToMsSignatureHeader=ms_header)
    accept(emulator)
    assert await delivery.finish(emulator) == 1
    headers, body = receiver.posts[0]
    event = json.loads(body)
    base = emulator.options.base_url
    der = (await anonymous.get(headers["x-ms-certificate-url"].removeprefix(base))).content
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, RSAPublicKey)
    signature = headers["x-ms-signature"] if ms_header else headers["authorization"].removeprefix("Signature ")
    key.verify(base64.b64decode(signature), body, PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), body + b" ", PKCS1v15(), SHA256())
    assert headers["x-ms-signature-algorithm"] == "rsa-sha256"
    assert headers["host"] == f"localhost:{receiver.port}"
    assert event["EventName"] == ACCEPTED
    assert event["ResourceUri"] == f"{base}/v1/customers/{ALFA}"
    record = await target.get(event["AuditUri"].removeprefix(base))
    assert record.json()["operationType"] == "reseller_relationship_accepted_by_customer"


async def test_only_registered_events_of_the_own_tenant_are_delivered(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """The target registered for tests only, so an acceptance says nothing."""
    await register(client("target"), receiver, "test-created")
    accept(emulator)
    assert await delivery.finish(emulator) == 0


async def test_a_receiver_that_fails_is_tried_ten_times_and_then_left(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """The waits grow up to an hour; the eleventh attempt never comes."""
    await register(client("target"), receiver, ACCEPTED)
    receiver.status = 503
    accept(emulator)
    await delivery.finish(emulator)
    for _ in range(12):
        emulator.clock.advance(3600)
        await delivery.finish(emulator)
    (tried,) = emulator.world.webhooks.deliveries.values()
    waits = [after.at - before.at for before, after in zip(tried.attempts, tried.attempts[1:], strict=False)]
    assert (tried.status, len(receiver.posts)) == ("offline", 10)
    assert {attempt.response_code for attempt in tried.attempts} == {"ServiceUnavailable"}
    assert min(waits) >= timedelta(minutes=1)


async def test_a_receiver_that_recovers_gets_the_event_once(emulator: Emulator, client: Client, receiver: Receiver):
    """After the first success there is no further attempt."""
    await register(client("target"), receiver, ACCEPTED)
    receiver.status = 500
    accept(emulator)
    await delivery.finish(emulator)
    receiver.status = 202
    emulator.clock.advance(3600 * 10)
    await delivery.finish(emulator)
    emulator.clock.advance(3600 * 10)
    await delivery.finish(emulator)
    assert len(receiver.posts) == 2


async def test_a_waiting_delivery_survives_a_snapshot(emulator: Emulator, client: Client, receiver: Receiver):
    """Saved with its attempt behind it, loaded, and delivered when its time comes."""
    await register(client("target"), receiver, ACCEPTED)
    receiver.status = 500
    accept(emulator)
    await delivery.finish(emulator)
    receiver.status = 200
    text = msgspec.json.encode(emulator.world)
    emulator.replace_world(msgspec.json.decode(text, type=World))
    emulator.clock.advance(60)
    await delivery.finish(emulator)
    (carried,) = emulator.world.webhooks.deliveries.values()
    assert (carried.status, len(carried.attempts)) == ("delivered", 2)


async def test_events_can_be_late_and_doubled(emulator: Emulator, client: Client, receiver: Receiver):
    """With a delay of an hour nothing comes before it; with all doubled each comes twice with the same body."""
    emulator.options.webhook_delay_seconds = 3600
    emulator.options.webhook_duplicates = 1.0
    await register(client("target"), receiver, ACCEPTED)
    accept(emulator)
    accept(emulator, BRAVO)
    early = await delivery.finish(emulator)
    emulator.clock.advance(3600)
    await delivery.finish(emulator)
    bodies = [body for _, body in receiver.posts]
    assert early == 0
    assert sorted(bodies.count(body) for body in bodies) == [2, 2, 2, 2]


async def test_due_events_leave_after_the_request_that_caused_them(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """Nobody has to ask for the delivery: the request only has to end."""
    target = client("target")
    await register(target, receiver, "test-created")
    started = (await target.post(f"{ROOT}/validationEvents")).json()
    task = emulator.derived(delivery.Courier).task
    assert task is not None
    await task
    outcome = (await target.get(f"{ROOT}/validationEvents/{started['correlationId']}")).json()
    assert receiver.events()[0]["EventName"] == "test-created"
    assert (outcome["status"], outcome["results"][0]["responseCode"]) == ("completed", "OK")
    assert outcome["partnerId"] == TARGET


async def test_test_events_need_a_registration_and_are_limited_to_two_a_minute(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """404 without, 400 without test-created, 429 for the third, and again one a minute later."""
    target, path = client("target"), f"{ROOT}/validationEvents"
    statuses = [(await target.post(path)).status_code]
    await register(target, receiver, ACCEPTED)
    statuses.append((await target.post(path)).status_code)
    await target.put(ROOT, json={"WebhookUrl": receiver.url, "WebhookEvents": ["test-created"]})
    statuses += [(await target.post(path)).status_code for _ in range(2)]
    third = await target.post(path)
    emulator.clock.advance(float(third.headers["Retry-After"]))
    statuses += [third.status_code, (await target.post(path)).status_code]
    await delivery.finish(emulator)
    assert statuses == [404, 400, 200, 200, 429, 200]


async def test_the_outcome_of_a_test_event_is_kept_for_seven_days(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """After that, and for an unknown id, 404."""
    target = client("target")
    await register(target, receiver, "test-created")
    started = (await target.post(f"{ROOT}/validationEvents")).json()["correlationId"]
    await delivery.finish(emulator)
    emulator.clock.advance(8 * 86400)
    later = client("target")
    answers = [await later.get(f"{ROOT}/validationEvents/{wanted}") for wanted in (started, "nonsense")]
    assert [answer.status_code for answer in answers] == [404, 404]


async def test_the_answers_have_every_member_of_the_published_samples(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """Registration made, read, replaced; test event asked for, and its outcome."""
    target = client("target")
    body = {"WebhookUrl": receiver.url, "WebhookEvents": ["subscription-updated", "test-created"]}
    answers = {
        "partner-center-webhooks": (await target.post(ROOT, json=body)).json(),
        "partner-center-webhooks-2": (await target.get(ROOT)).json(),
        "partner-center-webhooks-3": (await target.put(ROOT, json=body)).json(),
        "partner-center-webhooks-4": (await target.post(f"{ROOT}/validationEvents")).json(),
    }
    await delivery.finish(emulator)
    wanted = answers["partner-center-webhooks-4"]["correlationId"]
    answers["partner-center-webhooks-5"] = (await target.get(f"{ROOT}/validationEvents/{wanted}")).json()
    for name, answer in answers.items():
        assert list(missing(sample_body(name), answer)) == [], name


async def test_the_control_plane_carries_and_lists_deliveries(
    emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client, receiver: Receiver
):
    """For tests of others: post, wait, look."""
    await register(client("target"), receiver, ACCEPTED)
    accept(emulator)
    await anonymous.post("/_emulator/webhooks/deliver")
    listed = (await anonymous.get("/_emulator/webhooks")).json()
    assert [(row["event"], row["status"]) for row in listed] == [(ACCEPTED, "delivered")]


async def test_a_changed_subscription_is_told_of_within_two_days(
    emulator: Emulator, client: Client, receiver: Receiver
):
    """With the switch at 48 hours an event is late by a share of them, and there by then."""
    emulator.options.subscription_updated_delay_seconds = 48 * 3600
    await register(client("target"), receiver, "subscription-updated")
    emulator.record("subscription.changed", tenant_id=TARGET, customer_id=ALFA, subject_id="s-1")
    assert await delivery.finish(emulator) == 0
    emulator.clock.advance(48 * 3600)
    await delivery.finish(emulator)
    (event,) = receiver.events()
    assert event["ResourceUri"].endswith(f"/webhooks/v1/customers/{ALFA}/subscriptions/s-1")
    assert event["AuditUri"] is None
