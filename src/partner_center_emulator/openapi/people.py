"""Shapes of customers, profiles, agreements, relationships, users, audit records and validations (report room)."""

from __future__ import annotations

from msgspec import UNSET

from partner_center_emulator.openapi.envelopes import (
    Address,
    Attributes,
    Contact,
    Guid,
    Json,
    Maybe,
    Object,
    Pair,
    Shape,
)


class CompanyProfile(Object, kw_only=True):
    """A customer's company (core 5.4); address and mail only with delegated access."""

    tenant_id: Guid
    domain: str
    company_name: str
    address: Maybe[Address] = UNSET
    email: Maybe[str] = UNSET


class BillingProfile(Object, kw_only=True):
    """A customer's billing profile (core 5.5)."""

    id: str
    company_name: str
    default_address: Address
    culture: str
    language: str
    first_name: Maybe[str] = UNSET
    last_name: Maybe[str] = UNSET
    email: Maybe[str] = UNSET


class CustomerRow(Object, kw_only=True):
    """A customer in a list (core 5.1)."""

    id: Guid
    company_profile: CompanyProfile
    relationship_to_partner: str


class CustomerDetail(CustomerRow, kw_only=True):
    """A customer by id (core 5.2)."""

    commerce_id: str
    billing_profile: BillingProfile
    allow_delegated_access: bool
    custom_domains: Maybe[list[str]] = UNSET
    associated_partner_id: Maybe[str] = UNSET
    user_credentials: Maybe[Json] = UNSET


class EndedAttributes(Shape, rename="pascal", kw_only=True):
    """Attributes as the end of a relationship writes them."""

    object_type: str


class EndedRelationship(Shape, rename="pascal", kw_only=True):
    """The answer to the end of a relationship, in PascalCase and with its nulls (core 6.6)."""

    relationship_to_partner: str
    attributes: EndedAttributes


class NewCompany(Shape, kw_only=True):
    """The company of a customer to be made."""

    domain: str
    company_name: Maybe[str] = UNSET


class NewBilling(Shape, kw_only=True):
    """The billing profile of a customer to be made."""

    company_name: str
    default_address: Address
    email: Maybe[str] = UNSET
    culture: Maybe[str] = UNSET
    language: Maybe[str] = UNSET


class NewCustomer(Shape, kw_only=True):
    """A customer to be made (core 5.7)."""

    company_profile: NewCompany
    billing_profile: NewBilling
    associated_partner_id: Maybe[str] = UNSET
    enable_gdap_by_default: Maybe[bool] = UNSET


class CustomerChange(Shape, kw_only=True):
    """What can be changed of a customer: the relationship, delegated access (core 6.6)."""

    relationship_to_partner: Maybe[str] = UNSET
    allow_delegated_access: Maybe[bool] = UNSET
    attributes: Maybe[Attributes] = UNSET


class Organization(Shape, kw_only=True):
    """The organization behind a customer's tenant (core 5.14)."""

    display_name: str
    country_letter_code: str


class ManagedService(Object, kw_only=True):
    """A service a partner may manage for a customer."""

    id: str
    name: str
    group_name: str


class RelationshipRequest(Object, kw_only=True):
    """The address a customer's admin opens to accept (core 6.1)."""

    url: str


class PartnerRelationship(Object, kw_only=True):
    """A link between two partners."""

    id: str
    name: str
    relationship_type: str
    mpn_id: Maybe[str] = UNSET
    state: Maybe[str] = UNSET
    location: Maybe[str] = UNSET


class PartnerAgreementStatus(Shape, kw_only=True):
    """Whether a partner signed its own agreement."""

    is_agreement_signed: bool


class AgreementMetadata(Shape, kw_only=True):
    """An agreement's current template (core 7.1)."""

    template_id: str
    agreement_type: str
    agreement_link: str
    version_rank: int


class Agreement(Shape, kw_only=True):
    """A confirmed agreement of a customer (core 7.2)."""

    primary_contact: Contact
    template_id: str
    date_agreed: str
    type: str
    user_id: Maybe[str] = UNSET
    agreement_link: Maybe[str] = UNSET


class DirectSigned(Shape, kw_only=True):
    """Whether the customer signed directly (core 7.4)."""

    is_signed: bool


class PartnerProfile(Object, kw_only=True):
    """Any profile of the partner itself; ``profile_type`` says which (core 5.16)."""

    profile_type: str
    company_name: Maybe[str] = UNSET
    default_address: Maybe[Address] = UNSET
    address: Maybe[Address] = UNSET
    email: Maybe[str] = UNSET
    mpn_id: Maybe[str] = UNSET
    partner_name: Maybe[str] = UNSET
    telephone: Maybe[str] = UNSET
    website: Maybe[str] = UNSET
    vetting_status: Maybe[str] = UNSET


class PartnerProfileInPascal(Shape, rename="pascal", kw_only=True):
    """The updated billing profile, which answers in PascalCase."""

    company_name: str
    profile_type: str


class ProfileChange(Shape, kw_only=True):
    """A profile of the partner as it shall be."""

    company_name: Maybe[str] = UNSET
    default_address: Maybe[Address] = UNSET
    address: Maybe[Address] = UNSET
    primary_contact: Maybe[Contact] = UNSET
    email: Maybe[str] = UNSET
    telephone: Maybe[str] = UNSET
    website: Maybe[str] = UNSET
    purchase_order_number: Maybe[str] = UNSET
    tax_id: Maybe[str] = UNSET


class AuditRecord(Object, kw_only=True):
    """One audit record (core 9.1)."""

    id: str
    partner_id: str
    customer_id: str
    resource_type: str
    operation_type: str
    operation_date: str
    operation_status: str
    customized_data: list[Pair]


class User(Object, kw_only=True):
    """A user of a customer (core 9.4)."""

    id: str
    user_principal_name: str
    display_name: str
    state: str
    usage_location: Maybe[str] = UNSET
    soft_deletion_time: Maybe[str] = UNSET


class UserChange(Shape, kw_only=True):
    """A user as it shall be."""

    user_principal_name: Maybe[str] = UNSET
    display_name: Maybe[str] = UNSET
    usage_location: Maybe[str] = UNSET
    first_name: Maybe[str] = UNSET
    last_name: Maybe[str] = UNSET
    state: Maybe[str] = UNSET


class ProductSku(Shape, kw_only=True):
    """The SKU behind licenses."""

    id: str
    sku_part_number: str


class License(Object, kw_only=True):
    """What is assigned to a user."""

    product_sku: ProductSku
    service_plans: list[Json]


class SubscribedSku(License, kw_only=True):
    """A customer's licenses of one SKU (core 9.5)."""

    available_units: int
    active_units: int
    consumed_units: int
    capability_status: str


class Qualification(Shape, kw_only=True):
    """A qualification of a customer."""

    qualification: str
    vetting_status: str
    education_segment: Maybe[str] = UNSET
    website: Maybe[str] = UNSET


class NewQualification(Shape, kw_only=True):
    """A qualification to be vetted."""

    qualification: Maybe[str] = UNSET
    education_segment: Maybe[str] = UNSET
    website: Maybe[str] = UNSET
    validation_code: Maybe[str] = UNSET


class CountryRules(Object, kw_only=True):
    """What a country asks of an address."""

    iso2_code: str
    default_culture: str
    is_postal_code_required: bool


class AddressVerdict(Shape, kw_only=True):
    """What the address service says."""

    original_address: Address
    suggested_addresses: list[Address]
    status: str


class ValidationStatus(Shape, kw_only=True):
    """How far a customer's account is validated."""

    type: str
    status: str


class ValidationCode(Shape, kw_only=True):
    """A code under which government customers are made."""

    partner_id: str
    validation_id: str
    max_creates: int
    remaining_creates: int


class Role(Object, kw_only=True):
    """A role of the partner, or a member of one (core 1.8)."""

    id: str
    name: Maybe[str] = UNSET
    user_principal_name: Maybe[str] = UNSET


class PortalRequest(Shape, kw_only=True):
    """One request with its sign-in's multifactor state (core 1.6)."""

    request_id: str
    mfa_compliant: bool


class PortalPrincipal(Shape, kw_only=True):
    """Somebody who signed in without a second factor."""

    object_id: str
    upn: str


class Adoption(Shape, kw_only=True):
    """A day's share of compliant calls of one application."""

    login_date: str
    mfa_compliant_request_count: int
    total_request_count: int
