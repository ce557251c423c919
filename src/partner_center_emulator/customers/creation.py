"""Creating a customer: a new tenant with a relationship, and by default delegated admin (core reference 5.6)."""

from __future__ import annotations

import re
from hashlib import blake2b

from partner_center_emulator.audit import models as audit
from partner_center_emulator.audit.models import Activity
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.models import RelationshipIndex
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.graph import gdap
from partner_center_emulator.graph.models import group_id
from partner_center_emulator.relationships.models import AdminIndex, region_of
from partner_center_emulator.requests import Call
from partner_center_emulator.state.gdap import GdapRelationship
from partner_center_emulator.users.access import DEFAULT_ROLES
from partner_center_emulator.validations.countries import check_address
from partner_center_emulator.wire import Json, field, object_field, text_field
from partner_center_emulator.world import Address, Customer, Relationship

SANDBOX_CUSTOMERS = 75
NUMBERED = frozenset(
    {"AM", "AZ", "BY", "HU", "IN", "KZ", "KG", "MD", "RU", "TJ", "UZ", "UA", "BR", "ZA", "PL", "AE", "SA", "TR", "TH"}
    | {"VN", "MM", "IQ", "SS", "VE"}
)
_NUMBER = r"^[0-9A-Za-z./-]{5,20}$"
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,26}\.(onmicrosoft\.com|ccsctp\.net)", re.IGNORECASE)
_DEFAULT_DURATION = "P730D"

behaviour(
    "POST /v1/customers",
    source="documented",
    page="core 5.6",
    note="201 with ids and user credentials; registration number and phone in some countries; an associated partner "
    "must be linked; delegated admin by default unless enableGDAPByDefault is false",
)
behaviour(
    "POST /v1/customers",
    source="assumed",
    page="core 5.6",
    note="The new customer must be in the partner's region (403 2030); a taken domain is 400 2000; one pattern for all "
    "registration numbers; the sandbox's 76th customer is 400 800018",
)


def create(call: Call) -> tuple[Customer, str]:
    """Make the customer that the body describes; returns it with the first password of its admin.

    Raises 400 with 2000, 600002, 600049, 600050, 600051, 800018 or 900154, 403 with 2030 or 900329.
    """
    members = call.members()
    company, billing = object_field(members, "companyProfile"), object_field(members, "billingProfile")
    domain = _read_domain(call.emulator, company)
    address = _read_address(object_field(billing, "defaultAddress"))
    for name in ("email", "culture", "language", "companyName"):
        if not text_field(billing, name):
            raise refusal(2000, f"The member {name} of the billingProfile is missing.")
    number = _read_number(company, address)
    associated = _read_associated(call, text_field(members, "associatedPartnerId").lower())
    _check_partner(call, address)
    person = object_field(billing, "defaultAddress")
    customer_id = call.emulator.next_id("customer")
    customer = Customer(
        id=customer_id,
        commerce_id=call.emulator.next_id("commerce"),
        company_name=text_field(company, "companyName") or text_field(billing, "companyName"),
        domain=domain,
        address=address,
        email=text_field(billing, "email"),
        culture=text_field(billing, "culture"),
        language=text_field(billing, "language"),
        first_name=text_field(billing, "firstName") or text_field(person, "firstName"),
        last_name=text_field(billing, "lastName") or text_field(person, "lastName"),
        admin_upn=f"admin@{domain}",
        billing_company_name=text_field(billing, "companyName"),
    )
    _settle(call, customer, associated, number)
    if field(members, "enableGDAPByDefault") is not False:
        _grant_default(call.emulator, call.tenant.id, customer)
    mark = blake2b(customer_id.encode(), digest_size=6).hexdigest()
    return customer, f"E{mark[:4]}*{mark[4:8].upper()}m"


def _read_domain(emulator: Emulator, company: Json) -> str:
    domain = text_field(company, "domain").lower()
    if not _DOMAIN.fullmatch(domain):
        raise refusal(2000, "The domain of the companyProfile must end in .onmicrosoft.com.")
    if is_taken(emulator, domain):
        raise refusal(2000, f"The domain {domain} is taken.")
    return domain


def is_taken(emulator: Emulator, domain: str) -> bool:
    """Whether a customer or partner of this world has the domain."""
    wanted = domain.lower()
    partners = (tenant.domain.lower() for tenant in emulator.world.partner_tenants.values())
    return emulator.derived(AdminIndex).find(f"someone@{wanted}") is not None or wanted in partners


def _read_address(members: Json) -> Address:
    for name in ("country", "city", "addressLine1", "postalCode", "firstName", "lastName"):
        if not text_field(members, name):
            raise refusal(2000, f"The member {name} of the defaultAddress is missing.")
    address = Address(
        country=text_field(members, "country").upper(),
        city=text_field(members, "city"),
        address_line1=text_field(members, "addressLine1"),
        postal_code=text_field(members, "postalCode"),
        state=text_field(members, "state"),
        phone_number=text_field(members, "phoneNumber"),
    )
    check_address(address)
    return address


def _read_number(company: Json, address: Address) -> str:
    number = text_field(company, "organizationRegistrationNumber")
    if address.country not in NUMBERED:
        if number:
            raise refusal(600002, address.country)
        return ""
    if not number:
        raise refusal(600049)
    if not re.fullmatch(_NUMBER, number):
        raise refusal(600050, _NUMBER)
    if not address.phone_number:
        raise refusal(600051)
    return number


def _read_associated(call: Call, partner_id: str) -> str:
    if not partner_id:
        return ""
    if not call.principal.is_user:
        raise refusal(900329)
    link = call.world.people.links.get(f"{call.tenant.id}/{partner_id}")
    if link is None or link.state != "Active":
        raise refusal(900154, partner_id)
    return partner_id


def _check_partner(call: Call, address: Address) -> None:
    if region_of(call.tenant.address.country) != region_of(address.country):
        raise refusal(2030, address.country)
    keys = call.emulator.derived(RelationshipIndex).keys(call.tenant.id)
    if call.tenant.is_sandbox and len(keys) >= SANDBOX_CUSTOMERS:
        raise refusal(800018, f"{SANDBOX_CUSTOMERS} customers")


def _settle(call: Call, customer: Customer, associated: str, number: str) -> None:
    emulator = call.emulator
    emulator.world.customers[customer.id] = customer
    if number:
        emulator.world.people.registration_numbers[customer.id] = number
    relationship = Relationship(
        tenant_id=call.tenant.id,
        customer_id=customer.id,
        since=emulator.clock.now(),
        associated_partner_id=associated,
    )
    emulator.derived(RelationshipIndex).add(relationship)
    emulator.record(
        "customer.created",
        tenant_id=call.tenant.id,
        customer_id=customer.id,
        subject_id=customer.id,
        request_id=call.request_id,
        after={"kind": relationship.kind, "associated_partner_id": associated},
    )
    activity = Activity(
        operation_type="add_customer",
        resource_type="customer",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
        customized_data=(("PrimaryDomainName", customer.domain), ("Relationship", "Reseller")),
    )
    audit.write(emulator, call.tenant.id, customer, activity)


def _grant_default(emulator: Emulator, tenant_id: str, customer: Customer) -> None:
    """Give the default delegated admin relationship with its groups, active at once."""
    now = emulator.clock.now()
    made = GdapRelationship(
        id=f"{emulator.next_id('gdap')}-{emulator.next_id('gdap')}",
        tenant_id=tenant_id,
        display_name=f"Default_{customer.domain}"[:50],
        duration=_DEFAULT_DURATION,
        roles=sorted(DEFAULT_ROLES),
        status="created",
        created_at=now,
        modified_at=now,
        auto_extend="P180D",
    )
    gdap.activate_at_once(emulator, made, customer)
    tenant = emulator.world.partner_tenants[tenant_id]
    for role in ("admin_agent", "helpdesk_agent"):
        gdap.assign(emulator, made, group_id(tenant, role), sorted(DEFAULT_ROLES))
