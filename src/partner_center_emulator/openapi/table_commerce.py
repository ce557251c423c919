"""The calls about catalogs, orders, subscriptions, transfers, migrations, Azure and invoices (report room)."""

from __future__ import annotations

from partner_center_emulator.openapi import commerce as c
from partner_center_emulator.openapi import money as m
from partner_center_emulator.openapi.envelopes import Collection, Json
from partner_center_emulator.openapi.operation import PDF, Table
from partner_center_emulator.openapi.operation import Operation as Op

_C = "/v1/customers/{customer}"
_S = f"{_C}/subscriptions/{{subscription}}"
_M = f"{_C}/migrations/newcommerce"
_PAGE = ("offset", "size")
_LINES = ("provider", "invoicelineitemtype", "currencyCode", "period", "size", "offset", "seekOperation")
_VIEW = ("country", "targetView", "targetSegment", "reservationScope")
_P = "/products/{product}"
_SEGMENTS: Table = {
    "/products": Op(Collection[c.Product], query=_VIEW),
    _P: Op(c.Product, query=_VIEW),
    f"{_P}/skus": Op(Collection[c.Sku], query=_VIEW),
    f"{_P}/skus/{{sku}}": Op(c.Sku, query=_VIEW),
    f"{_P}/skus/{{sku}}/availabilities": Op(Collection[c.Availability], query=_VIEW),
    f"{_P}/skus/{{sku}}/availabilities/{{availability}}": Op(c.Availability, query=_VIEW),
}

CATALOG: Table = {
    "GET /v1/offers": Op(Collection[c.Offer], query=("country", "offer_category_id", *_PAGE)),
    "GET /v1/offers/{offer}": Op(c.Offer, query=("country",)),
    "GET /v1/offers/{offer}/addons": Op(Collection[c.Offer], query=("country", *_PAGE)),
    "GET /v1/offercategories": Op(Collection[c.OfferCategory], query=("country",)),
    f"GET {_C}/offers": Op(Collection[c.Offer], query=("offer_category_id", *_PAGE)),
    f"GET {_C}/offercategories": Op(Collection[c.OfferCategory]),
    **{f"GET /v1{path}": operation for path, operation in _SEGMENTS.items()},
    **{f"GET {_C}{path}": operation for path, operation in _SEGMENTS.items()},
    "POST /v1/extensions/product/checkinventory": Op(
        list[c.InventoryItem], body=c.InventoryQuestion, query=("country",)
    ),
    "GET /v1/productpromotions": Op(Collection[c.Promotion], query=("country", "segment")),
    "GET /v1/productpromotions/{promotion}": Op(c.Promotion, query=("country",)),
    f"POST {_C}/promotionEligibilities": Op(Collection[c.EligibilityAnswer], body=c.EligibilityQuestion),
}
ORDERS: Table = {
    f"POST {_C}/carts": Op(c.Cart, 201, c.CartOrder),
    f"GET {_C}/carts/{{cart}}": Op(c.Cart),
    f"PUT {_C}/carts/{{cart}}": Op(c.Cart, 201, c.CartOrder),
    f"POST {_C}/carts/{{cart}}/checkout": Op(c.Checkout, 201),
    f"POST {_C}/orders": Op(c.Order, 201, c.NewOrder),
    f"GET {_C}/orders": Op(Collection[c.Order], query=("billingType", "resellerId")),
    f"GET {_C}/orders/{{order}}": Op(c.Order, query=("includePrice",)),
    f"PATCH {_C}/orders/{{order}}": Op(c.Order, body=c.OrderChange),
    f"GET {_C}/orders/{{order}}/activationlinks": Op(Collection[c.ActivationLink]),
    f"GET {_C}/orders/{{order}}/lineitems/{{line}}/activationlinks": Op(Collection[c.ActivationLink]),
    f"GET {_C}/orders/{{order}}/provisioningstatus": Op(Collection[c.LineProvisioning]),
    f"GET {_C}/entitlements": Op(Collection[c.Entitlement], query=("entitlementType", "showExpiry")),
}
SUBSCRIPTIONS: Table = {
    f"GET {_C}/subscriptions": Op(Collection[c.Subscription], query=("order_id", "mpn_id")),
    f"GET {_S}": Op(c.Subscription),
    f"PATCH {_S}": Op(c.Subscription, body=c.SubscriptionChange, others={202: None}),
    f"GET {_S}/addons": Op(Collection[c.Subscription]),
    f"GET {_C}/subscriptions/customTermEndDates": Op(
        Collection[c.CustomEnd], query=("term_duration", "product_id", "sku_id")
    ),
    f"GET {_S}/provisioningstatus": Op(c.SubscriptionProvisioning),
    f"GET {_S}/activationlinks": Op(Collection[c.ActivationLink]),
    f"POST {_S}/activate": Op(c.Activation),
    f"GET {_S}/transitionEligibilities": Op(Collection[c.TransitionEligibility], query=("eligibilityType",)),
    f"GET {_S}/transitions": Op(Collection[Json], query=("operationId",)),
    f"POST {_S}/transitions": Op(Json, body=c.TransitionWish),
    f"GET {_S}/conversions": Op(Collection[c.Conversion]),
    f"POST {_S}/conversions": Op(Json, body=c.Conversion),
    f"POST {_S}/registrations": Op(status=202),
    f"GET {_S}/registrationstatus": Op(c.RegistrationStatus),
    f"GET {_S}/azureEntitlements": Op(Collection[c.AzureEntitlement]),
    f"GET {_S}/azureEntitlements/{{entitlement}}": Op(c.AzureEntitlement),
    f"POST {_S}/azureEntitlements/{{entitlement}}/cancel": Op(c.AzureEntitlement, body=c.CancelReason),
    f"POST {_S}/azureEntitlements/{{entitlement}}/reactivate": Op(c.AzureEntitlement, 202),
}
MOVES: Table = {
    f"POST {_C}/transfers": Op(c.Transfer, 201, c.NewTransfer),
    f"GET {_C}/transfers": Op(list[c.Transfer]),
    f"GET {_C}/transfers/{{transfer}}": Op(c.Transfer),
    f"PATCH {_C}/transfers/{{transfer}}": Op(c.Transfer, body=c.TransferChange),
    f"DELETE {_C}/transfers/{{transfer}}": Op(status=204),
    f"POST {_C}/transfers/{{transfer}}/accept": Op(c.TransferResult),
    f"GET {_C}/transferseligibility": Op(list[c.Eligibility], query=("transferType",)),
    f"POST {_M}/validate": Op(c.MigrationVerdict, body=c.MigrationWish),
    f"POST {_M}": Op(c.Migration, body=c.MigrationWish),
    f"GET {_M}/{{migration}}": Op(c.Migration),
    "GET /v1/migrations/newcommerce": Op(
        list[c.Migration], query=("customerTenantId", "currentSubscriptionId", "status", "pageSize")
    ),
    f"GET {_M}/events": Op(list[c.MigrationEvent], query=("migrationId", "currentSubscriptionId")),
    f"POST {_M}/schedules": Op(c.MigrationSchedule, body=c.MigrationWish),
    f"GET {_M}/schedules/{{schedule}}": Op(c.MigrationSchedule),
    f"PUT {_M}/schedules/{{schedule}}": Op(c.MigrationSchedule, body=c.MigrationWish),
    f"POST {_M}/schedules/{{schedule}}/cancel": Op(c.MigrationSchedule),
    "GET /v1/migrations/newcommerce/schedules": Op(
        list[c.MigrationSchedule], query=("customerTenantId", "currentSubscriptionId")
    ),
}
MONEY: Table = {
    "GET /v1/customers/usagerecords": Op(Collection[m.UsageRecord]),
    f"GET {_C}/usagesummary": Op(m.UsageSummary),
    f"GET {_C}/subscriptions/usagerecords": Op(Collection[m.UsageRecord]),
    f"GET {_S}/usagesummary": Op(m.UsageSummary),
    "GET /v1/invoices": Op(Collection[m.Invoice], query=(*_PAGE, "filter")),
    "GET /v1/invoices/summary": Op(m.BalanceSummary),
    "GET /v1/invoices/summaries": Op(Collection[m.BalanceSummary]),
    "GET /v1/invoices/unbilled/lineitems": Op(Collection[m.InvoiceLine], query=_LINES, seeks=True),
    "GET /v1/invoices/estimates/links": Op(Collection[m.EstimateLink], query=("currencyCode",)),
    "GET /v1/invoices/{invoice}": Op(m.Invoice),
    "GET /v1/invoices/{invoice}/documents/statement": Op(bytes, media=PDF),
    "GET /v1/invoices/{invoice}/receipts/{receipt}/documents/statement": Op(bytes, media=PDF),
    "GET /v1/invoices/{invoice}/lineitems": Op(Collection[m.InvoiceLine], query=_LINES, seeks=True),
    "GET /v1/invoices/{invoice}/lineitems/{provider}/{type}": Op(
        Collection[m.InvoiceLine], query=("size", "offset", "seekOperation"), seeks=True
    ),
}
