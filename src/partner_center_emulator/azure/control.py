"""What happens in Azure and in the portals behind the client's back (control plane of this area).

Opens plans, Azure subscriptions, legacy ones and reservations, changes their state, and shows who has which role in an
Azure subscription. Bad input is 400 with a sentence, like everywhere under ``/_emulator/``.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request

from partner_center_emulator.azure import benefits, models
from partner_center_emulator.azure.index import AzureIndex, record
from partner_center_emulator.control import PREFIX, ControlError, find_customer, find_tenant, guarded, order_of
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.requests import Page
from partner_center_emulator.state.azure import RoleAssignment

_BASE = f"{PREFIX}/azure"


class OpenOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST azure`` asks for: something new of a customer at a partner tenant."""

    customer: str
    partner: str
    kind: Literal["plan", "subscription", "legacy", "reservation", "savings_plan"]
    name: str = ""
    monthly_cost: str = "0"
    with_default: bool = True
    has_marketplace_items: bool = False
    is_monthly: bool = False
    term: str = "P1Y"
    subscription_id: str | None = None


class ChangeOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST azure/{id}`` may change; roles replace all present ones."""

    status: str | None = None
    monthly_cost: str | None = None
    has_marketplace_items: bool | None = None
    roles: list[RoleAssignment] | None = None


@guarded
async def read_azure(emulator: Emulator, request: Request) -> object:
    """Return a customer's Azure subscriptions with their role assignments, and its reservations and savings plans."""
    customer = find_customer(emulator, request.path_params["customer"])
    index = emulator.derived(AzureIndex)
    return {"entitlements": index.entitlements_of(customer.id), "benefits": index.benefits_of(customer.id)}


@guarded
async def open_something(emulator: Emulator, request: Request) -> object:
    """Create what the order names and return it."""
    order = await order_of(request, OpenOrder)
    tenant, customer = find_tenant(emulator, order.partner), find_customer(emulator, order.customer)
    try:
        if order.kind == "plan":
            return models.open_plan(emulator, tenant, customer, with_default=order.with_default)
        if order.kind == "legacy":
            legacy = models.open_legacy(emulator, tenant, customer, order.name or "Microsoft Azure")
            emulator.world.azure.entitlements[legacy.id].monthly_cost = order.monthly_cost
            return legacy
        if order.kind == "subscription":
            return _add_subscription(emulator, order, tenant.id, customer.id)
        wish = benefits.BenefitWish(
            kind=order.kind,
            name=order.name,
            is_monthly=order.is_monthly,
            term=order.term,
            subscription_id=order.subscription_id,
        )
        return benefits.add_benefit(emulator, tenant, customer, wish)
    except (ApiError, ValueError) as error:
        raise ControlError(str(error)) from error


def _add_subscription(emulator: Emulator, order: OpenOrder, tenant_id: str, customer_id: str) -> object:
    plan = models.plan_of(emulator, tenant_id, customer_id)
    if plan is None:
        raise ControlError("The customer has no Azure plan at this partner tenant.")
    entitlement = models.add_entitlement(emulator, plan, order.name or "Azure subscription")
    entitlement.monthly_cost = order.monthly_cost
    entitlement.has_marketplace_items = order.has_marketplace_items
    return entitlement


@guarded
async def change_something(emulator: Emulator, request: Request) -> object:
    """Change an Azure subscription, a reservation or a savings plan, as its owner would in the Azure portal."""
    order = await order_of(request, ChangeOrder)
    thing_id = request.path_params["item"].lower()
    state = emulator.world.azure
    try:
        if thing_id in state.benefits:
            if order.status is not None:
                benefits.set_benefit_status(emulator, state.benefits[thing_id], order.status, "")
            return state.benefits[thing_id]
        if thing_id not in state.entitlements:
            raise ControlError("There is no such Azure subscription, reservation or savings plan.", 404)
        entitlement = state.entitlements[thing_id]
        if order.status is not None:
            models.set_entitlement_status(emulator, entitlement, order.status, "")
    except ValueError as error:
        raise ControlError(str(error)) from error
    if order.monthly_cost is not None:
        entitlement.monthly_cost = order.monthly_cost
    if order.has_marketplace_items is not None:
        entitlement.has_marketplace_items = order.has_marketplace_items
    if order.roles is not None:
        before: dict[str, object] = {"roles": [row.principal_id for row in entitlement.roles]}
        entitlement.roles = order.roles
        after: dict[str, object] = {"roles": [row.principal_id for row in order.roles]}
        record(emulator, entitlement, "entitlement.roles", before, after, "")
    return entitlement


ROUTES: tuple[Page, ...] = (
    Page("POST", _BASE, open_something),
    Page("GET", f"{_BASE}/customers/{{customer}}", read_azure),
    Page("POST", f"{_BASE}/items/{{item}}", change_something),
)
