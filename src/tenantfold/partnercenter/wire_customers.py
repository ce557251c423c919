"""Customers, relationship requests, agreements and profiles on the wire (partnercenter room, wire).

Core reference 5 (customers), 6.1 (relationship requests), 7 (agreements), 9.1 (partner profiles), 1.7 (Graph groups).
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from tenantfold.domain.model import AgreementContact, Customer, CustomerId, TenantId
from tenantfold.domain.reads import Read
from tenantfold.domain.resellers import Reseller
from tenantfold.partnercenter.wire import Link, Wire, decode, encode, known_word, lower_id, wire_midnight

CUSTOMER_AGREEMENT = "MicrosoftCustomerAgreement"
GLOBAL_ADMINISTRATOR = "Global administrator"
_GLOBAL_ADMINISTRATOR_TEMPLATE = "62e90394-69f5-4237-9190-012177145e10"  # the same in every directory (core 1.7)
_AGENT_GROUPS = {name.lower(): name for name in ("AdminAgents", "SalesAgents", "HelpdeskAgents")}
_RELATIONSHIPS = frozenset({"unknown", "reseller", "advisor", "syndication", "microsoft_support", "none"})


class Address(Wire):
    """A postal address; only what we use of it."""

    country: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None


class CompanyProfile(Wire):
    """The customer's company; address and e-mail are withheld without delegated admin (R-108)."""

    tenant_id: str | None = None
    domain: str | None = None
    company_name: str | None = None
    address: Address | None = None
    email: str | None = None


class BillingProfile(Wire):
    """Who pays, and in which language."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    culture: str | None = None
    language: str | None = None
    company_name: str | None = None
    default_address: Address | None = None


class CustomerItem(Wire):
    """A customer: thin in lists, whole by id."""

    id: str
    company_profile: CompanyProfile | None = None
    billing_profile: BillingProfile | None = None
    relationship_to_partner: str | int | None = None


class RelationshipRequest(Wire):
    """The address customers open to accept the partner (R-97)."""

    url: str


class PartnerLink(Wire):
    """A partner of ours. The docs call its number ``partnerId``, the wire says ``mpnId`` (core reference 6.3)."""

    id: str
    name: str = ""
    state: str = ""
    mpn_id: str | int | None = None
    partner_id: str | int | None = None


def read_reseller(document: bytes | Raw) -> Reseller:
    """An indirect reseller; a state nobody says is not active (invariant 9)."""
    link = decode(document, PartnerLink)
    return Reseller(
        tenant_id=TenantId(link.id.lower()),
        partner_id=str(link.mpn_id or link.partner_id or ""),
        name=link.name,
        is_active=link.state.lower() == "active",
    )


class AgreementTemplate(Wire):
    """One agreement that can be attested."""

    template_id: str
    agreement_type: str = ""
    version_rank: int = 0


class Agreement(Wire):
    """One attestation on file."""

    template_id: str = ""
    type: str = ""


class DirectSignedStatus(Wire):
    """Whether the customer signed the agreement itself."""

    is_signed: bool


class PrimaryContact(Wire, omit_defaults=True):
    """Who accepted the agreement."""

    first_name: str
    last_name: str
    email: str
    phone_number: str = ""


class Attestation(Wire):
    """The body of an agreement attestation; ``userId`` is taken from the token."""

    primary_contact: PrimaryContact
    template_id: str
    date_agreed: str
    type: str


class OrganizationProfile(Wire):
    """The partner tenant behind the token."""

    tenant_id: str
    company_name: str = ""
    default_address: Address | None = None
    email: str | None = None


class PartnerBillingProfile(Wire):
    """How Microsoft bills the partner tenant."""

    billing_currency: str | None = None


class MpnProfile(Wire):
    """The partner's PartnerID; the wire still calls it by its old name."""

    mpn_id: str | int | None = None


class DirectoryObject(Wire):
    """One thing the signed-in user is a member of."""

    display_name: str | None = None
    role_template_id: str | None = None


class DirectoryObjects(Wire):
    """A page of Graph's ``memberOf``."""

    value: list[DirectoryObject]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


def read_customer(document: bytes | Raw, tenant_id: TenantId) -> Read[Customer]:
    """A customer with the bytes it was read from. Country and contact stay empty where the API withholds them."""
    item = decode(document, CustomerItem)
    company = item.company_profile or CompanyProfile()
    billing = item.billing_profile or BillingProfile()
    company_address = company.address or Address()
    billing_address = billing.default_address or Address()
    customer = Customer(
        id=CustomerId(lower_id(item.id)),
        tenant_id=tenant_id,
        company_name=company.company_name or billing.company_name or "",
        domain=company.domain or "",
        relationship=known_word(item.relationship_to_partner, _RELATIONSHIPS),
        country=(company_address.country or billing_address.country or "").upper(),
        email=company.email or billing.email or "",
        first_name=billing.first_name or billing_address.first_name or company_address.first_name or "",
        last_name=billing.last_name or billing_address.last_name or company_address.last_name or "",
        language=billing.culture or billing.language or "",
    )
    return Read(value=customer, document=bytes(document))


def attestation_body(contact: AgreementContact, template_id: str) -> bytes:
    """The attestation that this contact accepted the Microsoft Customer Agreement on that day (core reference 7)."""
    return encode(
        Attestation(
            primary_contact=PrimaryContact(
                first_name=contact.first_name,
                last_name=contact.last_name,
                email=contact.email,
                phone_number=contact.phone_number,
            ),
            template_id=template_id,
            date_agreed=wire_midnight(contact.agreed_on),
            type=CUSTOMER_AGREEMENT,
        )
    )


def newest_template(templates: list[AgreementTemplate]) -> str | None:
    """The id of the newest Microsoft Customer Agreement among the templates; None when there is none."""
    ours = [template for template in templates if template.agreement_type == CUSTOMER_AGREEMENT]
    return max(ours, key=lambda template: template.version_rank).template_id if ours else None


def roles_in(members: list[DirectoryObject]) -> frozenset[str]:
    """The Partner Center roles among a user's groups and directory roles (core reference 1.7)."""
    roles: set[str] = set()
    for member in members:
        if lower_id(member.role_template_id) == _GLOBAL_ADMINISTRATOR_TEMPLATE:
            roles.add(GLOBAL_ADMINISTRATOR)
        group = _AGENT_GROUPS.get((member.display_name or "").replace(" ", "").lower())
        if group:
            roles.add(group)
    return frozenset(roles)


def next_page(link: str | None) -> Link | None:
    """Graph's next link as one of ours."""
    return Link(uri=link) if link else None
