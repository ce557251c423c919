"""Behaviour of carts (model room): reading lines, finding their faults, grouping them into orders (commerce 2.2).

A cart with faulty lines is stored and answered with 201 all the same; the faults stand in the lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import cast

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.orders.reading import (
    read_cycle,
    read_day,
    read_participants,
    read_quantity,
    read_renewal,
)
from partner_center_emulator.orders.wanted import LineFault, Request, examine
from partner_center_emulator.state.commerce import Cart, CartFault, CartLine
from partner_center_emulator.wire import Json, field, object_field, text_field
from partner_center_emulator.world import Customer, PartnerTenant

LEGACY_GROUP = "OMS-0"
_RESELLER = "transaction_reseller"


def is_new(line: CartLine) -> bool:
    """Whether a line is one of new commerce: its id has parts."""
    return ":" in line.catalog_item_id


def create_cart(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, members: Mapping[str, object], changed_by: str
) -> Cart:
    """Store a new cart; raises 400 code 2000 for a body that cannot be read."""
    lines = read_lines(members)
    now = emulator.clock.now()
    cart = Cart(
        id=emulator.next_id("cart"),
        tenant_id=tenant.id,
        customer_id=customer.id,
        created_at=now,
        changed_at=now,
        expires_at=now + timedelta(days=emulator.options.cart_days),
        changed_by=changed_by,
    )
    _fill(emulator, tenant, customer, cart, members, lines)
    emulator.world.commerce.carts[cart.id] = cart
    return cart


def replace_cart(
    emulator: Emulator,
    tenant: PartnerTenant,
    customer: Customer,
    cart: Cart,
    members: Mapping[str, object],
    changed_by: str,
) -> None:
    """Replace the lines of a cart; raises 400 with 800065 once it is ordered, 2000 for a body that cannot be read."""
    if cart.status == "Ordered":
        raise refusal(800065)
    lines = read_lines(members)
    cart.changed_at, cart.changed_by = emulator.clock.now(), changed_by
    _fill(emulator, tenant, customer, cart, members, lines)


def find_cart(emulator: Emulator, tenant_id: str, customer_id: str, cart_id: str) -> Cart:
    """Return a cart that still lives; raises 404 code 800008."""
    cart = emulator.world.commerce.carts.get(cart_id.lower())
    if cart is None or (cart.tenant_id, cart.customer_id) != (tenant_id, customer_id):
        raise refusal(800008, cart_id)
    if cart.status == "Active" and cart.expires_at <= emulator.clock.now():
        raise refusal(800008, cart_id)
    return cart


def read_lines(members: Mapping[str, object], name: str = "lineItems") -> list[CartLine]:
    """Return the lines of a cart body; raises 400 code 2000 for what cannot be read, or two lines with one id."""
    rows = field(members, name)
    if rows is None and name == "addonItems":
        return []
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        if name == "addonItems" and rows == []:
            return []
        raise refusal(2000, f"The {name} must be a list of at least one object.")
    lines = [_read_line(row, number) for number, row in enumerate(cast("list[Json]", rows))]
    if len({line.id for line in lines}) < len(lines):
        raise refusal(2000, "Two line items have the same id.")
    return lines


def _read_line(row: Json, number: int) -> CartLine:
    text = text_field(row, "id", str(number))
    return CartLine(
        id=int(text) if text.isdigit() else number,
        # the tables call it catalogId, the wire catalogItemId (commerce 2.2)
        catalog_item_id=text_field(row, "catalogItemId") or text_field(row, "catalogId"),
        quantity=read_quantity(row),
        billing_cycle=read_cycle(field(row, "billingCycle")),
        term_duration=text_field(row, "termDuration").upper(),
        friendly_name=text_field(row, "friendlyName"),
        currency=text_field(row, "currencyCode").upper(),
        custom_term_end=read_day(row, "customTermEndDate"),
        promotion_id=text_field(row, "promotionId").upper(),
        participants=read_participants(row),
        provisioning_context=object_field(row, "provisioningContext"),
        add_on_lines=read_lines(row, "addonItems"),
        renews_to=read_renewal(row),
        attestation_accepted=field(row, "attestationAccepted") is True,
    )


def _fill(
    emulator: Emulator,
    tenant: PartnerTenant,
    customer: Customer,
    cart: Cart,
    members: Mapping[str, object],
    lines: list[CartLine],
) -> None:
    cart.lines = lines
    cart.attestation_accepted = field(members, "partnerOnRecordAttestationAccepted") is True
    _group(lines)
    judge_lines(emulator, tenant, customer, lines)


def _group(lines: Sequence[CartLine]) -> None:
    # one order per group: legacy lines together, new ones by billing cycle (as the published sample groups them)
    numbers: dict[str, str] = {}
    for line in lines:
        if is_new(line):
            line.order_group = numbers.setdefault(line.billing_cycle, str(len(numbers)))
        else:
            line.order_group = LEGACY_GROUP


def judge_lines(emulator: Emulator, tenant: PartnerTenant, customer: Customer, lines: Sequence[CartLine]) -> None:
    """Find each line's fault, if any, and fill in the currency."""
    requests = [as_request(line) for line in lines if is_new(line)]
    for line in lines:
        line.fault = None
        if line.currency not in ("", tenant.currency):
            line.fault = CartFault(code=10000, description=f"The currency {line.currency} is not supported.")
        elif is_new(line):
            line.fault = _fault(emulator, tenant, customer, line, requests)
        elif line.catalog_item_id.upper() not in emulator.world.offers:
            line.fault = CartFault(code=10001, description=f"The id {line.catalog_item_id} is not valid.")
        line.currency = line.currency or tenant.currency


def _fault(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, line: CartLine, requests: Sequence[Request]
) -> CartFault | None:
    try:
        examine(emulator, tenant, customer, as_request(line), requests)
    except LineFault as fault:
        return CartFault(
            code=fault.cart_code,
            description=fault.error.description,
            available=fault.available,
            purchased=fault.purchased,
        )
    return None


def as_request(line: CartLine) -> Request:
    """Return what a new-commerce line asks for."""
    reseller = [row["value"] for row in line.participants if row["key"].lower() == _RESELLER]
    return Request(
        number=line.id,
        catalog_item_id=line.catalog_item_id,
        quantity=line.quantity,
        billing_cycle=line.billing_cycle,
        term_duration=line.term_duration,
        friendly_name=line.friendly_name,
        promotion_id=line.promotion_id,
        custom_term_end=line.custom_term_end,
        partner_id=reseller[0] if reseller else None,
        renews_to=line.renews_to,
        attestation_accepted=line.attestation_accepted,
        participants=line.participants,
    )
