"""Gathers what a report says from the ledger: one pass over the results, one over the journal. Reads only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from tenantfold.domain.explanation import next_step, why
from tenantfold.domain.model import CustomerId, Route, Tenant
from tenantfold.domain.records import Event, Standing
from tenantfold.domain.states import Origin
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
from tenantfold.store import COLUMNS, RowSet, Store
from tenantfold.store.rows import Plain
from tenantfold.store.tally import Tally

LISTED = 1_000  # customers with details on the page; the workbook has everybody
HISTORY = 30  # events of one customer on the page

_CARRIED_OUT = frozenset(route.value for route in Route if route.is_carried_out)
Row = dict[str, Plain]


async def gather(
    store: Store, *, consolidation: str, program: str, tenants: Sequence[Tenant], made_at: datetime
) -> ReportData:
    """Everything the HTML report says, as the ledger knows it now. ``program`` is our name and version."""
    known = {tenant.id: tenant for tenant in await store.tenants()}
    data = ReportData(
        consolidation=consolidation,
        made_at=made_at,
        program=program,
        tenants=tuple(_tenant(known.get(tenant.id, tenant)) for tenant in tenants),
        plan=await _plan(store, {tenant.id: tenant.key for tenant in tenants}),
        phases=await store.phase_counts(),
        journal=await _journal(store),
        calls=await _calls(store),
        calls_about="all runs and workers of this consolidation",
    )
    standings, left_out = await _standings(store)
    pairs, counts, cutovers = await _results(store, {one.progress.customer_id for one in standings})
    customers = [await _customer(store, one, tuple(pairs[one.progress.customer_id])) for one in standings]
    return replace(data, counts=counts, cutovers=cutovers, customers=tuple(customers), customers_left_out=left_out)


def _tenant(tenant: Tenant) -> TenantLine:
    return TenantLine(
        key=tenant.key, side=tenant.role.value, tenant_id=tenant.id, name=tenant.name, country=tenant.country
    )


async def _plan(store: Store, keys: dict[str, str]) -> PlanFacts | None:
    plan = await store.newest_plan()
    if plan is None:
        return None
    return PlanFacts(
        number=plan.id,
        checksum=plan.checksum,
        created_at=plan.created_at,
        approved_at=plan.approved_at,
        approved_by=plan.approved_by,
        snapshots=tuple(
            SnapshotLine(tenant=keys.get(tenant_id, tenant_id), number=number)
            for tenant_id, number in plan.header.snapshots
        ),
    )


async def _standings(store: Store) -> tuple[list[Standing], int]:
    """The customers on the page, those that need somebody first, and how many are left out."""
    unfinished: list[Standing] = []
    finished: list[Standing] = []
    left_out, after = 0, ""
    while page := await store.standings(after):
        for one in page:
            group = finished if one.progress.phase.is_final else unfinished
            if len(group) < LISTED:
                group.append(one)
            else:
                left_out += 1
        after = page[-1].progress.customer_id
    listed = (unfinished + finished)[:LISTED]
    return listed, left_out + len(unfinished) + len(finished) - len(listed)


async def _customer(store: Store, standing: Standing, pairs: tuple[Pair, ...]) -> CustomerLine:
    owner, next_action = next_step(standing.progress)
    events = await store.events(standing.progress.customer_id, HISTORY)
    return CustomerLine(
        customer_id=standing.progress.customer_id,
        company_name=standing.company_name,
        phase=standing.progress.phase,
        reason="" if standing.progress.phase.is_final else why(standing.company_name, standing.progress),
        owner=owner,
        next_action=next_action,
        pairs=pairs,
        history=tuple(_history(event) for event in reversed(events)),
    )


def _history(event: Event) -> HistoryLine:
    return HistoryLine(
        at=event.at, name=event.name, facts=", ".join(f"{key} {text}" for key, text in event.facts.items() if text)
    )


async def _results(
    store: Store, listed: set[CustomerId]
) -> tuple[dict[CustomerId, list[Pair]], Counts, tuple[CutoverDay, ...]]:
    """One pass over the results: the pairs of listed customers, totals, and cutovers by UTC day."""
    pairs: dict[CustomerId, list[Pair]] = defaultdict(list)
    totals: Counter[str] = Counter()
    days: dict[date, Counter[str]] = defaultdict(Counter)
    async for row in _rows(store, RowSet.RESULTS):
        if not row["subscription_id"]:
            continue
        pair = _pair(row)
        customer_id = CustomerId(str(row["customer_id"]))
        if customer_id in listed:
            pairs[customer_id].append(pair)
        if pair.route in _CARRIED_OUT or pair.origin:
            totals["subscriptions"] += 1
            totals["licenses"] += pair.license_count
        if pair.is_done:
            totals["subscriptions_moved"] += 1
            totals["licenses_moved"] += pair.license_count
        if pair.suspended_at is not None:
            days[pair.suspended_at.date()][_kind_of_cutover(pair, pair.suspended_at.date())] += 1
    counts = Counts(
        subscriptions=totals["subscriptions"],
        subscriptions_moved=totals["subscriptions_moved"],
        licenses=totals["licenses"],
        licenses_moved=totals["licenses_moved"],
    )
    cutovers = tuple(
        CutoverDay(on=on, created=one["created"], adopted=one["adopted"], late=one["late"])
        for on, one in sorted(days.items())
    )
    return pairs, counts, cutovers


def _kind_of_cutover(pair: Pair, suspended_on: date) -> str:
    if pair.origin == Origin.ADOPTED:
        return "adopted"
    return "created" if pair.cutover_on == suspended_on else "late"


def _pair(row: Row) -> Pair:
    license_count, cutover_on = row["license_count"], row["cutover_on"]
    verified_at, suspended_at = row["verified_at"], row["suspended_at"]
    return Pair(
        offer_name=str(row["offer_name"]),
        license_count=license_count if isinstance(license_count, int) else 0,
        route=str(row["route"]),
        tenant=str(row["tenant"] or ""),
        source_id=str(row["subscription_id"]),
        target_id=str(row["target_id"] or ""),
        origin=str(row["origin"] or ""),
        cutover_on=cutover_on if isinstance(cutover_on, date) else None,
        verified_at=verified_at if isinstance(verified_at, datetime) else None,
        suspended_at=suspended_at if isinstance(suspended_at, datetime) else None,
    )


async def _journal(store: Store) -> tuple[JournalLine, ...]:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    async for row in _rows(store, RowSet.JOURNAL):
        kinds[str(row["kind"])][str(row["outcome"] or "stranded")] += 1
    return tuple(
        JournalLine(
            kind=kind,
            intents=sum(one.values()),
            done=one["done"],
            adopted=one["adopted"],
            failed=one["failed"],
            stranded=one["stranded"],
        )
        for kind, one in kinds.items()
    )


async def _calls(store: Store) -> tuple[CallLine, ...]:
    calls = await Tally(store.database).calls()
    return tuple(CallLine(route=route, calls=count) for route, count in calls.most_common())


async def _rows(store: Store, name: RowSet) -> AsyncIterator[Row]:
    columns = tuple(COLUMNS[name])
    async for row in store.rows(name):
        yield dict(zip(columns, row, strict=True))
