"""Tests of the core: sample values of what persons do and Microsoft's support moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import ModernTerms, OfferId, ProductKind, Route, Subscription, SubscriptionId, TenantId
from tenantfold.domain.observation import Beside, Observation
from tenantfold.domain.plan import ItemTerms, PlanItem
from tenantfold.domain.requests import ServiceRequest, ServiceRequestId, ServiceRequestState, ServiceRequestWish
from tests.domain.samples import C1, NOW, S1, SE, TARGET, item, later, observation, source, target

AZURE = OfferId("MS-AZR-0145P")
SOFTWARE = OfferId("DG7GMGF0:0001")
ENTITLEMENT = "azure-1"


def evidence(task: TaskKind, /, **fields: object) -> Evidence:
    """What Eva confirmed about "s1" two minutes ago."""
    value = Evidence(customer_id=C1, subscription_id=S1, task=task, note="done", by="Eva", at=later(minutes=-2))
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def manual_item(name: str = "s1", /, **fields: object) -> PlanItem:
    """A software subscription: nothing moves it but a person."""
    value = item(
        name,
        route=Route.MANUAL,
        kind=ProductKind.SOFTWARE,
        offer_id=SOFTWARE,
        offer_name="Windows Server",
        target_offer_id=None,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def azure_item(name: str = "s1", /, **fields: object) -> PlanItem:
    """A usage-based Azure subscription that Microsoft's support moves."""
    value = item(
        name,
        route=Route.AZURE_SUPPORT,
        kind=ProductKind.LEGACY_AZURE,
        offer_id=AZURE,
        offer_name="Microsoft Azure",
        target_offer_id=None,
        terms=ItemTerms(entitlement_id=ENTITLEMENT),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def azure_source(name: str = "s1", /, **fields: object) -> Subscription:
    """That subscription at the source."""
    value = source(
        name,
        offer_id=AZURE,
        offer_name="Microsoft Azure",
        billing_type="usage",
        modern=ModernTerms(entitlement_id=ENTITLEMENT),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def azure_target(name: str = "t1", /, **fields: object) -> Subscription:
    """What stands at the target once it was moved: another id, the same Azure subscription."""
    value = target(name, offer_id=AZURE, billing_type="usage", modern=ModernTerms(entitlement_id=ENTITLEMENT))
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def under(plan_id: str, tenant_id: TenantId, status: str = "active", id_: str = ENTITLEMENT) -> AzureItem:
    """The Azure subscription below a subscription of a tenant."""
    return AzureItem(
        id=SubscriptionId(id_),
        tenant_id=tenant_id,
        kind=AzureKind.SUBSCRIPTION,
        name="Production",
        status=status,
        plan_id=SubscriptionId(plan_id),
    )


def azure_read(
    *subscriptions: Subscription,
    azure: tuple[AzureItem, ...] = (),
    requests: tuple[ServiceRequest, ...] = (),
    at: datetime = NOW,
) -> Observation:
    """A fresh read of both sides with the Azure subscriptions and the source's service requests."""
    sides = {tenant: tuple(one for one in azure if one.tenant_id == tenant) for tenant in (SE, TARGET)}
    return observation(*subscriptions, at=at, beside=Beside(azure=sides, service_requests={SE: requests}))


def service_request(state: ServiceRequestState = ServiceRequestState.OPEN, /, **fields: object) -> ServiceRequest:
    """The service request about the ordinary customer."""
    value = ServiceRequest(
        id=ServiceRequestId("sr-1"),
        title="Change of Cloud Solution Provider, customer c1",
        status=state.value,
        state=state,
        created_at=NOW,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def request_intent(name: str = "request", /, **fields: object) -> Intent:
    """The intent to open it, sent at NOW."""
    value = Intent(
        key=name,
        plan_id=1,
        customer_id=C1,
        tenant_id=SE,
        kind=OpKind.OPEN_SERVICE_REQUEST,
        at=NOW,
        subjects=(S1,),
        service_request=ServiceRequestWish(title=service_request().title, description="Please move."),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields
