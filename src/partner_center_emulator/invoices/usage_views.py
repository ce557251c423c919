"""How the wire shows Azure use: per day and per month, for plans and for legacy subscriptions (wire room, 6.5).

What was used is invented: one virtual machine whose hours come to the Azure subscription's monthly cost.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.invoices.line_views import Shown, legacy_date, license_owner, show
from partner_center_emulator.invoices.periods import DAY
from partner_center_emulator.invoices.usage import UsageDay
from partner_center_emulator.invoices.views import digits_of
from partner_center_emulator.state.invoices import InvoiceLine
from partner_center_emulator.wire import Json, attributes, wire_date
from partner_center_emulator.world import PartnerTenant

_HOURS = 24
_METER_ID = "0e21e4f8-8a31-5c4e-9d0a-6b7f2f0c54a1"
_METER = "Compute Hours"


def show_day(emulator: Emulator, tenant: PartnerTenant, used: UsageDay, invoice_id: str) -> Shown:
    """Look up what belongs to a day of use."""
    return show(emulator, tenant, _as_line(used), invoice_id)


def _as_line(used: UsageDay) -> InvoiceLine:
    customer_id = used.entitlement.customer_id
    price = Decimal(used.entitlement.monthly_cost)
    return InvoiceLine(
        used.subscription_id,
        customer_id,
        used.day,
        "new",
        used.day,
        used.day,
        price,
        used.cost,
        1,
        "",
        used.entitlement.id,
    )


def daily_rated_line(shown: Shown) -> Json:
    """Return one DailyRatedUsageLineItem of an Azure plan; customers and products are named as on other lines."""
    line, subscription = shown.line, shown.subscription
    product_id, sku_id, availability_id = (*subscription.offer_id.split(":"), "", "")[:3]
    first = line.start.replace(day=1)
    return {
        "partnerId": shown.tenant.id,
        "partnerName": shown.tenant.company_name,
        "customerId": shown.customer.id,
        "customerName": shown.customer.company_name,
        "customerDomainName": shown.customer.domain,
        "customerCountry": shown.customer.address.country,
        "invoiceNumber": shown.invoice_id,
        "productId": product_id,
        "skuId": sku_id,
        "availabilityId": availability_id,
        "skuName": "Azure plan",
        "productName": "Azure plan",
        "publisherName": "Microsoft",
        "publisherId": "",
        "subscriptionId": subscription.id,
        "subscriptionDescription": subscription.friendly_name,
        "chargeStartDate": wire_date(first),
        "chargeEndDate": wire_date(_month_after(first)),
        **_meter(shown),
        "mpnId": shown.tenant.partner_id,
        "resellerMpnId": subscription.partner_id_on_record or "",
        "chargeType": line.type,
        **_rates(shown),
        "invoiceLineItemType": "usage_line_items",
        "billingProvider": "marketplace",
        "attributes": attributes("DailyRatedUsageLineItem"),
    }


def _month_after(first: date) -> date:
    return first.replace(day=monthrange(first.year, first.month)[1]) + DAY


def _meter(shown: Shown) -> Json:
    used = shown.line.entitlement_id
    machine = f"/subscriptions/{used}/resourceGroups/production/providers/Microsoft.Compute/virtualMachines/machine1"
    return {
        "usageDate": wire_date(shown.line.start),
        "meterType": "1 Compute Hour",
        "meterCategory": "Virtual Machines",
        "meterId": _METER_ID,
        "meterSubCategory": "D series",
        "meterName": _METER,
        "meterRegion": "EU North",
        "unitOfMeasure": "1 Hour",
        "resourceLocation": "NORTHEUROPE",
        "consumedService": "Microsoft.Compute",
        "resourceGroup": "production",
        "resourceUri": machine,
        "tags": "",
        "additionalInfo": "",
        "serviceInfo1": "",
        "serviceInfo2": "",
    }


def _rates(shown: Shown) -> Json:
    cost = shown.line.effective
    hourly = cost / _HOURS
    entitlement = shown.emulator.world.azure.entitlements[shown.line.entitlement_id]
    return {
        "unitPrice": float(hourly),
        "quantity": float(_HOURS),
        "unitType": "1 Hour",
        "billingPreTaxTotal": float(cost),
        "billingCurrency": shown.tenant.currency,
        "pricingPreTaxTotal": float(cost),
        "pricingCurrency": shown.tenant.currency,
        "entitlementId": entitlement.id,
        "entitlementDescription": entitlement.friendly_name,
        "pcToBCExchangeRate": 1,
        "pcToBCExchangeRateDate": wire_date(shown.line.start.replace(day=1)),
        "effectiveUnitPrice": float(hourly),
        "rateOfPartnerEarnedCredit": 0,
        "hasPartnerEarnedCredit": False,
        "rateOfCredit": 0,
        "creditType": "Credit Not Applied",
        "benefitOrderId": "",
        "benefitId": "",
        "benefitType": "Charge",
    }


def azure_line(shown: Shown) -> Json:
    """Return one UsageBasedLineItem: a month of a legacy Azure subscription."""
    line = shown.line
    hours = Decimal(_HOURS * ((line.end - line.start).days + 1))
    rate = float((line.amount / hours).quantize(Decimal("0.00000001"), rounding=ROUND_HALF_UP))
    cost = float(line.amount)
    return {
        "detailLineItemId": 1,
        "sku": "7UD-00001",
        "includedQuantity": 0,
        "overageQuantity": float(hours),
        "listPrice": rate,
        "currency": shown.tenant.currency,
        "pretaxCharges": cost,
        "taxAmount": 0,
        "postTaxTotal": cost,
        "pretaxEffectiveRate": rate,
        "postTaxEffectiveRate": rate,
        "chargeType": line.type,
        "invoiceLineItemType": "billing_line_items",
        **_azure_owner(shown),
        "consumedQuantity": float(hours),
        "chargeStartDate": legacy_date(line.start),
        "chargeEndDate": legacy_date(line.end),
        "attributes": attributes("UsageBasedLineItem"),
    }


def azure_day_line(shown: Shown) -> Json:
    """Return one DailyUsageLineItem: a day of a legacy Azure subscription; it has no money."""
    return {
        "customerBillableAccount": digits_of(shown.customer.id, 10),
        "usageDate": legacy_date(shown.line.start),
        "invoiceLineItemType": "usage_line_items",
        **_azure_owner(shown),
        "consumedQuantity": float(_HOURS),
        "chargeStartDate": legacy_date(shown.line.start),
        "chargeEndDate": legacy_date(shown.line.end),
        "attributes": attributes("DailyUsageLineItem"),
    }


def _azure_owner(shown: Shown) -> Json:
    """Return the members both legacy Azure lines share: whose use of what it was."""
    owner = license_owner(shown)
    return {
        "partnerId": owner["partnerId"],
        "partnerName": shown.tenant.company_name,
        "partnerBillableAccountId": digits_of(shown.tenant.id, 10),
        "customerId": owner["customerId"],
        "domainName": shown.customer.domain,
        "customerCompanyName": owner["customerName"],
        "mpnId": owner["mpnId"],
        "tier2MpnId": owner["tier2MpnId"],
        "invoiceNumber": shown.invoice_id,
        "subscriptionId": shown.subscription.id.upper(),
        "subscriptionName": shown.subscription.offer_name,
        "subscriptionDescription": shown.subscription.friendly_name,
        "billingCycleType": "Monthly",
        "orderId": owner["orderId"],
        "serviceName": "Virtual Machines",
        "serviceType": "D series",
        "resourceGuid": _METER_ID,
        "resourceName": _METER,
        "region": "EU North",
        "unit": "1 Hour",
        "billingProvider": "azure",
    }
