"""State of money (state room): issued invoices with their lines, and up to when each tenant is billed; no behaviour.

Lines are kept as they were issued, one compact row each, because a month end of a large world makes half a million of
them. Names, domains and the like are looked up when a line is shown.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

InvoiceKind = Literal["Recurring", "OneTime"]  # legacy; new commerce and Azure (the wire's invoiceType)


class InvoiceLine(msgspec.Struct, array_like=True, gc=False):
    """One billed line; a credit has a negative ``effective`` price."""

    subscription_id: str
    customer_id: str
    billed_on: date
    type: str
    start: date
    end: date
    unit_price: Decimal  # list price of one license for the whole cycle
    effective: Decimal  # price of one license for these days
    quantity: int
    reference: str = ""
    entitlement_id: str = ""  # Azure: the subscription that was used

    @property
    def amount(self) -> Decimal:
        """Return the money of the line, before tax; there is no tax here."""
        return self.effective * self.quantity


class Invoice(msgspec.Struct, kw_only=True):
    """One issued invoice of a partner tenant."""

    id: str  # D... legacy, G... new commerce and Azure
    tenant_id: str
    kind: InvoiceKind
    issued_at: datetime
    period_start: date
    period_end: date  # inclusive
    currency: str
    currency_symbol: str
    total: Decimal
    lines: list[InvoiceLine] = []


class InvoiceState(msgspec.Struct, kw_only=True):
    """Everything this area keeps."""

    invoices: dict[str, Invoice] = {}  # by id, in order of issue
    billed_through: dict[str, date] = {}  # "{tenant_id}/{kind}" -> last day that an invoice run has covered
    next_number: int = 1
