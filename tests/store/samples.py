"""Tests of the store: sample values. Ids are short words; the store never looks inside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    Offer,
    OfferId,
    OrderId,
    OrderLine,
    PlacedLine,
    Route,
    Subscription,
    SubscriptionId,
    Tenant,
    TenantId,
    TenantRole,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanHeader, PlanItem, PlanRecord
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Snapshot, Step
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase
from tenantfold.store import Store

NOW = datetime(2026, 3, 1, 9, 30, 0, 250, tzinfo=UTC)
SOURCE, OTHER_SOURCE, TARGET = TenantId("tenant-se"), TenantId("tenant-fi"), TenantId("tenant-zz-target")
TENANTS = (
    Tenant(id=TARGET, key="central", role=TenantRole.TARGET, name="Nordwind AB", country="SE", currency="SEK"),
    Tenant(id=SOURCE, key="se", role=TenantRole.SOURCE, name="Nordwind Sverige", country="SE"),
    Tenant(id=OTHER_SOURCE, key="fi", role=TenantRole.SOURCE, name="Nordwind Suomi", country="FI"),
)
HEADER = PlanHeader(
    consolidation="north",
    target_id=TARGET,
    snapshots=((SOURCE, 1), (TARGET, 1)),
    mapping_digest="m",
    selection_digest="",
)
BLOCKER = Finding(
    code=FindingCode.OFFER_NOT_SOLD,
    severity=Severity.BLOCKER,
    rule="R-121",
    detail="No longer sold.",
    owner=Owner.APPROVER,
    next_action="Map it.",
)


def later(**units: float) -> datetime:
    """A time after NOW."""
    return NOW + timedelta(**units)


def customer_id(number: int) -> CustomerId:
    """Ids whose order is the order of their numbers."""
    return CustomerId(f"c-{number:05}")


def customer(number: int, tenant_id: TenantId = SOURCE, **fields: object) -> Read[Customer]:
    """A customer as read from a tenant."""
    value = Customer(
        id=customer_id(number),
        tenant_id=tenant_id,
        company_name=f"Company {number}",
        domain=f"company{number}.example",
        relationship="reseller",
        country="SE",
    )
    value = replace(value, **fields)  # type: ignore[arg-type]
    return Read(value=value, document=f'{{"id":"{value.id}"}}'.encode())


def subscription(number: int, name: str, tenant_id: TenantId = SOURCE, **fields: object) -> Read[Subscription]:
    """A subscription as read from a tenant."""
    value = Subscription(
        id=SubscriptionId(f"{tenant_id}-{number}-{name}"),
        tenant_id=tenant_id,
        customer_id=customer_id(number),
        offer_id=OfferId("OFFER-E3"),
        offer_name="E3",
        friendly_name="E3 of everybody",
        license_count=5,
        wire_status="active",
        billing_type="license",
        billing_cycle="monthly",
        order_id=OrderId("order-1"),
        created_at=NOW,
        commitment_end_on=date(2027, 2, 28),
    )
    return Read(value=replace(value, **fields), document=b'{"unknown":"kept"}')  # type: ignore[arg-type]


def offer(name: str, country: str = "SE") -> Read[Offer]:
    """An offer of a catalog."""
    value = Offer(
        id=OfferId(name),
        name=name.title(),
        country=country,
        is_available=True,
        is_add_on=False,
        is_trial=False,
        minimum_quantity=1,
        maximum_quantity=300,
        billing_cycles=("monthly", "annual"),
        prerequisite_offers=(OfferId("BASE"),),
    )
    return Read(value=value, document=b"{}")


def plan_item(number: int, name: str = "a", **fields: object) -> PlanItem:
    """A source subscription on its way by recreate."""
    item = PlanItem(
        subscription_id=SubscriptionId(f"{SOURCE}-{number}-{name}"),
        tenant_id=SOURCE,
        offer_id=OfferId("OFFER-E3"),
        offer_name="E3",
        friendly_name="E3 of everybody",
        license_count=5,
        billing_cycle="monthly",
        wire_status="active",
        route=Route.RECREATE,
        target_offer_id=OfferId("OFFER-E3"),
        target_offer_name="E3",
    )
    return replace(item, **fields)  # type: ignore[arg-type]


def plan_customer(number: int, disposition: Disposition = Disposition.MOVE, **fields: object) -> PlanCustomer:
    """A customer of a plan with one subscription; a blocked one says why."""
    value = PlanCustomer(
        customer_id=customer_id(number),
        company_name=f"Company {number}",
        country="SE",
        source_tenant_ids=(SOURCE,),
        disposition=disposition,
        items=(plan_item(number),),
        findings=(BLOCKER,) if disposition is Disposition.BLOCKED else (),
        contact=AgreementContact(first_name="Åsa", last_name="Ek", email="a@b.example", agreed_on=date(2026, 2, 1)),
    )
    return replace(value, **fields)  # type: ignore[arg-type]


async def streamed(customers: Iterable[PlanCustomer]) -> AsyncIterator[PlanCustomer]:
    """Customers as a stream, as planning hands them over."""
    for one in customers:
        yield one


async def saved_plan(store: Store, *customers: PlanCustomer, now: datetime = NOW) -> PlanRecord:
    """Save a plan of these customers."""
    return await store.save_plan(HEADER, streamed(customers), now)


async def snapshot_of(
    store: Store, tenant_id: TenantId, held: dict[int, list[Read[Subscription]]], *, complete: bool = True
) -> Snapshot:
    """A snapshot of a tenant with these customers and their subscriptions."""
    snapshot = await store.open_snapshot(tenant_id, NOW)
    await store.save_customer_page(snapshot, [customer(number, tenant_id) for number in held], None)
    for number, subscriptions in held.items():
        await store.save_customers(snapshot, [(customer(number, tenant_id), subscriptions)])
    return await store.complete_snapshot(snapshot, later(hours=1)) if complete else snapshot


def intent(number: int, key: str = "key-1", plan_id: int = 1, **fields: object) -> Intent:
    """An order about to be placed."""
    value = Intent(
        key=key,
        plan_id=plan_id,
        customer_id=customer_id(number),
        tenant_id=TARGET,
        kind=OpKind.PLACE_ORDER,
        at=NOW,
        subjects=(SubscriptionId(f"{SOURCE}-{number}-a"),),
        baseline=(SubscriptionId("was-there"),),
        billing_cycle="monthly",
        lines=(
            OrderLine(
                source_subscription_id=SubscriptionId(f"{SOURCE}-{number}-a"),
                offer_id=OfferId("OFFER-E3"),
                license_count=5,
                friendly_name="E3 of everybody",
            ),
        ),
    )
    return replace(value, **fields)  # type: ignore[arg-type]


def outcome(key: str = "key-1", kind: OutcomeKind = OutcomeKind.DONE) -> Outcome:
    """How that order ended."""
    return Outcome(
        intent_key=key,
        kind=kind,
        at=later(seconds=2),
        order_id=OrderId("order-9"),
        lines=(PlacedLine(offer_id=OfferId("OFFER-E3"), license_count=5, subscription_id=SubscriptionId("new-1")),),
    )


def counterpart(number: int, target_id: str | None = "new-1", name: str = "a", **fields: object) -> Counterpart:
    """The target subscription that stands for a customer's source subscription."""
    value = Counterpart(
        source_id=SubscriptionId(f"{SOURCE}-{number}-{name}"),
        target_id=SubscriptionId(target_id) if target_id else None,
        order_id=OrderId("order-9"),
        origin=Origin.CREATED,
        cutover_on=NOW.date(),
    )
    return replace(value, **fields)  # type: ignore[arg-type]


def evidence(number: int, task: TaskKind = TaskKind.ENDED_AT_SOURCE, **fields: object) -> Evidence:
    """What somebody confirmed about a customer's subscription."""
    value = Evidence(
        customer_id=customer_id(number),
        subscription_id=SubscriptionId(f"{SOURCE}-{number}-a"),
        task=task,
        note="Ended in the portal.",
        by="Eva",
        at=later(minutes=3),
    )
    return replace(value, **fields)  # type: ignore[arg-type]


async def step_of(store: Store, number: int, phase: Phase, **fields: object) -> Step:
    """A step of a customer from where it stands now to a phase; further fields go to the step or its progress."""
    case = await store.case(customer_id(number))
    assert case is not None
    own = {name: fields.pop(name) for name in ("outcome", "counterparts", "event", "facts") if name in fields}
    return Step(progress=replace(case.progress, phase=phase, **fields), **own)  # type: ignore[arg-type]


async def send(store: Store, intent: Intent) -> None:
    """Keep an intent, as somebody does who has just read where its customer stands."""
    case = await store.case(intent.customer_id)
    assert case is not None
    await store.record_intent(intent, case.progress.version)
