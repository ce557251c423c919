"""Examples of reports for the tests of the HTML page: a small one with everything in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from tenantfold.domain.gdap import GdapCondition
from tenantfold.domain.gdap_overview import GdapOverview
from tenantfold.domain.last_days import LastDay, LastDayKind
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.domain.states import Owner, Phase
from tenantfold.reports.report_data import (
    AccessLine,
    AccessPart,
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

AT = datetime(2026, 3, 3, 10, 5, 9, tzinfo=UTC)
CHECKSUM = "9f2c" * 16


def moved_customer(name: str = "Contoso AB") -> CustomerLine:
    """A customer whose one subscription is moved."""
    pair = Pair(
        offer_name="Office 365 E3",
        license_count=25,
        route="recreate",
        tenant="se",
        source_id="source-1",
        target_id="target-1",
        origin="created",
        cutover_on=AT.date(),
        verified_at=AT,
        suspended_at=AT,
    )
    history = (HistoryLine(at=AT, name="cutover.order.placed", facts="order o-1"),)
    return CustomerLine(customer_id="c-1", company_name=name, phase=Phase.MOVED, pairs=(pair,), history=history)


def stranded_customer(name: str = "Fabrikam") -> CustomerLine:
    """A customer that needs a person."""
    return CustomerLine(
        customer_id="c-2",
        company_name=name,
        phase=Phase.STRANDED,
        reason="The order got no answer.",
        owner=Owner.OPERATIONS,
        next_action="Look at both in Partner Center.",
        pairs=(Pair(offer_name="Visio", license_count=1, route="recreate", tenant="se", source_id="source-2"),),
    )


def access() -> AccessPart:
    """Delegated admin access of two customers: one is to approve, one has it."""
    overview = GdapOverview(customers={GdapCondition.WAITS_FOR_CUSTOMER: 30, GdapCondition.ACTIVE: 1200}, checked_at=AT)
    waiting = AccessLine(
        customer_id="c-2",
        company_name="Fabrikam",
        condition=GdapCondition.WAITS_FOR_CUSTOMER,
        reason="Not approved yet.",
        owner=Owner.CUSTOMER,
        next_action="Remind them with the same letter.",
        roles=("License administrator", "Service support administrator"),
        due_at=AT,
        link="https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/r-1",
        checked_at=AT,
    )
    active = AccessLine(
        customer_id="c-1",
        company_name="Contoso AB",
        condition=GdapCondition.ACTIVE,
        roles=("License administrator",),
        groups=("55555555-5555-4555-8555-555555555555: License administrator",),
        ends_at=AT,
        checked_at=AT,
    )
    return AccessPart(counts=overview.counts, checked_at=AT, customers=(waiting, active), customers_left_out=1228)


def last_day(on: date, kind: LastDayKind = LastDayKind.BUY_AGAIN, **fields: object) -> LastDay:
    """A day that must not be missed."""
    value = LastDay(
        on=on,
        kind=kind,
        customer_id=CustomerId("c-9"),
        company_name="Tailspin",
        subscription_id=SubscriptionId("n-1"),
        offer_name="Visio Plan 1",
        license_count=22,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def report(*customers: CustomerLine) -> ReportData:
    """A report about these customers, with every other part filled in."""
    return ReportData(
        consolidation="nordics",
        made_at=AT,
        program="tenantfold 0.1.0",
        tenants=(
            TenantLine(key="se", side="source", tenant_id="t-1", name="Contoso Sverige", country="SE"),
            TenantLine(key="target", side="target", tenant_id="t-2", name="Contoso Europe", country="IE"),
        ),
        plan=PlanFacts(
            number=4,
            checksum=CHECKSUM,
            created_at=AT,
            approved_at=AT,
            approved_by="Eva Lind",
            snapshots=(SnapshotLine(tenant="se", number=3, completed_at=AT), SnapshotLine(tenant="target", number=7)),
        ),
        phases={Phase.MOVED: 1200, Phase.STRANDED: 1, Phase.INVITED: 30, Phase.NOTHING_TO_MOVE: 2},
        counts=Counts(subscriptions=2000, subscriptions_moved=1500, licenses=48_211, licenses_moved=33_019),
        cutovers=(CutoverDay(on=date(2026, 3, 3), created=9, adopted=2, late=1),),
        customers=customers,
        customers_left_out=1229,
        journal=(JournalLine(kind="place_order", intents=10, done=7, adopted=1, failed=1, stranded=1),),
        calls=(CallLine(route="GET customers/{id}", calls=77, throttled=3, failed=2),),
        calls_about="Calls of this run.",
        access=access(),
        last_days=(last_day(date(2026, 3, 2)), last_day(date(2026, 6, 1), LastDayKind.CHOOSE_END)),
    )
