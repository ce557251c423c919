"""What the kept documents of the inventory say beyond the domain's values (simulation room): only the twin asks for it.

Everything is optional: an old or thin document yields empty texts, and the twin then makes up what it needs.
"""

from __future__ import annotations

from tenantfold.domain.model import Customer, Offer, Sku, Subscription
from tenantfold.domain.reads import Read
from tenantfold.errors import UnexpectedAnswerError
from tenantfold.partnercenter.wire import Wire, decode


class KeptAddress(Wire):
    """A postal address, whole."""

    country: str | None = None
    state: str | None = None
    city: str | None = None
    address_line1: str | None = None
    postal_code: str | None = None
    phone_number: str | None = None


class KeptCompany(Wire):
    """The company profile; the address is there only with delegated access."""

    address: KeptAddress | None = None


class KeptBilling(Wire):
    """The billing profile."""

    culture: str | None = None
    language: str | None = None
    company_name: str | None = None
    default_address: KeptAddress | None = None


class KeptCustomerDocument(Wire):
    """A customer's document."""

    commerce_id: str | None = None
    company_profile: KeptCompany | None = None
    billing_profile: KeptBilling | None = None
    associated_partner_id: str | None = None


class KeptSubscriptionDocument(Wire):
    """A subscription's document."""

    effective_start_date: str | None = None
    entitlement_id: str | None = None


class KeptCategory(Wire):
    """An offer's category."""

    id: str | None = None


class KeptProduct(Wire):
    """An offer's product."""

    id: str | None = None
    name: str | None = None


class KeptOfferDocument(Wire):
    """An offer's document."""

    description: str | None = None
    category: KeptCategory | None = None
    product: KeptProduct | None = None
    term: int | None = None
    term_unit_of_measure: str | None = None
    unit_type: str | None = None
    rank: int | None = None


class KeptSkuFacts(Wire):
    """The free map of a new-commerce SKU."""

    has_constraints: bool | None = None


class KeptAttestation(Wire):
    """What has to be attested when a SKU is bought."""

    enforce_attestation: bool | None = None


class KeptSkuDocument(Wire):
    """A new-commerce SKU's document."""

    description: str | None = None
    dynamic_attributes: KeptSkuFacts | None = None
    attestation_properties: KeptAttestation | None = None


def customer_document(read: Read[Customer]) -> KeptCustomerDocument:
    """What a customer's document says; nothing when it cannot be read."""
    try:
        return decode(read.document, KeptCustomerDocument)
    except UnexpectedAnswerError:
        return KeptCustomerDocument()


def subscription_document(read: Read[Subscription]) -> KeptSubscriptionDocument:
    """What a subscription's document says; nothing when it cannot be read."""
    try:
        return decode(read.document, KeptSubscriptionDocument)
    except UnexpectedAnswerError:
        return KeptSubscriptionDocument()


def offer_document(read: Read[Offer]) -> KeptOfferDocument:
    """What an offer's document says; nothing when it cannot be read."""
    try:
        return decode(read.document, KeptOfferDocument)
    except UnexpectedAnswerError:
        return KeptOfferDocument()


def sku_document(read: Read[Sku]) -> KeptSkuDocument:
    """What the document of a new-commerce SKU says; nothing when it cannot be read."""
    try:
        return decode(read.document, KeptSkuDocument)
    except UnexpectedAnswerError:
        return KeptSkuDocument()
