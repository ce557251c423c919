"""Store: delegated admin access: its intents and outcomes, and where each customer stands. Functions over a connection.

Intents and outcomes are only ever inserted; triggers refuse anything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from tenantfold.domain.gdap import GdapCase, GdapCondition, GdapIntent, GdapOutcome, GdapStanding
from tenantfold.domain.gdap_overview import GdapOverview
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Event
from tenantfold.domain.states import Owner
from tenantfold.errors import ConflictError
from tenantfold.store import codec, history, tables
from tenantfold.store.statements import insert_if_absent, upsert

PAGE = 500  # customers in one read
_intent, _outcome, _standing = tables.gdap_intent.c, tables.gdap_outcome.c, tables.gdap_standing.c
_ENTRIES = (
    select(_intent.customer_id, _intent.value, _outcome.value)
    .select_from(tables.gdap_intent.outerjoin(tables.gdap_outcome))
    .order_by(_intent.seq)
)
_STANDINGS = select(tables.gdap_standing).order_by(_standing.customer_id)
_BEGUN = GdapStanding(
    condition=GdapCondition.SETTLING,
    code="begun",
    detail="A call was about to be made; what became of it is looked up.",
    owner=Owner.TENANTFOLD,
    next_action="Run: tenantfold gdap check",
)


def record_intent(conn: Connection, case: GdapCase, intent: GdapIntent) -> None:
    """Keep an intent; its customer has a row from now on. ConflictError when its key exists already."""
    row = {
        "key": intent.key,
        "customer_id": intent.customer_id,
        "kind": intent.kind.value,
        "at": intent.at,
        "value": codec.to_json(intent),
    }
    if not insert_if_absent(conn, tables.gdap_intent, [row], ["key"]):
        raise ConflictError(
            f"The intent {intent.key} ({intent.kind.value}) of customer {intent.customer_id} exists already.",
            next_step="Another process works on it: wait for it, then run again.",
            key=intent.key,
            customer_id=intent.customer_id,
        )
    insert_if_absent(conn, tables.gdap_standing, [_row(case, _BEGUN, intent.at)], ["customer_id"])


def record_outcome(conn: Connection, outcome: GdapOutcome) -> None:
    """Keep how an intent ended. ConflictError when it has an outcome already."""
    row = {
        "intent_key": outcome.intent_key,
        "kind": outcome.kind.value,
        "at": outcome.at,
        "value": codec.to_json(outcome),
    }
    if not insert_if_absent(conn, tables.gdap_outcome, [row], ["intent_key"]):
        raise ConflictError(f"The intent {outcome.intent_key} has an outcome already.", key=outcome.intent_key)


def save_standing(conn: Connection, case: GdapCase, standing: GdapStanding, now: datetime) -> None:
    """Keep where a customer stands; a change of condition is a line of its history."""
    upsert(conn, tables.gdap_standing, _row(case, standing, now))
    if case.standing is None or case.standing.condition is not standing.condition:
        facts = {"code": standing.code, "detail": standing.detail, "relationship": standing.relationship_id or ""}
        name = f"gdap.{standing.condition.value}"
        history.add(conn, Event(at=now, customer_id=case.customer_id, name=name, facts=facts))


def _row(case: GdapCase, standing: GdapStanding, at: datetime) -> dict[str, object]:
    return {
        "customer_id": case.customer_id,
        "company_name": case.company_name,
        "condition": standing.condition.value,
        "checked_at": at,
        "value": codec.to_json(standing),
    }


def case_of(conn: Connection, customer_id: CustomerId) -> GdapCase | None:
    """One customer; None when nothing was ever asked or found for it."""
    found = _cases(conn, [customer_id])
    return found[0] if found else None


def cases_page(conn: Connection, after: str, limit: int = PAGE) -> tuple[GdapCase, ...]:
    """Customers in id order after one of them ("" from the start)."""
    query = select(_standing.customer_id).where(_standing.customer_id > after)
    ids = conn.execute(query.order_by(_standing.customer_id).limit(limit)).scalars().all()
    return _cases(conn, ids)


def _cases(conn: Connection, ids: Sequence[str]) -> tuple[GdapCase, ...]:
    entries: dict[str, list[tuple[GdapIntent, GdapOutcome | None]]] = defaultdict(list)
    for customer_id, intent, outcome in conn.execute(_ENTRIES.where(_intent.customer_id.in_(ids))):
        ended = codec.gdap_outcomes([outcome])[0] if outcome is not None else None
        entries[customer_id].append((codec.gdap_intents([intent])[0], ended))
    return tuple(
        GdapCase(
            customer_id=CustomerId(row.customer_id),
            company_name=row.company_name,
            entries=tuple(entries[row.customer_id]),
            standing=codec.gdap_standings([row.value])[0],
            checked_at=row.checked_at,
        )
        for row in conn.execute(_STANDINGS.where(_standing.customer_id.in_(ids)))
    )


def overview(conn: Connection, plan_id: int | None) -> GdapOverview:
    """How many customers stand where; nobody has asked those that a plan moves and that have no row."""
    query = select(_standing.condition, func.count(), func.max(_standing.checked_at)).group_by(_standing.condition)
    rows = conn.execute(query).all()
    found = {GdapCondition(condition): int(count) for condition, count, _ in rows}
    unasked = _unasked(conn, plan_id) if plan_id is not None else 0
    if unasked:
        found[GdapCondition.NOT_REQUESTED] = found.get(GdapCondition.NOT_REQUESTED, 0) + unasked
    return GdapOverview(customers=found, checked_at=max((row[2] for row in rows), default=None))


def _unasked(conn: Connection, plan_id: int) -> int:
    planned = tables.plan_customer.c
    query = (
        select(func.count())
        .select_from(tables.plan_customer)
        .where(
            planned.plan_id == plan_id,
            planned.disposition == Disposition.MOVE.value,
            ~select(_standing.customer_id).where(_standing.customer_id == planned.customer_id).exists(),
        )
    )
    return int(conn.execute(query).scalar_one())
