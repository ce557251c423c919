"""The calls about customers, profiles, agreements, relationships, users and their shapes (report room)."""

from __future__ import annotations

from partner_center_emulator.openapi import people as p
from partner_center_emulator.openapi.envelopes import Address, Collection
from partner_center_emulator.openapi.operation import Operation as Op
from partner_center_emulator.openapi.operation import Table

_C = "/v1/customers/{customer}"
_SEEK = ("size", "seekOperation", "filter")
_PROFILE = Op(p.PartnerProfile)
_PROFILE_CHANGE = Op(p.PartnerProfile, body=p.ProfileChange)

CUSTOMERS: Table = {
    "GET /v1/customers": Op(Collection[p.CustomerRow], query=_SEEK, seeks=True),
    "POST /v1/customers": Op(p.CustomerDetail, 201, p.NewCustomer),
    f"GET {_C}": Op(p.CustomerDetail),
    f"PATCH {_C}": Op(p.EndedRelationship, body=p.CustomerChange),
    f"DELETE {_C}": Op(status=204),
    f"GET {_C}/organization": Op(p.Organization | list[p.Organization]),
    f"GET {_C}/customDomains": Op(list[str]),
    f"GET {_C}/managedservices": Op(Collection[p.ManagedService]),
    f"GET {_C}/profiles/company": Op(p.CompanyProfile),
    f"GET {_C}/profiles/billing": Op(p.BillingProfile),
    f"PUT {_C}/profiles/billing": Op(p.BillingProfile, body=p.BillingProfile),
    f"GET {_C}/relationships": Op(Collection[p.PartnerRelationship]),
    f"GET {_C}/agreements": Op(Collection[p.Agreement], query=("agreementType",)),
    f"POST {_C}/agreements": Op(p.Agreement, 201, p.Agreement),
    f"GET {_C}/directSignedMicrosoftCustomerAgreementStatus": Op(p.DirectSigned),
    f"GET {_C}/users": Op(
        Collection[p.User], query=("size", "seekOperation", "filter", "sortField", "sortDirection"), seeks=True
    ),
    f"POST {_C}/users": Op(p.User, 201, p.UserChange),
    f"GET {_C}/users/{{user}}": Op(p.User),
    f"PATCH {_C}/users/{{user}}": Op(p.User, body=p.UserChange),
    f"DELETE {_C}/users/{{user}}": Op(status=204),
    f"GET {_C}/users/{{user}}/licenses": Op(Collection[p.License], query=("licenseGroupIds",)),
    f"GET {_C}/subscribedskus": Op(Collection[p.SubscribedSku], query=("licenseGroupIds",)),
    f"GET {_C}/validationStatus": Op(p.ValidationStatus, query=("type",)),
    "GET /v1/customers/all/validations": Op(list[p.ValidationCode]),
    f"GET {_C}/validations": Op(list[p.ValidationCode]),
    f"GET {_C}/qualifications": Op(list[p.Qualification]),
    f"POST {_C}/qualifications": Op(p.Qualification, 201, p.NewQualification),
    f"GET {_C}/qualification": Op(str),
    f"PUT {_C}/qualification": Op(str, body=str),
}
PARTNER: Table = {
    "GET /v1/customers/relationshiprequests": Op(p.RelationshipRequest),
    "GET /v1/relationships": Op(Collection[p.PartnerRelationship], query=("relationship_type", "filter")),
    "GET /v1/compliance/csp/agreementstatus": Op(p.PartnerAgreementStatus, query=("mpnId", "tenantId")),
    "GET /v1/agreements": Op(Collection[p.AgreementMetadata], query=("agreementType",)),
    "GET /v1/profiles/organization": _PROFILE,
    "PUT /v1/profiles/organization": _PROFILE_CHANGE,
    "GET /v1/profiles/legalbusiness": Op(p.PartnerProfile, query=("vettingVersion",)),
    "PUT /v1/profiles/legalbusiness": _PROFILE_CHANGE,
    "GET /v1/profiles/billing": _PROFILE,
    "PUT /v1/profiles/billing": Op(p.PartnerProfileInPascal, body=p.ProfileChange),
    "GET /v1/profiles/mpn": Op(p.PartnerProfile, query=("mpnId",)),
    "GET /v1/profiles/support": _PROFILE,
    "PUT /v1/profiles/support": _PROFILE_CHANGE,
    "PUT /v1/profiles/supportprofile": _PROFILE_CHANGE,
    "GET /v1/auditrecords": Op(
        Collection[p.AuditRecord], query=("startDate", "endDate", "filter", "size", "seekOperation"), seeks=True
    ),
    "GET /auditactivity/v1/auditrecords/{record}": Op(p.AuditRecord),
    "GET /v1/countryvalidationrules/{country}": Op(p.CountryRules),
    "POST /v1/validations/address": Op(p.AddressVerdict, body=Address),
    "HEAD /v1/domains/{domain}": Op(),
    "GET /v1/partnerRequests": Op(Collection[p.PortalRequest]),
    "GET /v1/nonMfaCompliantPartnerPrincipals": Op(Collection[p.PortalPrincipal]),
    "GET /v1/applicationmfaadoptionstatus": Op(list[p.Adoption]),
    "GET /v1/roles": Op(Collection[p.Role], query=("role_id",)),
}
