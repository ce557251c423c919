"""Reads the list files people give us, CSV and XLSX: customers to move, the offer mapping, prices.

A wrong file is answered with every problem at once, each naming the place as a spreadsheet shows it. What is read
becomes values of ``domain``; matching against the inventory happens there (``domain.selection``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import AgreementContact, CustomerId, OfferId, SkuTerm
from tenantfold.domain.prices import Price
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer, fold
from tenantfold.errors import InputError
from tenantfold.sheetfiles import Sheet, read_sheet

CUSTOMER_COLUMNS: Mapping[str, str] = {
    "customer_id": "The customer's tenant id, a GUID. Wins over the other two.",
    "domain": "A domain of the customer, such as contoso.onmicrosoft.com.",
    "company_name": "The customer's name exactly as in Partner Center, if nothing better is known.",
    "contact_first_name": "First name of the person who accepted the Microsoft Customer Agreement.",
    "contact_last_name": "Last name of that person.",
    "contact_email": "E-mail address of that person.",
    "contact_phone": "Phone number of that person; may be empty.",
    "agreed_on": "The day that person accepted the agreement, such as 2026-01-31; not in the future (R-113).",
}
MAPPING_COLUMNS: Mapping[str, str] = {
    "source_offer_id": "The offer that is no longer sold, as in Partner Center.",
    "target_offer_id": "The offer to order instead; for new commerce PRODUCT:SKU.",
    "term": "For new commerce: P1M, P1Y or P3Y.",
    "billing_plan": "For new commerce: monthly, annual or triennial.",
    "source_offer_name": "Its name, for people.",
    "target_offer_name": "Its name, for people.",
    "approved_by": "Who answers for this replacement; without a name it is reported and not used.",
    "note": "Anything worth remembering about it.",
}
PRICE_COLUMNS: Mapping[str, str] = {
    "offer_id": "The offer, as in Partner Center.",
    "monthly_unit_price": "What one license costs a month, such as 12.50.",
    "currency": "Three letters, such as EUR.",
    "country": "Two letters; only for customers of this country. Empty: all.",
    "billing_cycle": "Only for this billing cycle, such as annual. Empty: all.",
}
_IDENTITY = ("customer_id", "domain", "company_name")
_CONTACT = ("contact_first_name", "contact_last_name", "contact_email", "agreed_on")
_SHOWN_PROBLEMS = 10
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOMAIN = re.compile(r"[^\s@/\\.]+(\.[^\s@/\\.]+)+")
_EMAIL = re.compile(r"[^\s@<>()\",;:]+@[^\s@<>()\",;:.]+(\.[^\s@<>()\",;:.]+)+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{2,30}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # fromisoformat alone would take 20260131 and week dates too
_SKU = re.compile(r"[0-9A-Z]{12}:[0-9A-Z]{4}")
_TERMS = ("P1M", "P1Y", "P3Y")
_PLANS = ("monthly", "annual", "triennial")
_OFFER = re.compile(r"[0-9A-Za-z][0-9A-Za-z:._-]{2,99}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # full width at the end
_ESCAPED = re.compile("'+[" + re.escape("".join(_FORMULA_STARTS)) + "]")


@dataclass(slots=True)
class _Reading:
    """One file being read: its sheet, which column is where, and what was wrong so far."""

    sheet: Sheet
    known: Mapping[str, str]
    places: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def complain(self, row: int, sentence: str) -> None:
        """Note what is wrong in one row and go on."""
        self.problems.append(f"row {row}, {sentence}")

    def cell(self, cells: Sequence[str], column: str) -> str:
        """The text of one column in a row; empty when the column or the cell is not there."""
        place = self.places.get(column, -1)
        return cells[place] if 0 <= place < len(cells) else ""


def read_customer_list(path: Path, *, today: date) -> CustomerSelection:
    """Read a list of customers with or without the contact who accepted the agreement.

    ``today`` is the UTC date that no ``agreed_on`` may lie after. Raises InputError that lists what is wrong: file,
    row as a spreadsheet counts, column, value, and what is allowed.
    """
    reading = _Reading(read_sheet(path), CUSTOMER_COLUMNS)
    _read_heading(reading, one_of=_IDENTITY)
    rows: list[SelectedCustomer] = []
    seen: dict[tuple[str, str], int] = {}
    for number, cells in _filled_rows(reading):
        customer = _customer(reading, number, cells, today)
        if customer is None:
            continue
        column, text = customer.identity
        first = seen.setdefault((column, fold(text)), number)
        if first != number:
            reading.complain(number, f'column {column}: "{text}" stands in row {first} already; each customer once.')
        rows.append(customer)
    if not rows and not reading.problems:
        reading.problems.append("there are headings but no customers below them.")
    _finish(reading)
    return CustomerSelection(place=reading.sheet.place, rows=tuple(rows))


def read_offer_mapping(path: Path) -> tuple[OfferMapping, ...]:
    """Read the offer mapping; a missing file is an empty one. Entries nobody approved are kept, for the plan to say so.

    Raises InputError that lists what is wrong, also for an offer that is replaced twice.
    """
    if not path.exists():
        return ()
    reading = _Reading(read_sheet(path), MAPPING_COLUMNS)
    _read_heading(reading, all_of=("source_offer_id", "target_offer_id"))
    mappings: list[OfferMapping] = []
    seen: dict[str, int] = {}
    for number, cells in _filled_rows(reading):
        mapping = _mapping(reading, number, cells)
        if mapping is None:
            continue
        first = seen.setdefault(mapping.source_offer_id, number)
        if first != number:
            reading.complain(
                number,
                f'column source_offer_id: "{mapping.source_offer_id}" stands in row {first} already; each offer once.',
            )
        mappings.append(mapping)
    _finish(reading)
    return tuple(mappings)


def read_price_list(path: Path) -> tuple[Price, ...]:
    """Read the prices behind waves.max_monthly_amount; a missing file is an empty one.

    Raises InputError that lists what is wrong, also for an offer that has two prices for the same place.
    """
    if not path.exists():
        return ()
    reading = _Reading(read_sheet(path), PRICE_COLUMNS)
    _read_heading(reading, all_of=("offer_id", "monthly_unit_price", "currency"))
    prices: list[Price] = []
    seen: dict[tuple[str, str, str], int] = {}
    for number, cells in _filled_rows(reading):
        price = _price(reading, number, cells)
        if price is None:
            continue
        first = seen.setdefault((price.offer_id, price.country, price.billing_cycle), number)
        if first != number:
            reading.complain(number, f'column offer_id: "{price.offer_id}" has the same place in row {first} already.')
        prices.append(price)
    _finish(reading)
    return tuple(prices)


# --- headings and cells ---------------------------------------------------------------------------------------------


def _read_heading(reading: _Reading, *, one_of: Sequence[str] = (), all_of: Sequence[str] = ()) -> None:
    """Find each column's place. Raises InputError at once: with wrong headings every row would be wrong."""
    for place, text in enumerate(reading.sheet.heading):
        name = re.sub(r"[\s-]+", "_", text.strip().casefold())
        if not name:
            _check_no_data_below(reading, place)
        elif name not in reading.known:
            reading.problems.append(_unknown_column(text, reading.known))
        elif name in reading.places:
            reading.problems.append(f'the column "{text}" stands there twice.')
        else:
            reading.places[name] = place
    missing = [name for name in all_of if name not in reading.places]
    if one_of and not any(name in reading.places for name in one_of):
        reading.problems.append(f"none of the columns {', '.join(one_of)} is there; one must say who the customer is.")
    elif missing:
        reading.problems.append(f"the column {' and the column '.join(missing)} is missing.")
    _finish(reading)


def _unknown_column(text: str, known: Mapping[str, str]) -> str:
    name = re.sub(r"[\s-]+", "_", text.strip().casefold())
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? Known" if close else "known"
    return f'the column "{text[:60]}" is unknown; {hint} are {", ".join(known)}.'


def _check_no_data_below(reading: _Reading, place: int) -> None:
    for number, cells in reading.sheet.rows:
        if place < len(cells) and cells[place].strip():
            reading.complain(number, f"column {place + 1}: there is a value but the column has no heading.")
            return


def _filled_rows(reading: _Reading) -> Iterator[tuple[int, list[str]]]:
    """The rows with anything in them, cells cleaned; dangerous or surplus cells are noted."""
    names = {place: name for name, place in reading.places.items()}
    width = len(reading.sheet.heading)
    for number, raw in reading.sheet.rows:
        if any(text.strip() for text in raw[width:]):
            reading.complain(number, f"there are {len(raw)} cells but only {width} headings; is a separator left over?")
            continue
        noted = len(reading.problems)
        cells = [_clean(reading, number, names.get(place, ""), text) for place, text in enumerate(raw)]
        if any(cells) and len(reading.problems) == noted:
            yield number, cells


def _clean(reading: _Reading, number: int, column: str, text: str) -> str:
    """A cell's text. One that starts like a formula is refused: a spreadsheet would run it, not show it."""
    stripped = text.strip(" \u00a0\n")
    if _ESCAPED.match(stripped):
        return stripped[1:].strip()  # an apostrophe marks text, in spreadsheets and in our own CSV files
    if not stripped.startswith(_FORMULA_STARTS) or (column == "contact_phone" and _PHONE.fullmatch(stripped)):
        return stripped.strip()
    reading.complain(
        number,
        f"column {column}: {_quoted(stripped)} starts like a formula; if it is text, put an apostrophe (') before it.",
    )
    return ""


def _quoted(text: str) -> str:
    shown = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line's worth
    return '"' + "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown) + '"'


def _finish(reading: _Reading) -> None:
    """Raise one InputError for everything noted; return when there is nothing."""
    problems = reading.problems
    if not problems:
        return
    place = reading.sheet.place
    facts = {"place": place, "problems": len(problems)}
    if len(problems) == 1:
        raise InputError(f"{place}: {problems[0]}", next_step="Correct the file and try again.", **facts)
    shown = problems[:_SHOWN_PROBLEMS]
    if len(problems) > len(shown):
        shown = [*shown, f"and {len(problems) - len(shown)} more."]
    listing = "\n".join(f"- {line}" for line in shown)
    raise InputError(
        f"{place}: {len(problems)} problems:\n{listing}", next_step="Correct the file and try again.", **facts
    )


# --- rows -----------------------------------------------------------------------------------------------------------


def _customer(reading: _Reading, number: int, cells: Sequence[str], today: date) -> SelectedCustomer | None:
    """One row as a selected customer; None after noting why it is not one."""
    noted = len(reading.problems)
    customer_id, domain, company_name = (reading.cell(cells, column) for column in _IDENTITY)
    customer_id, domain = customer_id.casefold(), domain.casefold()
    if customer_id and not _GUID.fullmatch(customer_id):
        reading.complain(number, f"column customer_id: {_quoted(customer_id)} is not a GUID.")
    if domain and not _DOMAIN.fullmatch(domain):
        reading.complain(number, f"column domain: {_quoted(domain)} is not a domain such as contoso.com.")
    contact = _contact(reading, number, cells, today)
    if len(reading.problems) > noted:
        return None
    if not (customer_id or domain or company_name):
        given = " and ".join(column for column in _IDENTITY if column in reading.places)
        reading.complain(number, f"column {given}: empty; one must say who the customer is.")
        return None
    return SelectedCustomer(
        row=number,
        customer_id=CustomerId(customer_id) if customer_id else None,
        domain=domain,
        company_name=company_name,
        contact=contact,
    )


def _contact(reading: _Reading, number: int, cells: Sequence[str], today: date) -> AgreementContact | None:
    """The person who accepted the agreement: all of it or nothing, because half of it proves nothing (R-113)."""
    texts = {column: reading.cell(cells, column) for column in (*_CONTACT, "contact_phone")}
    if not any(texts.values()):
        return None
    missing = [column for column in _CONTACT if not texts[column]]
    if missing:
        reading.complain(number, f"half a contact: {' and '.join(missing)} empty; fill all of it or leave all empty.")
    email, phone = texts["contact_email"], texts["contact_phone"]
    if email and (len(email) > 254 or not _EMAIL.fullmatch(email)):  # noqa: PLR2004 - RFC 5321, longest path
        reading.complain(number, f"column contact_email: {_quoted(email)} is not an e-mail address.")
    if phone and not _PHONE.fullmatch(phone):
        reading.complain(number, f"column contact_phone: {_quoted(phone)} is not a phone number such as +46 8 123 456.")
    agreed_on = _agreed_on(reading, number, texts["agreed_on"], today)
    if missing or agreed_on is None:
        return None
    return AgreementContact(
        first_name=texts["contact_first_name"],
        last_name=texts["contact_last_name"],
        email=email,
        agreed_on=agreed_on,
        phone_number=phone,
    )


def _agreed_on(reading: _Reading, number: int, text: str, today: date) -> date | None:
    if not text:
        return None
    try:
        agreed_on = date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        reading.complain(number, f"column agreed_on: {_quoted(text)} is not a date; write it as 2026-01-31.")
        return None
    if agreed_on > today:
        reading.complain(number, f"column agreed_on: {text} lies in the future; today is {today} (UTC).")
        return None
    return agreed_on


def _sold_as(reading: _Reading, number: int, cells: Sequence[str], target: str) -> SkuTerm | None:
    """Term and billing plan of a new-commerce target; None for a legacy offer, which has its own."""
    term, plan = reading.cell(cells, "term").upper(), reading.cell(cells, "billing_plan").lower()
    if ":" not in target:
        if term or plan:
            reading.complain(number, "columns term and billing_plan: empty for a legacy offer, which has its own.")
        return None
    if not _SKU.fullmatch(target):
        reading.complain(
            number, f"column target_offer_id: {_quoted(target)} is no PRODUCT:SKU; leave out what follows."
        )
    if term not in _TERMS:
        reading.complain(number, f"column term: {_quoted(term)} is none of {', '.join(_TERMS)}.")
    if plan not in _PLANS:
        reading.complain(number, f"column billing_plan: {_quoted(plan)} is none of {', '.join(_PLANS)}.")
    return SkuTerm(duration=term, billing_cycle=plan)


def _mapping(reading: _Reading, number: int, cells: Sequence[str]) -> OfferMapping | None:
    """One row as a mapping; None after noting why it is not one. Offer ids are upper case, as in the catalog."""
    noted = len(reading.problems)
    offers = {column: reading.cell(cells, column) for column in ("source_offer_id", "target_offer_id")}
    for column, text in offers.items():
        if not text:
            reading.complain(number, f"column {column}: empty; an offer id must stand here.")
        elif not _OFFER.fullmatch(text):
            reading.complain(number, f"column {column}: {_quoted(text)} is not an offer id.")
    source, target = (OfferId(text.upper()) for text in offers.values())
    if source and source == target:
        reading.complain(number, f'column target_offer_id: "{target}" is replaced by itself.')
    sold_as = _sold_as(reading, number, cells, target)
    if len(reading.problems) > noted:
        return None
    return OfferMapping(
        source_offer_id=source,
        target_offer_id=target,
        sold_as=sold_as,
        source_offer_name=reading.cell(cells, "source_offer_name"),
        target_offer_name=reading.cell(cells, "target_offer_name"),
        approved_by=reading.cell(cells, "approved_by"),
        note=reading.cell(cells, "note"),
    )


def _price(reading: _Reading, number: int, cells: Sequence[str]) -> Price | None:
    """One row as a price; None after noting why it is not one."""
    noted = len(reading.problems)
    offer, amount, currency = (reading.cell(cells, column) for column in ("offer_id", "monthly_unit_price", "currency"))
    country = reading.cell(cells, "country").upper()
    if not _OFFER.fullmatch(offer):
        reading.complain(number, f"column offer_id: {_quoted(offer)} is not an offer id.")
    if not _AMOUNT.fullmatch(amount):
        reading.complain(number, f"column monthly_unit_price: {_quoted(amount)} is not an amount such as 12.50.")
    if not _CURRENCY.fullmatch(currency.upper()):
        reading.complain(number, f"column currency: {_quoted(currency)} is not a currency such as EUR.")
    if country and not _COUNTRY.fullmatch(country):
        reading.complain(number, f"column country: {_quoted(country)} is not a country such as SE.")
    if len(reading.problems) > noted:
        return None
    return Price(
        offer_id=OfferId(offer.upper()),
        monthly_unit_price=Decimal(amount),
        currency=currency.upper(),
        country=country,
        billing_cycle=reading.cell(cells, "billing_cycle").casefold(),
    )
