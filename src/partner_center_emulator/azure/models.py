"""Behaviour of Azure subscriptions, plans, reservations and savings plans (model room, commerce reference 5, rules J).

An Azure plan is one commerce subscription per partner tenant and customer; the Azure subscriptions are entitlements
under it. A legacy MS-AZR-0145P subscription is a commerce subscription with one entitlement of its own. Roles in an
Azure subscription belong to the customer's directory: nothing here changes them when the billing moves (R-172).
"""

from __future__ import annotations

from datetime import date, timedelta

from partner_center_emulator.azure import benefits
from partner_center_emulator.azure.index import AzureIndex, record
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.state.azure import Entitlement, RoleAssignment
from partner_center_emulator.transfers.placing import fresh_terms, put_subscription
from partner_center_emulator.world import Customer, PartnerTenant, Subscription

PLAN_OFFER = "DZH318Z0BPS6:0001:DZH318Z0BML6"
LEGACY_OFFER = "MS-AZR-0145P"
ENDLESS = date(9999, 12, 10)


def is_plan(subscription: Subscription) -> bool:
    """Whether the subscription is an Azure plan."""
    return subscription.offer_id.startswith("DZH318Z0BPS6:")


def plan_of(emulator: Emulator, tenant_id: str, customer_id: str) -> Subscription | None:
    """Return the customer's Azure plan at a partner tenant unless it is deleted; None if there is none."""
    held = emulator.derived(CommerceIndex).subscriptions_of(tenant_id, customer_id)
    return next((row for row in held if is_plan(row) and row.status != "deleted" and not row.moved_to), None)


def open_plan(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, *, request_id: str = "", with_default: bool = True
) -> Subscription:
    """Create the customer's Azure plan at a partner tenant; with it comes a default Azure subscription (R-174).

    Raises 400 code 27006 if there is one already: one per customer (commerce 3.2).
    """
    if plan_of(emulator, tenant.id, customer.id) is not None:
        raise refusal(27006, PLAN_OFFER)
    plan = _usage_subscription(emulator, tenant, customer, PLAN_OFFER, "Azure plan")
    put_subscription(emulator, plan, request_id, fresh_terms(plan, tenant.currency, ""))
    if with_default:
        add_default(emulator, plan, request_id)
    return plan


def add_default(emulator: Emulator, plan: Subscription, request_id: str) -> None:
    """Create the Azure subscription that comes with a new plan (R-174); does nothing for other subscriptions."""
    if is_plan(plan):
        add_entitlement(emulator, plan, "Azure subscription 1", is_default=True, request_id=request_id)


def open_legacy(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, name: str = "Microsoft Azure"
) -> Subscription:
    """Create a legacy usage-based subscription with its Azure subscription; at creation both ids are equal."""
    legacy = _usage_subscription(emulator, tenant, customer, LEGACY_OFFER, "Microsoft Azure")
    legacy.friendly_name = name
    legacy.entitlement_id = legacy.id
    put_subscription(emulator, legacy, "")
    _put_entitlement(emulator, legacy, legacy.id, name)
    return legacy


def succeed_legacy(emulator: Emulator, old: Subscription, tenant: PartnerTenant, request_id: str) -> Subscription:
    """Create the counterpart of a legacy usage-based subscription at another partner: other id, same entitlement."""
    customer = emulator.world.customers[old.customer_id]
    new = _usage_subscription(emulator, tenant, customer, LEGACY_OFFER, old.offer_name)
    new.friendly_name = old.friendly_name
    new.entitlement_id = old.entitlement_id
    put_subscription(emulator, new, request_id, cause="transfer")
    entitlement = emulator.world.azure.entitlements.get(old.entitlement_id or "")
    if entitlement is not None:
        move_entitlement(emulator, entitlement, new, request_id)
    return new


def add_entitlement(
    emulator: Emulator, plan: Subscription, name: str, *, is_default: bool = False, request_id: str = ""
) -> Entitlement:
    """Create an Azure subscription under a plan; the customer and the partner's Admin agents own it."""
    return _put_entitlement(
        emulator, plan, emulator.next_id("entitlement"), name, is_default=is_default, request_id=request_id
    )


def list_entitlements(emulator: Emulator, subscription: Subscription) -> list[Entitlement]:
    """Return the Azure subscriptions under a plan, or the one of a legacy subscription."""
    return [
        row
        for row in emulator.derived(AzureIndex).entitlements_of(subscription.customer_id)
        if row.subscription_id == subscription.id
    ]


def find_entitlement(emulator: Emulator, subscription: Subscription, entitlement_id: str) -> Entitlement:
    """Return one Azure subscription under a plan; raises 404 code 800111."""
    found = emulator.world.azure.entitlements.get(entitlement_id.lower())
    if found is None or found.subscription_id != subscription.id:
        raise refusal(800111, entitlement_id)
    return found


def has_active_items(emulator: Emulator, plan: Subscription) -> bool:
    """Whether an active Azure subscription, reservation or savings plan stands in the way of suspending a plan."""
    index = emulator.derived(AzureIndex)
    return any(row.status == "active" for row in list_entitlements(emulator, plan)) or any(
        row.status == "active" and row.tenant_id == plan.tenant_id for row in index.benefits_of(plan.customer_id)
    )


def cancel_entitlement(emulator: Emulator, entitlement: Entitlement, reason: str, request_id: str) -> None:
    """Cancel an Azure subscription: the answer still says active, about ten minutes later it is inactive.

    Raises 400 code 800002 for a reason other than compromise or one that is inactive already.
    """
    if reason.lower() not in {"compromise", "cancel", ""}:
        raise refusal(800002, f"The cancellation reason {reason} is not known.")
    if entitlement.status != "active":
        raise refusal(800002, "The Azure subscription is not active.")
    if entitlement.inactive_at is None:
        delay = timedelta(seconds=emulator.options.entitlement_cancel_seconds)
        entitlement.inactive_at = emulator.clock.now() + delay
        record(emulator, entitlement, "entitlement.cancelled", {}, {"reason": reason}, request_id)
        _arm_cancellation(emulator, entitlement)


def reactivate_entitlement(emulator: Emulator, entitlement: Entitlement, request_id: str) -> None:
    """Bring a cancelled Azure subscription back; raises 409 code 800082 while the cancellation is on its way."""
    if entitlement.inactive_at is not None:
        raise ApiError(409, 800082, "The Azure subscription is not ready yet; try later.")
    if entitlement.status == "active":
        raise refusal(800002, "The Azure subscription is active.")
    set_entitlement_status(emulator, entitlement, "active", request_id)


def set_entitlement_status(emulator: Emulator, entitlement: Entitlement, status: str, request_id: str) -> None:
    """Set the status of an Azure subscription and record it; raises ValueError for an unknown one."""
    if status not in ("active", "inactive"):
        raise ValueError(f"An Azure subscription cannot be {status}.")
    before = entitlement.status
    entitlement.status = "active" if status == "active" else "inactive"
    entitlement.inactive_at = None
    record(emulator, entitlement, "entitlement.changed", {"status": before}, {"status": status}, request_id)


def move_entitlement(emulator: Emulator, entitlement: Entitlement, to: Subscription, request_id: str) -> None:
    """Put an Azure subscription under another commerce subscription: billing moves, its id and its roles stay."""
    before: dict[str, object] = {"tenant_id": entitlement.tenant_id, "subscription_id": entitlement.subscription_id}
    entitlement.tenant_id, entitlement.subscription_id = to.tenant_id, to.id
    entitlement.is_default = False
    after: dict[str, object] = {"tenant_id": to.tenant_id, "subscription_id": to.id}
    record(emulator, entitlement, "entitlement.moved", before, after, request_id)


def rearm(emulator: Emulator) -> None:
    """Put running cancellations and the ends of reservations back on the clock."""
    for entitlement in emulator.world.azure.entitlements.values():
        _arm_cancellation(emulator, entitlement)
    benefits.rearm(emulator)


def _usage_subscription(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, offer_id: str, name: str
) -> Subscription:
    now = emulator.clock.now()
    return Subscription(
        id=emulator.next_id("subscription"),
        tenant_id=tenant.id,
        customer_id=customer.id,
        offer_id=offer_id,
        offer_name=name,
        friendly_name=name,
        quantity=1,
        status="active",
        order_id=emulator.next_id("order"),
        created_at=now,
        effective_start=now.date(),
        commitment_end=ENDLESS,
        billing_cycle="one_time" if ":" in offer_id else "monthly",
        billing_type="usage",
        unit_type="Usage-based",
        auto_renew=False,
    )


def _put_entitlement(
    emulator: Emulator, under: Subscription, entitlement_id: str, name: str, *, is_default: bool = False,
    request_id: str = "",
) -> Entitlement:  # fmt: skip
    world = emulator.world
    entitlement = Entitlement(
        id=entitlement_id,
        customer_id=under.customer_id,
        tenant_id=under.tenant_id,
        subscription_id=under.id,
        friendly_name=name,
        created_at=emulator.clock.now(),
        is_default=is_default,
        roles=_first_roles(emulator, world.partner_tenants[under.tenant_id], world.customers[under.customer_id]),
    )
    world.azure.entitlements[entitlement.id] = entitlement
    record(emulator, entitlement, "entitlement.created", {}, {"status": "active", "plan_id": under.id}, request_id)
    return entitlement


def _first_roles(emulator: Emulator, tenant: PartnerTenant, customer: Customer) -> list[RoleAssignment]:
    now = emulator.clock.now()
    owner = RoleAssignment(
        principal_id=f"user/{customer.admin_upn}",
        principal_name=customer.admin_upn,
        role="Owner",
        tenant_id=customer.id,
        since=now,
    )
    # admin-on-behalf-of: the Admin agents of the partner that created the subscription are owners of it
    agents = RoleAssignment(
        principal_id=f"group/{tenant.id}/AdminAgents",
        principal_name=f"AdminAgents of {tenant.company_name}",
        role="Owner",
        tenant_id=tenant.id,
        since=now,
    )
    return [owner, agents]


def _arm_cancellation(emulator: Emulator, entitlement: Entitlement) -> None:
    due = entitlement.inactive_at
    if due is None:
        return

    def become_inactive() -> None:
        if entitlement.inactive_at == due:
            set_entitlement_status(emulator, entitlement, "inactive", "")

    emulator.clock.at(due, f"Azure subscription cancelled: {entitlement.id}", become_inactive)
