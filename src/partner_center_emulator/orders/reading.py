"""Reading what buyers send, in any casing and spelling (wire room; commerce 0.1, 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import cast

from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.wire import field, object_field, text_field

# Commerce 1.2: BillingCycleType by number.
CYCLE_BY_NUMBER = ("unknown", "monthly", "annual", "none", "one_time", "triennial", "biennial")
NULL_DATE = date(1, 1, 1)


def read_cycle(value: object) -> str:
    """Return a billing cycle in the wire's lower snake case; "" if there is none or it is unknown."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(CYCLE_BY_NUMBER):
        value = CYCLE_BY_NUMBER[value]
    text = value.lower().replace("onetime", "one_time") if isinstance(value, str) else ""
    return text if text in CYCLE_BY_NUMBER[1:] else ""


def read_quantity(members: Mapping[str, object]) -> int:
    """Return the quantity of a line; raises 400 code 2000 unless it is a whole number."""
    value = field(members, "quantity")
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise refusal(2000, "The quantity of a line item must be a whole number.")
    return int(value)


def read_number(members: Mapping[str, object]) -> int:
    """Return the number of an order's line, 0 if there is none; raises 400 code 800071 for what is no such number."""
    value = field(members, "lineItemNumber") or 0
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or value < 0:
        raise ApiError(400, 800071, "A line item number is out of range.")
    return int(value)


def read_day(members: Mapping[str, object], name: str) -> date | None:
    """Return a date member; null, missing and the wire's null date are None. Raises 400 code 2000 for nonsense."""
    text = text_field(members, name)
    if not text:
        return None
    try:
        # seven fraction digits are one more than Python reads; the day is all that counts
        day = datetime.fromisoformat(text[:10]).date()
    except ValueError:
        raise refusal(2000, f"The member {name} is not a date.") from None
    return None if day == NULL_DATE else day


def read_renewal(members: Mapping[str, object]) -> str:
    """Return the term that a trial or SaaS item renews to, or ""."""
    return text_field(object_field(members, "renewsTo"), "termDuration").upper()


def read_participants(members: Mapping[str, object]) -> list[dict[str, str]]:
    """Return the participants of a line as key and value; raises 400 code 2000 for another shape."""
    rows = field(members, "participants")
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refusal(2000, "The participants must be a list of objects.")
    return [
        {"key": text_field(row, "key"), "value": text_field(row, "value")}
        for row in cast("list[dict[str, object]]", rows)
    ]
