"""Reading and changing the profiles of a partner tenant (core reference 9.1)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.models import read_address
from partner_center_emulator.customers.views import address
from partner_center_emulator.errors import refusal
from partner_center_emulator.requests import Call
from partner_center_emulator.wire import (
    Json,
    attributes,
    etag_version,
    object_field,
    self_link,
    text_field,
    version_etag,
)
from partner_center_emulator.world import PartnerTenant

for _route, _note in (
    ("GET /v1/profiles/organization", "Tenant id, default address, culture, with etag"),
    ("GET /v1/profiles/legalbusiness", "Both kinds of token; vetting status"),
    ("GET /v1/profiles/billing", "Billing currency, with etag; the PUT answers in PascalCase"),
    ("GET /v1/profiles/mpn", "Own or another partner by mpnId; unknown is 404 3000"),
    ("GET /v1/profiles/support", "PUT is accepted at /support and /supportprofile"),
):
    behaviour(_route, source="documented", page="core 9.1", note=_note)
behaviour(
    "PUT /v1/profiles/organization",
    source="assumed",
    page="core 9.1",
    note="An etag in the body or If-Match must be the present one if given; the country cannot be changed",
)
for _route in ("legalbusiness", "billing", "support", "supportprofile"):
    behaviour(f"PUT /v1/profiles/{_route}", source="documented", page="core 9.1", note="Changes the whole profile")


def organization(tenant: PartnerTenant) -> Json:
    """Return the organization profile."""
    return {
        "id": tenant.id,
        "companyName": tenant.company_name,
        "defaultAddress": address(tenant.address, tenant.contact_first_name, tenant.contact_last_name),
        "tenantId": tenant.id,
        "domain": tenant.domain,
        "email": tenant.email,
        "language": tenant.language,
        "culture": tenant.culture,
        **_ending("organization", "OrganizationProfile", tenant),
    }


def legal_business(tenant: PartnerTenant) -> Json:
    """Return the legal business profile."""
    return {
        "companyName": tenant.company_name,
        "address": address(tenant.address, tenant.contact_first_name, tenant.contact_last_name),
        "primaryContact": _contact(tenant),
        "companyApproverAddress": address(tenant.address),
        "companyApproverEmail": tenant.email,
        "vettingStatus": tenant.vetting_status,
        "vettingSubStatus": tenant.vetting_sub_status,
        **_ending("legalbusiness", "LegalBusinessProfile"),
    }


def billing(tenant: PartnerTenant) -> Json:
    """Return the partner's own billing profile."""
    return {
        "companyName": tenant.company_name,
        "address": address(tenant.address, tenant.contact_first_name, tenant.contact_last_name),
        "primaryContact": _contact(tenant),
        "purchaseOrderNumber": tenant.purchase_order_number,
        "taxId": tenant.tax_id,
        "billingCurrency": tenant.currency,
        **_ending("billing", "BillingProfile", tenant),
    }


def partner_network(tenant: PartnerTenant) -> Json:
    """Return the profile that belongs to a PartnerID (``mpnId`` on the wire)."""
    return {"partnerName": tenant.company_name, "mpnId": tenant.partner_id, **_ending("mpn", "MpnProfile")}


def support(tenant: PartnerTenant) -> Json:
    """Return how the partner's support is reached."""
    return {
        "email": tenant.support_email or tenant.email,
        "telephone": tenant.support_telephone or tenant.address.phone_number,
        "website": tenant.support_website or f"www.{tenant.domain}",
        **_ending("support", "SupportProfile"),
    }


def find_partner(call: Call, mpn_id: str) -> PartnerTenant:
    """Return the partner tenant with this PartnerID, the caller's own without one; raises 404 code 3000."""
    if not mpn_id:
        return call.tenant
    for tenant in call.world.partner_tenants.values():
        if tenant.partner_id == mpn_id:
            return tenant
    raise refusal(3000, mpn_id)


def change_organization(call: Call) -> None:
    """Take over what a PUT of the organization profile may change; raises 400 for a stale etag or another country."""
    tenant, members = call.tenant, call.members()
    _check_etag(call)
    tenant.address = read_address(object_field(members, "defaultAddress"), tenant.address)
    tenant.company_name = text_field(members, "companyName", tenant.company_name)
    tenant.email = text_field(members, "email", tenant.email)
    tenant.language = text_field(members, "language", tenant.language)
    tenant.culture = text_field(members, "culture", tenant.culture)
    tenant.profile_version += 1


def change_legal_business(call: Call) -> None:
    """Take over what a PUT of the legal business profile may change."""
    tenant, members = call.tenant, call.members()
    tenant.address = read_address(object_field(members, "address"), tenant.address)
    tenant.company_name = text_field(members, "companyName", tenant.company_name)
    _change_contact(tenant, members)
    tenant.profile_version += 1


def change_billing(call: Call) -> None:
    """Take over what a PUT of the billing profile may change; raises 400 for a stale etag or another currency."""
    tenant, members = call.tenant, call.members()
    _check_etag(call)
    if text_field(members, "billingCurrency", tenant.currency).upper() != tenant.currency:
        raise refusal(2000, "The billing currency cannot be changed.")
    tenant.address = read_address(object_field(members, "address"), tenant.address)
    tenant.purchase_order_number = text_field(members, "purchaseOrderNumber", tenant.purchase_order_number)
    tenant.tax_id = text_field(members, "taxId", tenant.tax_id)
    _change_contact(tenant, members)
    tenant.profile_version += 1


def change_support(call: Call) -> None:
    """Take over the support profile."""
    tenant, members = call.tenant, call.members()
    tenant.support_email = text_field(members, "email", tenant.support_email)
    tenant.support_telephone = text_field(members, "telephone", tenant.support_telephone)
    tenant.support_website = text_field(members, "website", tenant.support_website)


def _change_contact(tenant: PartnerTenant, members: Json) -> None:
    contact = object_field(members, "primaryContact")
    tenant.contact_first_name = text_field(contact, "firstName", tenant.contact_first_name)
    tenant.contact_last_name = text_field(contact, "lastName", tenant.contact_last_name)
    tenant.email = text_field(contact, "email", tenant.email)


def _check_etag(call: Call) -> None:
    given = (text_field(object_field(call.members(), "attributes"), "etag"), call.headers.get("if-match", ""))
    for etag in given:
        if etag and etag_version(etag, call.tenant.id) != call.tenant.profile_version:
            raise refusal(2055)


def _contact(tenant: PartnerTenant) -> Json:
    return {
        "firstName": tenant.contact_first_name,
        "lastName": tenant.contact_last_name,
        "email": tenant.email,
        "phoneNumber": tenant.address.phone_number,
    }


def _ending(name: str, kind: str, versioned: PartnerTenant | None = None) -> Json:
    """Return the members every profile ends with; the etag only where one is given."""
    etag = version_etag(versioned.id, versioned.profile_version) if versioned else None
    return {"profileType": kind, "links": self_link(f"/profiles/{name}"), "attributes": attributes(kind, etag)}
