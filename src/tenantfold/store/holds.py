"""Store: why customers do not begin: ``progress.held`` follows from holds and waves. Functions over a connection.

``held`` is computed wherever its reasons change, so that "who is due" stays one walk over one index. It is empty as
soon as a cutover has begun (a deadline, its phase, or a call whose outcome is unknown): a hold forbids beginning.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, exists, func, literal, select, update

from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Held, Hold, WaveState
from tenantfold.store import codec, history, tables
from tenantfold.store.statements import upsert, write_rows

EVERYBODY = CustomerId("")
_FINAL = tuple(phase.value for phase in Phase if phase.is_final)
# a transfer under way may be somebody else's, so that phase alone says nothing (``Case.has_begun``)
_BEGUN_PHASES = tuple(phase.value for phase in Phase if phase.has_begun and phase is not Phase.TRANSFERRING)

_progress, _wave, _hold = tables.progress.c, tables.wave.c, tables.hold.c
_HOLD = msgspec.json.Decoder(Hold)


def _is_held(kind: Held) -> ColumnElement[bool]:
    for_it = _hold.customer_id.in_((_progress.customer_id, literal(EVERYBODY)))
    return exists().where(for_it, _hold.kind == kind.value).correlate(tables.progress)


def _has_effect() -> ColumnElement[bool]:
    """Whether a call of ours came true, beside an attested agreement."""
    intent, outcome = tables.intent.c, tables.outcome.c
    is_ours = (intent.customer_id == _progress.customer_id, intent.kind != OpKind.ATTEST_AGREEMENT.value)
    came_true = (outcome.intent_key == intent.key, outcome.kind != OutcomeKind.FAILED.value)
    return exists().where(*is_ours, *came_true).correlate(tables.progress)


def _has_counterpart() -> ColumnElement[bool]:
    return exists().where(tables.counterpart.c.customer_id == _progress.customer_id).correlate(tables.progress)


def _by_its_wave() -> ColumnElement[str]:
    words = case(
        (_wave.state == WaveState.RUNNING.value, Held.NOTHING.value),
        (_wave.state == WaveState.PAUSED.value, Held.PAUSED.value),
        (_wave.state == WaveState.ABORTED.value, Held.ABORTED.value),
        (_wave.state == WaveState.FINISHED.value, Held.NO_WAVE.value),  # it is over: no start lets anybody begin in it
        else_=Held.WAVE.value,
    )
    return select(words).where(_wave.id == _progress.wave_id).correlate(tables.progress).scalar_subquery()


def _reason() -> ColumnElement[str]:
    """The rule of ``held``, strongest reason first."""
    unanswered = ~exists().where(tables.outcome.c.intent_key == tables.intent.c.key)
    in_doubt = exists().where(tables.intent.c.customer_id == _progress.customer_id, unanswered)
    is_transferred = (_progress.phase == Phase.TRANSFERRING.value) & (_has_effect() | _has_counterpart())
    any_wave = exists(select(_wave.id))
    return case(
        (_is_held(Held.STOPPED), Held.STOPPED.value),
        (_progress.deadline_at.is_not(None), Held.NOTHING.value),
        (_progress.phase.in_(_BEGUN_PHASES), Held.NOTHING.value),
        (is_transferred, Held.NOTHING.value),
        (in_doubt, Held.NOTHING.value),
        (_is_held(Held.ABORTED), Held.ABORTED.value),
        (_is_held(Held.PAUSED), Held.PAUSED.value),
        (_progress.wave_id.is_not(None), _by_its_wave()),
        (any_wave, Held.NO_WAVE.value),
        else_=Held.NOTHING.value,
    )


_REFRESH = update(tables.progress).where(_progress.held != _reason()).values(held=_reason())
_REFRESH_ONE = _REFRESH.where(_progress.customer_id == bindparam("of_customer"))
_HELD_OF = select(_progress.held).where(_progress.customer_id == bindparam("of_customer"))
_BEGUN = (
    update(tables.progress)
    .where(
        _progress.customer_id == bindparam("of_customer"),
        _progress.version == bindparam("at_version"),
        _progress.held != Held.STOPPED.value,
    )
    .values(held=Held.NOTHING.value, version=_progress.version + 1)
)


def refresh(conn: Connection, *where: ColumnElement[bool]) -> int:
    """Bring ``held`` of everybody (or of the rows under a condition) up to date; returns how many changed."""
    return conn.execute(_REFRESH.where(*where)).rowcount


def release(conn: Connection, now: datetime, *where: ColumnElement[bool]) -> int:
    """Bring ``held`` up to date where a hold may have ended; whoever was turned back at the gate is due again."""
    changed = refresh(conn, *where)
    turned_back = (_progress.code == RefusalCode.HELD.value, _progress.held == Held.NOTHING.value)
    conn.execute(
        update(tables.progress)
        .where(*turned_back, _progress.due_at.is_(None), _progress.accepted_at.is_not(None), *where)
        .values(due_at=now, code="", detail="", version=_progress.version + 1)
    )
    return changed


def refresh_one(conn: Connection, customer_id: CustomerId) -> None:
    """The same for one customer."""
    conn.execute(_REFRESH_ONE, {"of_customer": customer_id})


def refresh_after_plan(conn: Connection) -> None:
    """The same after a new plan; without waves and holds nobody is held, and 100,000 rows are left alone."""
    if conn.execute(select(exists(select(_wave.id)) | exists(select(_hold.kind)))).scalar():
        refresh(conn)


def note_begun(conn: Connection, customer_id: CustomerId, version: int) -> bool:
    """A call for this customer is about to leave: from here on no hold but ``stopped`` keeps it from its end.

    False, with nothing written, when it is stopped or its row is not at this version any more: who decided on the
    call decided on something old.
    """
    return write_rows(conn, _BEGUN, [{"of_customer": customer_id, "at_version": version}]) > 0


def save(conn: Connection, customer_id: CustomerId, hold: Hold, event: Event) -> int:
    """Hold one customer or EVERYBODY (a later hold replaces the earlier). Returns how many are held now."""
    upsert(
        conn,
        tables.hold,
        {"customer_id": customer_id, "kind": hold.kind.value, "value": codec.to_json(hold)},
    )
    history.add(conn, event)
    refresh(conn, *_only(customer_id))
    to_move = (_progress.disposition == Disposition.MOVE.value, _progress.phase.not_in(_FINAL))
    held = select(func.count()).where(_progress.held == hold.kind.value, *to_move, *_only(customer_id))
    return conn.execute(held).scalar() or 0


def stop_begun_of_wave(conn: Connection, wave_id: int, hold: Hold) -> int:
    """Stop those of an aborted wave that are not held, for they have begun; returns how many there are."""
    begun = select(_progress.customer_id).where(
        _progress.wave_id == wave_id,
        _progress.held == Held.NOTHING.value,
        _progress.phase.not_in(_FINAL),
    )
    ids = list(conn.execute(begun.order_by(_progress.customer_id)).scalars())
    for customer_id in ids:
        row = {"customer_id": customer_id, "kind": hold.kind.value, "value": codec.to_json(hold)}
        upsert(conn, tables.hold, row)
    refresh(conn, _progress.wave_id == wave_id)
    return len(ids)


def lift(conn: Connection, customer_id: CustomerId, event: Event) -> bool:
    """Take the hold of one customer or of EVERYBODY away. False: there was none."""
    if not conn.execute(delete(tables.hold).where(_hold.customer_id == customer_id)).rowcount:
        return False
    history.add(conn, event)
    release(conn, event.at, *_only(customer_id))
    return True


def hold_of(conn: Connection, customer_id: CustomerId) -> Hold | None:
    """The hold of one customer or of EVERYBODY itself."""
    value = conn.execute(select(_hold.value).where(_hold.customer_id == customer_id)).scalar()
    return None if value is None else _HOLD.decode(value)


def held(conn: Connection, customer_id: CustomerId) -> Held:
    """Why this customer does not begin."""
    found = conn.execute(_HELD_OF, {"of_customer": customer_id}).scalar()
    return Held(found or "")


def _only(customer_id: CustomerId) -> tuple[ColumnElement[bool], ...]:
    return () if customer_id == EVERYBODY else (_progress.customer_id == customer_id,)
