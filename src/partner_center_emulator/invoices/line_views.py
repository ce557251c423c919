"""How the wire shows billed and unbilled lines of licenses (wire room, commerce 6.3, 6.4)."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, timedelta
from decimal import Decimal
from hashlib import blake2b
from uuid import NAMESPACE_OID, uuid5

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.invoices.software import is_stand_in, stand_in
from partner_center_emulator.invoices.views import digits_of
from partner_center_emulator.state.invoices import InvoiceLine
from partner_center_emulator.subscriptions.months import ENDLESS
from partner_center_emulator.wire import Json, attributes, wire_date, wire_time
from partner_center_emulator.world import Customer, Order, PartnerTenant, Subscription

_TERM_WORDS = {"P1M": "One-Month", "P1Y": "One-Year", "P3Y": "Three-Year"}
_FREQUENCIES = {"monthly": "Monthly", "annual": "Annual", "triennial": "Triennial"}


class Shown(msgspec.Struct, frozen=True):
    """A line with everything that is looked up for it."""

    emulator: Emulator
    tenant: PartnerTenant
    line: InvoiceLine
    subscription: Subscription
    customer: Customer
    order: Order | None
    invoice_id: str  # "" while unbilled


def show(emulator: Emulator, tenant: PartnerTenant, line: InvoiceLine, invoice_id: str) -> Shown:
    """Look up what belongs to a line."""
    world = emulator.world
    name = line.subscription_id
    subscription = stand_in(world, name) if is_stand_in(name) else world.subscriptions[name]
    return Shown(
        emulator,
        tenant,
        line,
        subscription,
        world.customers[line.customer_id],
        world.orders.get(subscription.order_id),
        invoice_id,
    )


def legacy_date(day: date) -> str:
    """Return a day as legacy lines write it: midnight without a zone; it is UTC all the same (R-192)."""
    return f"{day:%Y-%m-%d}T00:00:00"


def license_line(shown: Shown) -> Json:
    """Return one LicenseBasedLineItem; the API's subscription id is ``syndicationPartnerSubscriptionNumber``."""
    line, subscription = shown.line, shown.subscription
    amount = float(line.amount)
    return {
        **license_owner(shown),
        "subscriptionId": _platform_id(subscription.id),
        "syndicationPartnerSubscriptionNumber": subscription.id.upper(),
        "offerId": str(uuid5(NAMESPACE_OID, subscription.offer_id)).upper(),
        "durableOfferId": subscription.offer_id,
        "offerName": subscription.offer_name.upper(),
        "domainName": shown.customer.domain,
        "billingCycleType": subscription.billing_cycle.upper(),
        "subscriptionName": subscription.offer_name.upper(),
        "subscriptionDescription": subscription.friendly_name.upper(),
        "subscriptionStartDate": legacy_date(_started(shown)),
        "subscriptionEndDate": legacy_date(subscription.commitment_end),
        "chargeStartDate": legacy_date(line.start),
        "chargeEndDate": legacy_date(line.end),
        "chargeType": line.type,
        "unitPrice": float(line.unit_price),
        "quantity": line.quantity,
        "amount": amount,
        "totalOtherDiscount": 0.0,
        "subtotal": amount,
        "tax": 0.0,
        "totalForCustomer": amount,
        "currency": shown.tenant.currency,
        "invoiceLineItemType": "billing_line_items",
        "billingProvider": "office",
        "attributes": attributes("LicenseBasedLineItem"),
    }


def license_owner(shown: Shown) -> Json:
    """Return the members of a legacy line that say whose it is."""
    reseller = shown.subscription.partner_id_on_record
    is_other = bool(reseller) and reseller != shown.tenant.partner_id
    return {
        "partnerId": shown.tenant.id,
        "customerId": shown.customer.id.upper(),
        "customerName": shown.customer.company_name,
        "mpnId": int(shown.tenant.partner_id),
        "tier2MpnId": int(reseller) if is_other and reseller and reseller.isdigit() else -1,
        "orderId": digits_of(shown.subscription.order_id, 18),
    }


def _started(shown: Shown) -> date:
    # S-4: the reconciliation file starts the day after the order
    later = shown.emulator.options.billing.first_charged_day == "next_day"
    return shown.subscription.effective_start + timedelta(days=int(later))


def _platform_id(subscription_id: str) -> str:
    """Return an id of the billing platform: of use to support only."""
    return b64encode(blake2b(subscription_id.encode(), digest_size=12).digest()).decode()


def one_time_line(shown: Shown) -> Json:
    """Return one OneTimeInvoiceLineItem; numbers are text unless the option says otherwise (commerce 6.4)."""
    subscription, line = shown.subscription, shown.line
    product_id, sku_id, availability_id = (*subscription.offer_id.split(":"), "", "")[:3]
    return {
        **_buyer(shown),
        "productId": product_id,
        "skuId": sku_id,
        "availabilityId": availability_id,
        **_names(shown, product_id, sku_id),
        "chargeType": line.type,
        **_money(shown),
        "publisherName": "Microsoft Corporation",
        "publisherId": "",
        "subscriptionDescription": _own_name(subscription),
        "subscriptionId": "" if is_stand_in(subscription.id) else subscription.id,
        "subscriptionStartDate": wire_date(subscription.effective_start),
        "subscriptionEndDate": wire_date(subscription.commitment_end),
        "chargeStartDate": wire_date(line.start),
        "chargeEndDate": wire_date(_last_day(shown)),
        **_terms(shown),
        "invoiceLineItemType": "billing_line_items",
        "billingProvider": "one_time",
        "attributes": attributes("OneTimeInvoiceLineItem"),
    }


def _last_day(shown: Shown) -> date:
    """Return the last charged day; what is bought for good has none, so its first is shown."""
    is_paid_once = shown.subscription.billing_cycle == "one_time" and not shown.line.entitlement_id
    is_for_good = is_paid_once and shown.subscription.commitment_end == ENDLESS
    return shown.line.start if is_for_good else shown.line.end


def _own_name(subscription: Subscription) -> str:
    return "" if subscription.friendly_name == subscription.offer_name else subscription.friendly_name


def _buyer(shown: Shown) -> Json:
    order, customer, subscription = shown.order, shown.customer, shown.subscription
    reseller = subscription.partner_id_on_record
    return {
        "partnerId": shown.tenant.id,
        "customerId": customer.id,
        "customerName": customer.company_name,
        "customerDomainName": customer.domain,
        "customerCountry": customer.address.country,
        "invoiceNumber": shown.invoice_id,
        "mpnId": shown.tenant.partner_id,
        "resellerMpnId": reseller if reseller and reseller != shown.tenant.partner_id else "0",
        "orderId": subscription.order_id,
        "orderDate": wire_time(order.created_at if order else subscription.created_at),
    }


def _names(shown: Shown, product_id: str, sku_id: str) -> Json:
    product = shown.emulator.world.commerce.products.get(product_id)
    sku = next((row for row in product.skus if row.id == sku_id), None) if product else None
    qualifiers = ["AddOn"] if sku and sku.required_skus else []
    return {
        "productName": product.title if product else shown.subscription.offer_name,
        "skuName": sku.title if sku else shown.subscription.offer_name,
        "productQualifiers": qualifiers + (["Trial"] if shown.subscription.is_trial else []),
    }


def _money(shown: Shown) -> Json:
    line = shown.line
    number = _number_writer(shown)
    quantity = Decimal(line.quantity)
    return {
        "unitPrice": number(line.unit_price),
        "effectiveUnitPrice": number(line.effective),
        "unitType": "",
        "quantity": number(quantity),
        "billableQuantity": number(quantity),
        "subtotal": number(line.amount),
        "taxTotal": number(Decimal(0)),
        "totalForCustomer": number(line.amount),
        "currency": shown.tenant.currency,
        "pricingCurrency": shown.tenant.currency,
        "pcToBCExchangeRate": number(Decimal(1)),
        "pcToBCExchangeRateDate": legacy_date(line.billed_on.replace(day=1)),
        "priceAdjustmentDescription": "",
        "discountDetails": "",
        "meterDescription": "",
        "creditReasonCode": "",
    }


def _terms(shown: Shown) -> Json:
    subscription, line = shown.subscription, shown.line
    terms = shown.emulator.world.commerce.terms.get(subscription.id)
    duration = _TERM_WORDS.get(terms.term_duration, "") if terms else ""
    reference = line.reference or f"{subscription.id}/{line.billed_on}/{line.type}"
    return {
        "termAndBillingCycle": f"{duration} commitment for monthly/yearly billing" if duration else "",
        "billingFrequency": _FREQUENCIES.get(subscription.billing_cycle, ""),
        "alternateId": subscription.order_id,
        "referenceId": str(uuid5(NAMESPACE_OID, reference)),
        "reservationOrderId": str(uuid5(NAMESPACE_OID, subscription.order_id)),
        "promotionId": terms.promotion_id if terms else "",
    }


class _Writer:
    """Writes a number as text or as a number."""

    def __init__(self, *, as_text: bool) -> None:
        self._as_text = as_text

    def __call__(self, value: Decimal) -> object:
        """Return ``value`` without needless zeros."""
        if self._as_text:
            return f"{value.normalize():f}" if value else "0"
        return float(value)


def _number_writer(shown: Shown) -> _Writer:
    return _Writer(as_text=shown.emulator.options.billing.numbers_as_text)
