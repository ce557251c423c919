"""Store: what the history adds up to: calls made by runs and workers, cutovers that ended late.

Runs that ended before there was ``CALLS_MADE`` left their calls in ``RUN_FINISHED``; both are counted.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, func, select

from tenantfold.domain.records import CALLS_MADE, CUTOVER_LATE, RUN_FINISHED
from tenantfold.store import codec, tables
from tenantfold.store.database import Database

_event = tables.event.c


class Tally:
    """Counts over the ledger's history; all methods may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calls(self, since: datetime | None = None) -> Counter[str]:
        """Calls by route, over all runs and workers, as far as they told; those told ``since`` a time, or all."""
        return await self._database.read(lambda conn: _calls(conn, since))

    async def late_cases(self, since: datetime) -> int:
        """Customers whose cutover was found late since a time."""
        query = select(func.count(_event.customer_id.distinct())).where(_event.name == CUTOVER_LATE, _event.at >= since)
        return await self._database.read(lambda conn: int(conn.execute(query).scalar() or 0))


def _calls(conn: Connection, since: datetime | None) -> Counter[str]:
    query = select(_event.facts).where(_event.name.in_([RUN_FINISHED, CALLS_MADE]))
    if since is not None:
        query = query.where(_event.at >= since)
    found: Counter[str] = Counter()
    for facts in conn.execute(query).scalars():
        found.update({route: int(count) for route, count in codec.facts(facts).items() if count.isdigit()})
    return found
