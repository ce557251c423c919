"""A list of customers that a person chose, and how its rows find the customers of the book.

The file is read in ``tenantfold.listfiles``; here is the value it becomes and the pure matching.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tenantfold.domain.model import AgreementContact, CustomerId
from tenantfold.errors import InputError

SHOWN_ROWS = 5  # more sentences than this do not help; the count says how many there are
_NEAREST_FOR = 3  # looking for the nearest name among 100,000 takes a moment each


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedCustomer:
    """One row of the list. ``row`` counts as a spreadsheet shows it; the customer id wins over domain over name."""

    row: int
    customer_id: CustomerId | None = None
    domain: str = ""
    company_name: str = ""
    contact: AgreementContact | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """The column that identifies the customer, and its value."""
        if self.customer_id:
            return "customer_id", self.customer_id
        return ("domain", self.domain) if self.domain else ("company_name", self.company_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSelection:
    """The whole list; ``place`` is the file (and sheet) it came from, for messages."""

    place: str
    rows: tuple[SelectedCustomer, ...]


@dataclass(slots=True)
class _Book:
    """What is known, by each of the three ways to name a customer; names and domains without regard to case."""

    by_column: dict[str, dict[str, list[CustomerId]]] = field(
        default_factory=lambda: {"customer_id": {}, "domain": {}, "company_name": {}}
    )

    def add(self, column: str, text: str, customer_id: CustomerId) -> None:
        """Keep one way to find a customer."""
        if text:
            ids = self.by_column[column].setdefault(fold(text), [])
            if customer_id not in ids:
                ids.append(customer_id)

    def find(self, column: str, text: str) -> list[CustomerId]:
        """The customers called this: none, one, or several of the same name."""
        return self.by_column[column].get(fold(text), [])

    def nearest(self, column: str, text: str) -> str:
        """The known text that looks most like an unknown one, or an empty text."""
        close = difflib.get_close_matches(fold(text), self.by_column[column], n=1, cutoff=0.7)
        return close[0] if close else ""


def fold(text: str) -> str:
    """The form in which names and domains are compared: no case, no doubled spaces."""
    return " ".join(text.casefold().split())


def match_selection(
    selection: CustomerSelection, known: Iterable[tuple[CustomerId, str, str]]
) -> Mapping[CustomerId, AgreementContact | None]:
    """Find the customer of every row among the known (id, company name, domain), in the order of the list.

    Raises InputError when a row names nobody, names more than one customer, or the same customer as an earlier row;
    the message lists the first such rows, the nearest known name and how many there are.
    """
    book = _Book()
    for customer_id, company_name, domain in known:
        book.add("customer_id", customer_id, customer_id)
        book.add("domain", domain, customer_id)
        book.add("company_name", company_name, customer_id)
    found: dict[CustomerId, AgreementContact | None] = {}
    row_of: dict[CustomerId, int] = {}
    unknown: list[SelectedCustomer] = []
    complaints: list[str] = []
    for row in selection.rows:
        column, text = row.identity
        ids = book.find(column, text)
        if not ids:
            unknown.append(row)
        elif len(ids) > 1:
            complaints.append(_ambiguous(row, ids))
        elif ids[0] in row_of:
            complaints.append(f'row {row.row}: {column} "{text}" is the customer of row {row_of[ids[0]]} again.')
        else:
            row_of[ids[0]] = row.row
            found[ids[0]] = row.contact
    if unknown or complaints:
        raise _mismatch(selection, book, unknown, complaints)
    return found


def _ambiguous(row: SelectedCustomer, ids: list[CustomerId]) -> str:
    column, text = row.identity
    shown = ", ".join(ids[:SHOWN_ROWS])
    return f'row {row.row}: {column} "{text}" is the name of {len(ids)} customers ({shown}); write the customer_id.'


def _mismatch(
    selection: CustomerSelection, book: _Book, unknown: list[SelectedCustomer], complaints: list[str]
) -> InputError:
    """One error for every row that could not be matched."""
    lines = []
    for position, row in enumerate(unknown[:SHOWN_ROWS]):
        column, text = row.identity
        nearest = book.nearest(column, text) if position < _NEAREST_FOR else ""
        hint = f'; the nearest known is "{nearest}"' if nearest else ""
        lines.append(f'row {row.row}: no customer of the source tenants has the {column} "{text}"{hint}.')
    lines += complaints[:SHOWN_ROWS]
    count = len(unknown) + len(complaints)
    if count > len(lines):
        lines.append(f"and {count - len(lines)} more.")
    listing = "\n".join(f"- {line}" for line in lines)
    rows = "1 row does" if count == 1 else f"{count} rows do"
    return InputError(
        f"{selection.place}: {rows} not name exactly one customer of the newest inventory:\n{listing}",
        next_step="Correct the list, or take inventory again if these customers are new.",
        place=selection.place,
        unknown=len(unknown),
        ambiguous=len(complaints),
    )
