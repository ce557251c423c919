"""Store: who is unfinished and why, and waking them for a new run. Functions over a connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select, update

from tenantfold.domain.model import CustomerId, Route
from tenantfold.domain.records import Standing
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Held
from tenantfold.store import tables
from tenantfold.store.progress import FINAL, drivable, of_newest_plan, read_progress

_progress = tables.progress.c


def wake(conn: Connection, phases: Sequence[Phase], now: datetime) -> int:
    """Make accepted customers of the newest plan in these phases due now; returns how many were not yet."""
    statement = (
        update(tables.progress)
        .where(
            *drivable(conn),
            _progress.accepted_at.is_not(None),
            _progress.phase.in_([phase.value for phase in phases]),
            or_(_progress.due_at.is_(None), _progress.due_at > now),
        )
        .values(due_at=now, version=_progress.version + 1)
    )
    return conn.execute(statement).rowcount


def retry(
    conn: Connection, phases: Sequence[Phase], now: datetime, *, customer_id: CustomerId | None, wave_id: int | None
) -> int:
    """Make customers of the newest plan in these phases due now, of one customer, one wave or all; returns how many."""
    statement = update(tables.progress).where(
        *drivable(conn), _progress.phase.in_([phase.value for phase in phases]), _progress.accepted_at.is_not(None)
    )
    if customer_id is not None:
        statement = statement.where(_progress.customer_id == customer_id)
    if wave_id is not None:
        statement = statement.where(_progress.wave_id == wave_id)
    return conn.execute(statement.values(due_at=now, version=_progress.version + 1)).rowcount


def going_by(conn: Connection, route: Route) -> tuple[CustomerId, ...]:
    """The unfinished customers of the newest plan with a subscription that goes by a route, in id order."""
    item = tables.plan_item.c
    theirs = select(item.subscription_id).where(
        item.plan_id == _progress.plan_id, item.customer_id == _progress.customer_id, item.route == route.value
    )
    query = select(_progress.customer_id).where(*drivable(conn), theirs.exists()).order_by(_progress.customer_id)
    return tuple(CustomerId(one) for one in conn.execute(query).scalars())


def standings(conn: Connection, after: str, limit: int, *, unfinished_only: bool) -> tuple[Standing, ...]:
    """Customers of the newest plan with their progress, in id order after a customer id."""
    names = tables.plan_customer.c
    query = (
        select(tables.progress, names.company_name)
        .join(
            tables.plan_customer,
            and_(names.customer_id == _progress.customer_id, names.plan_id == _progress.plan_id),
        )
        .where(of_newest_plan(conn), _progress.customer_id > after)
        .order_by(_progress.customer_id)
        .limit(limit)
    )
    if unfinished_only:
        query = query.where(_progress.phase.not_in(FINAL))
    return tuple(
        Standing(company_name=row.company_name, progress=read_progress(row), held=Held(row.held))
        for row in conn.execute(query)
    )
