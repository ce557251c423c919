"""Store: delegated admin access as an object. It stands beside the other halves and touches no table of theirs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from tenantfold.domain.gdap import GdapCase, GdapIntent, GdapOutcome, GdapStanding
from tenantfold.domain.gdap_overview import GdapOverview
from tenantfold.domain.model import CustomerId
from tenantfold.store import gdap
from tenantfold.store.database import Database


class GdapLedger:
    """Intents, outcomes and standings of delegated admin access. Implements ``flow.gdap.GdapLedger``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def gdap_case(self, customer_id: CustomerId) -> GdapCase | None:
        """What is known of one customer; None when nothing was ever asked or found for it."""
        return await self._database.read(lambda conn: gdap.case_of(conn, customer_id))

    async def gdap_cases(self, after: str = "", limit: int = gdap.PAGE) -> tuple[GdapCase, ...]:
        """Customers in id order after a customer id."""
        return await self._database.read(lambda conn: gdap.cases_page(conn, after, limit))

    async def gdap_overview(self, plan_id: int | None) -> GdapOverview:
        """How many customers stand where, with those that a plan moves and nobody asked (None: without them)."""
        return await self._database.read(lambda conn: gdap.overview(conn, plan_id))

    async def record_gdap_intent(self, case: GdapCase, intent: GdapIntent, lost: GdapOutcome | None = None) -> None:
        """Commit an intent durably before its call leaves, together with the outcome of the one it takes the place of.

        ConflictError, with nothing written, when one of them exists already.
        """

        def work(conn: Connection) -> None:
            if lost is not None:
                gdap.record_outcome(conn, lost)
            gdap.record_intent(conn, case, intent)

        await self._database.write(work, durable=True)

    async def record_gdap_outcome(self, outcome: GdapOutcome) -> None:
        """Keep how an intent ended, durably. ConflictError when it has an outcome already."""
        await self._database.write(lambda conn: gdap.record_outcome(conn, outcome), durable=True)

    async def save_gdap_standing(self, case: GdapCase, standing: GdapStanding, now: datetime) -> None:
        """Keep where a customer stands; it could be found out again, so a power cut may take it."""
        await self._database.write(lambda conn: gdap.save_standing(conn, case, standing, now), durable=False)
