"""State of new commerce (state room): carts, what orders and subscriptions have beyond the legacy ones; no behaviour.

A new-commerce subscription is a row of ``World.subscriptions`` like every other (its ``offer_id`` is the catalog item
``product:sku:availability`` of the purchase) **plus** a row of ``CommerceState.terms`` under the same id. Whether the
latter exists tells the two generations apart. Likewise an order and ``CommerceState.orders``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from partner_center_emulator.state.catalog import Product, ProductKind, Promotion, new_products, new_promotions


class SeatBatch(msgspec.Struct, kw_only=True):
    """Seats bought together; they may be given back until ``until`` (R-141)."""

    quantity: int
    added_at: datetime
    until: datetime


class NextTerm(msgspec.Struct, kw_only=True):
    """What is to change at the renewal, or (``quantity`` aside) at the next charge (commerce 3.2)."""

    product_id: str
    sku_id: str
    billing_cycle: str
    term_duration: str
    quantity: int
    availability_id: str = ""
    promotion_id: str = ""
    custom_term_end: date | None = None


class PendingChange(msgspec.Struct, kw_only=True):
    """A PATCH that was answered with 202 and has not taken effect yet."""

    due_at: datetime
    request_id: str
    body: dict[str, object]


class TransitionEvent(msgspec.Struct, kw_only=True):
    """One step of an upgrade."""

    name: Literal["Conversion", "LicenseReassignment"]
    status: Literal["Started", "Completed", "Failed"]
    at: datetime


class Transition(msgspec.Struct, kw_only=True):
    """One upgrade of a subscription to another SKU (commerce 3.8)."""

    operation_id: str
    from_catalog_item_id: str
    from_subscription_id: str
    to_catalog_item_id: str
    to_subscription_id: str
    quantity: int
    term_duration: str
    billing_cycle: str
    transition_type: str
    promotion_id: str = ""
    events: list[TransitionEvent] = []


class SubscriptionTerms(msgspec.Struct, kw_only=True):
    """What a new-commerce subscription has beyond a legacy one; keyed by its lower-case id."""

    product_id: str
    sku_id: str
    product_type: ProductKind
    term_duration: str  # P1M, P1Y, P3Y; "" = endless (Azure plan)
    purchased_at: datetime  # the instant the windows of the first term count from
    term_started_at: datetime  # purchase or last renewal
    anchor: date  # first day of the first term; the n-th term ends n terms after it
    currency: str
    unit_price: str  # decimal as text: one license for one billing cycle, after promotions
    list_price: str  # the same before promotions
    terms_elapsed: int = 0  # whole terms since the anchor, before the running one
    segment: str = "commercial"
    renewal_term_duration: str = ""  # "" = the same
    promotion_id: str = ""
    promotions_used: list[str] = []  # every promotion ever redeemed; a cancelled purchase uses it up
    batches: list[SeatBatch] = []
    next_term: NextTerm | None = None
    next_charge: NextTerm | None = None
    next_charge_at: datetime | None = None
    custom_term_end: date | None = None
    state_since: datetime | None = None  # since when it is expired or disabled
    disabled_days: int = 0  # how long it stays disabled
    is_extended: bool = False  # in the Extended Service Term (commerce 3.7)
    end_action: str = ""  # what the partner chose for the term end: "", cancel, extend
    is_activated: bool = True  # SaaS: the customer has opened the activation link
    migrated_from: str = ""
    changes: int = 0
    pending: PendingChange | None = None
    transitions: list[Transition] = []


class NewOrderLine(msgspec.Struct, kw_only=True):
    """What a line of a new-commerce order has beyond ``OrderLine``; same line number."""

    line_item_number: int
    product_id: str
    sku_id: str
    product_type: ProductKind
    sub_type: str
    billing_cycle: str
    term_duration: str
    currency: str
    list_price: str
    unit_price: str
    prorated_price: str
    promotion_id: str = ""
    segment: str = "commercial"
    custom_term_end: date | None = None
    renews_to: str = ""
    is_cancelled: bool = False
    is_activated: bool = True
    participants: list[dict[str, str]] = []


class NewOrder(msgspec.Struct, kw_only=True):
    """What a new-commerce order has beyond ``Order``; keyed by the same id."""

    lines: list[NewOrderLine]
    provision_at: datetime | None  # None = done
    request_id: str = ""
    cart_id: str = ""
    order_group: str = ""
    attestation_accepted: bool = False


class CartFault(msgspec.Struct, kw_only=True):
    """Why a line of a cart cannot be bought as it is (commerce 2.2)."""

    code: int
    description: str
    available: int | None = None
    purchased: int | None = None


class CartLine(msgspec.Struct, kw_only=True):
    """One line of a cart as it was sent, with what the service adds."""

    id: int
    catalog_item_id: str
    quantity: int
    billing_cycle: str
    term_duration: str = ""
    friendly_name: str = ""
    currency: str = ""
    custom_term_end: date | None = None
    promotion_id: str = ""
    participants: list[dict[str, str]] = []
    provisioning_context: dict[str, object] = {}
    add_on_lines: list[CartLine] = []  # legacy only
    renews_to: str = ""
    attestation_accepted: bool = False
    order_group: str = ""
    fault: CartFault | None = None


class CheckoutFault(msgspec.Struct, kw_only=True):
    """Why one group of a cart became no order."""

    order_group: str
    code: int
    description: str


class Cart(msgspec.Struct, kw_only=True):
    """A cart of a partner tenant for a customer; lives seven days."""

    id: str
    tenant_id: str
    customer_id: str
    created_at: datetime
    changed_at: datetime
    expires_at: datetime
    changed_by: str
    lines: list[CartLine] = []
    status: Literal["Active", "Ordered"] = "Active"
    attestation_accepted: bool = False
    orders: dict[str, str] = {}  # order group -> order id, once checked out
    faults: list[CheckoutFault] = []


class CommerceState(msgspec.Struct, kw_only=True):
    """Everything this area keeps; mappings are keyed by id, lower case except those of the catalog."""

    products: dict[str, Product] = msgspec.field(default_factory=new_products)
    promotions: dict[str, Promotion] = msgspec.field(default_factory=new_promotions)
    carts: dict[str, Cart] = {}
    orders: dict[str, NewOrder] = {}
    terms: dict[str, SubscriptionTerms] = {}  # key: subscription id
    pending_orders: list[str] = []  # ids of orders that are not provisioned yet
