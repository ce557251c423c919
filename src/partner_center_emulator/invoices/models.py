"""Behaviour of invoices (model room): finding them, what is paid, the balance, what is not billed yet (commerce 6).

Issuing is in ``month_end.py``, the rules are in ``rules.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Literal

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.invoices import month_end
from partner_center_emulator.invoices.lives import LifeBook
from partner_center_emulator.invoices.periods import DAY, Period, calendar_period
from partner_center_emulator.invoices.rules import charges
from partner_center_emulator.invoices.usage import UsageBook, UsageDay
from partner_center_emulator.state.invoices import Invoice, InvoiceKind, InvoiceLine
from partner_center_emulator.wire import text_field
from partner_center_emulator.world import PartnerTenant

PeriodName = Literal["current", "previous"]

_OPERATORS: dict[str, Callable[[date, date], bool]] = {
    "equals": eq,
    "not_equals": ne,
    "greater_than": gt,
    "greater_than_or_equals": ge,
    "less_than": lt,
    "less_than_or_equals": le,
}

rearm = month_end.arm_all


class Balance(msgspec.Struct, kw_only=True):
    """What a partner tenant owes for one kind of invoice, or for all of them."""

    kind: InvoiceKind | None
    amount: Decimal = Decimal(0)
    first_issued: datetime | None = None
    last_issued: datetime | None = None
    last_paid: datetime | None = None
    last_payment: Decimal = Decimal(0)


def find_invoice(emulator: Emulator, tenant: PartnerTenant, number: str) -> Invoice:
    """Return an invoice of the tenant by its number, with or without the kind before it; raises 404 code 1000."""
    found = emulator.world.invoices.invoices.get(number.rpartition("-")[2].upper())
    if found is None or found.tenant_id != tenant.id:
        raise refusal(1000)
    return found


def list_invoices(emulator: Emulator, tenant: PartnerTenant, filter_text: str = "") -> list[Invoice]:
    """Return the tenant's invoices, oldest first; raises 400 code 2000 for a filter that cannot be read."""
    accepts = _read_filter(filter_text) if filter_text else None
    return [
        invoice
        for invoice in emulator.world.invoices.invoices.values()
        if invoice.tenant_id == tenant.id and (accepts is None or accepts(invoice.issued_at.date()))
    ]


def _read_filter(text: str) -> Callable[[date], bool]:
    """Return the test of a filter on InvoiceDate (commerce 6.1)."""
    try:
        members = msgspec.json.decode(text, type=dict[str, object])
        wanted = date.fromisoformat(text_field(members, "Value")[:10])
    except (msgspec.DecodeError, ValueError):
        raise refusal(2000, "The filter must be a JSON object with Field, Value (a date) and Operator.") from None
    operator = _OPERATORS.get(text_field(members, "Operator").lower())
    if text_field(members, "Field").lower() != "invoicedate" or operator is None:
        raise refusal(2000, "Invoices are filtered by InvoiceDate with equals, not_equals, greater_than or less_than.")
    return lambda day: operator(day, wanted)


def paid_at(emulator: Emulator, invoice: Invoice) -> datetime:
    """Return when the partner pays an invoice: at the end of the term of payment, in full (R-191)."""
    return invoice.issued_at + timedelta(days=emulator.options.billing.payment_days)


def paid_amount(emulator: Emulator, invoice: Invoice) -> Decimal:
    """Return what of an invoice is paid by now."""
    return invoice.total if paid_at(emulator, invoice) <= emulator.clock.now() else Decimal(0)


def balances(emulator: Emulator, tenant: PartnerTenant) -> tuple[Balance, list[Balance]]:
    """Return what the tenant owes in all, and by kind of invoice; a tenant has one currency (R-89)."""
    whole = Balance(kind=None)
    parts = {kind: Balance(kind=kind) for kind in month_end.KINDS}
    for invoice in list_invoices(emulator, tenant):
        for balance in (whole, parts[invoice.kind]):
            _add(emulator, balance, invoice)
    return whole, [part for part in parts.values() if part.first_issued is not None]


def _add(emulator: Emulator, balance: Balance, invoice: Invoice) -> None:
    paid = paid_amount(emulator, invoice)
    balance.amount += invoice.total - paid
    balance.first_issued = balance.first_issued or invoice.issued_at
    balance.last_issued = invoice.issued_at
    if paid:
        balance.last_paid, balance.last_payment = paid_at(emulator, invoice), paid


def unbilled_lines(emulator: Emulator, tenant: PartnerTenant, name: PeriodName) -> list[InvoiceLine]:
    """Return what new commerce has charged in a calendar month that is not on an invoice yet.

    A charge shows some hours after it arose (R-196); the month before this one is empty once its invoice is out.
    """
    period = open_period(emulator, tenant, name)
    if period is None:
        return []
    seen_until = emulator.clock.now() - timedelta(hours=emulator.options.billing.unbilled_delay_hours)
    until = min(period.end, seen_until.date()) + DAY
    book = emulator.derived(LifeBook)
    book.refresh()
    found: list[InvoiceLine] = []
    for subscription in book.billed():
        if subscription.tenant_id != tenant.id or not book.is_new_commerce(subscription):
            continue
        life = book.life(subscription)
        steps = tuple(step for step in life.steps if step.at <= seen_until) if life else ()
        if life is None or not steps:
            continue
        seen = msgspec.structs.replace(life, steps=steps)
        found += [
            month_end.line_of(subscription, charge)
            for charge in charges(seen, period.start, until, emulator.options.billing)
        ]
    return found


def open_period(emulator: Emulator, tenant: PartnerTenant, name: PeriodName) -> Period | None:
    """Return this calendar month or the one before it; None if the latter is billed already."""
    current = calendar_period(emulator.clock.now().date())
    if name == "current":
        return current
    previous = calendar_period(current.start - DAY)
    billed = emulator.world.invoices.billed_through.get(f"{tenant.id}/OneTime")
    return None if billed is not None and billed >= previous.end else previous


def used_days(emulator: Emulator, tenant: PartnerTenant, period: Period, *, legacy: bool) -> Iterator[UsageDay]:
    """Yield the days of Azure use in a period that are known by now: rated about a day late (commerce 6.7)."""
    known = emulator.clock.now().date() - DAY
    if known < period.start:
        return
    book = emulator.derived(UsageBook)
    book.refresh()
    yield from book.days(tenant.id, Period(period.start, min(period.end, known)), legacy=legacy)
