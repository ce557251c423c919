"""Usage in short (wire room): summaries and monthly records of Azure customers (commerce reference 5).

The cost of an Azure subscription is its ``monthly_cost`` spread evenly over the days of the month, counted from the
day it came to the partner tenant; meters, resources and utilization records are not emulated.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from partner_center_emulator.azure.index import AzureIndex
from partner_center_emulator.azure.models import LEGACY_OFFER, is_plan, plan_of
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.models import RelationshipIndex
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.state.azure import Entitlement
from partner_center_emulator.subscriptions.models import find_subscription
from partner_center_emulator.wire import Json, attributes, collection, self_link
from partner_center_emulator.world import Customer, PartnerTenant, Subscription

_DOLLARS_PER = {"EUR": "1.18", "SEK": "0.111", "NOK": "0.117", "DKK": "0.158", "GBP": "1.34", "USD": "1"}


def _cost(emulator: Emulator, entitlements: list[Entitlement]) -> Decimal:
    """Return the cost of this UTC month until now."""
    now = emulator.clock.now()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    total = Decimal(0)
    for row in entitlements:
        if row.status == "active":
            since = max(row.created_at, first)
            share = Decimal((now - since).total_seconds()) / (monthrange(now.year, now.month)[1] * 86_400)
            total += Decimal(row.monthly_cost) * share
    return total.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}+00:00"


def _month(now: datetime) -> tuple[str, str]:
    year, month = divmod(now.year * 12 + now.month, 12)
    return f"{now:%Y-%m}-01T00:00:00+00:00", f"{year:04d}-{month + 1:02d}-01T00:00:00+00:00"


def _money(tenant: PartnerTenant, cost: Decimal, *, is_upgraded: bool) -> Json:
    if not is_upgraded:
        return {"totalCost": float(cost), "currencyLocale": tenant.culture, "usdTotalCost": 0}
    dollars = cost * Decimal(_DOLLARS_PER.get(tenant.currency, "1"))
    return {
        "totalCost": float(cost),
        "currencyCode": tenant.currency,
        "usdTotalCost": float(dollars.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)),
    }


def _billed_to(call: Call, customer: Customer, subscription: Subscription | None = None) -> list[Entitlement]:
    return [
        row
        for row in call.emulator.derived(AzureIndex).entitlements_of(customer.id)
        if row.tenant_id == call.tenant.id and (subscription is None or row.subscription_id == subscription.id)
    ]


def _budget(name: str = "amount") -> Json:
    return {name: 0.0, "attributes": attributes("SpendingBudget")}


async def read_customer_summary(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/usagesummary``."""
    customer = call.customer()
    start, end = _month(call.clock.now())
    cost = _cost(call.emulator, _billed_to(call, customer))
    upgraded = plan_of(call.emulator, call.tenant.id, customer.id) is not None
    return Reply(
        {
            "budget": _budget("ammount"),
            "resourceId": customer.id,
            "id": customer.id,
            "resourceName": customer.company_name,
            "name": customer.company_name,
            "billingStartDate": start,
            "billingEndDate": end,
            **_money(call.tenant, cost, is_upgraded=upgraded),
            "lastModifiedDate": _time(call.clock.now()),
            "links": self_link(f"/customers/{customer.id}/usagesummary"),
            "attributes": attributes("CustomerUsageSummary"),
        }
    )


async def read_customer_records(call: Call) -> Reply:
    """Answer ``GET /customers/usagerecords``: one record for each customer with Azure at this partner tenant."""
    items: list[Json] = []
    for key in call.emulator.derived(RelationshipIndex).keys(call.tenant.id):
        customer = call.world.customers[key.rpartition("/")[2]]
        if rows := _billed_to(call, customer):
            items.append(_customer_record(call, customer, rows))
    return Reply(collection(items, links=self_link("/customers/usagerecords")))


def _customer_record(call: Call, customer: Customer, rows: list[Entitlement]) -> Json:
    upgraded = plan_of(call.emulator, call.tenant.id, customer.id) is not None
    return {
        "budget": _budget(),
        "customerSpendingBudget": _budget(),
        "percentUsed": 0.0,
        "isUpgraded": upgraded,
        "resourceId": customer.id,
        "id": customer.id,
        "resourceName": customer.company_name,
        "name": customer.company_name,
        **_money(call.tenant, _cost(call.emulator, rows), is_upgraded=upgraded),
        "lastModifiedDate": _time(call.clock.now()),
        "attributes": attributes("CustomerMonthlyUsageRecord"),
    }


async def read_subscription_records(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/subscriptions/usagerecords``: plans and legacy Azure subscriptions."""
    customer = call.customer()
    held = call.emulator.derived(CommerceIndex).subscriptions_of(call.tenant.id, customer.id)
    items = [
        _subscription_record(call, customer, row)
        for row in held
        if not row.moved_to and (is_plan(row) or row.offer_id == LEGACY_OFFER)
    ]
    return Reply(collection(items, links=self_link(f"/customers/{customer.id}/subscriptions/usagerecords")))


def _subscription_record(call: Call, customer: Customer, subscription: Subscription) -> Json:
    cost = _cost(call.emulator, _billed_to(call, customer, subscription))
    record: Json = {
        "status": subscription.status,
        "offerId": subscription.offer_id,
        "resourceId": subscription.id,
        "id": subscription.id,
        "resourceName": subscription.friendly_name,
        "name": subscription.friendly_name,
        **_money(call.tenant, cost, is_upgraded=is_plan(subscription)),
        "lastModifiedDate": _time(call.clock.now()),
        "attributes": attributes("SubscriptionMonthlyUsageRecord"),
    }
    if is_plan(subscription):
        record["partnerOnRecord"] = subscription.partner_id_on_record or call.tenant.partner_id
    return record


async def read_subscription_summary(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/usagesummary``; of a plan, all Azure subscriptions under it."""
    customer = call.customer()
    subscription = find_subscription(call.world, call.tenant.id, customer.id, call.path["subscription"])
    start, end = _month(call.clock.now())
    cost = _cost(call.emulator, _billed_to(call, customer, subscription))
    return Reply(
        {
            "resourceId": subscription.id,
            "id": subscription.id,
            "resourceName": subscription.friendly_name,
            "name": subscription.friendly_name,
            "billingStartDate": start,
            "billingEndDate": end,
            **_money(call.tenant, cost, is_upgraded=is_plan(subscription)),
            "lastModifiedDate": _time(call.clock.now()),
            "links": self_link(f"/customers/{customer.id}/subscriptions/{subscription.id}/usagesummary"),
            "attributes": attributes("SubscriptionUsageSummary"),
        }
    )


_SUBSCRIPTIONS = "/v1/customers/{customer}/subscriptions"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/customers/usagerecords", read_customer_records, auth="AU"),
    Route("GET", "/v1/customers/{customer}/usagesummary", read_customer_summary, auth="AU"),
    Route("GET", f"{_SUBSCRIPTIONS}/usagerecords", read_subscription_records, auth="AU"),
    Route("GET", f"{_SUBSCRIPTIONS}/{{subscription}}/usagesummary", read_subscription_summary, auth="AU"),
)

for _route in ROUTES:
    behaviour(
        _route.key,
        source="assumed",
        page="commerce 5",
        note="Members as documented; the cost is even over the UTC month, budgets are zero",
    )
