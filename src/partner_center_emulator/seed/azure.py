"""Azure of a mixed world (seed room): plans with Azure subscriptions, reservations, and legacy usage-based ones.

Nothing is recorded as a change: what stands here stood before the world's clock began.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import msgspec

from partner_center_emulator.azure.models import ENDLESS, LEGACY_OFFER, PLAN_OFFER
from partner_center_emulator.seed.new_commerce import add_order
from partner_center_emulator.seed.portfolio import new_guid
from partner_center_emulator.state.azure import Benefit, Entitlement, RoleAssignment
from partner_center_emulator.subscriptions.months import add_months
from partner_center_emulator.transfers.placing import end_of, fresh_terms
from partner_center_emulator.world import Customer, Order, OrderLine, PartnerTenant, Subscription, World

_NAMES = ("Production", "Test", "Backup", "Web shop", "Analytics")


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation to put into the world: paid by the month or all at once, active or not."""

    name: str
    is_monthly: bool = False
    is_active: bool = True


def put_plan(
    world: World, rng: Random, tenant: PartnerTenant, customer: Customer, *, subscriptions: int = 1
) -> Subscription:
    """Put an Azure plan with so many Azure subscriptions into the world and return the plan."""
    plan = _usage(world, rng, tenant, customer, PLAN_OFFER, "Azure plan")
    terms = fresh_terms(plan, tenant.currency, "")
    world.commerce.terms[plan.id] = terms
    add_order(world, tenant, plan, terms)
    for name in _NAMES[:subscriptions]:
        _put_entitlement(world, rng, plan, new_guid(rng), name)
    return plan


def put_legacy_azure(
    world: World, rng: Random, tenant: PartnerTenant, customer: Customer, name: str = "Microsoft Azure"
) -> Subscription:
    """Put a usage-based MS-AZR-0145P subscription with its Azure subscription into the world; both ids are equal."""
    legacy = _usage(world, rng, tenant, customer, LEGACY_OFFER, "Microsoft Azure")
    legacy.friendly_name, legacy.entitlement_id = name, legacy.id
    world.orders[legacy.order_id] = Order(
        id=legacy.order_id,
        tenant_id=tenant.id,
        customer_id=customer.id,
        billing_cycle=legacy.billing_cycle,
        currency=tenant.currency,
        currency_symbol=tenant.currency_symbol,
        created_at=legacy.created_at,
        lines=[
            OrderLine(
                line_item_number=0,
                offer_id=LEGACY_OFFER,
                quantity=1,
                friendly_name=name,
                subscription_id=legacy.id,
            )
        ],
    )
    _put_entitlement(world, rng, legacy, legacy.id, name)
    return legacy


def put_reservation(
    world: World, rng: Random, tenant: PartnerTenant, customer: Customer, wish: Reserved, scope: str | None = None
) -> Benefit:
    """Put a reservation of one year into the world, bought some months ago, and return it."""
    created = world.started_at - timedelta(days=rng.randint(40, 200))
    benefit = Benefit(
        id=new_guid(rng),
        customer_id=customer.id,
        tenant_id=tenant.id,
        kind="reservation",
        name=wish.name,
        order_id=new_guid(rng),
        product_id="DZH318Z0BQ4L",
        sku_id="0001",
        created_at=created,
        ends_at=end_of(add_months(created.date(), 12) - timedelta(days=1)),
        currency=tenant.currency,
        term="P1Y",
        is_monthly=wish.is_monthly,
        status="active" if wish.is_active else "inactive",
        subscription_id=scope,
    )
    world.azure.benefits[benefit.id] = benefit
    return benefit


def _usage(
    world: World, rng: Random, tenant: PartnerTenant, customer: Customer, offer_id: str, name: str
) -> Subscription:
    created = world.started_at - timedelta(days=rng.randint(60, 900), seconds=rng.randint(0, 40_000))
    subscription = Subscription(
        id=new_guid(rng),
        tenant_id=tenant.id,
        customer_id=customer.id,
        offer_id=offer_id,
        offer_name=name,
        friendly_name=name,
        quantity=1,
        status="active",
        order_id=new_guid(rng),
        created_at=created,
        effective_start=created.date(),
        commitment_end=ENDLESS,
        billing_cycle="one_time" if ":" in offer_id else "monthly",
        billing_type="usage",
        unit_type="Usage-based",
        auto_renew=False,
    )
    world.subscriptions[subscription.id] = subscription
    return subscription


def _put_entitlement(world: World, rng: Random, under: Subscription, entitlement_id: str, name: str) -> None:
    customer, tenant = world.customers[under.customer_id], world.partner_tenants[under.tenant_id]
    world.azure.entitlements[entitlement_id] = Entitlement(
        id=entitlement_id,
        customer_id=customer.id,
        tenant_id=tenant.id,
        subscription_id=under.id,
        friendly_name=name,
        created_at=under.created_at,
        monthly_cost=str(rng.randint(20, 4_000)),
        roles=_roles(customer, tenant, under.created_at),
    )


def _roles(customer: Customer, tenant: PartnerTenant, since: datetime) -> list[RoleAssignment]:
    """The customer's own administrator, and the Admin agents of the partner who sold it (R-172)."""
    return [
        RoleAssignment(
            principal_id=f"user/{customer.admin_upn}",
            principal_name=customer.admin_upn,
            role="Owner",
            tenant_id=customer.id,
            since=since,
        ),
        RoleAssignment(
            principal_id=f"group/{tenant.id}/AdminAgents",
            principal_name=f"AdminAgents of {tenant.company_name}",
            role="Owner",
            tenant_id=tenant.id,
            since=since,
        ),
    ]
