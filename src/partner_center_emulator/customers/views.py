"""How customers look on the wire (core reference 5)."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from partner_center_emulator.customers.models import billing_etag
from partner_center_emulator.wire import Json, attributes, self_link, without_nulls
from partner_center_emulator.world import Address, Customer, Relationship


def address(value: Address, first_name: str = "", last_name: str = "") -> Json:
    """Return an address; empty members are left out."""
    return without_nulls(
        {
            "country": value.country,
            "city": value.city,
            "state": value.state or None,
            "addressLine1": value.address_line1,
            "postalCode": value.postal_code,
            "firstName": first_name or None,
            "lastName": last_name or None,
            "phoneNumber": value.phone_number or None,
        }
    )


def company_profile(customer: Customer, *, full: bool) -> Json:
    """Return the company profile; ``full`` adds address and email, as only delegated access shows them."""
    profile: Json = {"tenantId": customer.id, "domain": customer.domain, "companyName": customer.company_name}
    if full:
        profile |= {"address": address(customer.address), "email": customer.email}
    profile["links"] = self_link(f"/customers/{customer.id}/profiles/company")
    profile["attributes"] = attributes("CustomerCompanyProfile")
    return profile


def billing_profile(customer: Customer) -> Json:
    """Return the billing profile with its etag."""
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{customer.id}/billing")),
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "email": customer.email,
        "culture": customer.culture,
        "language": customer.language,
        "companyName": customer.billing_company_name or customer.company_name,
        "defaultAddress": address(customer.address, customer.first_name, customer.last_name),
        "links": self_link(f"/customers/{customer.id}/profiles/billing"),
        "attributes": attributes("CustomerBillingProfile", billing_etag(customer)),
    }


def list_item(customer: Customer, kind: str) -> Json:
    """Return the thin form that stands in the list."""
    return {
        "id": customer.id,
        "companyProfile": company_profile(customer, full=False),
        "relationshipToPartner": kind,
        "links": self_link(f"/customers/{customer.id}"),
        "attributes": {"objectType": "Customer"},
    }


def full(customer: Customer, relationship: Relationship) -> Json:
    """Return the customer as its own address answers."""
    body: Json = {
        "id": customer.id,
        "commerceId": customer.commerce_id,
        "companyProfile": company_profile(customer, full=relationship.delegated_access),
        "billingProfile": billing_profile(customer),
        "relationshipToPartner": relationship.kind,
        "allowDelegatedAccess": relationship.delegated_access,
    }
    if relationship.delegated_access:
        body["customDomains"] = [customer.domain]
    if relationship.associated_partner_id:
        body["associatedPartnerId"] = relationship.associated_partner_id
    body["links"] = self_link(f"/customers/{customer.id}")
    body["attributes"] = attributes("Customer")
    return body


def patched(relationship: Relationship | None) -> Json:
    """Return the answer to a PATCH: PascalCase and null-filled, as the service does it."""
    return {
        "Id": None,
        "CommerceId": None,
        "CompanyProfile": None,
        "BillingProfile": None,
        "RelationshipToPartner": relationship.kind if relationship else "none",
        "AllowDelegatedAccess": relationship.delegated_access if relationship else None,
        "UserCredentials": None,
        "CustomDomains": None,
        "AssociatedPartnerId": None,
        "Attributes": {"ObjectType": "Customer"},
    }
