"""Store: the ``Ledger`` half: plans, the journal and every customer's progress."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from tenantfold.domain.evidence import Evidence
from tenantfold.domain.facts import EarlierRuns
from tenantfold.domain.journal import Intent
from tenantfold.domain.model import CustomerId, Route, SubscriptionId
from tenantfold.domain.plan import ChecksumBuilder, Disposition, PlanCustomer, PlanHeader, PlanRecord
from tenantfold.domain.records import Case, Event, Invitation, Standing, Step
from tenantfold.domain.states import Counterpart, Phase, Progress
from tenantfold.errors import StoreError
from tenantfold.store import codec, evidence, history, journal, looked_up, plans, progress, rebase, standing
from tenantfold.store.database import Database


class LedgerStore:
    """Plans, journal and progress. Implements ``flow.ports.Ledger``; all methods may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_plan(self, header: PlanHeader, customers: AsyncIterator[PlanCustomer], now: datetime) -> PlanRecord:
        """Save a whole plan, in batches that stay invisible until the last one is in, and make it the newest.

        Customers must come in id order, each once (StoreError): the checksum depends on it. In the transaction that
        makes the plan visible every customer's progress follows it (``rebase``). PlanStaleError when another plan
        was finished meanwhile.
        """
        plan_id = await self._database.write(lambda conn: plans.begin_plan(conn, header, now), durable=False)
        checksum = ChecksumBuilder(codec.to_json(header))
        batch: list[tuple[PlanCustomer, str]] = []
        last = ""
        async for customer in customers:
            if customer.customer_id <= last:
                raise StoreError(
                    f"Customers of a plan must come in id order: {customer.customer_id} came after {last}.",
                    customer_id=customer.customer_id,
                )
            last = customer.customer_id
            text = codec.to_json(customer)
            checksum.add(text)
            batch.append((customer, text))
            if len(batch) == plans.PLAN_BATCH:
                await self._add(plan_id, batch)
                batch = []
        await self._add(plan_id, batch)
        record = await self._database.write(lambda conn: _finish(conn, plan_id, checksum.result(), now), durable=True)
        await self._database.write(lambda conn: plans.drop_half_written(conn, plan_id), durable=False)
        await self._database.refresh_statistics()
        return record

    async def _add(self, plan_id: int, batch: Sequence[tuple[PlanCustomer, str]]) -> None:
        await self._database.write(lambda conn: plans.add_customers(conn, plan_id, batch), durable=False)

    async def newest_plan(self) -> PlanRecord | None:
        """The newest complete plan."""
        return await self._database.read(plans.newest_plan)

    async def approve_plan(self, plan_id: int, approved_by: str, now: datetime) -> PlanRecord:
        """Keep who approved a plan and when; the first approval stands.

        PlanMissingError for an unknown plan, PlanStaleError for one that is not the newest.
        """
        return await self._database.write(
            lambda conn: plans.approve_plan(conn, plan_id, approved_by, now), durable=True
        )

    async def plan_digest(self, plan_id: int) -> str:
        """The checksum of what is kept of a plan now, computed anew from every byte of it. PlanMissingError."""
        digest = ChecksumBuilder(await self._database.read(lambda conn: plans.header_text(conn, plan_id)))
        after = ""
        while True:
            batch = await self._database.read(
                partial(plans.texts_batch, plan_id=plan_id, after=after, limit=plans.PLAN_BATCH)
            )
            for after, text in batch:  # noqa: B007 - the last id is where the next batch begins
                digest.add(text)
            if len(batch) < plans.PLAN_BATCH:
                return digest.result()

    async def plan_customers(self, plan_id: int, disposition: Disposition | None = None) -> AsyncIterator[PlanCustomer]:
        """The customers of a plan in id order, all or of one disposition; a few hundred in memory at a time."""
        after = ""
        while True:
            batch = await self._database.read(
                partial(
                    plans.customers_batch,
                    plan_id=plan_id,
                    disposition=disposition,
                    after=after,
                    limit=plans.PLAN_BATCH,
                )
            )
            for customer in batch:
                yield customer
            if len(batch) < plans.PLAN_BATCH:
                return
            after = batch[-1].customer_id

    async def plan_customer(self, plan_id: int, customer_id: CustomerId) -> PlanCustomer | None:
        """One customer of a plan."""
        return await self._database.read(lambda conn: plans.plan_customer(conn, plan_id, customer_id))

    async def save_invitation(self, invitation: Invitation) -> None:
        """Keep an invitation (a later one replaces it); a planned customer becomes invited."""
        await self._database.write(lambda conn: progress.save_invitation(conn, invitation), durable=True)

    async def invitations(self) -> Mapping[CustomerId, Invitation]:
        """All invitations by customer."""
        return await self._database.read(progress.invitations)

    async def mark_accepted(self, customer_ids: Sequence[CustomerId], now: datetime) -> int:
        """Note which waiting customers appeared in the target's list; they become due. Returns how many were new."""
        return await self._database.write(lambda conn: progress.mark_accepted(conn, customer_ids, now), durable=False)

    async def waiting_for_acceptance(self) -> frozenset[CustomerId]:
        """Customers to move that have not accepted yet."""
        return await self._database.read(progress.waiting_for_acceptance)

    async def due_customers(self, now: datetime, limit: int) -> tuple[CustomerId, ...]:
        """Customers of the newest plan that can be driven now: deadline first, then id."""
        return await self._database.read(lambda conn: progress.due_customers(conn, now, limit))

    async def next_due_at(self) -> datetime | None:
        """When the next customer becomes due by time alone (in the past: it is due already), if any."""
        return await self._database.read(progress.next_due_at)

    async def wake(self, phases: Sequence[Phase], now: datetime) -> int:
        """Make accepted customers of the newest plan in these phases due now; returns how many were not yet."""
        return await self._database.write(lambda conn: standing.wake(conn, phases, now), durable=False)

    async def standings(
        self, after: str = "", limit: int = 500, *, unfinished_only: bool = False
    ) -> tuple[Standing, ...]:
        """Customers of the newest plan with their progress, in id order after a customer id."""
        return await self._database.read(
            lambda conn: standing.standings(conn, after, limit, unfinished_only=unfinished_only)
        )

    async def going_by(self, route: Route) -> tuple[CustomerId, ...]:
        """The unfinished customers of the newest plan with a subscription that goes by a route, in id order."""
        return await self._database.read(lambda conn: standing.going_by(conn, route))

    async def case(self, customer_id: CustomerId) -> Case | None:
        """Everything known about one customer's move; None when it is not in the newest plan."""
        return await self._database.read(lambda conn: journal.case_of(conn, customer_id))

    async def open_intents(self, customer_id: CustomerId | None = None) -> tuple[Intent, ...]:
        """All intents without outcome, of one customer or of all, by customer, oldest first."""
        return await self._database.read(lambda conn: journal.open_intents(conn, customer_id))

    async def record_intent(self, intent: Intent, version: int) -> None:
        """Commit an intent durably before its call leaves; the customer's row goes from ``version`` to the next.

        ConflictError, with nothing written, when the row moved since it was read, the customer was stopped, or the
        key exists already.
        """
        await self._database.write(lambda conn: journal.record_intent(conn, intent, version), durable=True)

    async def record_step(self, step: Step, now: datetime) -> Progress:
        """Write the end of a step in one transaction; returns the progress with its new version.

        ConflictError, with nothing written, when the progress moved since it was read, the intent has an outcome
        already, a source has another target, a target stands for another source, or a call was to be sent again for a
        customer that is stopped. A step without outcome and counterparts holds nothing that could not be found out
        again, so it may be lost in a power cut.
        """
        durable = step.outcome is not None or bool(step.counterparts)
        return await self._database.write(lambda conn: journal.record_step(conn, step, now), durable=durable)

    async def counterparts(self, customer_id: CustomerId | None = None) -> Mapping[SubscriptionId, Counterpart]:
        """Known counterparts by source subscription, of one customer or of all."""
        return await self._database.read(lambda conn: journal.counterparts(conn, customer_id))

    async def earlier_runs(self) -> EarlierRuns:
        """What the journal and the newest approved plan say to a new plan."""
        return await self._database.read(looked_up.earlier_runs)

    async def phase_counts(self) -> Mapping[Phase, int]:
        """How many customers are in each phase (phases without any are left out)."""
        return await self._database.read(progress.phase_counts)

    async def events(
        self, customer_id: CustomerId | None = None, limit: int = 200, name: str = ""
    ) -> tuple[Event, ...]:
        """The newest events, newest first; with ``name`` only those."""
        return await self._database.read(lambda conn: history.events(conn, customer_id, limit, name))

    async def add_event(self, name: str, now: datetime, customer_id: CustomerId | None = None, **facts: str) -> None:
        """Add one line of history."""
        event = Event(at=now, customer_id=customer_id, name=name, facts=facts)
        await self._database.write(lambda conn: history.add(conn, event), durable=False)

    async def record_evidence(self, confirmed: Evidence, event: Event, now: datetime) -> None:
        """Keep what a person confirmed, durably, with its line of history; the customer becomes due at once."""
        await self._database.write(lambda conn: evidence.record(conn, confirmed, event, now), durable=True)

    async def evidence(self, customer_id: CustomerId | None = None) -> tuple[Evidence, ...]:
        """What persons confirmed about one customer, or all of them, oldest first."""
        return await self._database.read(lambda conn: evidence.evidence_of(conn, customer_id))


def _finish(conn: Connection, plan_id: int, checksum: str, now: datetime) -> PlanRecord:
    record = plans.finish_plan(conn, plan_id, checksum)
    rebase.rebase(conn, plan_id, now)
    return record
