"""Store: the journal of intents and outcomes, counterparts, events, and the case of one customer.

Functions over a connection. Intents, outcomes and events are only ever inserted; triggers refuse anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, or_, select

from tenantfold.domain.journal import Intent, Outcome
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.domain.records import Case, Event, Step
from tenantfold.domain.states import Counterpart, Origin, Progress
from tenantfold.domain.waves import Held
from tenantfold.errors import ConflictError
from tenantfold.store import codec, history, holds, tables
from tenantfold.store.evidence import evidence_of
from tenantfold.store.plans import newest_plan
from tenantfold.store.progress import read_progress, store_progress
from tenantfold.store.statements import DialectInsert, insert_if_absent, upsert_many

_counterpart = tables.counterpart.c
_COUNTERPARTS = select(tables.counterpart).order_by(_counterpart.source_id)
_COUNTERPARTS_OF = _COUNTERPARTS.where(_counterpart.customer_id == bindparam("customer_id"))
# what the newest plan and the progress say of one customer; the two belong to the same plan or the row is not there
_STANDING = (
    select(tables.progress, tables.plan_customer.c.value, tables.invitation.c.at.label("invited_at"))
    .join(
        tables.plan_customer,
        and_(
            tables.plan_customer.c.plan_id == tables.progress.c.plan_id,
            tables.plan_customer.c.customer_id == tables.progress.c.customer_id,
        ),
    )
    .outerjoin(tables.invitation, tables.invitation.c.customer_id == tables.progress.c.customer_id)
    .where(tables.progress.c.customer_id == bindparam("customer_id"), tables.progress.c.plan_id == bindparam("plan_id"))
)
_JOURNAL_OF = (
    select(tables.intent.c.value, tables.outcome.c.value)
    .select_from(tables.intent.outerjoin(tables.outcome))
    .where(tables.intent.c.customer_id == bindparam("customer_id"))
    .order_by(tables.intent.c.seq)
)


_OPEN = (
    select(tables.intent.c.value)
    .select_from(tables.intent.outerjoin(tables.outcome))
    .where(tables.outcome.c.intent_key.is_(None))
    .order_by(tables.intent.c.customer_id, tables.intent.c.seq)
)


def open_intents(conn: Connection, customer_id: CustomerId | None) -> tuple[Intent, ...]:
    """All intents without outcome, over all plans, of one customer or of all: by customer, oldest first."""
    query = _OPEN if customer_id is None else _OPEN.where(tables.intent.c.customer_id == customer_id)
    return tuple(codec.intents(conn.execute(query).scalars()))


def record_intent(conn: Connection, intent: Intent, version: int) -> None:
    """Keep an intent, under the row's version. ConflictError when the row moved, or somebody had this wish already."""
    row = {
        "key": intent.key,
        "plan_id": intent.plan_id,
        "customer_id": intent.customer_id,
        "tenant_id": intent.tenant_id,
        "kind": intent.kind.value,
        "at": intent.at,
        "value": codec.to_json(intent),
    }
    if not insert_if_absent(conn, tables.intent, [row], ["key"]):
        raise ConflictError(
            f"The intent {intent.key} ({intent.kind.value}) of customer {intent.customer_id} exists already.",
            key=intent.key,
            customer_id=intent.customer_id,
        )
    if not holds.note_begun(conn, intent.customer_id, version):
        raise ConflictError(
            f"The progress of customer {intent.customer_id} moved since it was read, or it was stopped.",
            customer_id=intent.customer_id,
            version=version,
        )


def record_step(conn: Connection, step: Step, now: datetime) -> Progress:
    """Write the end of a step: progress under its version guard, outcome, counterparts, event."""
    stored = store_progress(conn, step.progress)
    customer_id = step.progress.customer_id
    if step.sends and holds.held(conn, customer_id) is Held.STOPPED:  # asked after the row is ours: a stop waits for it
        raise ConflictError(f"Customer {customer_id} was stopped: no call is sent again.", customer_id=customer_id)
    if step.outcome is not None:
        _insert_outcome(conn, step.outcome)
    _save_counterparts(conn, customer_id, step.counterparts)
    if (step.outcome is not None or step.counterparts) and stored.deadline_at is None and not stored.phase.is_final:
        holds.refresh_one(conn, customer_id)  # it may be back at the start: a failed order, a withdrawn target
    if step.event:
        history.add(conn, Event(at=now, customer_id=customer_id, name=step.event, facts=step.facts))
    return stored


def _insert_outcome(conn: Connection, outcome: Outcome) -> None:
    row = {
        "intent_key": outcome.intent_key,
        "kind": outcome.kind.value,
        "at": outcome.at,
        "value": codec.to_json(outcome),
    }
    if not insert_if_absent(conn, tables.outcome, [row], ["intent_key"]):
        raise ConflictError(f"The intent {outcome.intent_key} has an outcome already.", key=outcome.intent_key)


def _save_counterparts(conn: Connection, customer_id: CustomerId, found: Sequence[Counterpart]) -> None:
    """Insert or renew counterparts; one that has its target keeps it (invariant 2)."""
    rows = [
        {
            "source_id": one.source_id,
            "target_id": one.target_id,
            "customer_id": customer_id,
            "order_id": one.order_id,
            "origin": one.origin.value,
            "cutover_on": one.cutover_on,
            "verified_at": one.verified_at,
            "suspended_at": one.suspended_at,
            "withdrawn_at": one.withdrawn_at,
        }
        for one in found
    ]
    if upsert_many(conn, tables.counterpart, rows, _keeps_its_target) != len(rows):
        raise ConflictError(
            f"One of the source subscriptions {', '.join(one.source_id for one in found)} has another target already.",
            customer_id=customer_id,
        )


def _keeps_its_target(statement: DialectInsert) -> ColumnElement[bool]:
    return or_(_counterpart.target_id.is_(None), _counterpart.target_id == statement.excluded.target_id)


def counterparts(conn: Connection, customer_id: CustomerId | None) -> Mapping[SubscriptionId, Counterpart]:
    """Counterparts by source subscription, of one customer or of all."""
    if customer_id is None:
        rows = conn.execute(_COUNTERPARTS)
    else:
        rows = conn.execute(_COUNTERPARTS_OF, {"customer_id": customer_id})
    return {row.source_id: _read_counterpart(row) for row in rows}


def _read_counterpart(row: Row[Any]) -> Counterpart:
    return Counterpart(
        source_id=row.source_id,
        target_id=row.target_id,
        order_id=row.order_id,
        origin=Origin(row.origin),
        cutover_on=row.cutover_on,
        verified_at=row.verified_at,
        suspended_at=row.suspended_at,
        withdrawn_at=row.withdrawn_at,
    )


def case_of(conn: Connection, customer_id: CustomerId) -> Case | None:
    """Everything known about a customer; None when the newest plan does not have it."""
    plan = newest_plan(conn)
    if plan is None:
        return None
    row = conn.execute(_STANDING, {"customer_id": customer_id, "plan_id": plan.id}).first()
    if row is None:
        return None
    open_intents, settled = _journal_of(conn, customer_id)
    return Case(
        plan=plan,
        customer=codec.plan_customers([row.value])[0],
        progress=read_progress(row),
        counterparts=tuple(counterparts(conn, customer_id).values()),
        open_intents=open_intents,
        settled=settled,
        invited_at=row.invited_at,
        held=Held(row.held),
        evidence=evidence_of(conn, customer_id),
    )


def _journal_of(
    conn: Connection, customer_id: CustomerId
) -> tuple[tuple[Intent, ...], tuple[tuple[Intent, Outcome], ...]]:
    """A customer's open and settled intents over all plans, oldest first."""
    rows = conn.execute(_JOURNAL_OF, {"customer_id": customer_id}).all()
    open_intents = codec.intents(row[0] for row in rows if row[1] is None)
    settled = [row for row in rows if row[1] is not None]
    pairs = zip(codec.intents(row[0] for row in settled), codec.outcomes(row[1] for row in settled), strict=True)
    return tuple(open_intents), tuple(pairs)
