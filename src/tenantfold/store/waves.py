"""Store: waves, who is in them, how big they are and what is left to do. Functions over a connection.

A state changes by compare-and-set; whatever changes a wave brings ``progress.held`` up to date in the same commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import String as Text

from tenantfold.domain.admission import Load, SourceLoad
from tenantfold.domain.model import CustomerId, OfferId, Route, TenantId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Event, Place
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Growth, Held, OfferSize, Wave, WaveSize, WaveState
from tenantfold.errors import ConflictError
from tenantfold.store import codec, history, holds, tables
from tenantfold.store.plans import newest_plan_id
from tenantfold.store.progress import FINAL, of_newest_plan

_ID_BATCH = 500  # ids in one statement; both databases limit the number of parameters
_WAVE = msgspec.json.Decoder(Wave)

_progress, _wave = tables.progress.c, tables.wave.c
_customer, _item, _counterpart = tables.plan_customer.c, tables.plan_item.c, tables.counterpart.c
_OF_ITS_PLAN = and_(_customer.plan_id == _progress.plan_id, _customer.customer_id == _progress.customer_id)
_ITEMS = and_(
    _item.plan_id == _progress.plan_id,
    _item.customer_id == _progress.customer_id,
    _item.route.in_(sorted(route.value for route in Route if route.is_carried_out)),
)
_FINAL_WAVES = select(_wave.id).where(_wave.state.in_([state.value for state in WaveState if state.is_final]))


def _to_move(conn: Connection) -> tuple[ColumnElement[bool], ...]:
    """Conditions on a progress row: of the newest plan, to be moved, and not moved yet."""
    return (
        of_newest_plan(conn),
        _progress.disposition == Disposition.MOVE.value,
        _progress.phase.not_in(FINAL),
    )


# --- waves ----------------------------------------------------------------------------------------------------------


def create(conn: Connection, wave: Wave, customer_ids: Sequence[CustomerId], event: Event) -> Wave:
    """Keep a new wave with its customers. A duplicate name is the database's ConflictError."""
    row = {"name": wave.name, "state": wave.state.value, "starts_at": wave.starts_at, "value": codec.to_json(wave)}
    (wave_id,) = conn.execute(insert(tables.wave).values(row)).inserted_primary_key or (0,)
    _join(conn, int(wave_id), customer_ids)
    holds.refresh(conn)  # the first wave holds everybody who is in none
    history.add(conn, event)
    return replace(wave, id=int(wave_id))


def waves(conn: Connection, *states: WaveState) -> tuple[Wave, ...]:
    """Waves in the order they were made; all, or those in some states."""
    query = select(tables.wave).order_by(_wave.id)
    if states:
        query = query.where(_wave.state.in_([state.value for state in states]))
    return tuple(_read(row) for row in conn.execute(query))


def wave(conn: Connection, name: str) -> Wave | None:
    """The wave of this name."""
    row = conn.execute(select(tables.wave).where(_wave.name == name)).first()
    return None if row is None else _read(row)


def change(conn: Connection, before: WaveState, after: Wave, event: Event) -> Wave:
    """Bring a wave to these values if it still is in the state ``before``; ConflictError when it is not."""
    changed = conn.execute(
        update(tables.wave)
        .where(_wave.id == after.id, _wave.state == before.value)
        .values(state=after.state.value, starts_at=after.starts_at, value=codec.to_json(after))
    )
    if not changed.rowcount:
        raise ConflictError(f"Wave {after.name} is not {before.value} any more.", wave=after.name)
    if after.state is not before:
        holds.release(conn, event.at, _progress.wave_id == after.id)
    history.add(conn, event)
    return after


def next_start_at(conn: Connection) -> datetime | None:
    """When the next scheduled wave is (or was) to begin."""
    query = select(func.min(_wave.starts_at)).where(_wave.state == WaveState.SCHEDULED.value)
    return conn.execute(query).scalar()


def _read(row: Row[Any]) -> Wave:
    return replace(_WAVE.decode(row.value), id=row.id, state=WaveState(row.state))


# --- who is in a wave -----------------------------------------------------------------------------------------------


def grow(conn: Connection, wave_id: int, state: WaveState, customer_ids: Sequence[CustomerId], event: Event) -> Growth:
    """Add customers to a wave that still is in this state; those in another wave that is not over stay there.

    Overrides were given for the wave as it was: they lapse in the same commit. ConflictError for another state.
    """
    before = _read(conn.execute(select(tables.wave).where(_wave.id == wave_id).with_for_update()).one())
    added = _join(conn, wave_id, customer_ids)
    holds.refresh(conn, _progress.wave_id == wave_id)
    if not added:
        return Growth(added=0)
    lapsed = tuple(dict.fromkeys(one.rule for one in before.overrides))
    rules = ", ".join(rule.value for rule in lapsed)
    note = f"it grew by {added}: nobody answers for {rules} any more" if lapsed else before.note
    facts = {**event.facts, "added": str(added)} | ({"lapsed": rules} if lapsed else {})
    after = replace(before, overrides=(), note=note)
    change(conn, state, after, replace(event, facts=facts))
    return Growth(added=added, lapsed=lapsed)


def _join(conn: Connection, wave_id: int, customer_ids: Sequence[CustomerId]) -> int:
    free = or_(_progress.wave_id.is_(None), _progress.wave_id.in_(_FINAL_WAVES))
    statement = update(tables.progress).where(free, *_to_move(conn)).values(wave_id=wave_id)
    return sum(conn.execute(statement.where(some)).rowcount for some in _batches(customer_ids))


def leave(conn: Connection, wave_id: int, customer_ids: Sequence[CustomerId]) -> int:
    """Take customers that have not begun out of a wave; returns how many left."""
    mine = (_progress.wave_id == wave_id, _progress.deadline_at.is_(None), _progress.phase.not_in(FINAL))
    statement = update(tables.progress).where(*mine).values(wave_id=None)
    left = 0
    for some in _batches(customer_ids):
        left += conn.execute(statement.where(some)).rowcount
        holds.refresh(conn, some)
    return left


def _batches(customer_ids: Sequence[CustomerId]) -> list[ColumnElement[bool]]:
    ids = sorted(set(customer_ids))  # one order for all writers: no deadlock among them
    return [_progress.customer_id.in_(ids[start : start + _ID_BATCH]) for start in range(0, len(ids), _ID_BATCH)]


def places(conn: Connection, customer_ids: Sequence[CustomerId]) -> tuple[Place, ...]:
    """Where these customers of the newest plan stand as to waves; those the plan does not have are left out."""
    query = (
        select(_progress.customer_id, _progress.disposition, _progress.phase, _progress.held, _wave.name, _wave.state)
        .select_from(tables.progress.outerjoin(tables.wave))
        .where(of_newest_plan(conn))
    )
    rows = [row for some in _batches(customer_ids) for row in conn.execute(query.where(some))]
    return tuple(
        Place(
            customer_id=row.customer_id,
            disposition=Disposition(row.disposition),
            phase=Phase(row.phase),
            held=Held(row.held),
            wave=row.name or "",
            in_open_wave=row.state is not None and not WaveState(row.state).is_final,
        )
        for row in rows
    )


def candidates(conn: Connection, country: str, limit: int | None) -> tuple[CustomerId, ...]:
    """Customers to move that are in no open wave and have not begun; who accepted comes first, then by id."""
    free = or_(_progress.wave_id.is_(None), _progress.wave_id.in_(_FINAL_WAVES))
    query = select(_progress.customer_id).where(*_to_move(conn), free, _progress.deadline_at.is_(None))
    if country:
        query = query.join(tables.plan_customer, _OF_ITS_PLAN).where(_customer.country == country)
    query = query.order_by(_progress.accepted_at.is_(None), _progress.customer_id).limit(limit)
    return tuple(CustomerId(one) for one in conn.execute(query).scalars())


def ended(conn: Connection) -> tuple[Wave, ...]:
    """Waves that begin or begun, with nobody left to move."""
    left = exists().where(_progress.wave_id == _wave.id, *_to_move(conn))
    states = [WaveState.RUNNING.value, WaveState.PAUSED.value]
    query = select(tables.wave).where(_wave.state.in_(states), ~left).order_by(_wave.id)
    return tuple(_read(row) for row in conn.execute(query))


def held_counts(conn: Connection) -> Mapping[Held, int]:
    """How many customers of the newest plan that are still to move are held, and why; who may begin is counted, too."""
    query = select(_progress.held, func.count()).where(*_to_move(conn)).group_by(_progress.held)
    return {Held(held): count for held, count in conn.execute(query)}


def phase_counts(conn: Connection) -> Mapping[int, Mapping[Phase, int]]:
    """How many customers of each wave (by its id) are in each phase: one pass over all customers."""
    query = (
        select(_progress.wave_id, _progress.phase, func.count())
        .where(_progress.wave_id.is_not(None))
        .group_by(_progress.wave_id, _progress.phase)
    )
    found: dict[int, dict[Phase, int]] = defaultdict(dict)
    for wave_id, phase, count in conn.execute(query):
        found[wave_id][Phase(phase)] = count
    return found


# --- how big, and how much is left ----------------------------------------------------------------------------------


def size(conn: Connection, wave_id: int) -> WaveSize:
    """How big a wave is: one pass over its items, grouped by what has a price."""
    offer = func.coalesce(_item.target_offer_id, _item.offer_id)
    groups = (_customer.country, offer, _item.billing_cycle)
    mine = (_progress.wave_id == wave_id, *_to_move(conn))
    query = (
        select(*groups, func.count(), func.sum(_item.license_count))
        .select_from(tables.progress.join(tables.plan_customer, _OF_ITS_PLAN).join(tables.plan_item, _ITEMS))
        .where(*mine)
        .group_by(*groups)
        .order_by(*groups)
    )
    rows = conn.execute(query).all()
    customers = conn.execute(select(func.count()).select_from(tables.progress).where(*mine)).scalar() or 0
    return WaveSize(
        customers=customers,
        subscriptions=sum(row[3] for row in rows),
        seats=sum(int(row[4]) for row in rows),
        countries=tuple(dict.fromkeys(row[0] for row in rows)),
        offers=tuple(
            OfferSize(offer_id=OfferId(row[1]), country=row[0], billing_cycle=row[2], licenses=int(row[4]))
            for row in rows
        ),
    )


def load_of_wave(conn: Connection, wave_id: int) -> Load:
    """What is left to do for a wave: those of it that have begun are counted among the open ones instead."""
    mine = select(_progress.customer_id).where(
        _progress.wave_id == wave_id, *_to_move(conn), _progress.deadline_at.is_(None)
    )
    return _load(conn, mine)


def load_left(conn: Connection) -> Load:
    """What is left to do for everybody who is to move, begun or not."""
    return _load(conn, select(_progress.customer_id).where(*_to_move(conn)))


def open_load(conn: Connection, admitted: Sequence[CustomerId] = ()) -> Load:
    """What is left to do for those that have begun (and for the ``admitted``, that are about to).

    Who waits for a person has no due time and makes no calls. Walks the short index of deadlines only.
    """
    begun = select(_progress.customer_id).where(
        of_newest_plan(conn),
        _progress.phase.not_in(FINAL),
        _progress.deadline_at.is_not(None),
        _progress.due_at.is_not(None),
        _progress.held != Held.STOPPED.value,
    )
    if not admitted:
        return _load(conn, begun)
    also = select(_progress.customer_id).where(*_to_move(conn), _progress.customer_id.in_(admitted))
    return _load(conn, select(begun.union(also).subquery().c.customer_id))


def _load(conn: Connection, customer_ids: Select[tuple[str]]) -> Load:
    """Counts of what is not done yet, in the groups the number of calls depends on (``admission.load_of``)."""
    lines = _lines(conn, customer_ids)
    an_order = lines.c.customer_id + "/" + lines.c.billing_cycle + "/" + cast(lines.c.add_on, Text)
    customers, orders = conn.execute(
        select(
            func.count(lines.c.customer_id.distinct()),
            func.count(case((lines.c.orders > 0, an_order)).distinct()),
        )
    ).one()
    sources = conn.execute(
        select(lines.c.tenant_id, func.count(lines.c.customer_id.distinct()), func.sum(lines.c.suspends)).group_by(
            lines.c.tenant_id
        )
    )
    return Load(
        customers=customers,
        orders=orders,
        sources={TenantId(row[0]): SourceLoad(customers=row[1], suspends=int(row[2])) for row in sources},
    )


def _lines(conn: Connection, customer_ids: Select[tuple[str]]) -> Subquery:
    """Items left to move within one day, by customer, source tenant, cycle and kind: no other route has a deadline."""
    is_base = _item.parent_id.is_(None)
    add_on = case((is_base, 0), else_=1).label("add_on")
    groups = (_item.customer_id, _item.tenant_id, _item.billing_cycle, add_on)
    suspends = case((and_(is_base, _counterpart.suspended_at.is_(None)), 1), else_=0)
    orders = case((and_(_counterpart.source_id.is_(None), _item.target_id.is_(None)), 1), else_=0)
    return (
        select(*groups, func.sum(suspends).label("suspends"), func.sum(orders).label("orders"))
        .select_from(tables.plan_item.outerjoin(tables.counterpart, _counterpart.source_id == _item.subscription_id))
        .where(
            _item.plan_id == newest_plan_id(conn),
            _item.customer_id.in_(customer_ids),
            _item.route == Route.RECREATE.value,
        )
        .group_by(*groups)
        .subquery()
    )
