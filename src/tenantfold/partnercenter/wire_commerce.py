"""Offers, orders and subscriptions on the wire (partnercenter room, wire). Commerce reference 1.1, 2.3, 3.2-3.4."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw

from tenantfold.domain.model import (
    CustomerId,
    ModernTerms,
    Offer,
    OfferId,
    OrderId,
    OrderLine,
    PlacedLine,
    PlacedOrder,
    Subscription,
    SubscriptionId,
    TenantId,
    WireStatus,
)
from tenantfold.domain.reads import Read
from tenantfold.partnercenter.wire import (
    Attributes,
    Link,
    Wire,
    decode,
    encode,
    known_word,
    last_segment,
    lower_guid,
    lower_id,
    parse_day,
    parse_time,
    slices,
    upper_guid,
)

_STATUSES = frozenset(status.value for status in WireStatus)
_BILLING_CYCLES = frozenset({"unknown", "monthly", "annual", "none", "one_time", "triennial", "biennial"})
_BILLING_TYPES = frozenset({"none", "usage", "license", "benefit"})
_ORDER_STATUSES = frozenset({"unknown", "completed", "pending", "cancelled", "suspended", "error", "partial_success"})


class ProductType(Wire):
    """What kind of product: the sign of new commerce (absent on legacy subscriptions)."""

    id: str | None = None


class SubscriptionLinks(Wire):
    """Links of a subscription that stand in for members old answers leave out."""

    offer: Link | None = None
    parent_subscription: Link | None = None


class SubscriptionItem(Wire):
    """A subscription. Id, status and quantity are always there; without one of them it is not readable."""

    id: str
    status: str | int
    quantity: int
    offer_id: str | None = None
    offer_name: str | None = None
    friendly_name: str | None = None
    billing_type: str | int | None = None
    billing_cycle: str | int | None = None
    order_id: str | None = None
    creation_date: str | None = None
    commitment_end_date: str | None = None
    term_duration: str | None = None
    parent_subscription_id: str | None = None
    is_trial: bool | None = None
    auto_renew_enabled: bool | None = None
    partner_id: str | int | None = None
    product_type: ProductType | None = None
    unit_type: str | None = None
    promotion_id: str | None = None
    cancellation_allowed_until_date: str | None = None
    entitlement_id: str | None = None
    links: SubscriptionLinks | None = None
    attributes: Attributes | None = None


class OfferItem(Wire):
    """One legacy offer of a country's catalog."""

    id: str
    name: str | None = None
    country: str | None = None
    minimum_quantity: int | None = None
    maximum_quantity: int | None = None
    is_available_for_purchase: bool | None = None
    is_add_on: bool | None = None
    is_trial: bool | None = None
    supported_billing_cycles: list[str] | None = None
    prerequisite_offers: list[str] | None = None
    limit_unit_of_measure: str | None = None
    limit: int | None = None
    unit_type: str | None = None


class OrderLineItem(Wire):
    """One line of an order as it is answered."""

    offer_id: str
    quantity: int
    line_item_number: int = 0
    subscription_id: str | None = None
    parent_subscription_id: str | None = None


class OrderItem(Wire):
    """An order as it is answered."""

    id: str
    line_items: list[OrderLineItem]
    status: str | int | None = None
    creation_date: str | None = None
    attributes: Attributes | None = None


class NewLine(Wire, omit_defaults=True):
    """One line of an order as we send it."""

    offer_id: str
    quantity: int
    friendly_name: str
    line_item_number: int | None = None  # None so that number 0 is written, too
    parent_subscription_id: str = ""
    partner_id_on_record: str = ""
    term_duration: str = ""  # new commerce only


class ObjectType(Wire):
    """The attributes we send: only the kind of thing."""

    object_type: str


class NewOrder(Wire):
    """The body of a new order."""

    reference_customer_id: str
    billing_cycle: str
    line_items: list[NewLine]
    attributes: ObjectType


class MoreLines(Wire):
    """The body of an order's PATCH that buys add-ons."""

    id: str
    reference_customer_id: str
    line_items: list[NewLine]
    attributes: ObjectType


def read_subscription(document: bytes | Raw, tenant_id: TenantId, customer_id: CustomerId) -> Read[Subscription]:
    """A subscription with the bytes it was read from: PATCH sends them back (commerce reference 3.4)."""
    item = decode(document, SubscriptionItem)
    links = item.links or SubscriptionLinks()
    parent = lower_id(item.parent_subscription_id or last_segment(links.parent_subscription))
    subscription = Subscription(
        id=SubscriptionId(lower_id(item.id)),
        tenant_id=tenant_id,
        customer_id=customer_id,
        offer_id=OfferId(upper_guid(item.offer_id or last_segment(links.offer))),
        offer_name=item.offer_name or "",
        friendly_name=item.friendly_name or "",
        license_count=item.quantity,
        wire_status=known_word(item.status, _STATUSES),
        billing_type=known_word(item.billing_type, _BILLING_TYPES),
        billing_cycle=known_word(item.billing_cycle, _BILLING_CYCLES),
        order_id=OrderId(lower_guid(item.order_id)),
        created_at=parse_time(item.creation_date),
        commitment_end_on=parse_day(item.commitment_end_date),
        term_duration=item.term_duration or "",
        parent_id=SubscriptionId(parent) if parent else None,
        is_trial=bool(item.is_trial),
        auto_renew=bool(item.auto_renew_enabled),
        partner_id_on_record=str(item.partner_id or ""),
        product_type=(item.product_type.id or "") if item.product_type else "",
        unit_type=item.unit_type or "",
        etag=(item.attributes.etag or "") if item.attributes else "",
        modern=_modern_terms(item) if item.product_type or item.entitlement_id else None,
    )
    return Read(value=subscription, document=bytes(document))


def _modern_terms(item: SubscriptionItem) -> ModernTerms:
    """What only new commerce and Azure have: a promotion, the cancellation window, the Azure subscription id."""
    return ModernTerms(
        promotion_id=item.promotion_id or "",
        cancellable_until=parse_time(item.cancellation_allowed_until_date),
        entitlement_id=lower_id(item.entitlement_id or ""),
    )


def read_offer(document: bytes | Raw, country: str) -> Read[Offer]:
    """An offer with the bytes it was read from. An offer that does not say that it is sold counts as not sold."""
    item = decode(document, OfferItem)
    offer = Offer(
        id=OfferId(upper_guid(item.id)),
        name=item.name or "",
        country=(item.country or country).upper(),
        is_available=bool(item.is_available_for_purchase),
        is_add_on=bool(item.is_add_on),
        is_trial=bool(item.is_trial),
        minimum_quantity=item.minimum_quantity or 0,
        maximum_quantity=item.maximum_quantity or 0,
        billing_cycles=tuple(known_word(cycle, _BILLING_CYCLES) for cycle in item.supported_billing_cycles or ()),
        prerequisite_offers=tuple(OfferId(upper_guid(offer_id)) for offer_id in item.prerequisite_offers or ()),
        limit_unit=item.limit_unit_of_measure or "None",
        limit=item.limit or 0,
        unit_type=item.unit_type or "",
    )
    return Read(value=offer, document=bytes(document))


def read_order(document: bytes | Raw) -> PlacedOrder:
    """An order; a line whose subscription is not there yet has no subscription id (commerce reference 0.7)."""
    item = decode(document, OrderItem)
    lines = tuple(
        PlacedLine(
            offer_id=OfferId(upper_guid(line.offer_id)),
            license_count=line.quantity,
            subscription_id=SubscriptionId(lower_id(line.subscription_id)) if line.subscription_id else None,
            parent_id=SubscriptionId(lower_id(line.parent_subscription_id)) if line.parent_subscription_id else None,
        )
        for line in sorted(item.line_items, key=lambda line: line.line_item_number)
    )
    return PlacedOrder(
        id=OrderId(lower_guid(item.id)),
        status=known_word(item.status, _ORDER_STATUSES),
        lines=lines,
        created_at=parse_time(item.creation_date),
        etag=(item.attributes.etag or "") if item.attributes else "",
    )


def order_body(customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine]) -> bytes:
    """The body of a new order (commerce reference 2.3): one line per subscription, numbered from 0."""
    return encode(
        NewOrder(
            reference_customer_id=customer_id,
            billing_cycle=billing_cycle,
            line_items=_new_lines(lines),
            attributes=ObjectType(object_type="Order"),
        )
    )


def add_ons_body(customer_id: CustomerId, order_id: OrderId, lines: Sequence[OrderLine]) -> bytes:
    """The body that adds add-on lines to the order of their base subscriptions (commerce reference 2.3)."""
    return encode(
        MoreLines(
            id=order_id,
            reference_customer_id=customer_id,
            line_items=_new_lines(lines),
            attributes=ObjectType(object_type="Order"),
        )
    )


def document_with_status(document: bytes, wanted: WireStatus) -> bytes:
    """The whole document with its status replaced and everything else byte for byte as it was read (R-225).

    A PATCH replaces the resource: a member left out would be reset (commerce reference 0.6). UnexpectedAnswerError
    when the document is no JSON object.
    """
    return _document_with(document, "status", encode(wanted.value))


def document_without_renewal(document: bytes) -> bytes:
    """The whole document with its auto-renewal off and everything else byte for byte as it was read (R-225)."""
    return _document_with(document, "autoRenewEnabled", b"false")


def _document_with(document: bytes, member: str, text: bytes) -> bytes:
    members = slices(document, dict[str, Raw])
    name = next((name for name in members if name.lower() == member.lower()), member)
    members[name] = Raw(text)
    return encode(members)


def _new_lines(lines: Sequence[OrderLine]) -> list[NewLine]:
    return [
        NewLine(
            line_item_number=number,
            offer_id=line.offer_id,
            quantity=line.license_count,
            friendly_name=line.friendly_name,
            parent_subscription_id=line.parent_target_id or "",
            partner_id_on_record=line.partner_id_on_record,
            term_duration=line.term_duration,
        )
        for number, line in enumerate(lines)
    ]
