"""Use case: the days that must not be missed, over all customers (flow room). Reads the ledger only."""

from __future__ import annotations

from tenantfold.domain.last_days import LastDay, last_days
from tenantfold.domain.rebuy import ROUTES
from tenantfold.flow.ports import Ledger


async def days_not_to_miss(ledger: Ledger) -> tuple[LastDay, ...]:
    """Every last day of the newest plan's unfinished customers, soonest first. StoreError.

    Costs one look at the case of each customer with something that runs out.
    """
    ids = sorted({customer_id for route in ROUTES for customer_id in await ledger.going_by(route)})
    found = [day for one in ids if (case := await ledger.case(one)) is not None for day in last_days(case)]
    return tuple(sorted(found, key=lambda day: (day.on, day.company_name, day.subscription_id, day.kind)))
