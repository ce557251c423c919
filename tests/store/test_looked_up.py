"""Facts beside the subscriptions, new-commerce SKUs, and what earlier runs teach a new plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import CustomerId, OfferId, ProductKind, Route, Sku, SkuTerm, SubscriptionId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Event, Step
from tenantfold.domain.requests import Transfer, TransferId, TransferLine, TransferState
from tenantfold.domain.software import OwnedSoftware
from tenantfold.domain.states import Origin
from tenantfold.domain.transfer_refusals import NOT_AVAILABLE
from tenantfold.errors import ConflictError
from tenantfold.store import Store
from tests.store.samples import (
    NOW,
    SOURCE,
    TARGET,
    counterpart,
    customer_id,
    evidence,
    intent,
    later,
    outcome,
    plan_customer,
    plan_item,
    saved_plan,
    send,
    snapshot_of,
    subscription,
)

TRANSFER = Transfer(
    id=TransferId("x1"),
    customer_id=customer_id(1),
    source_id=SOURCE,
    target_id=TARGET,
    status="Pending",
    state=TransferState.PENDING,
    created_at=NOW,
    lines=(TransferLine(id=SubscriptionId("n1"), status="Pending"),),
)
VM = AzureItem(
    id=SubscriptionId("r1"), tenant_id=SOURCE, kind=AzureKind.RESERVATION, name="VM", status="Active", is_monthly=True
)
FACTS = TenantFacts(
    tenant_id=SOURCE,
    customer_id=customer_id(1),
    transfers=(TRANSFER,),
    commitments=(VM,),
    software=(OwnedSoftware(sku_id="DG7GMGF0D7FX:0002", count=2, status="valid", order_id="4711"),),
)
SKU = Sku(
    id=OfferId("CFQ7TTC0LH18:0001"),
    title="Business Premium",
    country="SE",
    is_sold=True,
    terms=(SkuTerm(duration="P1Y", billing_cycle="monthly"),),
)


async def test_what_was_ever_seen_of_a_customer_comes_back_oldest_first(store: Store):
    """What moved is in no newer inventory any more; its name is in the older one."""
    below = AzureItem(
        id=SubscriptionId("e1"), tenant_id=SOURCE, kind=AzureKind.SUBSCRIPTION, name="Production", status="active"
    )
    for held in ((below,), ()):
        snapshot = await snapshot_of(store, SOURCE, {1: [], 2: []}, complete=False)
        await store.save_facts(snapshot, [replace(FACTS, azure=held)])
        await store.complete_snapshot(snapshot, later(hours=1))
    assert [one.azure for one in await store.facts_ever_seen(customer_id(1))] == [(below,), ()]
    assert list(await store.facts_ever_seen(customer_id(2))) == []


async def test_facts_come_back_with_the_customer_they_are_about(store: Store):
    """Whole, with the newest word; who was not looked up has none."""
    snapshot = await snapshot_of(store, SOURCE, {1: [], 2: []}, complete=False)
    await store.save_facts(snapshot, [replace(FACTS, transfers=None)])
    await store.save_facts(snapshot, [FACTS])
    snapshot = await store.complete_snapshot(snapshot, later(hours=1))
    entries = {one.customer_id: one async for one in store.book([snapshot])}
    assert entries[customer_id(1)].looked_up == (FACTS,)
    assert entries[customer_id(2)].looked_up == ()


async def test_what_the_target_knows_of_a_customer_comes_back_beside_it(store: Store):
    """The agreement is asked there."""
    source = await snapshot_of(store, SOURCE, {1: []}, complete=False)
    await store.save_facts(source, [FACTS])
    source = await store.complete_snapshot(source, later(hours=1))
    target = await snapshot_of(store, TARGET, {1: []}, complete=False)
    agreed = TenantFacts(tenant_id=TARGET, customer_id=customer_id(1), has_agreement=True)
    await store.save_facts(target, [agreed])
    target = await store.complete_snapshot(target, later(hours=1))
    (entry,) = [one async for one in store.book([source, target])]
    assert entry.looked_up == (FACTS, agreed)


async def test_says_who_holds_something_active_at_a_source(store: Store):
    """The target is asked about those and about nobody else; a snapshot that is being written counts."""
    over = subscription(1, "a", wire_status="suspended")
    await snapshot_of(store, SOURCE, {1: [over], 2: [subscription(2, "a")], 4: []}, complete=False)
    await snapshot_of(store, TARGET, {3: [subscription(3, "a", TARGET)]})
    assert await store.active_at_sources([customer_id(number) for number in range(1, 5)]) == {customer_id(2)}
    assert await store.active_at_sources([]) == frozenset()


async def test_says_who_the_newest_plan_is_to_move(store: Store):
    """Also whom it calls blocked; nobody while there is no plan."""
    everybody = [customer_id(number) for number in range(1, 5)]
    assert await store.planned_to_move(everybody) == frozenset()
    await saved_plan(store, plan_customer(4))
    await saved_plan(
        store,
        plan_customer(1),
        plan_customer(2, Disposition.BLOCKED),
        plan_customer(3, Disposition.NOTHING_TO_MOVE),
        now=later(hours=1),
    )
    assert await store.planned_to_move(everybody) == {customer_id(1), customer_id(2)}


async def test_facts_of_a_complete_snapshot_do_not_change(store: Store):
    """A plan may rest on it."""
    snapshot = await snapshot_of(store, SOURCE, {1: []})
    with pytest.raises(ConflictError):
        await store.save_facts(snapshot, [FACTS])


async def test_skus_are_kept_by_country_and_replaced_as_a_whole(store: Store):
    """What is not sold any more goes."""
    snapshot = await store.open_snapshot(TARGET, NOW)
    gone = replace(SKU, id=OfferId("CFQ7TTC0LF8S:0002"))
    await store.save_skus(snapshot, "SE", [Read(value=one, document=b"{}") for one in (SKU, gone)])
    await store.save_skus(snapshot, "SE", [Read(value=SKU, document=b"{}")])
    await store.save_skus(snapshot, "NO", [])
    assert await store.skus(snapshot, "SE") == {SKU.id: SKU}
    assert await store.skus(snapshot, "FI") == {}
    newest = await store.newest_snapshot(TARGET)
    assert newest is not None
    assert newest.sku_countries == ("NO", "SE")


@pytest.mark.parametrize(
    ("offer_id", "wire_status", "countries"),
    [
        pytest.param("CFQ7TTC0LH18:0001:CFQ7TTC0K971", "active", ("SE",), id="new commerce"),
        pytest.param("CFQ7TTC0LH18:0001:CFQ7TTC0K971", "expired", ("SE",), id="new commerce, bought again"),
        pytest.param("796B6B5F-613C-4E24-A17C-EBA730D49C02", "active", ("SE",), id="legacy, may become new commerce"),
        pytest.param("796B6B5F-613C-4E24-A17C-EBA730D49C02", "suspended", (), id="legacy, over"),
        pytest.param("ms-azr-0145p", "active", (), id="legacy Azure"),
        pytest.param("DZH318Z0BPS6:0001:DZH318Z0BMTV", "active", (), id="Azure plan"),
        pytest.param("DG7GMGF0D5RK:0005:DG7GMGF0DVT7", "active", (), id="software"),
    ],
)
async def test_says_where_licenses_are_held(store: Store, offer_id: str, wire_status: str, countries: tuple[str, ...]):
    """The countries of source customers whose licenses are bought as new commerce, or may have to be (R-121)."""
    held = subscription(1, "a", offer_id=OfferId(offer_id), wire_status=wire_status)
    await snapshot_of(store, SOURCE, {1: [held]})
    assert await store.license_countries() == countries


async def _submitted(store: Store, number: int, key: str, code: str | None, kind: OutcomeKind) -> None:
    """A submission of one customer, and how it ended; no code: nobody knows yet."""
    plan = await store.newest_plan()
    assert plan is not None
    name = SubscriptionId(f"n{number}")
    sent = intent(number, key, plan.id, kind=OpKind.SUBMIT_TRANSFER, subjects=(name,), entries=(name,), lines=())
    await send(store, sent)
    if code is None:
        return
    case = await store.case(customer_id(number))
    assert case is not None
    answer = replace(outcome(key, kind), lines=(), code=code, detail=f"{name} is not available for a transfer.")
    await store.record_step(Step(progress=case.progress, outcome=answer), NOW)


async def test_a_refusal_names_what_cannot_be_transferred(store: Store):
    """Only a refusal with its code does; what was given away is under way."""
    await saved_plan(store, *(plan_customer(number) for number in range(1, 5)))
    await _submitted(store, 1, "k1", NOT_AVAILABLE, OutcomeKind.FAILED)
    await _submitted(store, 2, "k2", "900101", OutcomeKind.FAILED)
    await _submitted(store, 3, "k3", "", OutcomeKind.DONE)
    await _submitted(store, 4, "k4", None, OutcomeKind.DONE)
    earlier = await store.earlier_runs()
    assert earlier.refused == {CustomerId(customer_id(1)): frozenset({"n1"})}
    assert earlier.under_way == {"n3", "n4"}


async def test_what_is_under_way_comes_back_as_the_approved_plan_has_it(store: Store):
    """A source that does not list it any more must not make it forgotten; what is done is not under way."""
    items = {number: replace(plan_item(number), route=Route.TRANSFER, kind=ProductKind.LICENSE) for number in (1, 2, 3)}
    plan = await saved_plan(store, *(plan_customer(number, items=(items[number],)) for number in items))
    await store.approve_plan(plan.id, "Eva", NOW)
    for number, item in items.items():
        subject = item.subscription_id
        sent = intent(number, f"k{number}", plan.id, kind=OpKind.SUBMIT_TRANSFER, subjects=(subject,), lines=())
        await send(store, sent)
        case = await store.case(customer_id(number))
        assert case is not None
        verified_at = NOW if number == 3 else None
        arrived = counterpart(number, f"new-{number}", origin=Origin.TRANSFERRED, verified_at=verified_at)
        step = Step(
            progress=case.progress,
            outcome=replace(outcome(f"k{number}"), lines=()),
            counterparts=() if number == 1 else (replace(arrived, source_id=subject),),
        )
        await store.record_step(step, NOW)
    earlier = await store.earlier_runs()
    assert earlier.under_way == {items[1].subscription_id, items[2].subscription_id}
    assert earlier.carried == {customer_id(number): (items[number],) for number in (1, 2)}
    assert earlier.moved == {customer_id(3)}
    assert earlier.begun == {customer_id(1), customer_id(2)}


async def test_what_was_handed_off_to_microsoft_is_under_way(store: Store):
    """A person said so; nobody submitted anything."""
    await saved_plan(store, plan_customer(1))
    told = evidence(1, TaskKind.HANDED_OFF)
    await store.record_evidence(told, Event(at=NOW, customer_id=customer_id(1), name="task", facts={}), NOW)
    assert (await store.earlier_runs()).under_way == {told.subscription_id}


async def test_only_an_approved_plan_promises_to_buy_again(store: Store):
    """What nobody approved binds nobody."""
    item = replace(plan_item(1), route=Route.EXPIRE_AND_REBUY, kind=ProductKind.LICENSE)
    plan = await saved_plan(store, plan_customer(1, items=(item,)))
    assert (await store.earlier_runs()).promised == frozenset()
    await store.approve_plan(plan.id, "Eva", NOW)
    assert (await store.earlier_runs()).promised == {item.subscription_id}
    await saved_plan(store, plan_customer(1))
    assert (await store.earlier_runs()).promised == {item.subscription_id}


async def test_whose_renewal_was_stopped_has_begun(store: Store):
    """Nothing renews it any more: whatever the plan says by now, it is bought again or a person looks."""
    plan = await saved_plan(store, plan_customer(1), plan_customer(2))
    for number, kind in ((1, OutcomeKind.DONE), (2, OutcomeKind.FAILED)):
        subject = plan_item(number).subscription_id
        sent = intent(number, f"k{number}", plan.id, kind=OpKind.STOP_RENEWAL, subjects=(subject,), lines=())
        await send(store, sent)
        case = await store.case(customer_id(number))
        assert case is not None
        await store.record_step(Step(progress=case.progress, outcome=replace(outcome(sent.key, kind), lines=())), NOW)
    earlier = await store.earlier_runs()
    assert earlier.promised == {plan_item(1).subscription_id}
    assert earlier.begun == {customer_id(1)}
    assert earlier.under_way == frozenset()
