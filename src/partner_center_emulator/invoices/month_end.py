"""The month-end actor (time room): issues each partner tenant's invoices when its billing periods are over.

Legacy: a month from the tenant's anniversary day, two days later; new commerce and Azure plans: the calendar month, on
the sixth of the next (R-186). One timer per tenant and kind; after a load they are set again from what the world says
it has billed. A period without any line has no invoice (R-58).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.invoices.life import Charge
from partner_center_emulator.invoices.lives import LifeBook
from partner_center_emulator.invoices.periods import DAY, Period, anniversary_period, calendar_period
from partner_center_emulator.invoices.rules import charges
from partner_center_emulator.invoices.terms import BillingTerms
from partner_center_emulator.invoices.usage import UsageBook, UsageDay, total_cost
from partner_center_emulator.state.invoices import Invoice, InvoiceKind, InvoiceLine
from partner_center_emulator.world import PartnerTenant, Subscription

KINDS: tuple[InvoiceKind, ...] = ("Recurring", "OneTime")
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LONGEST_WAIT = timedelta(days=31)


def arm_all(emulator: Emulator) -> None:
    """Put the next invoice run of every partner tenant on the clock."""
    for tenant in emulator.world.partner_tenants.values():
        for kind in KINDS:
            _arm(emulator, tenant, kind, _next_period(emulator, tenant, kind))


def period_of(tenant: PartnerTenant, kind: InvoiceKind, day: date) -> Period:
    """Return the billing period of a tenant that holds ``day``."""
    return anniversary_period(tenant.anniversary_day, day) if kind == "Recurring" else calendar_period(day)


def issue_time(kind: InvoiceKind, period: Period, terms: BillingTerms) -> datetime:
    """Return when the invoice of a period is issued: midnight UTC of its day."""
    first = period.end + DAY
    wait = terms.legacy_invoice_days if kind == "Recurring" else terms.new_commerce_invoice_day - 1
    return datetime.combine(first + timedelta(days=wait), time(), tzinfo=UTC)


def lines_of(emulator: Emulator, tenant: PartnerTenant, kind: InvoiceKind, period: Period) -> Iterator[InvoiceLine]:
    """Yield the lines of a tenant that arise in a period, by subscription in the order of the world."""
    book = emulator.derived(LifeBook)
    book.refresh()
    terms, until = emulator.options.billing, period.end + DAY
    is_new = kind == "OneTime"
    for subscription in book.billed():
        if subscription.tenant_id != tenant.id or book.is_new_commerce(subscription) != is_new:
            continue
        life = book.life(subscription)
        if life is not None:
            for charge in charges(life, period.start, until, terms):
                yield line_of(subscription, charge)
    yield from _usage_lines(emulator, tenant, period, legacy=not is_new)


def close(emulator: Emulator, tenant: PartnerTenant, kind: InvoiceKind, period: Period) -> Invoice | None:
    """Issue the invoice of one period and remember that it is billed; None if nothing was charged."""
    state = emulator.world.invoices
    lines = list(lines_of(emulator, tenant, kind, period))
    state.billed_through[f"{tenant.id}/{kind}"] = period.end
    if not lines:
        return None
    invoice = Invoice(
        id=_next_number(emulator, kind),
        tenant_id=tenant.id,
        kind=kind,
        issued_at=emulator.clock.now(),
        period_start=period.start,
        period_end=period.end,
        currency=tenant.currency,
        currency_symbol=tenant.currency_symbol,
        total=sum((line.amount for line in lines), Decimal(0)),
        lines=lines,
    )
    state.invoices[invoice.id] = invoice
    emulator.record(
        "invoice.issued",
        tenant_id=tenant.id,
        customer_id="",
        subject_id=invoice.id,
        after={"kind": kind, "total": str(invoice.total), "currency": invoice.currency, "lines": len(lines)},
    )
    return invoice


def _next_period(emulator: Emulator, tenant: PartnerTenant, kind: InvoiceKind) -> Period:
    """Return the oldest period that is not billed; in a new world the one whose invoice is still to come."""
    billed = emulator.world.invoices.billed_through.get(f"{tenant.id}/{kind}")
    if billed is not None:
        return period_of(tenant, kind, billed + DAY)
    return first_period(emulator.world.started_at, tenant, kind, emulator.options.billing)


def first_period(started_at: datetime, tenant: PartnerTenant, kind: InvoiceKind, terms: BillingTerms) -> Period:
    """Return the oldest period that a world which started at ``started_at`` issues an invoice for."""
    period = period_of(tenant, kind, (started_at - _LONGEST_WAIT).date())
    while issue_time(kind, period, terms) <= started_at:
        period = period_of(tenant, kind, period.end + DAY)
    return period


def _arm(emulator: Emulator, tenant: PartnerTenant, kind: InvoiceKind, period: Period) -> None:
    def run() -> None:
        close(emulator, tenant, kind, period)
        _arm(emulator, tenant, kind, period_of(tenant, kind, period.end + DAY))

    due = issue_time(kind, period, emulator.options.billing)
    emulator.clock.at(due, f"month end of {tenant.key}: {kind} {period.start}", run)


def line_of(subscription: Subscription, charge: Charge) -> InvoiceLine:
    """Return a charge as the line of an invoice."""
    return InvoiceLine(
        subscription.id,
        subscription.customer_id,
        charge.billed_on,
        charge.type,
        charge.start,
        charge.end,
        charge.unit_price,
        charge.effective,
        charge.quantity,
        charge.reference,
    )


def _usage_lines(emulator: Emulator, tenant: PartnerTenant, period: Period, *, legacy: bool) -> Iterator[InvoiceLine]:
    """Yield one line per Azure subscription: all its days of use in the period, paid afterward."""
    if not emulator.world.azure.entitlements:
        return
    book = emulator.derived(UsageBook)
    book.refresh()
    used = book.days(tenant.id, period, legacy=legacy)
    for _, group in groupby(used, lambda day: (day.entitlement.id, day.subscription_id)):
        days = list(group)
        yield _usage_line(days, period, legacy=legacy)


def _usage_line(days: list[UsageDay], period: Period, *, legacy: bool) -> InvoiceLine:
    entitlement = days[0].entitlement
    went_on = days[-1].day == period.end
    legacy_type = "Assess usage fee for current cycle" if went_on else "Assess usage fee when cancel"
    return InvoiceLine(
        days[0].subscription_id,
        entitlement.customer_id,
        period.end,
        legacy_type if legacy else "new",
        days[0].day,
        days[-1].day,
        Decimal(entitlement.monthly_cost),
        total_cost(days),
        1,
        "",
        entitlement.id,
    )


def _next_number(emulator: Emulator, kind: InvoiceKind) -> str:
    """Return the next invoice number: D with letters for legacy, G with digits for new commerce (commerce 6.2)."""
    state = emulator.world.invoices
    number = state.next_number
    state.next_number = number + 1
    if kind == "OneTime":
        return f"G{24_000 + number:09d}"
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return f"D02{digits}{_BASE36[state.next_number % 36]}"
