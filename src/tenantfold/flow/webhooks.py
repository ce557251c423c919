"""Use cases of webhooks: take deliveries in, answer what they ask for, and register for them.

The receiver and whoever runs are different processes, often on different machines. They meet in the ledger only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

import structlog

from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.domain.webhooks import (
    Delivery,
    ProbeOutcome,
    Registration,
    Wakes,
    Wanted,
    holds,
    may_be_delivered_to,
    wakes,
    wanted_registration,
)
from tenantfold.errors import (
    InputError,
    NoAnswerError,
    PartnerCenterError,
    RefusedError,
    SignatureError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tenantfold.flow.ports import Clock, DeliveryCheck, Ledger, WakeUps, WebhookCenter

log = structlog.get_logger()

LISTEN_SECONDS = 5.0  # how often whoever runs looks whether a delivery asked for something; never twice as often
TEST_LOOK_SECONDS = 2.0
TEST_PATIENCE_SECONDS = 30.0


class Received(StrEnum):
    """What became of a delivery."""

    WOKE = "woke"  # something is due earlier
    NOTHING_WAITS = "nothing_waits"  # a known event, and nobody waits for it
    IGNORED = "ignored"  # an event with a name we do not know, or one that says nothing
    REFUSED = "refused"  # not proven to be Microsoft's
    NOT_VERIFIED = "not_verified"  # whether it is could not be found out now; Microsoft sends it again


class Receiver:
    """Takes deliveries in and counts them. StoreError when the ledger fails: the delivery comes again then."""

    def __init__(self, check: DeliveryCheck, wake_ups: WakeUps, clock: Clock, quiet: timedelta) -> None:
        self.counts: Counter[Received] = Counter()
        self._check = check
        self._wake_ups = wake_ups
        self._clock = clock
        self._quiet = quiet

    async def receive(self, headers: Mapping[str, str], body: bytes) -> Received:
        """Prove a delivery, and make due what waits for it; header names in lower case."""
        received = await self._receive(headers, body)
        self.counts[received] += 1
        return received

    async def _receive(self, headers: Mapping[str, str], body: bytes) -> Received:
        try:
            delivery = await self._check.delivery(headers, body)
        except SignatureError as error:
            number = self.counts[Received.REFUSED] + 1
            log.warning("webhook.refused", reason=error.facts.get("reason"), error=error.message, refused=number)
            return Received.REFUSED
        except UnavailableError as error:
            log.warning("webhook.not_verified", error=error.message)
            return Received.NOT_VERIFIED
        except UnexpectedAnswerError as error:
            log.warning("webhook.unreadable", error=error.message)
            return Received.IGNORED
        return await self._act_on(delivery)

    async def _act_on(self, delivery: Delivery) -> Received:
        what = wakes(delivery.event)
        facts = {"delivered": delivery.event, "customer_id": delivery.customer_id}
        if what is Wakes.UNKNOWN or what is Wakes.NOTHING:
            log.info("webhook.ignored", known=what is Wakes.NOTHING, **facts)
            return Received.IGNORED
        woke = await (self._ask(delivery) if what is Wakes.ACCEPTANCES else self._wake(delivery))
        log.info("webhook.received", woke=woke, **facts)
        return Received.WOKE if woke else Received.NOTHING_WAITS

    async def _ask(self, delivery: Delivery) -> bool:
        event = self._event("webhook.acceptances_asked_for", delivery, delivery.customer_id)
        return await self._wake_ups.ask_for_acceptances(delivery.customer_id, event)

    async def _wake(self, delivery: Delivery) -> bool:
        if delivery.customer_id is None:
            return False
        event = self._event("webhook.customer_woken", delivery, delivery.customer_id)
        return await self._wake_ups.wake_customer(delivery.customer_id, self._quiet, event) is not None

    def _event(self, name: str, delivery: Delivery, customer_id: CustomerId | None) -> Event:
        return Event(
            at=self._clock.now(), customer_id=customer_id, name=name, facts={"delivered": delivery.event.lower()}
        )


class Doorbell:
    """What deliveries asked for, heard by whoever runs: at most one look at who accepted each ``quiet`` time."""

    def __init__(self, wake_ups: WakeUps, clock: Clock, quiet: timedelta) -> None:
        self._wake_ups = wake_ups
        self._clock = clock
        self._quiet = quiet
        self._listened_at: datetime | None = None

    def next_at(self) -> datetime:
        """When to listen again."""
        return self._clock.now() + timedelta(seconds=LISTEN_SECONDS)

    async def rings(self) -> bool:
        """Whether a look at who accepted is asked for and may be made; it is taken then. Asked every few seconds."""
        now = self._clock.now()
        listened = self._listened_at
        if listened is not None and timedelta(0) <= now - listened < timedelta(seconds=LISTEN_SECONDS / 2):
            return False
        self._listened_at = now
        return await self._wake_ups.take_ask(now, self._quiet)

    async def answer(self, poll: Callable[[], Awaitable[int]]) -> int:
        """Look who accepted, if that is asked for. Returns how many are new.

        A look that fails is asked for again, and is no reason to stop: whoever is driven meets the same trouble.
        """
        if not await self.rings():
            return 0
        try:
            return await poll()
        except PartnerCenterError as error:
            log.warning("webhook.look.failed", error=error.message)
            await self._wake_ups.give_ask_back()
            return 0


# --- registering ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationTask:
    """What registering needs. ``may_replace``: a person said that the address registered now is given up."""

    center: WebhookCenter
    ledger: Ledger
    clock: Clock
    tenant_key: str
    url: str
    may_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What stands registered now. ``not_offered``: events of ours that Microsoft does not offer the tenant."""

    tenant: str
    registration: Registration
    changed: bool
    not_offered: tuple[str, ...]


async def register(task: RegistrationTask) -> Registered:
    """Bring a tenant's registration to what we want; read first, written only if it differs, read back afterward.

    InputError for an address that is not https, and when another one is registered and nobody said that it may be
    replaced; RefusedError when Microsoft offers none of our events; NoAnswerError and ConflictError as the calls raise
    them: run it again then.
    """
    if not may_be_delivered_to(task.url):
        raise InputError(
            f"Microsoft cannot deliver to '{task.url}'; allowed is an https address without user, query or fragment.",
            next_step="Name the address at which your proxy passes deliveries on to webhooks.port.",
        )
    offered = await task.center.webhook_events()
    wanted = wanted_registration(await task.center.webhook_registration(), task.url, offered)
    if not wanted.registration.events:
        raise RefusedError(f"Microsoft offers the tenant '{task.tenant_key}' none of the events we listen to.")
    if wanted.elsewhere and not task.may_replace:
        raise InputError(
            f"The events of the tenant '{task.tenant_key}' go to {wanted.elsewhere}, and a tenant has one address.",
            next_step="If nothing else listens there any more, say --replace.",
            tenant=task.tenant_key,
            registered=wanted.elsewhere,
        )
    if not wanted.is_as_wanted:
        await _write(task, wanted)
    return Registered(
        tenant=task.tenant_key,
        registration=wanted.registration,
        changed=not wanted.is_as_wanted,
        not_offered=wanted.not_offered,
    )


async def _write(task: RegistrationTask, wanted: Wanted) -> None:
    """One write between two lines of history; what stands afterward is read, whatever was answered."""
    facts = {"tenant": task.tenant_key, "url": wanted.registration.url}
    before = {"replaced": wanted.elsewhere} if wanted.elsewhere else {}
    await task.ledger.add_event("webhook.registering", task.clock.now(), None, **facts, **before)
    call = task.center.make_webhook_registration if wanted.is_new else task.center.replace_webhook_registration
    lost: NoAnswerError | None = None
    try:
        await call(wanted.registration, uuid4())
    except NoAnswerError as error:
        lost = error
    if not holds(await task.center.webhook_registration(), wanted.registration):
        raise lost or UnexpectedAnswerError(
            f"The registration of the tenant '{task.tenant_key}' was accepted, but another one is read back.",
            next_step="Look with: tenantfold webhooks show. Then register again.",
            tenant=task.tenant_key,
        )
    await task.ledger.add_event("webhook.registered", task.clock.now(), None, **facts)


async def send_test(center: WebhookCenter, clock: Clock) -> ProbeOutcome:
    """Have Microsoft deliver a test event and wait up to half a minute for its outcome, which may still be open."""
    correlation_id = await center.ask_for_test_event(uuid4())
    ends_at = clock.now() + timedelta(seconds=TEST_PATIENCE_SECONDS)
    while (outcome := await center.test_event(correlation_id)).is_open and clock.now() < ends_at:
        await clock.sleep(TEST_LOOK_SECONDS)
    return outcome
