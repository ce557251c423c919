"""Store: the history, one line an event, append-only. Functions over a connection."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.store import codec, tables
from tenantfold.store.statements import write_rows

_ADD_EVENT = insert(tables.event).inline()


def add(conn: Connection, event: Event) -> None:
    """Add one line of history."""
    row = {"at": event.at, "customer_id": event.customer_id, "name": event.name, "facts": codec.to_json(event.facts)}
    write_rows(conn, _ADD_EVENT, [row])


def events(conn: Connection, customer_id: CustomerId | None, limit: int, name: str = "") -> tuple[Event, ...]:
    """The newest events, newest first, of one customer or of all; with ``name`` only those."""
    query = select(tables.event).order_by(tables.event.c.seq.desc()).limit(limit)
    if customer_id is not None:
        query = query.where(tables.event.c.customer_id == customer_id)
    if name:
        query = query.where(tables.event.c.name == name)
    return tuple(
        Event(at=row.at, customer_id=row.customer_id, name=row.name, facts=codec.facts(row.facts))
        for row in conn.execute(query)
    )
