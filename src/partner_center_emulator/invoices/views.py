"""How the wire shows invoices and balances (wire room, commerce 6.1, 6.2)."""

from __future__ import annotations

from hashlib import blake2b
from itertools import groupby

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.invoices.models import Balance, paid_amount
from partner_center_emulator.state.invoices import Invoice, InvoiceLine
from partner_center_emulator.wire import NULL_TIME, Json, attributes, link, self_link, wire_date, wire_time
from partner_center_emulator.world import PartnerTenant


def digits_of(text: str, count: int) -> str:
    """Return a decimal number of ``count`` digits that always is the same for ``text``."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return str(number % (9 * 10 ** (count - 1)) + 10 ** (count - 1))


def wire_invoice(emulator: Emulator, invoice: Invoice) -> Json:
    """Return one Invoice; its own address carries the kind before the number, as samples have it."""
    receipt = digits_of(invoice.id, 6)
    return {
        "id": invoice.id,
        "invoiceDate": wire_time(invoice.issued_at),
        "billingPeriodStartDate": wire_date(invoice.period_start),
        "billingPeriodEndDate": wire_date(invoice.period_end),
        "totalCharges": float(invoice.total),
        "paidAmount": float(paid_amount(emulator, invoice)),
        "currencyCode": invoice.currency,
        "currencySymbol": invoice.currency_symbol,
        "pdfDownloadLink": f"/invoices/{invoice.id}/documents/statement",
        "taxReceipts": [
            {
                "id": receipt,
                "taxReceiptPdfDownloadLink": f"/invoices/{invoice.id}/receipts/{receipt}/documents/statement",
            }
        ],
        "invoiceDetails": _details(invoice),
        "documentType": "invoice",
        "invoiceType": invoice.kind,
        "status": "active",
        "links": self_link(f"/invoices/{invoice.kind}-{invoice.id}"),
        "attributes": attributes("Invoice"),
    }


def _details(invoice: Invoice) -> list[Json]:
    """Return which sorts of lines the invoice has, with the address of each."""
    has_licenses = any(not line.entitlement_id for line in invoice.lines)
    has_use = any(line.entitlement_id for line in invoice.lines)
    sorts: list[tuple[str, str, str, str]] = []
    if invoice.kind == "Recurring":
        sorts += [("billing_line_items", "office", "Office", "BillingLineItems")] * has_licenses
        sorts += [("billing_line_items", "azure", "Azure", "BillingLineItems")] * has_use
        sorts += [("usage_line_items", "azure", "Azure", "UsageLineItems")] * has_use
    else:
        sorts += [("billing_line_items", "one_time", "OneTime", "BillingLineItems")]
        sorts += [("usage_line_items", "one_time", "OneTime", "UsageLineItems")] * has_use
    base = f"/invoices/{invoice.kind}-{invoice.id}/lineitems"
    return [
        {
            "invoiceLineItemType": line_type,
            "billingProvider": provider,
            "links": {"self": link(f"{base}/{provider_path}/{type_path}")},
            "attributes": attributes("InvoiceDetail"),
        }
        for line_type, provider, provider_path, type_path in sorts
    ]


def wire_summary(tenant: PartnerTenant, whole: Balance, parts: list[Balance]) -> Json:
    """Return the InvoiceSummary of a tenant's currency with one detail per kind of invoice."""
    return {
        **_balance(tenant, whole),
        "details": [
            {
                "invoiceType": part.kind,
                "summary": {**_balance(tenant, part), "attributes": attributes("InvoiceSummary")},
            }
            for part in parts
        ],
        "links": self_link("/invoices/summary"),
        "attributes": attributes("InvoiceSummary"),
    }


def _balance(tenant: PartnerTenant, balance: Balance) -> Json:
    return {
        "balanceAmount": float(balance.amount),
        "currencyCode": tenant.currency,
        "currencySymbol": tenant.currency_symbol,
        "accountingDate": wire_time(balance.last_issued) if balance.last_issued else NULL_TIME,
        "firstInvoiceCreationDate": wire_time(balance.first_issued) if balance.first_issued else NULL_TIME,
        "lastPaymentDate": wire_time(balance.last_paid) if balance.last_paid else NULL_TIME,
        "lastPaymentAmount": float(balance.last_payment),
        "latestInvoiceDate": wire_time(balance.last_issued) if balance.last_issued else NULL_TIME,
    }


def statement_text(emulator: Emulator, tenant: PartnerTenant, invoice: Invoice) -> list[str]:
    """Return the lines of text of an invoice's statement: the total by customer and charge type."""
    head = [
        f"Statement of invoice {invoice.id}",
        f"Billed to {tenant.company_name}, {tenant.address.city}, {tenant.address.country}",
        f"Invoice date {invoice.issued_at:%Y-%m-%d}, billing period {invoice.period_start} to {invoice.period_end}",
        f"Total {invoice.total} {invoice.currency}, paid {paid_amount(emulator, invoice)} {invoice.currency}",
        f"Payment is due {emulator.options.billing.payment_days} days after the invoice date",
        "",
    ]

    def place(line: InvoiceLine) -> tuple[str, str]:
        customer = emulator.world.customers.get(line.customer_id)
        return (customer.company_name if customer else line.customer_id), line.type

    rows = sorted(invoice.lines, key=place)
    return head + [
        f"{name}: {kind} {sum(line.amount for line in group)} {invoice.currency}"
        for (name, kind), group in groupby(rows, place)
    ]
