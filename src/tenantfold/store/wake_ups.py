"""Store: what webhooks asked for, and who is due earlier because of them.

There is one row for the look at who accepted (its subject is empty) and one for each customer that was ever woken. A
flood of deliveries reads; it writes only where something changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Event
from tenantfold.domain.webhooks import earlier_due, may_wake
from tenantfold.store import history, tables
from tenantfold.store.database import Database
from tenantfold.store.progress import drivable, of_newest_plan
from tenantfold.store.statements import upsert

ACCEPTANCES = ""  # the subject of the row that asks for the look at who accepted

_progress = tables.progress.c
_wake_up = tables.wake_up.c


class WakeUpLedger:
    """What webhooks asked for. Implements ``flow.ports.WakeUps``; all methods may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask_for_acceptances(self, customer_id: CustomerId | None, event: Event) -> bool:
        """Ask for a look at who accepted. False: asked already, or neither this customer nor anybody is waited for."""
        if not await self._database.read(lambda conn: _would_ring(conn, customer_id)):
            return False
        return await self._database.write(lambda conn: _ring(conn, event), durable=False)

    async def take_ask(self, now: datetime, quiet: timedelta) -> bool:
        """Whether a look at who accepted is asked for and the last one so asked is ``quiet`` ago; it is taken then.

        Of several workers one gets True.
        """
        if not await self._database.read(lambda conn: _may_take(conn, now, quiet)):
            return False
        return await self._database.write(lambda conn: _take(conn, now), durable=False)

    async def give_ask_back(self) -> None:
        """Ask again: the look that was taken came to nothing."""
        again = update(tables.wake_up).where(_wake_up.subject == ACCEPTANCES).values(rings=True)
        await self._database.write(lambda conn: conn.execute(again).close(), durable=False)

    async def wake_customer(self, customer_id: CustomerId, quiet: timedelta, event: Event) -> datetime | None:
        """Make a customer that waits for a later time due at the event's time, or ``quiet`` after its last wake-up.

        Returns when; None when that changes nothing: unknown, finished, due already, or waiting for a person.
        """
        change = await self._database.read(lambda conn: _change(conn, customer_id, quiet, event.at))
        if change is None:
            return None
        return await self._database.write(lambda conn: _wake(conn, change, event), durable=False)


@dataclass(frozen=True, slots=True)
class _Change:
    """An earlier due time for a customer whose row has this version."""

    customer_id: CustomerId
    version: int
    due_at: datetime


def _would_ring(conn: Connection, customer_id: CustomerId | None) -> bool:
    query = select(_progress.customer_id).where(
        of_newest_plan(conn),
        _progress.disposition == Disposition.MOVE.value,
        _progress.accepted_at.is_(None),
    )
    if customer_id is not None:
        query = query.where(_progress.customer_id == customer_id)
    if conn.execute(query.limit(1)).first() is None:
        return False
    asked = select(_wake_up.rings).where(_wake_up.subject == ACCEPTANCES)
    return not conn.execute(asked).scalar()


def _ring(conn: Connection, event: Event) -> bool:
    upsert(conn, tables.wake_up, {"subject": ACCEPTANCES, "rings": True})
    history.add(conn, event)
    return True


def _may_take(conn: Connection, now: datetime, quiet: timedelta) -> bool:
    row = conn.execute(select(tables.wake_up).where(_wake_up.subject == ACCEPTANCES)).first()
    return row is not None and row.rings and may_wake(now, row.woken_at, quiet)


def _take(conn: Connection, now: datetime) -> bool:
    statement = update(tables.wake_up).where(_wake_up.subject == ACCEPTANCES, _wake_up.rings.is_(True))
    return conn.execute(statement.values(rings=False, woken_at=now)).rowcount == 1


def _change(conn: Connection, customer_id: CustomerId, quiet: timedelta, now: datetime) -> _Change | None:
    """The earlier due time a customer gets; None when it keeps its own."""
    query = (
        select(_progress.due_at, _progress.version, _wake_up.woken_at)
        .join(tables.wake_up, _wake_up.subject == _progress.customer_id, isouter=True)
        .where(*drivable(conn), _progress.customer_id == customer_id)
    )
    row = conn.execute(query).first()
    earlier = earlier_due(now, row.due_at, row.woken_at, quiet) if row is not None else None
    return _Change(customer_id, row.version, earlier) if row is not None and earlier is not None else None


def _wake(conn: Connection, change: _Change, event: Event) -> datetime | None:
    """Bring the due time forward, if nobody moved the row meanwhile: whoever did looks at the customer anyway."""
    statement = (
        update(tables.progress)
        .where(_progress.customer_id == change.customer_id, _progress.version == change.version)
        .values(due_at=change.due_at, version=change.version + 1)
    )
    if not conn.execute(statement).rowcount:
        return None
    upsert(conn, tables.wake_up, {"subject": change.customer_id, "rings": False, "woken_at": change.due_at})
    history.add(conn, event)
    return change.due_at
