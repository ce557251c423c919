"""Fills a report from the ledger (reports room): one pass over each row set, memory bounded by what is listed.

The page lists up to ``MAX_LISTED`` customers, those that need somebody first; sums are always over everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from typing import Any, Protocol

from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import CustomerId, Route, Tenant, TenantId
from tenantfold.domain.plan import PlanRecord
from tenantfold.domain.records import Event, Snapshot
from tenantfold.domain.states import Origin, Owner, Phase
from tenantfold.reports.report_data import (
    CallLine,
    Counts,
    CustomerLine,
    CutoverDay,
    HistoryLine,
    JournalLine,
    Pair,
    PlanFacts,
    ReportData,
    SnapshotLine,
    TenantLine,
)
from tenantfold.reports.tables import RowSource
from tenantfold.store.rows import COLUMNS, RowSet

MAX_LISTED = 2_000  # customers on the page; a browser stays quick, and the others are in the workbook
_HISTORY = 40  # events of each listed customer
_FIRST = (
    (Phase.STRANDED, Phase.FAILED, Phase.DRIFTED),
    (Phase.BLOCKED, Phase.STALE),
    (Phase.CUTTING_OVER, Phase.VERIFIED),
    (Phase.ACCEPTED, Phase.INVITED, Phase.PLANNED),
    (Phase.MOVED, Phase.NOTHING_TO_MOVE),
)
_URGENCY = {phase: place for place, phases in enumerate(_FIRST) for phase in phases}


class ReportSource(RowSource, Protocol):
    """What a report is filled from: ``tenantfold.store.Store``."""

    async def newest_plan(self) -> PlanRecord | None:
        """The newest complete plan."""
        ...

    async def phase_counts(self) -> Mapping[Phase, int]:
        """How many customers are in each phase."""
        ...

    async def tenants(self) -> tuple[Tenant, ...]:
        """The partner tenants known, target last."""
        ...

    async def newest_snapshot(self, tenant_id: TenantId) -> Snapshot | None:
        """The newest snapshot of a tenant."""
        ...

    async def events(self, customer_id: CustomerId | None = None, limit: int = 200) -> tuple[Event, ...]:
        """The newest events, newest first."""
        ...


@dataclass(slots=True)
class _Results:
    """What the pass over the results found."""

    counts: Counts = field(default_factory=Counts)
    days: dict[date, CutoverDay] = field(default_factory=dict)
    kept: list[list[CustomerLine]] = field(default_factory=lambda: [[] for _ in _FIRST])
    seen: int = 0

    def keep(self, customer: CustomerLine) -> None:
        """List a customer; when the list is full, the one that needs somebody least makes room."""
        self.seen += 1
        self.kept[_URGENCY[customer.phase]].append(customer)
        if sum(map(len, self.kept)) > MAX_LISTED:
            next(group for group in reversed(self.kept) if group).pop()

    def count(self, pair: Pair) -> None:
        """Take a subscription into the sums."""
        moves = pair.route == Route.RECREATE
        is_moved = moves and pair.verified_at is not None and pair.suspended_at is not None
        self.counts = Counts(
            subscriptions=self.counts.subscriptions + moves,
            subscriptions_moved=self.counts.subscriptions_moved + is_moved,
            licenses=self.counts.licenses + moves * pair.license_count,
            licenses_moved=self.counts.licenses_moved + is_moved * pair.license_count,
        )
        if is_moved and pair.suspended_at is not None:
            self._count_day(pair, pair.suspended_at.date())

    def _count_day(self, pair: Pair, on: date) -> None:
        day = self.days.get(on, CutoverDay(on=on))
        if pair.origin == Origin.ADOPTED:
            day = replace(day, adopted=day.adopted + 1)
        elif pair.cutover_on == on:
            day = replace(day, created=day.created + 1)
        else:
            day = replace(day, late=day.late + 1)
        self.days[on] = day


async def assemble(
    source: ReportSource,
    *,
    consolidation: str,
    made_at: datetime,
    program: str,
    calls: Sequence[CallLine] = (),
    calls_about: str = "",
) -> ReportData:
    """Read everything a report says. ``calls`` are the caller's, because the ledger does not count calls."""
    tenants = await source.tenants()
    plan = await source.newest_plan()
    results = await _results(source)
    listed = list(chain.from_iterable(results.kept))
    return ReportData(
        consolidation=consolidation,
        made_at=made_at,
        program=program,
        tenants=tuple(
            TenantLine(key=one.key, side=one.role.value, tenant_id=one.id, name=one.name, country=one.country)
            for one in tenants
        ),
        plan=await _plan_facts(source, plan, tenants) if plan else None,
        phases=await source.phase_counts(),
        counts=results.counts,
        cutovers=tuple(results.days[on] for on in sorted(results.days)),
        customers=tuple([replace(one, history=await _history(source, one)) for one in listed]),
        customers_left_out=results.seen - len(listed),
        journal=await _journal(source),
        calls=tuple(calls),
        calls_about=calls_about,
    )


async def _plan_facts(source: ReportSource, plan: PlanRecord, tenants: Sequence[Tenant]) -> PlanFacts:
    keys = {one.id: one.key for one in tenants}
    snapshots = []
    for tenant_id, number in plan.header.snapshots:
        newest = await source.newest_snapshot(tenant_id)
        completed_at = newest.completed_at if newest is not None and newest.number == number else None
        snapshots.append(SnapshotLine(tenant=keys.get(tenant_id, tenant_id), number=number, completed_at=completed_at))
    return PlanFacts(
        number=plan.id,
        checksum=plan.checksum,
        created_at=plan.created_at,
        approved_at=plan.approved_at,
        approved_by=plan.approved_by,
        snapshots=tuple(snapshots),
    )


async def _named(source: RowSource, name: RowSet) -> AsyncIterator[dict[str, Any]]:
    """The rows of a row set by column name."""
    columns = tuple(COLUMNS[name])
    async for row in source.rows(name):
        yield dict(zip(columns, row, strict=True))


async def _results(source: RowSource) -> _Results:
    """One pass over the results, which come customer by customer."""
    results = _Results()
    current: CustomerLine | None = None
    pairs: list[Pair] = []
    async for row in _named(source, RowSet.RESULTS):
        if current is None or current.customer_id != row["customer_id"]:
            if current is not None:
                results.keep(replace(current, pairs=tuple(pairs)))
            current, pairs = _customer(row), []
        pairs.append(_pair(row))
        results.count(pairs[-1])
    if current is not None:
        results.keep(replace(current, pairs=tuple(pairs)))
    return results


def _customer(row: Mapping[str, Any]) -> CustomerLine:
    return CustomerLine(
        customer_id=row["customer_id"],
        company_name=row["company_name"] or "",
        phase=Phase(row["phase"]),
        reason=row["reason"] or "",
        owner=Owner(row["owner"]),
        next_action=row["next_action"] or "",
    )


def _pair(row: Mapping[str, Any]) -> Pair:
    return Pair(
        offer_name=row["offer_name"] or row["offer_id"],
        license_count=row["license_count"],
        route=row["route"],
        tenant=row["tenant"] or "",
        source_id=row["subscription_id"],
        target_id=row["target_id"] or "",
        origin=row["origin"] or "",
        cutover_on=row["cutover_on"],
        verified_at=row["verified_at"],
        suspended_at=row["suspended_at"],
    )


async def _history(source: ReportSource, customer: CustomerLine) -> tuple[HistoryLine, ...]:
    """A customer's newest events, oldest first."""
    events = await source.events(CustomerId(customer.customer_id), limit=_HISTORY)
    return tuple(
        HistoryLine(at=one.at, name=one.name, facts=", ".join(f"{key} {value}" for key, value in one.facts.items()))
        for one in reversed(events)
    )


async def _journal(source: RowSource) -> tuple[JournalLine, ...]:
    """The intents of each kind, and how many of them ended in which way."""
    ends: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    async for row in _named(source, RowSet.JOURNAL):
        ends[row["kind"]][row["outcome"] or ""] += 1
    return tuple(
        JournalLine(
            kind=kind,
            intents=sum(by_end.values()),
            done=by_end[OutcomeKind.DONE],
            adopted=by_end[OutcomeKind.ADOPTED],
            failed=by_end[OutcomeKind.FAILED],
            stranded=by_end[""],
        )
        for kind, by_end in ends.items()
    )
