"""Store: what a new plan does to everybody's progress, as one set-based statement over all customers.

Nobody is moved back: who moved and has no new work stays moved, acceptance is kept, and a customer in the middle of
its cutover, or on its way by another route, keeps the phase it is in. Every row gets a new version, so that a step
begun under the old plan cannot be recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, literal, null, or_, select, update
from sqlalchemy.sql.functions import coalesce

from tenantfold.domain.plan import Disposition
from tenantfold.domain.states import Origin, Owner, Phase
from tenantfold.store import holds, tables
from tenantfold.store.progress import WAIT_FOR_CUSTOMER
from tenantfold.store.statements import insert_into

INVITE = "Invite the customer: tenantfold invite"

_CUTOVER = tuple(phase.value for phase in (Phase.CUTTING_OVER, Phase.VERIFIED, Phase.DRIFTED, Phase.STRANDED))
_OTHER_ROUTES = tuple(phase.value for phase in (Phase.TRANSFERRING, Phase.HANDED_OFF, Phase.RUNNING_OUT, Phase.BY_HAND))
_CUTOVER_ORIGINS = tuple(origin.value for origin in Origin if origin.is_cutover)
_NO_WORK = (Disposition.MOVED.value, Disposition.NOTHING_TO_MOVE.value)
_OWN_WORDS = ("phase", "code", "detail", "owner", "next_action")

_planned = tables.plan_customer.c
_old = tables.progress.alias("old")
_invited = tables.invitation.c


@dataclass(frozen=True, slots=True)
class _Facts:
    """What decides about a row, as SQL conditions over the plan's customer and its old progress."""

    to_move: ColumnElement[bool]
    moved: ColumnElement[bool]
    accepted: ColumnElement[bool]
    invited: ColumnElement[bool]
    in_doubt: ColumnElement[bool]  # a call without known outcome: it is settled whatever the plan says
    half_moved: ColumnElement[bool]  # a target stands whose source still runs
    in_cutover: ColumnElement[bool]  # and the phase says so (or an intent is open): keep the phase
    elsewhere: ColumnElement[bool]  # on the way by another route, which goes on from where it is


def rebase(conn: Connection, plan_id: int, now: datetime) -> None:
    """Bring the progress of all customers to a plan that was just completed."""
    values = _values(plan_id, now)
    statement = insert_into(conn.dialect.name, tables.progress).from_select(
        list(values), _planned_rows(plan_id, values)
    )
    renewed: dict[str, Any] = {name: statement.excluded[name] for name in values if name != "customer_id"}
    conn.execute(statement.on_conflict_do_update(index_elements=["customer_id"], set_=renewed))
    left_out = tables.progress.c
    conn.execute(
        update(tables.progress).where(left_out.plan_id != plan_id).values(due_at=None, version=left_out.version + 1)
    )
    holds.refresh_after_plan(conn)


def _planned_rows(plan_id: int, values: dict[str, ColumnElement[Any]]) -> Select[Any]:
    # ordered, so that two writers never lock the same rows in different orders
    return (
        select(*(value.label(name) for name, value in values.items()))
        .select_from(
            tables.plan_customer.outerjoin(_old, _old.c.customer_id == _planned.customer_id).outerjoin(
                tables.invitation, _invited.customer_id == _planned.customer_id
            )
        )
        .where(_planned.plan_id == plan_id)
        .order_by(_planned.customer_id)
    )


def _facts() -> _Facts:
    counterpart = tables.counterpart.c
    half_moved = exists().where(
        counterpart.customer_id == _planned.customer_id,
        counterpart.suspended_at.is_(None),
        counterpart.origin.in_(_CUTOVER_ORIGINS),  # what moved another way suspends nothing: it is never half moved
    )
    unanswered = ~exists().where(tables.outcome.c.intent_key == tables.intent.c.key)
    in_doubt = exists().where(tables.intent.c.customer_id == _planned.customer_id, unanswered)
    return _Facts(
        to_move=_planned.disposition == Disposition.MOVE.value,
        # a moved customer that got a new subscription since starts again; one without new work stays moved
        moved=and_(coalesce(_old.c.phase, "") == Phase.MOVED.value, _planned.disposition.in_(_NO_WORK)),
        accepted=_old.c.accepted_at.is_not(None),
        invited=_invited.customer_id.is_not(None),
        in_doubt=in_doubt,
        half_moved=half_moved,
        in_cutover=and_(coalesce(_old.c.phase, "").in_(_CUTOVER), or_(half_moved, in_doubt)),
        elsewhere=coalesce(_old.c.phase, "").in_(_OTHER_ROUTES),
    )


def _values(plan_id: int, now: datetime) -> dict[str, ColumnElement[Any]]:
    facts = _facts()
    keeps = or_(facts.moved, and_(facts.to_move, or_(facts.in_cutover, facts.elsewhere)))
    fresh = _fresh_words(facts)
    words = {name: case((keeps, _old.c[name]), else_=fresh[name]) for name in _OWN_WORDS}
    runs = or_(facts.accepted, facts.half_moved, facts.in_cutover)
    due = or_(and_(facts.to_move, ~facts.moved, runs), facts.in_doubt)
    return {
        "customer_id": _planned.customer_id,
        "plan_id": literal(plan_id),
        "disposition": _planned.disposition,
        **words,
        "accepted_at": _old.c.accepted_at,
        "due_at": case((due, literal(now, tables.UtcTime())), else_=null()),
        "deadline_at": case((or_(facts.half_moved, facts.in_cutover), _old.c.deadline_at), else_=null()),
        "alarmed_at": case((or_(facts.half_moved, facts.in_cutover), _old.c.alarmed_at), else_=null()),
        "version": coalesce(_old.c.version, 0) + 1,
        "wave_id": _old.c.wave_id,
        "held": coalesce(_old.c.held, ""),
    }


def _fresh_words(facts: _Facts) -> dict[str, ColumnElement[Any]]:
    """Phase, reason, owner and next action of a customer that starts afresh under this plan.

    The other dispositions bear the names of their phases; plans.py wrote their reasons beside them.
    """
    return {
        "phase": case(
            (~facts.to_move, _planned.disposition),
            (facts.half_moved, Phase.CUTTING_OVER.value),
            (facts.accepted, Phase.ACCEPTED.value),
            (facts.invited, Phase.INVITED.value),
            else_=Phase.PLANNED.value,
        ),
        "code": _planned.code,
        "detail": _planned.detail,
        "owner": case(
            (~facts.to_move, _planned.owner),
            (or_(facts.half_moved, facts.accepted), Owner.TENANTFOLD.value),
            (facts.invited, Owner.CUSTOMER.value),
            else_=Owner.OPERATIONS.value,
        ),
        "next_action": case(
            (~facts.to_move, _planned.next_action),
            (or_(facts.half_moved, facts.accepted), ""),
            (facts.invited, WAIT_FOR_CUSTOMER),
            else_=INVITE,
        ),
    }
