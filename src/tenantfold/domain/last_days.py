"""Days that must not be missed: the last days of terms that are let run out (domain room).

On that day the program must run, or people are locked out the day after (R-132); and since May 2026 a person must have
chosen the end by then, or a paid extended term begins (commerce reference 3.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tenantfold.domain import rebuy
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.machine import unfinished
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.records import Case
from tenantfold.domain.states import Phase
from tenantfold.domain.tasks import GUIDES, Guide, confirmed, end_is_chosen


class LastDayKind(StrEnum):
    """What must have happened when the day is over."""

    BUY_AGAIN = "buy_again"
    CHOOSE_END = "choose_end"


NEEDED: Mapping[LastDayKind, Guide] = {
    LastDayKind.BUY_AGAIN: Guide(
        sentence="Keep tenantfold run or a worker going on this UTC day, or run it then: it buys it at the target.",
        rule="R-132",
    ),
    LastDayKind.CHOOSE_END: GUIDES[TaskKind.END_OF_TERM_CHOSEN],
}
"""What to do on such a day, the rule it comes from, and who does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """One thing that has not happened yet and for which a UTC day is the last one."""

    on: date
    kind: LastDayKind
    customer_id: CustomerId
    company_name: str
    subscription_id: SubscriptionId
    offer_name: str
    license_count: int

    def is_missed(self, today: date) -> bool:
        """Whether the day is over."""
        return today > self.on


def last_days(case: Case) -> tuple[LastDay, ...]:
    """The days of one customer, those missed included, soonest first, whatever holds it up.

    What still renews has no last day: it goes on by itself until the program has stopped the renewal.
    """
    bought = {one.source_id for one in case.counterparts}
    found = [
        _last_day(case, item, item.ends_on, kind)
        for item in unfinished(case, rebuy.ROUTES)
        if item.ends_on is not None and item.subscription_id not in bought and _runs_out(case, item)
        for kind in _kinds(case, item)
    ]
    return tuple(sorted(found, key=lambda one: (one.on, one.subscription_id, one.kind)))


def _kinds(case: Case, item: PlanItem) -> Iterator[LastDayKind]:
    yield LastDayKind.BUY_AGAIN
    if not end_is_chosen(case, item):
        yield LastDayKind.CHOOSE_END


def _runs_out(case: Case, item: PlanItem) -> bool:
    """Whether its renewal is off as the ledger knows: approved so, seen so, chosen by a person, or turned off by us."""
    if case.plan.approved_at is not None and item.terms is not None and not item.terms.auto_renew:
        return True
    if case.progress.phase is Phase.RUNNING_OUT or confirmed(case, item, TaskKind.END_OF_TERM_CHOSEN) is not None:
        return True
    told = [*case.open_intents]
    told += [intent for intent, outcome in case.settled if outcome.kind is not OutcomeKind.FAILED]
    return any(one.kind is OpKind.STOP_RENEWAL and item.subscription_id in one.subjects for one in told)


def _last_day(case: Case, item: PlanItem, on: date, kind: LastDayKind) -> LastDay:
    return LastDay(
        on=on,
        kind=kind,
        customer_id=case.customer.customer_id,
        company_name=case.customer.company_name,
        subscription_id=item.subscription_id,
        offer_name=item.offer_name,
        license_count=item.license_count,
    )
