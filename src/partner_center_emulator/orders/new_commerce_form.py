"""How the wire shows new-commerce orders, and how it asks for them (wire room, commerce reference 2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.orders.reading import (
    read_cycle,
    read_day,
    read_number,
    read_participants,
    read_quantity,
    read_renewal,
)
from partner_center_emulator.orders.wanted import Request
from partner_center_emulator.products.availability import parse_item_id
from partner_center_emulator.state.commerce import NewOrder, NewOrderLine
from partner_center_emulator.wire import Json, attributes, field, link, text_field, wire_date, wire_time, without_nulls
from partner_center_emulator.world import Order, OrderLine


def is_new(raw_lines: Sequence[Json]) -> bool:
    """Whether an order body is one of new commerce; raises 400 code 2000 if it mixes both generations."""
    new = [":" in text_field(row, "offerId") for row in raw_lines]
    if any(new) and not all(new):
        raise refusal(2000, "Legacy offers and new-commerce products cannot share an order; use a cart.")
    return any(new)


def read_requests(members: Mapping[str, object], raw_lines: Sequence[Json]) -> list[Request]:
    """Return the lines of an order body; the billing cycle stands once, on the order.

    Raises 400 with 2000 or 800071 for a line that cannot be read.
    """
    cycle = read_cycle(field(members, "billingCycle"))
    found = [_read_request(row, cycle) for row in raw_lines]
    if len({row.number for row in found}) < len(found):
        raise ApiError(400, 800071, "Two line items have the same number.")
    return found


def _read_request(row: Json, cycle: str) -> Request:
    return Request(
        number=read_number(row),
        catalog_item_id=text_field(row, "offerId"),
        quantity=read_quantity(row),
        billing_cycle=cycle or read_cycle(field(row, "billingCycle")),
        term_duration=text_field(row, "termDuration").upper(),
        friendly_name=text_field(row, "friendlyName"),
        promotion_id=text_field(row, "promotionId"),
        custom_term_end=read_day(row, "customTermEndDate"),
        partner_id=text_field(row, "partnerIdOnRecord") or None,
        renews_to=read_renewal(row),
        attestation_accepted=field(row, "attestationAccepted") is True,
        participants=read_participants(row),
    )


def wire_new_order(order: Order, record: NewOrder) -> Json:
    """Return one new-commerce Order; without etag, its lines with term, price and links into the catalog."""
    uri = f"/customers/{order.customer_id}/orders/{order.id}"
    rows = [_wire_line(order, line, new) for line, new in zip(order.lines, record.lines, strict=True)]
    return {
        "id": order.id,
        "alternateId": order.id,
        "referenceCustomerId": order.customer_id,
        "billingCycle": order.billing_cycle,
        "currencyCode": order.currency,
        "currencySymbol": order.currency_symbol,
        "lineItems": rows,
        "creationDate": wire_time(order.created_at),
        "status": order.status,
        "transactionType": "UserPurchase",
        "totalPrice": float(sum(_extended(line, new) for line, new in zip(order.lines, record.lines, strict=True))),
        "partnerOnRecordAttestationAccepted": record.attestation_accepted,
        "links": {
            "provisioningStatus": link(f"{uri}/provisioningstatus"),
            "self": link(uri),
            "patchOperation": link(uri, "PATCH"),
        },
        "client": {},
        "attributes": attributes("Order"),
    }


def _extended(line: OrderLine, new: NewOrderLine) -> Decimal:
    return Decimal(new.prorated_price) * line.quantity


def wire_pricing(list_price: str, unit_price: str, prorated_price: str, quantity: int) -> Json:
    """Return the pricing of one line, before tax: per license, and for all of them."""
    return {
        "listPrice": float(list_price),
        "discountedPrice": float(unit_price),
        "proratedPrice": float(prorated_price),
        "price": float(prorated_price),
        "extendedPrice": float(Decimal(prorated_price) * quantity),
    }


def _wire_line(order: Order, line: OrderLine, new: NewOrderLine) -> Json:
    product_id, sku_id, availability_id = parse_item_id(line.offer_id)
    sku_uri = f"/products/{product_id}/skus/{sku_id}"
    uri = f"/customers/{order.customer_id}"
    links: Json = {
        "product": link(f"/products/{product_id}"),
        "sku": link(sku_uri),
        "availability": link(f"{sku_uri}/availabilities/{availability_id}"),
        "provisioningStatus": link(f"{uri}/orders/{order.id}/provisioningstatus"),
    }
    if line.subscription_id:
        links["subscription"] = link(f"{uri}/subscriptions/{line.subscription_id}")
    if new.product_type == "SaaS":
        links["activationLinks"] = link(f"{uri}/orders/{order.id}/lineitems/{line.line_item_number}/activationlinks")
    return without_nulls(
        {
            "lineItemNumber": line.line_item_number,
            "offerId": line.offer_id,
            "subscriptionId": line.subscription_id,
            "termDuration": new.term_duration or None,
            "customTermEndDate": wire_date(new.custom_term_end) if new.custom_term_end else None,
            "renewsTo": {"termDuration": new.renews_to} if new.renews_to else None,
            "transactionType": "cancel" if new.is_cancelled else "New",
            "friendlyName": line.friendly_name,
            "quantity": line.quantity,
            "partnerIdOnRecord": line.partner_id_on_record,
            "promotionId": new.promotion_id or None,
            "pricing": wire_pricing(new.list_price, new.unit_price, new.prorated_price, line.quantity),
            "links": links,
        }
    )


def wire_provisioning(order: Order, record: NewOrder) -> list[Json]:
    """Return the provisioning status of each line: fulfilled, prefulfillment_pending, or unfulfilled if cancelled."""
    rows: list[Json] = []
    for line, new in zip(order.lines, record.lines, strict=True):
        waiting = "prefulfillment_pending" if record.provision_at else "fulfilled"
        status = "unfulfilled" if new.is_cancelled else waiting
        rows.append(
            {
                "orderLineItemId": line.line_item_number,
                "lineItemNumber": line.line_item_number,
                "status": status,
                "quantityProvisioningInformation": [{"quantity": line.quantity, "status": status}],
            }
        )
    return rows
