"""What Microsoft's support is given to move usage-based Azure, one package a source tenant (reports room).

The guide's list of company names (R-49), a file with every subscription (R-185), the data of the form "Change of Cloud
Solution Provider" with its request (R-180, R-181), and a mail. Contacts and signatures nobody gave us stay empty: a
person fills them in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tenantfold.domain.azure_support import ROUTES, asked_since
from tenantfold.domain.machine import unfinished
from tenantfold.domain.model import Tenant, TenantId
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanItem
from tenantfold.errors import InputError
from tenantfold.reports.cells import clean_text
from tenantfold.reports.drafts import drafted
from tenantfold.reports.tables import Column, Kind, Table
from tenantfold.reports.workbook import write_table, write_tables
from tenantfold.store import RowSet, Store
from tenantfold.store.rows import Plain

_ID = 38
_COMPANY = Column("company_name", "Company name", Kind.TEXT, 44, "as inventory saw it")
COMPANIES = Table(
    RowSet.CUSTOMERS,
    "Companies",
    "The customers whose Azure subscriptions are ready to be moved, by name (R-49).",
    (_COMPANY,),
)
SUBSCRIPTIONS = Table(
    RowSet.SUBSCRIPTIONS,
    "Subscriptions",
    "Every subscription that is to be moved (R-185).",
    (
        _COMPANY,
        Column("customer_id", "Customer Microsoft ID", Kind.TEXT, _ID, "the customer's tenant id"),
        Column("country", "Country", Kind.TEXT, 9, "two letters"),
        Column("subscription_id", "Subscription ID", Kind.TEXT, _ID, "at the current partner"),
        Column("entitlement_id", "Azure subscription ID", Kind.TEXT, _ID, "the same on both sides"),
        Column("offer_id", "Offer ID", Kind.TEXT, 16, "catalog id"),
        Column("friendly_name", "Name", Kind.TEXT, 32, "given by the partner"),
        Column("current_partner", "Current partner", Kind.TEXT, 30, "the source tenant"),
        Column("current_partner_id", "Current partner Microsoft ID", Kind.TEXT, _ID, "its tenant id"),
        Column("new_partner", "New partner", Kind.TEXT, 30, "the target tenant"),
        Column("new_partner_id", "New partner Microsoft ID", Kind.TEXT, _ID, "its tenant id"),
    ),
)
FORM = Table(
    RowSet.PLAN,
    "Request form",
    "The data of the form Change of Cloud Solution Provider and of its request; what is empty is filled in by hand.",
    (
        Column("issue_type", "Issue type", Kind.TEXT, 24, "of the request"),
        Column("support_plan", "Support plan", Kind.TEXT, 24, "of the request"),
        Column("severity", "Severity", Kind.TEXT, 20, "of the request"),
        Column("problem_type", "Problem type", Kind.TEXT, 24, "of the request"),
        Column("subscription_id", "Subscription ID", Kind.TEXT, _ID, "what is to be moved"),
        _COMPANY,
        Column("customer_id", "Customer Microsoft ID", Kind.TEXT, _ID, "the customer's tenant id"),
        Column("customer_contact", "Customer contact", Kind.TEXT, 36, "who accepted the agreement, as the list says"),
        Column("agreed_on", "Contract with the new partner", Kind.TEXT, 28, "the day the agreement was accepted"),
        Column("current_partner", "Current partner", Kind.TEXT, 30, "the source tenant"),
        Column("current_partner_id", "Current partner Microsoft ID", Kind.TEXT, _ID, "its tenant id"),
        Column("current_contact", "Current partner contact", Kind.TEXT, 28, "to be filled in"),
        Column("new_partner", "New partner", Kind.TEXT, 30, "the target tenant"),
        Column("new_partner_id", "New partner Microsoft ID", Kind.TEXT, _ID, "its tenant id"),
        Column("new_contact", "New partner contact", Kind.TEXT, 28, "to be filled in"),
        Column("signed_current", "Signature of current partner", Kind.TEXT, 26, "to be filled in"),
        Column("signed_customer", "Signature of customer", Kind.TEXT, 26, "to be filled in"),
        Column("signed_new", "Signature of new partner", Kind.TEXT, 26, "to be filled in"),
    ),
)
REQUEST = ("Subscription management", "Cloud Solution Provider", "C (minimal impact)", "Other general questions")
"""Issue type, support plan, severity and problem type of the request (R-180)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """One subscription that Microsoft can be asked for."""

    customer: PlanCustomer
    item: PlanItem


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """A customer that is left out of the package, and why."""

    customer_id: str
    company_name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What may be handed off, by source tenant, and who is left out."""

    ready: Mapping[TenantId, tuple[Ready, ...]]
    left_out: tuple[NotReady, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The files written for one source tenant."""

    tenant: str
    companies: int
    subscriptions: int
    files: tuple[str, ...]


async def collect(ledger: Store, plan_id: int, *, again: bool) -> Collected:
    """What is ready to be handed off: accepted, not moved yet, and not asked for (``again``: also what was)."""
    ready: dict[TenantId, list[Ready]] = defaultdict(list)
    left_out: list[NotReady] = []
    async for customer in ledger.plan_customers(plan_id, Disposition.MOVE):
        if not any(item.route in ROUTES for item in customer.items):
            continue
        case = await ledger.case(customer.customer_id)
        items = unfinished(case, ROUTES) if case is not None else ()
        if case is None or not items:
            continue
        if case.progress.accepted_at is None:
            left_out.append(_left_out(customer, "It has not accepted the relationship yet (R-48)."))
            continue
        asked = [since for item in items if (since := asked_since(case, item)) is not None]
        if asked and not again:
            left_out.append(_left_out(customer, _asked_words(min(asked), len(asked), len(items))))
        for item in items:
            if again or asked_since(case, item) is None:
                ready[item.tenant_id].append(Ready(customer=customer, item=item))
    return Collected(ready={key: tuple(found) for key, found in ready.items()}, left_out=tuple(left_out))


def _left_out(customer: PlanCustomer, why: str) -> NotReady:
    return NotReady(customer_id=customer.customer_id, company_name=customer.company_name, why=why)


def _asked_words(since: datetime, asked: int, items: int) -> str:
    return f"Microsoft was asked for {asked} of {items} on {since:%Y-%m-%d}; --again writes them once more."


async def write_package(folder: Path, source: Tenant, target: Tenant, ready: Sequence[Ready]) -> Package:
    """Write one source tenant's package below a folder. Raises InputError when a file cannot be written."""
    place = folder / _file_name(source.key)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {place} cannot be made: {error.strerror or error}.", next_step="Name another one with --to."
        ) from error
    names = sorted({_line(one.customer.company_name) for one in ready}, key=str.casefold)
    companies, subscriptions = place / "company-names.csv", place / "subscriptions.csv"
    workbook, mail = place / "hand-off.xlsx", place / "mail.txt"
    await write_table(COMPANIES, _company_rows(names), companies)
    await write_table(SUBSCRIPTIONS, _subscription_rows(ready, source, target), subscriptions)
    sheets = [
        (COMPANIES, _company_rows(names)),
        (SUBSCRIPTIONS, _subscription_rows(ready, source, target)),
        (FORM, _form_rows(ready, source, target)),
    ]
    await write_tables(sheets, workbook)
    with drafted(mail) as draft:
        draft.write_text(mail_text(source, target, names, len(ready)), encoding="utf-8")
    files = (companies, subscriptions, workbook, mail)
    return Package(
        tenant=source.key, companies=len(names), subscriptions=len(ready), files=tuple(str(file) for file in files)
    )


async def _company_rows(names: Sequence[str]) -> AsyncIterator[tuple[Plain, ...]]:
    for name in names:
        yield (name,)


async def _subscription_rows(
    ready: Sequence[Ready], source: Tenant, target: Tenant
) -> AsyncIterator[tuple[Plain, ...]]:
    for one in ready:
        item, terms = one.item, one.item.terms
        yield (
            one.customer.company_name,
            one.customer.customer_id,
            one.customer.country,
            item.subscription_id,
            terms.entitlement_id if terms is not None else "",
            item.offer_id,
            item.friendly_name or item.offer_name,
            _name(source),
            source.id,
            _name(target),
            target.id,
        )


async def _form_rows(ready: Sequence[Ready], source: Tenant, target: Tenant) -> AsyncIterator[tuple[Plain, ...]]:
    for one in ready:
        contact = one.customer.contact
        yield (
            *REQUEST,
            one.item.subscription_id,
            one.customer.company_name,
            one.customer.customer_id,
            f"{contact.first_name} {contact.last_name} <{contact.email}>" if contact else "",
            contact.agreed_on.isoformat() if contact else "",
            _name(source),
            source.id,
            "",
            _name(target),
            target.id,
            "",
            "",
            "",
            "",
        )


def mail_text(source: Tenant, target: Tenant, names: Sequence[str], subscriptions: int) -> str:
    """The mail to Microsoft as plain text; the customers by name, as the guide asks (R-49)."""
    listed = "\n".join(f"- {name}" for name in names)
    return (
        "Subject: Change of Cloud Solution Provider: move of Azure subscriptions between two partner accounts\n\n"
        f"We are folding our partner account {_line(_name(source))} (Microsoft ID {source.id}) into our account "
        f"{_line(_name(target))} (Microsoft ID {target.id}).\n\n"
        "The customers below have accepted the relationship with the new account. Please move their usage-based Azure "
        f"subscriptions ({subscriptions}) with everything deployed in them; there must be no interruption.\n\n"
        f"{listed}\n\n"
        "Every subscription with its ids is in subscriptions.csv; the data of the form is in hand-off.xlsx. "
        "Please tell us when it is done, and the day from which the new account is billed.\n\n"
        f"Issue type: {REQUEST[0]}\nSupport plan: {REQUEST[1]}\nSeverity: {REQUEST[2]}\nProblem type: {REQUEST[3]}\n"
    )


def _name(tenant: Tenant) -> str:
    return tenant.name or tenant.key


def _line(text: str) -> str:
    """A text from outside on one line: a name cannot bring lines of its own into the mail."""
    return " ".join(clean_text(text).split())


def _file_name(key: str) -> str:
    """A tenant's short name as the name of a folder."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in key)
