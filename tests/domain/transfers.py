"""Tests of transfers: sample values. New commerce "n1" (Business Premium, 5 seats) at "se", an Azure plan "p1"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import OfferId, ProductKind, Route, Subscription, SubscriptionId, TenantId
from tenantfold.domain.observation import Beside, Observation
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.records import Case
from tenantfold.domain.requests import Transfer, TransferId, TransferLine, TransferProduct, TransferState, TransferWish
from tests.domain.samples import C1, NOW, SE, TARGET, case, item, observation, plan_customer, source

PREMIUM = OfferId("CFQ7TTC0LCHC:0002:CFQ7TTC0X1Y2")
AZURE = OfferId("DZH318Z0BPS6:0001:DZH318Z0BML6")
ENDS = date(2026, 9, 1)
T1 = TransferId("transfer-1")
EMAIL = "it@ekdal.example"


def seats(name: str = "n1", /, **fields: object) -> Subscription:
    """A new-commerce subscription at the source."""
    value = source(
        name,
        offer_id=PREMIUM,
        offer_name="Business Premium",
        product_type="OnlineServicesNCE",
        term_duration="P1Y",
        commitment_end_on=ENDS,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def arrived(name: str = "t1", /, **fields: object) -> Subscription:
    """Its equal at the target."""
    return replace(seats(name, tenant_id=TARGET), **fields)  # type: ignore[arg-type]  # the test names the fields


def seats_item(name: str = "n1", /, **fields: object) -> PlanItem:
    """The plan item of ``seats()``."""
    value = item(
        name,
        offer_id=PREMIUM,
        offer_name="Business Premium",
        route=Route.TRANSFER,
        kind=ProductKind.LICENSE,
        term_duration="P1Y",
        ends_on=ENDS,
        target_offer_id=None,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def azure_plan(name: str = "p1", /, **fields: object) -> Subscription:
    """An Azure plan at the source."""
    value = source(
        name, offer_id=AZURE, offer_name="Azure plan", product_type="Azure", license_count=1, billing_type="usage"
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def azure_plan_item(name: str = "p1", /, **fields: object) -> PlanItem:
    """The plan item of ``azure_plan()``."""
    value = item(
        name,
        offer_id=AZURE,
        offer_name="Azure plan",
        license_count=1,
        route=Route.AZURE_TRANSFER,
        kind=ProductKind.AZURE_PLAN,
        target_offer_id=None,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def azure(name: str, /, **fields: object) -> AzureItem:
    """An active Azure subscription under the source's plan."""
    value = AzureItem(
        id=SubscriptionId(name),
        tenant_id=SE,
        kind=AzureKind.SUBSCRIPTION,
        name=name,
        status="active",
        plan_id=SubscriptionId("p1"),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def transfer(state: TransferState = TransferState.PENDING, /, *lines: TransferLine, **fields: object) -> Transfer:
    """A request of the target to "se", as it stands."""
    value = Transfer(
        id=T1,
        customer_id=C1,
        source_id=SE,
        target_id=TARGET,
        status=state.value,
        state=state,
        created_at=NOW,
        changed_at=NOW,
        product_types=(TransferProduct.LICENSE.value,),
        lines=lines,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def moved_line(name: str = "n1", target_id: str | None = "t1", /, **fields: object) -> TransferLine:
    """A line that Microsoft calls complete."""
    value = TransferLine(
        id=SubscriptionId(name), status="Complete", target_id=SubscriptionId(target_id) if target_id else None
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def seen(
    *subscriptions: Subscription,
    transfers: Iterable[Transfer] = (),
    azure_items: Iterable[AzureItem] = (),
    **fields: object,
) -> Observation:
    """A read at NOW: subscriptions of both sides, the transfers as the source shows them, and what is in Azure."""
    items = tuple(azure_items)
    tenants = (SE, TARGET)
    beside = Beside(
        transfers={SE: tuple(transfers), TARGET: ()},
        azure={one: tuple(x for x in items if x.tenant_id == one) for one in tenants},
    )
    return observation(*subscriptions, beside=beside, **fields)


def moving(*items: PlanItem, **fields: object) -> Case:
    """An approved customer whose items move by transfer."""
    customer = plan_customer(*(items or (seats_item(),)), email=EMAIL)
    return case(customer=customer, **fields)


def ready(*names: str) -> tuple[Evidence, ...]:
    """A person confirmed what must be done before these Azure plans move."""
    return tuple(
        Evidence(customer_id=C1, subscription_id=SubscriptionId(name), task=task, note="done", by="Eva", at=NOW)
        for name in names
        for task in (TaskKind.COST_HISTORY_EXPORTED, TaskKind.ACCESS_LISTED)
    )


def request_intent(*subjects: str, **fields: object) -> Intent:
    """Our request to "se", sent at NOW."""
    wish = TransferWish(
        source_id=SE,
        source_name="",
        customer_email=EMAIL,
        customer_name="Ekdal AB",
        product_types=(TransferProduct.LICENSE,),
    )
    return _intent(OpKind.REQUEST_TRANSFER, TARGET, subjects or ("n1",), transfer=wish, **fields)


def submit_intent(*subjects: str, **fields: object) -> Intent:
    """The answer we gave as "se", sent at NOW."""
    wanted = tuple(SubscriptionId(one) for one in subjects or ("n1",))
    return _intent(OpKind.SUBMIT_TRANSFER, SE, subjects or ("n1",), **({"reference": T1, "entries": wanted} | fields))


def _intent(kind: OpKind, tenant_id: TenantId, subjects: Iterable[str], **fields: object) -> Intent:
    value = Intent(
        key=f"{kind.value}-key",
        plan_id=1,
        customer_id=C1,
        tenant_id=tenant_id,
        kind=kind,
        at=NOW,
        subjects=tuple(SubscriptionId(one) for one in subjects),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields
