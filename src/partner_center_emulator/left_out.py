"""What the emulator leaves out of the reference, and why (report room): whole calls, or parts of calls it has.

Plain facts for the coverage table. An absent call is answered with 404 like every address that nobody serves, or
405 where another method of it is served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the reference that is not emulated: where, whether wholly, which page, and the reason."""

    route: str
    extent: Literal["partial", "absent"]
    page: str
    reason: str


_SUBSCRIPTION = "/v1/customers/{customer}/subscriptions/{subscription}"
_ORDER = "/v1/customers/{customer}/orders/{order}"
_EXPORTS = "/graph/v1.0/reports/partners/billing"
_GDAP = "/graph/v1.0/tenantRelationships/delegatedAdminRelationships"

_METERS = "Azure use has one invented meter and no resources; read usagesummary and the usage lines of invoices"
_ATTACHMENTS = "Orders are not reviewed, so no purchase order is asked for"
_LEGACY_UPGRADE = "Upgrades of legacy subscriptions ended with new commerce; transitions are emulated"
_AZURE_UPGRADE = "A move inside one partner tenant; a plan is opened through a cart or the control plane"
_ASYNCHRONOUS = "The same lines are read from the invoice and as unbilled lines"
_BUDGETS = "Spending budgets are withdrawn; answers show a budget of zero"
_PRICES = "Another host with files of its own; prices here are invented and stand in availabilities and carts"
_EXCHANGE = "A retiring exchange of tokens; Entra's tokens are taken as they are"
_NOT_FIRED = "May be registered for; nothing here makes it happen"
_DEVICES = "Device deployment is another program"
_DAP = "A short-lived service on another host; delegated admin privileges of the old kind are a flag of the customer"

# Calls and behaviours of the reference that are not there at all: where, which page, why.
_ABSENT: tuple[tuple[str, str, str], ...] = (
    ("GET /v1.0/sales/offermatrix(Month='{month}')/$value", "commerce 1.3", _PRICES),
    ("GET /v1.0/sales/pricesheets(Market='{market}',PricesheetView='{view}')/$value", "commerce 1.3", _PRICES),
    (f"POST {_ORDER}/attachment", "commerce 2.1", _ATTACHMENTS),
    (f"GET {_ORDER}/attachments", "commerce 2.1", _ATTACHMENTS),
    (f"GET {_ORDER}/attachment/{{attachment}}", "commerce 2.1", _ATTACHMENTS),
    ("GET /v1/customers/{customer}/subscriptions/overage", "commerce 3.1", "There is no telephony consumption"),
    ("PUT /v1/customers/{customer}/subscriptions/overage", "commerce 3.1", "There is no telephony consumption"),
    (f"GET {_SUBSCRIPTION}/supportcontact", "commerce 3.1", "No support contact is kept per subscription"),
    (f"PUT {_SUBSCRIPTION}/supportcontact", "commerce 3.1", "No support contact is kept per subscription"),
    (f"GET {_SUBSCRIPTION}/upgrades", "commerce 3.8", _LEGACY_UPGRADE),
    (f"POST {_SUBSCRIPTION}/upgrades", "commerce 3.8", _LEGACY_UPGRADE),
    ("POST /v1/productUpgrades/eligibility", "commerce 5", _AZURE_UPGRADE),
    ("POST /v1/productUpgrades", "commerce 5", _AZURE_UPGRADE),
    ("POST /v1/productUpgrades/{upgrade}/status", "commerce 5", _AZURE_UPGRADE),
    ("GET /v1/usagesummary", "commerce 5", "To be retired, and blind to Azure plans; sum up the customers' records"),
    (f"GET {_SUBSCRIPTION}/resourceusagerecords", "commerce 5", _METERS),
    (f"GET {_SUBSCRIPTION}/meterusagerecords", "commerce 5", _METERS),
    (f"GET {_SUBSCRIPTION}/utilizations/azure", "commerce 5", _METERS),
    ("GET /v1/customers/{customer}/usagebudget", "commerce 5", _BUDGETS),
    ("PATCH /v1/customers/{customer}/usagebudget", "commerce 5", _BUDGETS),
    ("GET /v1/ratecards/azure", "commerce 5", "There are no meters to have rates"),
    ("GET /v1/ratecards/azure-shared", "commerce 5", "There are no meters to have rates"),
    (f"POST {_EXPORTS}/reconciliation/billed/export", "commerce 6.7", _ASYNCHRONOUS),
    (f"POST {_EXPORTS}/reconciliation/unbilled/export", "commerce 6.7", _ASYNCHRONOUS),
    (f"POST {_EXPORTS}/usage/billed/export", "commerce 6.7", _ASYNCHRONOUS),
    (f"POST {_EXPORTS}/usage/unbilled/export", "commerce 6.7", _ASYNCHRONOUS),
    (f"GET {_EXPORTS}/operations/{{operation}}", "commerce 6.7", _ASYNCHRONOUS),
    ("POST /generatetoken", "core 1.5", _EXCHANGE),
    ("POST /v3/generatetoken", "core 1.5", _EXCHANGE),
    ("sign-in: certificate assertion", "core 1.4", "Applications sign in with a client secret only"),
    (f"POST {_GDAP}/{{relationship}}/requests: approve, reject", "core 8", "resellerDelegatedAdminRelationship only"),
    ("webhook usagerecords-thresholdExceeded", "core 9.4", _NOT_FIRED),
    ("webhook referral-created, referral-updated", "core 9.4", _NOT_FIRED),
    ("webhook related-referral-created, related-referral-updated", "core 9.4", _NOT_FIRED),
    ("webhook dap-admin-relationship-approved", "core 9.4", _NOT_FIRED),
    ("webhook dap-admin-relationship-terminated-by-microsoft", "core 9.4", _NOT_FIRED),
    ("webhook azure-fraud-event-detected", "core 9.4", _NOT_FIRED),
    ("DAP statistics: delegatedAdminCustomers, delegatedAdminStatistics", "core 5", _DAP),
    ("devices, device batches, configuration policies", "core 3", _DEVICES),
    ("GET /v1/agreementtemplates/{template}/document", "core 7", "No document is kept; agreementLink leads nowhere"),
)

# Calls that are there and do less than the reference says: where, which page, what is missing.
_PARTIAL: tuple[tuple[str, str, str], ...] = (
    ("GET /v1/customers/usagerecords", "commerce 5", "Budgets and percentUsed are zero"),
    ("GET /v1/customers/{customer}/usagesummary", "commerce 5", "Cost is even over the month; the budget is zero"),
    (f"GET {_SUBSCRIPTION}/usagesummary", "commerce 5", "Cost is even over the month"),
    ("GET /v1/customers/{customer}/subscriptions/usagerecords", "commerce 5", "Cost is even over the month"),
    ("GET /v1/customers/{customer}/entitlements", "commerce 3.2", "Entitled artifacts (keys, downloads) are missing"),
    ("GET /v1/customers/{customer}/subscribedskus", "core 5.9", "group2 is empty"),
    ("GET /v1/invoices", "commerce 6.2", "No amendments, no adjustment notes, nothing void; tax is zero"),
    ("GET /v1/invoices/{invoice}/lineitems", "commerce 6.5", "Usage has one invented meter; no marketplace makers"),
    ("POST /{tenant}/oauth2/token", "core 1.4", "No certificate assertion: client secrets only"),
    ("POST /webhooks/v1/registration", "core 9.4", "Addresses of this machine only"),
    (f"POST {_GDAP}/{{relationship}}/requests", "core 8", "lockForApproval and terminate; no approve, no reject"),
)

GAPS: tuple[Gap, ...] = (
    *(Gap(route=route, extent="absent", page=page, reason=reason) for route, page, reason in _ABSENT),
    *(Gap(route=route, extent="partial", page=page, reason=reason) for route, page, reason in _PARTIAL),
)

_NO_EXPORT = "the asynchronous billing exports have no route"
SAMPLES_WITHOUT_ROUTE: Mapping[str, str] = {
    "get-invoice-billed-unbilled-consumption": _NO_EXPORT,
    "get-invoice-billed-unbilled-consumption-2": _NO_EXPORT,
}
"""Published examples of answers that nothing here gives, and why; tests compare all the others."""
