"""A report filled from the ledger: sums over everything, a list of those who need somebody first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime

import pytest

from tenantfold.domain.model import CustomerId, Tenant, TenantId, TenantRole
from tenantfold.domain.plan import PlanHeader, PlanRecord
from tenantfold.domain.records import Event, Snapshot
from tenantfold.domain.states import Phase
from tenantfold.reports import assembling
from tenantfold.reports.assembling import ReportSource, assemble
from tenantfold.reports.html_report import render_html
from tenantfold.reports.report_data import CallLine, Counts, CutoverDay, JournalLine, ReportData, SnapshotLine
from tenantfold.store import Store
from tenantfold.store.rows import COLUMNS, Plain, RowSet

AT = datetime(2026, 3, 3, 22, 0, tzinfo=UTC)
NEXT = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
SOURCE, TARGET = TenantId("t-1"), TenantId("t-2")


def result(customer: str, phase: Phase, **facts: Plain) -> tuple[Plain, ...]:
    """One row of the results; what is not said is as for an untouched subscription."""
    row: dict[str, Plain] = dict.fromkeys(COLUMNS[RowSet.RESULTS])
    row |= {"customer_id": customer, "company_name": f"Company {customer}", "tenant": "se", "subscription_id": "s"}
    row |= {"offer_id": "O", "offer_name": "Office", "license_count": 10, "route": "recreate", "phase": phase.value}
    row |= {"reason": "why", "owner": "operations", "next_action": "what", **facts}
    return tuple(row.values())


def intent(kind: str, outcome: str | None) -> tuple[Plain, ...]:
    """One row of the journal."""
    row: dict[str, Plain] = dict.fromkeys(COLUMNS[RowSet.JOURNAL])
    return tuple((row | {"kind": kind, "outcome": outcome}).values())


DONE: dict[str, Plain] = {
    "target_id": "x",
    "origin": "created",
    "cutover_on": AT.date(),
    "verified_at": AT,
    "suspended_at": AT,
}


class HeldLedger:
    """A ledger held in memory."""

    def __init__(self, results: list[tuple[Plain, ...]], journal: list[tuple[Plain, ...]] | None = None) -> None:
        self.held = {RowSet.RESULTS: results, RowSet.JOURNAL: journal or []}
        self.asked_events: list[CustomerId | None] = []

    async def rows(self, name: RowSet, /) -> AsyncIterator[tuple[Plain, ...]]:
        for row in self.held[name]:
            yield row

    async def newest_plan(self) -> PlanRecord | None:
        header = PlanHeader(
            consolidation="x",
            target_id=TARGET,
            snapshots=((SOURCE, 3), (TARGET, 7)),
            mapping_digest="",
            selection_digest="",
        )
        return PlanRecord(id=4, header=header, checksum="abc", created_at=AT, approved_at=NEXT, approved_by="Eva")

    async def phase_counts(self) -> Mapping[Phase, int]:
        return {Phase.MOVED: 2}

    async def tenants(self) -> tuple[Tenant, ...]:
        return (
            Tenant(id=SOURCE, key="se", role=TenantRole.SOURCE, name="Sverige", country="SE"),
            Tenant(id=TARGET, key="target", role=TenantRole.TARGET, name="Europe", country="IE"),
        )

    async def newest_snapshot(self, tenant_id: TenantId) -> Snapshot | None:
        number = 3 if tenant_id == SOURCE else 8  # the target was read again since the plan
        return Snapshot(number=number, tenant_id=tenant_id, started_at=AT, completed_at=NEXT)

    async def events(self, customer_id: CustomerId | None = None, limit: int = 200) -> tuple[Event, ...]:
        self.asked_events.append(customer_id)
        newer = Event(at=NEXT, customer_id=customer_id, name="b", facts={"order": "o", "lines": "2"})
        return (newer, Event(at=AT, customer_id=customer_id, name="a", facts={}))[:limit]


async def assembled(ledger: HeldLedger) -> ReportData:
    """The report of a ledger."""
    return await assemble(
        ledger,
        consolidation="nordics",
        made_at=NEXT,
        program="p",
        calls=[CallLine(route="GET x", calls=1)],
        calls_about="c",
    )


def test_the_store_can_be_reported_on():
    """The real store has everything a report asks for; the type checker compares the two."""

    def as_source(store: Store) -> ReportSource:
        return store

    assert as_source.__annotations__["return"] == "ReportSource"


async def test_sums_and_days_follow_the_results():
    """Moved is verified and suspended; a day counts where the source was suspended, late where the days differ."""
    rows = [
        result("1", Phase.MOVED, **DONE),
        result("1", Phase.MOVED, **{**DONE, "suspended_at": NEXT}),
        result("2", Phase.CUTTING_OVER, **{**DONE, "suspended_at": None}),
        result("2", Phase.CUTTING_OVER, **{**DONE, "origin": "adopted", "cutover_on": None}),
        result("3", Phase.MOVED, route="keep", suspended_at=AT, verified_at=AT),
    ]
    data = await assembled(HeldLedger(rows))
    assert data.counts == Counts(subscriptions=4, subscriptions_moved=3, licenses=40, licenses_moved=30)
    assert data.cutovers == (
        CutoverDay(on=date(2026, 3, 3), created=1, adopted=1),
        CutoverDay(on=date(2026, 3, 4), late=1),
    )
    assert [(len(one.pairs), one.phase) for one in data.customers] == [
        (2, Phase.CUTTING_OVER),
        (2, Phase.MOVED),
        (1, Phase.MOVED),
    ]


async def test_the_plan_says_what_it_was_built_on():
    """A snapshot's time is shown only if it is the very snapshot of the plan, not a newer one."""
    plan = (await assembled(HeldLedger([]))).plan
    assert plan is not None
    assert (plan.number, plan.checksum, plan.approved_by, plan.approved_at) == (4, "abc", "Eva", NEXT)
    assert plan.snapshots == (
        SnapshotLine(tenant="se", number=3, completed_at=NEXT),
        SnapshotLine(tenant="target", number=7, completed_at=None),
    )


async def test_those_who_need_somebody_stay_on_a_full_list(monkeypatch: pytest.MonkeyPatch):
    """Beyond the limit the finished ones make room; sums still count them, and the page says how many are missing."""
    monkeypatch.setattr(assembling, "MAX_LISTED", 2)
    phases = [Phase.MOVED, Phase.MOVED, Phase.INVITED, Phase.BLOCKED, Phase.STRANDED, Phase.MOVED]
    ledger = HeldLedger([result(str(number), phase) for number, phase in enumerate(phases)])
    data = await assembled(ledger)
    assert [one.phase for one in data.customers] == [Phase.STRANDED, Phase.BLOCKED]
    assert data.customers_left_out == 4
    assert data.counts.subscriptions == 6
    assert ledger.asked_events == ["4", "3"]


async def test_history_is_told_from_the_beginning():
    """The ledger gives the newest first; people read from the oldest."""
    [customer] = (await assembled(HeldLedger([result("1", Phase.MOVED)]))).customers
    assert [(one.name, one.facts) for one in customer.history] == [("a", ""), ("b", "order o, lines 2")]


async def test_the_journal_is_counted_by_kind_and_end():
    """An intent without outcome is stranded, never left out."""
    ends = ["done", "done", "adopted", "failed", None]
    rows = [*(intent("place_order", end) for end in ends), intent("suspend", "done")]
    assert (await assembled(HeldLedger([], rows))).journal == (
        JournalLine(kind="place_order", intents=5, done=2, adopted=1, failed=1, stranded=1),
        JournalLine(kind="suspend", intents=1, done=1),
    )


async def test_what_was_assembled_can_be_rendered():
    """The two halves fit together."""
    rows = [result("1", Phase.MOVED, **DONE), result("2", Phase.BLOCKED)]
    assert "Company 2" in render_html(await assembled(HeldLedger(rows, [intent("suspend", None)])))
