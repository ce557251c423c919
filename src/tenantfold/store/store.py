"""Store: the ledger as one object: opening, checking, locking, and both halves plus the reports' read models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from tenantfold.domain.rates import PUBLISHED, Limit, Rate, RateKey
from tenantfold.store import parity, rates, rows, runlock, schema
from tenantfold.store.database import Database
from tenantfold.store.gdap_ledger import GdapLedger
from tenantfold.store.inventory import InventoryStore
from tenantfold.store.ledger import LedgerStore
from tenantfold.store.parity import ParityRow
from tenantfold.store.rates import StoredRates
from tenantfold.store.rows import Plain, RowPage, RowSet
from tenantfold.store.wake_ups import WakeUpLedger
from tenantfold.store.wave_ledger import WaveLedger

ROW_BATCH = 500  # customers (journal: rows) per read of a stream
PARITY_BATCH = 5_000


class Store(InventoryStore, LedgerStore, WaveLedger, GdapLedger, WakeUpLedger):
    """The ledger database: all ports of ``flow.ports`` that keep something, and ``flow.gdap.GdapLedger``.

    Opening connects to nothing yet; call ``migrate`` or ``check_schema`` first, ``close`` at the end.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.database = database

    @classmethod
    def open(cls, url: str, password: str | None = None, *, inline: bool = False) -> Self:
        """Open a ledger by URL (sqlite:///file or postgresql://...). ConfigError for any other.

        ``inline`` is for the simulation: no threads (see ``Database``).
        """
        return cls(Database.open(url, password, inline=inline))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def migrate(self) -> None:
        """Create the schema or bring it up to date. SchemaTooNewError, with nothing changed, for a newer one."""
        await self.database.call(schema.migrate)

    async def check_schema(self) -> None:
        """Raise SchemaTooOldError or SchemaTooNewError unless the schema is exactly this program's."""
        await self.database.call(schema.check_schema)

    async def close(self) -> None:
        """Commit what is queued, stop all threads, close all connections."""
        await self.database.close()

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock of this name ("run"). LedgerBusyError with pid and host when another process has it."""
        return runlock.exclusive(self.database, name)

    def beside_workers(self, member: str) -> AbstractAsyncContextManager[None]:
        """Work on customers beside the workers, whose writes the version keeps apart; alone where one worker works.

        LedgerBusyError when a ``run`` has the ledger for itself, or ``member`` is at work already.
        """
        if self.database.is_sqlite:
            return self.exclusive("run")
        return runlock.beside_others(self.database, "run", member)

    def rate_book(self, limit: Limit = PUBLISHED) -> StoredRates:
        """The buckets all workers share, under this limit: what a ``Budget`` reserves its calls from."""
        return StoredRates(self.database, limit)

    async def rates(self) -> Mapping[RateKey, Rate]:
        """How fast every tenant and resource called so far may be called, as learned."""
        return await self.database.read(rates.rates)

    async def row_page(self, name: RowSet, after: str = "", limit: int = ROW_BATCH) -> RowPage:
        """A page of a report's rows after a key ("" from the start). Columns: ``store.rows.COLUMNS``."""
        return await self.database.read(lambda conn: rows.row_page(conn, name, after, limit))

    async def rows(self, name: RowSet) -> AsyncIterator[tuple[Plain, ...]]:
        """All rows of a report, one page in memory at a time."""
        after: str | None = ""
        while after is not None:
            page = await self.row_page(name, after)
            for row in page.rows:
                yield row
            after = page.next_after

    async def parity_page(
        self, after: tuple[str, str] | None = None, limit: int = PARITY_BATCH, *, only_different: bool = True
    ) -> tuple[ParityRow, ...]:
        """Offers of customers over the newest complete snapshots, after (customer id, offer id)."""
        return await self.database.read(
            lambda conn: parity.parity_rows(conn, after, limit, only_different=only_different)
        )

    async def parity_rows(self, *, only_different: bool = True) -> AsyncIterator[ParityRow]:
        """All offers whose license counts differ (or all offers) between sources and target, by customer and offer."""
        after: tuple[str, str] | None = None
        while True:
            page = await self.parity_page(after, only_different=only_different)
            for row in page:
                yield row
            if len(page) < PARITY_BATCH:
                return
            after = (page[-1].customer_id, page[-1].offer_id)
