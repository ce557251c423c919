"""What the report counts as moved, whatever the way."""

from __future__ import annotations

from datetime import timedelta

from tenantfold.domain.model import OrderId, SubscriptionId
from tenantfold.domain.records import Step
from tenantfold.domain.states import Counterpart, Origin
from tenantfold.reports.gather import gather
from tenantfold.reports.report_data import ReportData
from tenantfold.store import Store
from tests.cli.conftest import NOW, TENANTS, Desk, azure_item, customer, manual_item


def test_a_report_counts_what_moved_without_a_suspension(desk: Desk):
    """One by hand and one merged have moved, one waits; none of them is a cutover of a day."""
    desk.plan(customer(1, manual_item("s1"), azure_item("a1"), azure_item("a2")), accepted=(1,))
    links = [
        Counterpart(
            source_id=SubscriptionId(source),
            target_id=SubscriptionId(target) if target else None,
            order_id=OrderId(""),
            origin=origin,
            verified_at=NOW + timedelta(hours=1),
        )
        for source, target, origin in (("s1", "t1", Origin.BY_HAND), ("a1", "", Origin.MERGED))
    ]

    async def work(store: Store) -> ReportData:
        case = await store.case(desk_customer.customer_id)
        assert case is not None
        await store.record_step(Step(progress=case.progress, counterparts=tuple(links)), NOW)
        return await gather(store, consolidation="north", program="tenantfold", tenants=TENANTS, made_at=NOW)

    desk_customer = desk.case(1).customer
    data = desk.do(work)
    assert (data.counts.subscriptions, data.counts.subscriptions_moved) == (3, 2)
    assert (data.counts.licenses, data.counts.licenses_moved) == (15, 10)
    assert data.cutovers == ()
    [line] = data.customers
    assert [one.is_done for one in line.pairs] == [True, False, True]
