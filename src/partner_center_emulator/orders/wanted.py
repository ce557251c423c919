"""One line of a new-commerce purchase and every rule it has to keep (model room; commerce 2.2, 2.4, R-123 to R-128).

Carts and direct orders ask the same question here: a cart shows the fault in its line, an order is refused with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.orders.holdings import Holdings
from partner_center_emulator.products.availability import Item, find_item, parse_item_id, plan_of
from partner_center_emulator.products.prices import Price, price_of
from partner_center_emulator.promotions.models import eligibility_errors
from partner_center_emulator.state.catalog import Plan, Promotion
from partner_center_emulator.subscriptions.months import TERM_MONTHS, add_months, charge_cycle, term_end
from partner_center_emulator.world import Customer, PartnerTenant


class Request(msgspec.Struct, kw_only=True):
    """What a client asks for in one line, in a cart or in an order."""

    number: int
    catalog_item_id: str
    quantity: int
    billing_cycle: str
    term_duration: str = ""
    friendly_name: str = ""
    promotion_id: str = ""
    custom_term_end: date | None = None
    partner_id: str | None = None
    renews_to: str = ""
    attestation_accepted: bool = False
    participants: list[dict[str, str]] = []


class Wanted(msgspec.Struct, kw_only=True):
    """A line that can be bought."""

    request: Request
    item: Item
    plan: Plan
    promotion: Promotion | None
    price: Price


class LineFault(Exception):  # noqa: N818 - a finding about a line, not always an error
    """A line that cannot be bought: the cart's code for it (commerce 2.2), and the answer an order gets."""

    def __init__(
        self, cart_code: int, error: ApiError, *, available: int | None = None, purchased: int | None = None
    ) -> None:
        super().__init__(error.description)
        self.cart_code = cart_code
        self.error = error
        self.available = available
        self.purchased = purchased


def examine(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, request: Request, together: Sequence[Request]
) -> Wanted:
    """Return the line ready to be bought; raises ``LineFault`` with the first rule it breaks.

    ``together`` are all lines of the purchase, this one included: they share limits and may be each other's base.
    """
    item = _read_item(emulator, customer, request)
    plan = _read_plan(item, request)
    holdings = Holdings(emulator, customer)
    _check_quantity(item, request, together, holdings)
    _check_ownership(item, together, holdings, tenant.id)
    if item.sku.enforces_attestation and not request.attestation_accepted:
        raise LineFault(10012, refusal(900203, item.catalog_item_id))
    _check_end(emulator, tenant, customer, item, request)
    promotion = _read_promotion(emulator, customer, item, request, holdings)
    price = price_of(plan, tenant.currency, promotion, _first_share(emulator, plan, request))
    return Wanted(request=request, item=item, plan=plan, promotion=promotion, price=price)


def _read_item(emulator: Emulator, customer: Customer, request: Request) -> Item:
    product_id, sku_id, availability_id = parse_item_id(request.catalog_item_id)
    try:
        return find_item(emulator, product_id, sku_id, availability_id, customer.address.country.upper())
    except ApiError as error:
        raise LineFault(10001, error) from None


def _read_plan(item: Item, request: Request) -> Plan:
    plan = plan_of(item.sku, request.term_duration, request.billing_cycle)
    if plan is None and not request.term_duration:
        # the term may be left out where the SKU has only one for the cycle (perpetual software, the Azure plan, trials)
        fitting = [plan for plan in item.sku.plans if plan.billing_cycle == request.billing_cycle]
        plan = fitting[0] if len(fitting) == 1 else None
    if plan is None:
        raise LineFault(10013, refusal(6001, item.catalog_item_id, request.billing_cycle or "none"))
    return plan


def _check_quantity(item: Item, request: Request, together: Sequence[Request], holdings: Holdings) -> None:
    sku, quantity = item.sku, request.quantity
    if not sku.minimum_quantity <= quantity <= sku.maximum_quantity:
        error = refusal(900275, quantity, sku.minimum_quantity, sku.maximum_quantity)
        raise LineFault(10015 if quantity > sku.maximum_quantity else 10010, error, available=sku.maximum_quantity)
    if not sku.is_pooled:
        return
    used = holdings.seats(item.key)
    wanted = sum(other.quantity for other in together if _key(other) == item.key)
    if used + wanted > sku.maximum_quantity:
        left = max(0, sku.maximum_quantity - used)
        raise LineFault(10015, refusal(800088, item.key, left), available=left, purchased=used)


def _check_ownership(item: Item, together: Sequence[Request], holdings: Holdings, tenant_id: str) -> None:
    sku, wanted = item.sku, sum(_key(other) == item.key for other in together)
    live = holdings.live(item.key)
    if item.product.type == "Azure":
        # one plan per partner: the target of a transfer needs its own while the source still has one
        live = [row for row in live if row.tenant_id == tenant_id]
    for limit, used in (
        (sku.concurrent_limit, len(live)),
        (sku.lifetime_limit, holdings.ever(item.key)),
    ):
        if limit and used + wanted > limit:
            left = max(0, limit - used)
            raise LineFault(10002, refusal(800089, item.key), available=left, purchased=used)
    bases = sku.required_skus
    if bases and not holdings.owns_any(bases) and not any(_key(other) in bases for other in together):
        raise LineFault(400041, refusal(400041, item.catalog_item_id))


def _key(request: Request) -> str:
    return ":".join(parse_item_id(request.catalog_item_id)[:2])


def allowed_ends(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, duration: str, start: date
) -> list[tuple[str, date, list[str]]]:
    """Return the custom end dates a new purchase of this term may take: kind, day, subscriptions it aligns with.

    R-128: ends of months, and ends of running subscriptions the same partner sold to the customer; trials do not
    count, and a year cannot align to a monthly term. No date lies beyond the plain end of the term.
    """
    last = term_end(start, duration)
    ends: dict[tuple[str, date], list[str]] = {}
    for count in range(TERM_MONTHS.get(duration, 0) + 1):
        day = add_months(start.replace(day=1), count + 1) - timedelta(days=1)
        if start < day <= last:
            ends["calendarMonthAligned", day] = []
    terms = emulator.world.commerce.terms
    for found in emulator.derived(CommerceIndex).subscriptions_of(tenant.id, customer.id):
        facts = terms.get(found.id)
        if facts is None or found.status != "active" or found.is_trial or facts.product_type != "OnlineServicesNCE":
            continue
        if facts.term_duration == "P1M" and duration != "P1M":
            continue
        if start < found.commitment_end <= last:
            ends.setdefault(("subscriptionAligned", found.commitment_end), []).append(found.id)
    return [(kind, day, ids) for (kind, day), ids in sorted(ends.items(), key=lambda entry: (entry[0][1], entry[0][0]))]


def _check_end(emulator: Emulator, tenant: PartnerTenant, customer: Customer, item: Item, request: Request) -> None:
    end = request.custom_term_end
    if end is None:
        return
    if item.product.type != "OnlineServicesNCE" or item.sku.is_trial:
        raise LineFault(10016, refusal(900242, end.isoformat()))
    today = emulator.clock.now().date()
    if all(day != end for _, day, _ in allowed_ends(emulator, tenant, customer, request.term_duration, today)):
        raise LineFault(10017, refusal(900242, end.isoformat()))


def _read_promotion(
    emulator: Emulator, customer: Customer, item: Item, request: Request, holdings: Holdings
) -> Promotion | None:
    if not request.promotion_id:
        return None
    promotion = emulator.world.commerce.promotions.get(request.promotion_id.upper())
    if promotion is None or eligibility_errors(emulator, customer, promotion, item.key, request, holdings):
        raise LineFault(10014, refusal(27007, request.promotion_id))
    return promotion


def _first_share(emulator: Emulator, plan: Plan, request: Request) -> Decimal:
    """Return the part of the first charge cycle that a shortened first term pays for, by days."""
    if request.custom_term_end is None or not plan.duration:
        return Decimal(1)
    start = emulator.clock.now().date()
    whole = charge_cycle(start, plan.billing_cycle, start, term_end(start, plan.duration))[1]
    last = min(whole, request.custom_term_end)
    return Decimal((last - start).days + 1) / Decimal((whole - start).days + 1)
