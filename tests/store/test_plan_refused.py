"""A plan edited by hand in the ledger: what must never be done is refused when it is read (invariant 7)."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from tenantfold.domain.model import OfferId, ProductKind, Route
from tenantfold.errors import PlanRefusedError
from tenantfold.store import Store, tables
from tests.store.samples import customer_id, plan_customer, plan_item, saved_plan

LICENSE = {"kind": ProductKind.LICENSE, "offer_id": OfferId("CFQ7TTC0LF8S:0002:CFQ7TTC0K971"), "route": Route.TRANSFER}


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([('"route":"transfer"', '"route":"recreate"')], id="the route"),
        pytest.param(
            [('"route":"transfer"', '"route":"recreate"'), ('"kind":"license"', '"kind":"legacy_license"')],
            id="the route and the kind",
        ),
    ],
)
async def test_a_plan_that_would_suspend_new_commerce_is_refused_when_it_is_read(
    store: Store, edits: list[tuple[str, str]]
):
    """Whoever edited it: no command reads such a plan, and the sentence says why and what to do."""
    record = await saved_plan(store, plan_customer(1, items=(plan_item(1, **LICENSE),)))
    column = tables.plan_customer.c
    text = await store._database.read(lambda conn: conn.execute(select(column.value)).scalar_one())
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    await store._database.write(
        lambda conn: conn.execute(update(tables.plan_customer).values(value=text)), durable=True
    )
    with pytest.raises(PlanRefusedError, match="R-135") as refused:
        _ = [one async for one in store.plan_customers(record.id)]
    assert "tenantfold plan" in refused.value.next_step
    with pytest.raises(PlanRefusedError):
        await store.case(customer_id(1))
