"""Shapes of catalogs, carts, orders, subscriptions, transfers, migrations and Azure (report room)."""

from __future__ import annotations

from msgspec import UNSET

from partner_center_emulator.openapi.envelopes import Attributes, Json, Link, Maybe, Object, Shape


class OfferCategory(Object, kw_only=True):
    """A category of legacy offers."""

    id: str
    name: str
    rank: int


class Offer(Object, kw_only=True):
    """A legacy offer (commerce 1.1)."""

    id: str
    name: str
    minimum_quantity: int
    maximum_quantity: int
    is_add_on: bool
    has_add_ons: bool
    is_available_for_purchase: bool
    is_trial: bool
    billing: str
    supported_billing_cycles: list[str]
    prerequisite_offers: list[str]
    upgrade_target_offers: Maybe[list[str]] = UNSET


class Product(Object, kw_only=True):
    """A product of new commerce (commerce 1.2)."""

    id: str
    title: str
    product_type: Json
    is_microsoft_product: bool


class Sku(Object, kw_only=True):
    """A SKU of a product."""

    id: str
    product_id: str
    title: str
    minimum_quantity: int
    maximum_quantity: int
    is_trial: bool
    supported_billing_cycles: list[str]


class Availability(Object, kw_only=True):
    """What can be bought of a SKU now; its id changes with time."""

    id: str
    product_id: str
    sku_id: str
    catalog_item_id: str
    segment: str
    country: str
    is_purchasable: bool
    terms: list[Json]


class InventoryItem(Shape, kw_only=True):
    """Whether one product may be sold to a customer."""

    product_id: str
    is_restricted: bool
    restrictions: list[Json]


class InventoryTarget(Shape, kw_only=True):
    """A product asked about."""

    product_id: str
    sku_id: Maybe[str] = UNSET


class InventoryQuestion(Shape, kw_only=True):
    """Products asked about."""

    target_items: list[InventoryTarget]
    inventory_context: Maybe[dict[str, str]] = UNSET


class Promotion(Shape, kw_only=True):
    """A promotion of new commerce."""

    id: str
    name: str
    start_date: str
    end_date: str
    required_products: list[Json]


class EligibilityLine(Shape, kw_only=True):
    """A wish to use a promotion."""

    id: int | str  # comes back as it was sent
    catalog_item_id: str
    quantity: int
    billing_cycle: Maybe[str] = UNSET
    term_duration: Maybe[str] = UNSET
    promotion_id: Maybe[str] = UNSET


class EligibilityQuestion(Shape, kw_only=True):
    """Wishes to use promotions."""

    items: list[EligibilityLine]


class EligibilityAnswer(EligibilityLine, kw_only=True):
    """What became of one wish."""

    eligibilities: list[Json]


class CartWish(Shape, kw_only=True):
    """One line of a cart to be."""

    id: int
    catalog_item_id: str
    quantity: int
    billing_cycle: Maybe[str] = UNSET
    term_duration: Maybe[str] = UNSET
    friendly_name: Maybe[str] = UNSET
    promotion_id: Maybe[str] = UNSET
    custom_term_end_date: Maybe[str] = UNSET
    addon_items: Maybe[list[Json]] = UNSET
    provisioning_context: Maybe[dict[str, str]] = UNSET


class CartOrder(Shape, kw_only=True):
    """A cart to be."""

    line_items: list[CartWish]


class Cart(Object, kw_only=True):
    """A cart (commerce 2.1)."""

    id: str
    creation_timestamp: str
    last_modified_timestamp: str
    expiration_timestamp: str
    status: str
    line_items: list[Json]


class OrderWish(Shape, kw_only=True):
    """One line of an order to be."""

    offer_id: str
    quantity: int
    line_item_number: Maybe[int] = UNSET
    friendly_name: Maybe[str] = UNSET
    parent_subscription_id: Maybe[str] = UNSET
    partner_id_on_record: Maybe[str] = UNSET
    term_duration: Maybe[str] = UNSET


class NewOrder(Shape, kw_only=True):
    """An order to be (commerce 2.3)."""

    line_items: list[OrderWish]
    billing_cycle: Maybe[str] = UNSET
    reference_customer_id: Maybe[str] = UNSET
    total_price: Maybe[float] = UNSET


class OrderChange(Shape, kw_only=True):
    """An order as it shall be: more lines, another status."""

    id: Maybe[str] = UNSET
    billing_cycle: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    line_items: Maybe[list[OrderWish]] = UNSET
    attributes: Maybe[Attributes] = UNSET


class OrderLine(Shape, kw_only=True):
    """One line of an order; new commerce gives ``subscription_id`` late."""

    line_item_number: int
    offer_id: str
    quantity: int
    subscription_id: Maybe[str] = UNSET
    friendly_name: Maybe[str] = UNSET
    term_duration: Maybe[str] = UNSET
    transaction_type: Maybe[str] = UNSET
    links: Maybe[dict[str, Link]] = UNSET


class Order(Object, kw_only=True):
    """An order (commerce 2.4)."""

    id: str
    reference_customer_id: str
    billing_cycle: str
    currency_code: str
    line_items: list[OrderLine]
    creation_date: str
    status: str
    transaction_type: str


class Checkout(Shape, kw_only=True):
    """What became of a cart."""

    orders: Maybe[list[Order]] = UNSET
    order_errors: Maybe[list[Json]] = UNSET


class ActivationLink(Object, kw_only=True):
    """Where something bought is activated."""

    link: Link


class LineProvisioning(Shape, kw_only=True):
    """How far one line of an order is."""

    line_item_number: int
    status: str


class Subscription(Object, kw_only=True):
    """A subscription of either generation (commerce 3.1)."""

    id: str
    offer_id: str
    friendly_name: str
    quantity: int
    creation_date: str
    status: str
    auto_renew_enabled: bool
    is_trial: bool
    billing_type: str
    billing_cycle: str
    order_id: Maybe[str] = UNSET
    offer_name: Maybe[str] = UNSET
    unit_type: Maybe[str] = UNSET
    commitment_end_date: Maybe[str] = UNSET
    effective_start_date: Maybe[str] = UNSET
    parent_subscription_id: Maybe[str] = UNSET
    suspension_reasons: Maybe[list[str]] = UNSET
    term_duration: Maybe[str] = UNSET
    partner_id: Maybe[str] = UNSET


class SubscriptionChange(Shape, kw_only=True):
    """A subscription as it shall be; new commerce resets what is not sent (commerce 3.4)."""

    id: Maybe[str] = UNSET
    friendly_name: Maybe[str] = UNSET
    quantity: Maybe[int] = UNSET
    status: Maybe[str | int] = UNSET
    auto_renew_enabled: Maybe[bool] = UNSET
    billing_cycle: Maybe[str] = UNSET
    partner_id: Maybe[str] = UNSET
    suspension_reasons: Maybe[list[str]] = UNSET
    term_duration: Maybe[str] = UNSET
    scheduled_next_term_instructions: Maybe[Json | None] = UNSET
    attributes: Maybe[Attributes] = UNSET


class SubscriptionProvisioning(Object, kw_only=True):
    """How far a subscription is."""

    sku_id: str
    status: str
    quantity: int


class Activation(Object, kw_only=True):
    """A subscription that was activated in a sandbox."""

    subscription_id: str
    status: str


class CustomEnd(Object, kw_only=True):
    """An allowed end of a custom term."""

    allowed_custom_term_end_date_type: str
    allowed_custom_term_end_date: str


class Transfer(Object, kw_only=True):
    """A transfer between partners (commerce 4.1, 4.2)."""

    id: str
    status: str
    created_time: str
    last_modified_time: str
    customer_tenant_id: str
    line_items: list[Json]
    source_partner_tenant_id: str
    target_partner_tenant_id: str


class TransferLine(Shape, kw_only=True):
    """One subscription to be moved."""

    subscription_id: Maybe[str] = UNSET
    entitlement_id: Maybe[str] = UNSET
    partner_id_on_record: Maybe[str] = UNSET


class NewTransfer(Shape, kw_only=True):
    """A transfer to be."""

    source_partner_tenant_id: Maybe[str] = UNSET
    target_partner_tenant_id: Maybe[str] = UNSET
    customer_email_id: Maybe[str] = UNSET
    transfer_type: Maybe[int | str] = UNSET
    target_product_types: Maybe[list[str]] = UNSET
    line_items: Maybe[list[TransferLine]] = UNSET


class TransferChange(NewTransfer, kw_only=True):
    """The source's answer to a transfer."""

    status: Maybe[str] = UNSET


class TransferResult(Shape, kw_only=True):
    """What became of an accepted legacy transfer."""

    orders: Maybe[list[Order]] = UNSET
    transfer_errors: Maybe[list[Json]] = UNSET


class Eligibility(Shape, kw_only=True):
    """Whether something can be transferred."""

    id: str
    is_eligible: bool


class MigrationWish(Shape, kw_only=True):
    """A migration to new commerce to be (commerce 4.3)."""

    current_subscription_id: str
    term_duration: Maybe[str] = UNSET
    billing_cycle: Maybe[str] = UNSET
    quantity: Maybe[int] = UNSET
    purchase_full_term: Maybe[bool] = UNSET
    external_reference_id: Maybe[str] = UNSET
    custom_term_end_date: Maybe[str] = UNSET
    add_on_migrations: Maybe[list[Json]] = UNSET
    target_date: Maybe[str] = UNSET
    migrate_on_renewal: Maybe[bool] = UNSET


class MigrationVerdict(Shape, kw_only=True):
    """Whether a migration is possible."""

    current_subscription_id: str
    is_eligible: bool
    errors: Maybe[list[Json]] = UNSET


class Migration(Object, kw_only=True):
    """A migration to new commerce."""

    id: str
    current_subscription_id: str
    status: str
    customer_tenant_id: str
    quantity: int
    term_duration: str
    billing_cycle: str


class MigrationEvent(Object, kw_only=True):
    """One step of a migration."""

    migration_id: str
    name: str
    status: str
    created_time: str


class MigrationSchedule(Object, kw_only=True):
    """A migration that waits for its day."""

    id: str
    customer_tenant_id: str
    current_subscription_id: str
    term_duration: str
    billing_cycle: str
    status: str


class AzureEntitlement(Object, kw_only=True):
    """An Azure subscription under an Azure plan."""

    id: str
    friendly_name: str
    status: str
    subscription_id: str


class CancelReason(Shape, kw_only=True):
    """Why an Azure subscription is cancelled."""

    cancellation_reason: Maybe[str] = UNSET


class Entitlement(Object, kw_only=True):
    """Something a customer is entitled to."""

    product_id: str
    quantity: int
    entitlement_type: str
    reference_order: Json


class TransitionEligibility(Object, kw_only=True):
    """Something a new-commerce subscription may be upgraded to (commerce 3.8)."""

    catalog_item_id: str
    quantity: int
    eligibilities: list[Json]


class TransitionWish(Shape, kw_only=True):
    """An upgrade to be."""

    to_catalog_item_id: Maybe[str] = UNSET
    to_subscription_id: Maybe[str] = UNSET
    quantity: Maybe[int] = UNSET
    transition_type: Maybe[str] = UNSET
    term_duration: Maybe[str] = UNSET
    billing_cycle: Maybe[str] = UNSET


class Conversion(Shape, kw_only=True):
    """A legacy trial's way to something paid."""

    offer_id: Maybe[str] = UNSET
    target_offer_id: Maybe[str] = UNSET
    quantity: Maybe[int] = UNSET
    billing_cycle: Maybe[str] = UNSET


class RegistrationStatus(Shape, kw_only=True):
    """Whether an Azure subscription may hold reservations."""

    subscription_id: str
    status: str
