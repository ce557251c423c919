"""The calls we make, as values (partnercenter room, wire): method, path, and which rate limit each counts against.

Published limits are 500 a minute for each of the customer, order and subscription resources; the customer list is not
named among the enforced calls (core reference 4). Names of paths and query parameters appear here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantfold.partnercenter.wire_customers import CUSTOMER_AGREEMENT

PARTNER_CENTER = "partner_center"
GRAPH = "graph"


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API. ``resource`` names the rate limit, empty for none published; ``service`` the host."""

    method: str
    template: str
    resource: str = ""
    service: str = PARTNER_CENTER

    @property
    def name(self) -> str:
        """Method and template: how the call is named in counts and messages."""
        return f"{self.method} {self.template}"

    @property
    def bucket(self) -> str:
        """What a 429 pauses: all calls to the resource, or only this call where no common limit is published."""
        return self.resource or self.template

    @property
    def is_write(self) -> bool:
        """Whether the call changes something at Microsoft."""
        return self.method not in {"GET", "HEAD"}


CUSTOMERS = Route("GET", "/v1/customers")
CUSTOMER = Route("GET", "/v1/customers/{customer}", "customer")
RELATIONSHIP_REQUEST = Route("GET", "/v1/customers/relationshiprequests")
RELATIONSHIPS = Route("GET", "/v1/relationships")
RESELLERS = {"relationship_type": "IsIndirectCloudSolutionProviderOf"}  # the query of a provider for its resellers
SUBSCRIPTIONS = Route("GET", "/v1/customers/{customer}/subscriptions", "subscription")
SUBSCRIPTION = Route("GET", "/v1/customers/{customer}/subscriptions/{subscription}", "subscription")
CHANGE_SUBSCRIPTION = Route("PATCH", "/v1/customers/{customer}/subscriptions/{subscription}", "subscription")
ORDERS = Route("GET", "/v1/customers/{customer}/orders", "order")
PLACE_ORDER = Route("POST", "/v1/customers/{customer}/orders", "order")
CHANGE_ORDER = Route("PATCH", "/v1/customers/{customer}/orders/{order}", "order")
OFFERS = Route("GET", "/v1/offers")
PRODUCTS = Route("GET", "/v1/products")
SKUS = Route("GET", "/v1/products/{product}/skus")
AVAILABILITIES = Route("GET", "/v1/products/{product}/skus/{sku}/availabilities")
TRANSFERS = Route("GET", "/v1/customers/{customer}/transfers")
REQUEST_TRANSFER = Route("POST", "/v1/customers/{customer}/transfers")
CHANGE_TRANSFER = Route("PATCH", "/v1/customers/{customer}/transfers/{transfer}")
AZURE_ENTITLEMENTS = Route(
    "GET", "/v1/customers/{customer}/subscriptions/{subscription}/azureEntitlements", "subscription"
)
CANCEL_AZURE_ENTITLEMENT = Route(
    "POST",
    "/v1/customers/{customer}/subscriptions/{subscription}/azureEntitlements/{entitlement}/cancel",
    "subscription",
)
ENTITLEMENTS = Route("GET", "/v1/customers/{customer}/entitlements")
SERVICE_REQUESTS = Route("GET", "/v1/servicerequests")
CUSTOMER_SERVICE_REQUESTS = Route("GET", "/v1/customers/{customer}/servicerequests")
SUPPORT_TOPICS = Route("GET", "/v1/servicerequests/supporttopics")
OPEN_SERVICE_REQUEST = Route("POST", "/v1/servicerequests/en-US")
AGREEMENT_TEMPLATES = Route("GET", "/v1/agreements")
AGREEMENTS = Route("GET", "/v1/customers/{customer}/agreements")
ATTEST_AGREEMENT = Route("POST", "/v1/customers/{customer}/agreements")
DIRECT_SIGNED = Route("GET", "/v1/customers/{customer}/directSignedMicrosoftCustomerAgreementStatus")
ORGANIZATION = Route("GET", "/v1/profiles/organization")
BILLING_PROFILE = Route("GET", "/v1/profiles/billing")
MPN_PROFILE = Route("GET", "/v1/profiles/mpn")
ADMIN_RELATIONSHIPS = Route("GET", "/v1.0/tenantRelationships/delegatedAdminRelationships", service=GRAPH)
ADMIN_RELATIONSHIP = Route("GET", "/v1.0/tenantRelationships/delegatedAdminRelationships/{relationship}", service=GRAPH)
OFFER_ADMIN_RELATIONSHIP = Route("POST", "/v1.0/tenantRelationships/delegatedAdminRelationships", service=GRAPH)
REQUEST_OF_RELATIONSHIP = Route(
    "POST", "/v1.0/tenantRelationships/delegatedAdminRelationships/{relationship}/requests", service=GRAPH
)
ACCESS_ASSIGNMENTS = Route(
    "GET", "/v1.0/tenantRelationships/delegatedAdminRelationships/{relationship}/accessAssignments", service=GRAPH
)
ASSIGN_ACCESS = Route(
    "POST", "/v1.0/tenantRelationships/delegatedAdminRelationships/{relationship}/accessAssignments", service=GRAPH
)
WEBHOOK_EVENTS = Route("GET", "/webhooks/v1/registration/events")
WEBHOOK_REGISTRATION = Route("GET", "/webhooks/v1/registration")
MAKE_WEBHOOK_REGISTRATION = Route("POST", "/webhooks/v1/registration")
REPLACE_WEBHOOK_REGISTRATION = Route("PUT", "/webhooks/v1/registration")
ASK_FOR_TEST_EVENT = Route("POST", "/webhooks/v1/registration/validationEvents")
TEST_EVENT = Route("GET", "/webhooks/v1/registration/validationEvents/{correlation}")
MEMBER_OF = Route("GET", "/v1.0/me/memberOf", service=GRAPH)

CUSTOMER_PAGE = {"size": "500"}  # the largest page the service gives (core reference 3)
RESERVATIONS = {"entitlementType": "reservedInstance", "showExpiry": "true"}
RELATIONSHIP_PAGE = {"$top": "300"}  # the largest page Graph gives of them (core reference 8)
SOFTWARE = {"entitlementType": "software"}
CUSTOMER_AGREEMENTS = {"agreementType": CUSTOMER_AGREEMENT}


def customer_in(route: Route, target: str) -> str:
    """The customer id in a path (with or without a version before it); empty where the route has none."""
    if "{customer}" not in route.template:
        return ""
    rest = target.partition("?")[0].partition("/customers/")[2]
    return rest.partition("/")[0]


def behind(reseller_id: str) -> dict[str, str]:
    """The query for a provider's relationship request that names one of its indirect resellers, too."""
    return {"indirectResellerId": reseller_id}


def offers_in(country: str) -> dict[str, str]:
    """The query for the offers sold in a country."""
    return {"country": country}


def in_country(country: str) -> dict[str, str]:
    """The query for what a product is sold as in a country."""
    return {"country": country}


def licenses_in(country: str) -> dict[str, str]:
    """The query for the license products of a country, legacy-style ones among them (commerce reference 1.2)."""
    return {"country": country, "targetView": "OnlineServices"}


def relationships_with(customer_id: str) -> dict[str, str]:
    """The query for the delegated admin relationships with one customer."""
    quoted = customer_id.replace("'", "''")
    return {**RELATIONSHIP_PAGE, "$filter": f"customer/tenantId eq '{quoted}'"}
