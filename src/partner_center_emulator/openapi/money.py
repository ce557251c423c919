"""Shapes of invoices, lines and Azure usage (report room)."""

from __future__ import annotations

from msgspec import UNSET

from partner_center_emulator.openapi.envelopes import Json, Link, Maybe, Object, Shape


class Invoice(Object, kw_only=True):
    """An invoice (commerce 6.1)."""

    id: str
    invoice_date: str
    billing_period_start_date: str
    billing_period_end_date: str
    total_charges: float
    paid_amount: float
    currency_code: str
    document_type: str
    invoice_type: str
    invoice_details: list[Json]


class BalanceSummary(Object, kw_only=True):
    """What is owed in one currency."""

    balance_amount: float
    currency_code: str
    details: list[Json]


class EstimateLink(Shape, kw_only=True):
    """Where unbilled lines can be read."""

    type: str
    period: str
    link: Link


class InvoiceLine(Object, kw_only=True):
    """A line of an invoice, of any provider and type."""

    invoice_line_item_type: str
    billing_provider: str
    customer_id: Maybe[str] = UNSET
    partner_id: Maybe[str] = UNSET
    quantity: Maybe[float] = UNSET


class UsageRecord(Object, kw_only=True):
    """Azure use of a customer or subscription."""

    id: str
    name: str
    total_cost: float
    usd_total_cost: float
    last_modified_date: str


class UsageSummary(Object, kw_only=True):
    """Azure use of the running period."""

    id: str
    name: str
    total_cost: float
    billing_start_date: str
    billing_end_date: str
