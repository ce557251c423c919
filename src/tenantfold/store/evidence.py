"""Store: what persons confirmed, append-only. Functions over a connection.

A trigger refuses anything but new rows; a later confirmation of the same task counts, the earlier stays readable.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, insert, select

from tenantfold.domain.evidence import Evidence
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.store import codec, history, tables
from tenantfold.store.standing import retry

_column = tables.evidence.c
_DRIVEN = tuple(phase for phase in Phase if not phase.is_final and phase is not Phase.BLOCKED)
_EVIDENCE = msgspec.json.Decoder(list[Evidence])
_ALL = select(_column.value).order_by(_column.seq)
_OF_CUSTOMER = _ALL.where(_column.customer_id == bindparam("customer_id"))
_ADD = insert(tables.evidence).inline()


def record(conn: Connection, evidence: Evidence, event: Event, now: datetime) -> None:
    """Keep a confirmation with its line of history; its customer becomes due, because something may go on now."""
    conn.execute(
        _ADD,
        {
            "customer_id": evidence.customer_id,
            "subscription_id": evidence.subscription_id,
            "task": evidence.task.value,
            "at": evidence.at,
            "value": codec.to_json(evidence),
        },
    )
    history.add(conn, event)
    retry(conn, _DRIVEN, now, customer_id=evidence.customer_id, wave_id=None)


def evidence_of(conn: Connection, customer_id: CustomerId | None) -> tuple[Evidence, ...]:
    """What was confirmed, oldest first, of one customer or of all."""
    rows = conn.execute(_ALL) if customer_id is None else conn.execute(_OF_CUSTOMER, {"customer_id": customer_id})
    return tuple(_EVIDENCE.decode(f"[{','.join(rows.scalars())}]"))
