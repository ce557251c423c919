"""Fakes of the webhook ports: wake-ups in memory, a check that says what the test wants, one tenant's registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.domain.webhooks import EVENTS, Delivery, ProbeOutcome, Registration, earlier_due, may_wake
from tenantfold.errors import ConflictError, NotFoundError, TenantfoldError
from tests.flow.fakes import FakeLedger


@dataclass
class FakeWakeUps:
    """Wake-ups over a ledger in memory. Implements ``flow.ports.WakeUps``."""

    ledger: FakeLedger
    rings: bool = False
    taken_at: list[datetime] = field(default_factory=list)
    woken_at: dict[CustomerId, datetime] = field(default_factory=dict)

    async def ask_for_acceptances(self, customer_id: CustomerId | None, event: Event) -> bool:
        """Ask, if anybody is waited for."""
        waiting = await self.ledger.waiting_for_acceptance()
        if self.rings or not (waiting if customer_id is None else customer_id in waiting):
            return False
        self.rings = True
        self.ledger.history.append(event)
        return True

    async def take_ask(self, now: datetime, quiet: timedelta) -> bool:
        """Take it."""
        if not self.rings or not may_wake(now, self.taken_at[-1] if self.taken_at else None, quiet):
            return False
        self.rings = False
        self.taken_at.append(now)
        return True

    async def give_ask_back(self) -> None:
        """Ask again."""
        self.rings = True

    async def wake_customer(self, customer_id: CustomerId, quiet: timedelta, event: Event) -> datetime | None:
        """Bring the due time forward."""
        row = self.ledger.rows.get(customer_id)
        if row is None or row.phase.is_final:
            return None
        earlier = earlier_due(event.at, row.due_at, self.woken_at.get(customer_id), quiet)
        if earlier is not None:
            self.woken_at[customer_id] = earlier
            self.ledger.rows[customer_id] = replace(row, due_at=earlier, version=row.version + 1)
            self.ledger.history.append(event)
        return earlier


@dataclass
class FakeCheck:
    """Believes every delivery, or raises what it is told to. Implements ``flow.ports.DeliveryCheck``."""

    says: Delivery = field(default_factory=lambda: Delivery(event="test-created"))
    error: TenantfoldError | None = None

    async def delivery(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """As the test says."""
        if self.error is not None:
            raise self.error
        return self.says


@dataclass
class FakeWebhookCenter:
    """One tenant's registration. ``losing`` loses the answer of a write after its effect, ``deaf`` ignores writes.

    Implements ``flow.ports.WebhookCenter``.
    """

    present: Registration | None = None
    offered: tuple[str, ...] = tuple(EVENTS)
    losing: TenantfoldError | None = None
    deaf: bool = False
    writes: list[str] = field(default_factory=list)
    outcomes: list[ProbeOutcome] = field(default_factory=list)

    async def webhook_events(self) -> tuple[str, ...]:
        """As the test says."""
        return self.offered

    async def webhook_registration(self) -> Registration | None:
        """What is registered."""
        return self.present

    async def make_webhook_registration(self, wish: Registration, request_id: UUID) -> Registration:
        """Register."""
        if self.present is not None:
            raise ConflictError("There is one.")
        return self._write("make", wish)

    async def replace_webhook_registration(self, wish: Registration, request_id: UUID) -> Registration:
        """Replace."""
        if self.present is None:
            raise NotFoundError("There is none.")
        return self._write("replace", wish)

    def _write(self, name: str, wish: Registration) -> Registration:
        self.writes.append(name)
        if not self.deaf:
            self.present = wish
        if self.losing is not None:
            raise self.losing
        return wish

    async def ask_for_test_event(self, request_id: UUID) -> str:
        """Ask."""
        return "probe-1"

    async def test_event(self, correlation_id: str) -> ProbeOutcome:
        """The next outcome; the last one stays."""
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
