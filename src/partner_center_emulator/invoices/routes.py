"""HTTP of invoices, their lines and statements, and of what is not billed yet (commerce reference 6.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.invoices import line_views, models, usage_views, views
from partner_center_emulator.invoices.periods import Period
from partner_center_emulator.invoices.statement import pdf
from partner_center_emulator.paging import offset_page, seek_page
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.state.invoices import Invoice, InvoiceLine
from partner_center_emulator.wire import Json, collection, link, self_link

_READERS = frozenset({"admin_agent", "global_admin"})
_MOST_LINES = 2000
_MOST_INVOICES = 500
_ONE_TIME = frozenset({"onetime", "marketplace", "all"})
_PROVIDERS = _ONE_TIME | {"office", "azure"}
_TYPES = frozenset({"billinglineitems", "usagelineitems"})
# What the address of a following page repeats.
_KEPT = ("provider", "invoicelineitemtype", "currencycode", "period", "haspartnerearnedcredit")

T = TypeVar("T")


async def list_invoices(call: Call) -> Reply:
    """Return the tenant's invoices, oldest first, by offset; a filter on InvoiceDate narrows them."""
    found = models.list_invoices(call.emulator, call.tenant, call.query.get("filter", ""))
    body = offset_page(
        call, "/invoices", found, lambda invoice: views.wire_invoice(call.emulator, invoice), most=_MOST_INVOICES
    )
    return Reply(body)


async def read_invoice(call: Call) -> Reply:
    """Return one invoice."""
    return Reply(views.wire_invoice(call.emulator, _invoice(call)))


async def read_summary(call: Call) -> Reply:
    """Return what the tenant owes."""
    return Reply(views.wire_summary(call.tenant, *models.balances(call.emulator, call.tenant)))


async def list_summaries(call: Call) -> Reply:
    """Return what the tenant owes by currency; a tenant has one."""
    summary = views.wire_summary(call.tenant, *models.balances(call.emulator, call.tenant))
    return Reply(collection([summary], links=self_link("/invoices/summaries")))


async def read_statement(call: Call) -> Reply:
    """Return the statement of an invoice as PDF."""
    return _document(views.statement_text(call.emulator, call.tenant, _invoice(call)))


async def read_receipt(call: Call) -> Reply:
    """Return the tax receipt of an invoice as PDF; raises 404 code 1000 for another one's number."""
    invoice = _invoice(call)
    if call.path["receipt"] != views.digits_of(invoice.id, 6):
        raise refusal(1000)
    return _document([f"Tax receipt {call.path['receipt']} of invoice {invoice.id}", f"Tax 0.00 {invoice.currency}"])


async def list_lines(call: Call) -> Reply:
    """Return one page of an invoice's lines of one provider and type, asked for in the query."""
    provider, line_type = _asked(call, call.query.get("provider", ""), call.query.get("invoicelineitemtype", ""))
    return Reply(_billed(call, provider, line_type, f"/invoices/{call.path['invoice']}/lineitems"))


async def list_lines_by_path(call: Call) -> Reply:
    """Return one page of an invoice's lines, provider and type in the path: the older form."""
    provider, line_type = _asked(call, call.path["provider"], call.path["type"])
    uri = f"/invoices/{call.path['invoice']}/lineitems/{call.path['provider']}/{call.path['type']}"
    return Reply(_billed(call, provider, line_type, uri))


async def list_unbilled(call: Call) -> Reply:
    """Return one page of what new commerce has charged and not billed yet; usage is rated a day late."""
    provider, line_type = _asked(call, call.query.get("provider", ""), call.query.get("invoicelineitemtype", ""))
    period = call.query.get("period", "").lower()
    if provider not in _ONE_TIME or period not in {"current", "previous"} or not call.query.get("currencycode"):
        raise refusal(2000, "Unbilled lines need provider onetime, a currencyCode, and period current or previous.")
    name = cast("models.PeriodName", period)
    uri, mark = "/invoices/unbilled/lineitems", f"{line_type}|{period}|{call.query['currencycode'].lower()}"
    if call.query["currencycode"].lower() != call.tenant.currency.lower():
        return Reply(_seek(call, uri, (), lambda _: None, mark))
    if line_type == "billinglineitems":
        lines = models.unbilled_lines(call.emulator, call.tenant, name)
        return Reply(_seek(call, uri, lines, lambda line: _one_time(call, line, ""), mark))
    days = models.open_period(call.emulator, call.tenant, name)
    return Reply(_rated(call, uri, days, "", mark))


async def list_estimate_links(call: Call) -> Reply:
    """Return where the unbilled lines of a currency are; raises 400 code 2000 without one."""
    currency = call.query.get("currencycode", "").upper()
    if not currency:
        raise refusal(2000, "Say which currencyCode the links are for.")
    return Reply(collection([_estimate(currency, *row) for row in _ESTIMATES]))


_USE = ("daily_rated_usage", "Daily rated usage unbilled", "Consumption that is not on an invoice yet.")
_REST = ("non_consumption", "Unbilled reconciliation line items", "Other charges that are not on an invoice yet.")
_ESTIMATES = tuple(
    (*texts, provider, line_type, period)
    for texts, provider, line_type in ((_USE, "Marketplace", "UsageLineItems"), (_REST, "all", "billinglineitems"))
    for period in ("Current", "Previous")
)


def _estimate(
    currency: str, kind: str, title: str, description: str, provider: str, line_type: str, period: str
) -> Json:
    query = f"provider={provider}&invoicelineitemtype={line_type}&currencycode={currency}&period={period.lower()}"
    return {
        "type": kind,
        "title": title,
        "description": description,
        "period": period,
        "link": link(f"/invoices/unbilled/lineitems?{query}&size={_MOST_LINES}"),
    }


def _invoice(call: Call) -> Invoice:
    return models.find_invoice(call.emulator, call.tenant, call.path["invoice"])


def _document(lines: Sequence[str]) -> Reply:
    return Reply(pdf(lines), headers={"Content-Type": "application/pdf"})


def _asked(call: Call, provider: str, line_type: str) -> tuple[str, str]:
    """Return provider and type in one spelling; raises 400 code 2000 for others than the documented ones."""
    provider, line_type = (text.lower().replace("_", "") for text in (provider, line_type))
    if provider not in _PROVIDERS or line_type not in _TYPES:
        raise refusal(2000, f"The provider or the invoiceLineItemType of {call.raw_path} is missing or not known.")
    return provider, line_type


def _billed(call: Call, provider: str, line_type: str, uri: str) -> Json:
    invoice = _invoice(call)
    if provider in _ONE_TIME:
        return _billed_one_time(call, invoice, line_type, uri)
    is_use = provider == "azure"
    if is_use and line_type == "usagelineitems":
        period = Period(invoice.period_start, invoice.period_end) if invoice.kind == "Recurring" else None
        days = list(models.used_days(call.emulator, call.tenant, period, legacy=True)) if period else []
        show = usage_views.show_day
        return offset_page(
            call,
            uri,
            days,
            lambda day: usage_views.azure_day_line(show(call.emulator, call.tenant, day, invoice.id)),
            most=_MOST_LINES,
        )
    lines = [line for line in _lines(invoice, "Recurring", line_type) if bool(line.entitlement_id) == is_use]
    view = usage_views.azure_line if is_use else line_views.license_line
    return offset_page(
        call,
        uri,
        lines,
        lambda line: view(line_views.show(call.emulator, call.tenant, line, invoice.id)),
        most=_MOST_LINES,
    )


def _billed_one_time(call: Call, invoice: Invoice, line_type: str, uri: str) -> Json:
    mark = f"{invoice.id}|{line_type}"
    if line_type == "billinglineitems":
        lines = _lines(invoice, "OneTime", line_type)
        return _seek(call, uri, lines, lambda line: _one_time(call, line, invoice.id), mark)
    period = Period(invoice.period_start, invoice.period_end) if invoice.kind == "OneTime" else None
    return _rated(call, uri, period, invoice.id, mark)


def _lines(invoice: Invoice, kind: str, line_type: str) -> Sequence[InvoiceLine]:
    return invoice.lines if invoice.kind == kind and line_type == "billinglineitems" else ()


def _one_time(call: Call, line: InvoiceLine, invoice_id: str) -> Json:
    return line_views.one_time_line(line_views.show(call.emulator, call.tenant, line, invoice_id))


def _rated(call: Call, uri: str, period: Period | None, invoice_id: str, mark: str) -> Json:
    """Return one page of rated days of use; nobody earns credit here, so asking for such lines finds none."""
    days = list(models.used_days(call.emulator, call.tenant, period, legacy=False)) if period else []
    if call.query.get("haspartnerearnedcredit", "").lower() == "true":
        days = []
    show = usage_views.show_day
    return _seek(
        call,
        uri,
        days,
        lambda day: usage_views.daily_rated_line(show(call.emulator, call.tenant, day, invoice_id)),
        mark,
    )


def _seek(call: Call, uri: str, rows: Sequence[T], build: Callable[[T], object], mark: str) -> Json:
    """Return one page of lines by seek; the token also stands at the top, as samples have it (commerce 6.1)."""
    keys = [f"{number:09d}" for number in range(len(rows))]
    body = seek_page(call, uri, keys, lambda key: build(rows[int(key)]), filter_text=mark, most=_MOST_LINES, kept=_KEPT)
    following = cast("dict[str, Json]", body["links"]).get("next")
    if following is None:
        return body
    token = cast("list[Json]", following["headers"])[0]["value"]
    return {"continuationToken": token, **body}


_LINES = "/v1/invoices/{invoice}/lineitems"

ROUTES = (
    Route("GET", "/v1/invoices", list_invoices, roles=_READERS),
    Route("GET", "/v1/invoices/summary", read_summary, "AU", roles=_READERS),
    Route("GET", "/v1/invoices/summaries", list_summaries, "AU", roles=_READERS),
    Route("GET", "/v1/invoices/unbilled/lineitems", list_unbilled, roles=_READERS),
    Route("GET", "/v1/invoices/estimates/links", list_estimate_links, roles=_READERS),
    Route("GET", "/v1/invoices/{invoice}", read_invoice, "AU", roles=_READERS),
    Route("GET", "/v1/invoices/{invoice}/documents/statement", read_statement, "AU", roles=_READERS),
    Route("GET", "/v1/invoices/{invoice}/receipts/{receipt}/documents/statement", read_receipt, "AU", roles=_READERS),
    Route("GET", _LINES, list_lines, roles=_READERS),
    Route("GET", f"{_LINES}/{{provider}}/{{type}}", list_lines_by_path, roles=_READERS),
)

for _route, _page, _note in (
    ("GET /v1/invoices", "commerce 6.1, 6.2", "Offset paging; filter on InvoiceDate; numbers D legacy, G new commerce"),
    ("GET /v1/invoices/{invoice}", "commerce 6.2", "With and without the kind before the number; app+user only"),
    ("GET /v1/invoices/summary", "commerce 6.1", "Balance by kind of invoice, paid after 60 days (R-191)"),
    ("GET /v1/invoices/summaries", "commerce 6.1", "One per currency; a tenant has one (R-89)"),
    ("GET /v1/invoices/{invoice}/documents/statement", "commerce 6.1", "application/pdf"),
    ("GET /v1/invoices/{invoice}/receipts/{receipt}/documents/statement", "commerce 6.1", "application/pdf"),
    (f"GET {_LINES}", "commerce 6.1, 6.3-6.5", "office and azure by offset, onetime by seek, 2000 lines a page"),
    (f"GET {_LINES}/{{provider}}/{{type}}", "commerce 6.1", "The older form with provider and type in the path"),
    ("GET /v1/invoices/unbilled/lineitems", "commerce 6.1, R-196", "Some hours late; last month until it is billed"),
    ("GET /v1/invoices/estimates/links", "commerce 6.1", "Four links: usage and the rest, current and previous"),
    (
        "month end",
        "R-186",
        "Legacy: from the anniversary day, two days after; new commerce: calendar month, the 6th",
    ),
    (
        "charges",
        "R-188, T-1 to T-6",
        "Legacy: in advance; full credit within 30 days, later from the suspension on",
    ),
    (
        "charges",
        "R-135, R-138, T-7",
        "New commerce: suspension stops nothing; 24 and 168 hours; seats in pairs",
    ),
    ("charges", "S-5, R-148", "Transfer day: the target pays (switch)"),
    ("charges", "commerce 2.3, R-142", "Perpetual software: once, by its order; back whole within 30 days"),
):
    behaviour(_route, source="documented", page=_page, note=_note)
for _route, _page, _note in (
    ("GET /v1/invoices", "commerce 6.2", "No amendments, void or adjustment notes; all credits are lines"),
    ("month end", "R-58", "A period without any line has no invoice; no invoices from before the world began"),
    ("month end", "R-89", "Tax is always zero; prices are invented"),
    ("charges", "S-3, S-4", "Rounding, first charged day and windows are switches (options: billing)"),
    ("charges", "commerce 6.6", "Which documented charge type a seat change or a change of cycle in mid-term has"),
    ("charges", "commerce 6.5", "Azure: a monthly cost per Azure subscription, spread over days; one invented meter"),
):
    behaviour(_route, source="assumed", page=_page, note=_note)
