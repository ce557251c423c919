"""Tests of the core: sample values. A test names only what it is about; everything else is an ordinary customer.

The ordinary customer ("c1", Ekdal AB, Sweden) holds one legacy license subscription "s1" of offer E3 with 5 licenses,
monthly, at the source tenant "se"; the target tenant is "target".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

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
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import ChecksumBuilder, Disposition, PlanCustomer, PlanHeader, PlanItem, PlanRecord
from tenantfold.domain.policy import Policy
from tenantfold.domain.preflight import PlanContext
from tenantfold.domain.records import BookEntry, Case
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase, Progress
from tenantfold.store import codec

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
POLICY = Policy()
SE, NO, TARGET = TenantId("se"), TenantId("no"), TenantId("target")
C1 = CustomerId("c1")
S1, T1 = SubscriptionId("s1"), SubscriptionId("t1")
E3, E5, VISIO = OfferId("E3"), OfferId("E5"), OfferId("VISIO")
ORDER = OrderId("order-1")
CONTACT = AgreementContact(first_name="Ada", last_name="Berg", email="ada@ekdal.example", agreed_on=date(2026, 2, 1))
REGIONS = RegionMap({"SE": "Europe", "NO": "Europe", "IE": "Europe", "US": "United States"})
CENTRAL = Tenant(
    id=TARGET, key="target", role=TenantRole.TARGET, name="Nordwind", country="IE", currency="EUR", partner_id="4711001"
)
SOURCES = {
    SE: Tenant(id=SE, key="se", role=TenantRole.SOURCE, name="Nordwind Sverige", country="SE"),
    NO: Tenant(id=NO, key="no", role=TenantRole.SOURCE, name="Nordwind Norge", country="NO"),
}
HEADER = PlanHeader(
    consolidation="north", target_id=TARGET, snapshots=((SE, 3), (TARGET, 1)), mapping_digest="m", selection_digest=""
)


def later(**units: float) -> datetime:
    """A time after NOW."""
    return NOW + timedelta(**units)


def customer(**fields: object) -> Customer:
    """The ordinary customer, as the source tenant "se" sees it."""
    value = Customer(
        id=C1, tenant_id=SE, company_name="Ekdal AB", domain="ekdal.example", relationship="reseller", country="SE"
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def source(name: str = "s1", /, **fields: object) -> Subscription:
    """A legacy license subscription at the source: E3, 5 licenses, monthly, active."""
    value = Subscription(
        id=SubscriptionId(name),
        tenant_id=SE,
        customer_id=C1,
        offer_id=E3,
        offer_name="Office 365 E3",
        friendly_name="Everybody",
        license_count=5,
        wire_status="active",
        billing_type="license",
        billing_cycle="monthly",
        order_id=OrderId("source-order"),
        created_at=NOW - timedelta(days=400),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def target(name: str = "t1", /, **fields: object) -> Subscription:
    """Its equal at the target."""
    return replace(source(name, tenant_id=TARGET, order_id=ORDER), **fields)  # type: ignore[arg-type]  # as above


def offer(name: str = "E3", /, **fields: object) -> Offer:
    """An offer the target sells in Sweden."""
    value = Offer(
        id=OfferId(name),
        name=f"Offer {name}",
        country="SE",
        is_available=True,
        is_add_on=False,
        is_trial=False,
        minimum_quantity=1,
        maximum_quantity=1000,
        billing_cycles=("monthly", "annual"),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def entry(*subscriptions: Subscription, **fields: object) -> BookEntry:
    """The ordinary customer's entry of the book, with these subscriptions on both sides."""
    value = BookEntry(customer_id=C1, seen=(customer(),), subscriptions=subscriptions)
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def context(*offers: Offer, **fields: object) -> PlanContext:
    """What planning knows: these offers (or plain E3) in Sweden, one contact, no mapping, nothing moved yet."""
    value = PlanContext(
        target=CENTRAL,
        sources=SOURCES,
        catalog={"SE": {one.id: one for one in offers or (offer(),)}},
        mapping={},
        regions=REGIONS,
        counterparts={},
        contacts={C1: CONTACT},
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def item(name: str = "s1", /, **fields: object) -> PlanItem:
    """The plan item of ``source()``."""
    value = PlanItem(
        subscription_id=SubscriptionId(name),
        tenant_id=SE,
        offer_id=E3,
        offer_name="Office 365 E3",
        friendly_name="Everybody",
        license_count=5,
        billing_cycle="monthly",
        wire_status="active",
        route=Route.RECREATE,
        target_offer_id=E3,
        target_offer_name="Offer E3",
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def plan_customer(*items: PlanItem, **fields: object) -> PlanCustomer:
    """The ordinary customer in a plan, to be moved."""
    value = PlanCustomer(
        customer_id=C1,
        company_name="Ekdal AB",
        country="SE",
        source_tenant_ids=(SE,),
        disposition=Disposition.MOVE,
        items=items or (item(),),
        contact=CONTACT,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def plan_record(**fields: object) -> PlanRecord:
    """An approved plan."""
    value = PlanRecord(
        id=1, header=HEADER, checksum="abcdef0123456789" * 4, created_at=NOW, approved_at=NOW, approved_by="Eva"
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def counterpart(source_id: str = "s1", target_id: str | None = "t1", /, **fields: object) -> Counterpart:
    """A counterpart we ordered today."""
    value = Counterpart(
        source_id=SubscriptionId(source_id),
        target_id=SubscriptionId(target_id) if target_id else None,
        order_id=ORDER,
        origin=Origin.CREATED,
        cutover_on=TODAY,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def case(*items: PlanItem, **fields: object) -> Case:
    """An approved, accepted customer of which nothing was done yet; the agreement was attested."""
    value = Case(
        plan=plan_record(),
        customer=plan_customer(*items),
        progress=Progress(customer_id=C1, phase=Phase.ACCEPTED, accepted_at=NOW, version=1),
        counterparts=(),
        open_intents=(),
        settled=(attested(),),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def observation(*subscriptions: Subscription, **fields: object) -> Observation:
    """A read at NOW that shows these subscriptions of both sides."""
    value = Observation(
        at=NOW,
        source={one.id: one for one in subscriptions if one.tenant_id != TARGET},
        target={one.id: one for one in subscriptions if one.tenant_id == TARGET},
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def line(source_id: str = "s1", /, **fields: object) -> OrderLine:
    """The order line for ``source()``."""
    value = OrderLine(
        source_subscription_id=SubscriptionId(source_id), offer_id=E3, license_count=5, friendly_name="Everybody"
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def placed(target_id: str | None = "t1", /, **fields: object) -> PlacedLine:
    """A line of an order's answer."""
    value = PlacedLine(offer_id=E3, license_count=5, subscription_id=SubscriptionId(target_id) if target_id else None)
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def order_intent(*lines: OrderLine, **fields: object) -> Intent:
    """An intent to order these lines (or the ordinary one), sent at NOW."""
    lines = lines or (line(),)
    value = Intent(
        key="order-key",
        plan_id=1,
        customer_id=C1,
        tenant_id=TARGET,
        kind=OpKind.PLACE_ORDER,
        at=NOW,
        subjects=tuple(one.source_subscription_id for one in lines),
        billing_cycle="monthly",
        lines=lines,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def suspend_intent(source_id: str = "s1", /, **fields: object) -> Intent:
    """An intent to suspend a source subscription, sent at NOW."""
    value = Intent(
        key=f"suspend-{source_id}",
        plan_id=1,
        customer_id=C1,
        tenant_id=SE,
        kind=OpKind.SUSPEND,
        at=NOW,
        subjects=(SubscriptionId(source_id),),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def outcome(intent: Intent, kind: OutcomeKind = OutcomeKind.DONE, /, **fields: object) -> Outcome:
    """How an intent ended, at NOW."""
    value = Outcome(intent_key=intent.key, kind=kind, at=NOW)
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def attested() -> tuple[Intent, Outcome]:
    """An attestation that was made."""
    intent = Intent(
        key="attest", plan_id=1, customer_id=C1, tenant_id=TARGET, kind=OpKind.ATTEST_AGREEMENT, at=NOW, contact=CONTACT
    )
    return intent, outcome(intent)


def finding(severity: Severity = Severity.BLOCKER, detail: str = "It cannot be read.") -> Finding:
    """A finding."""
    return Finding(
        code=FindingCode.NOT_READ,
        severity=severity,
        rule="invariant 9",
        detail=detail,
        owner=Owner.OPERATIONS,
        next_action="Take inventory again.",
    )


def checksum(header: PlanHeader, customers: Iterable[PlanCustomer]) -> str:
    """As the ledger computes it: over the texts it keeps."""
    builder = ChecksumBuilder(codec.to_json(header))
    for one in customers:
        builder.add(codec.to_json(one))
    return builder.result()
