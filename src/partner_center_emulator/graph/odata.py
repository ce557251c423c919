"""The little OData that lists of the emulated Graph take (wire room): $filter, $orderby, $top, $skipToken, $select.

Filters are comparisons with ``eq``, ``ne``, ``ge`` and ``le`` and the function ``startswith``, joined by ``and``.
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable
from urllib.parse import quote

from partner_center_emulator.graph.errors import bad_request
from partner_center_emulator.requests import Call
from partner_center_emulator.wire import Json

MAXIMUM = 300
_COMPARISON = re.compile(r"([\w/]+)\s+(eq|ne|ge|le)\s+('(?:[^']|'')*'|[^\s']+)", re.IGNORECASE)
_START = re.compile(r"startswith\(\s*([\w/]+)\s*,\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "le": operator.le,
}
_OTHERS = frozenset({"$filter", "$orderby", "$top", "$skiptoken", "$skip", "$select", "$count", "$expand"})

Test = Callable[[Json], bool]


def page(call: Call, path: str, rows: list[Json]) -> Json:
    """Return one page of ``rows`` as Graph writes it; raises 400 for what is not understood."""
    unknown = [name for name in call.query if name.startswith("$") and name not in _OTHERS]
    if unknown:
        raise bad_request(f"The query option {unknown[0]} is not known.")
    tests = _read_filter(call.query.get("$filter", ""))
    rows = _sorted([row for row in rows if all(test(row) for test in tests)], call.query.get("$orderby", ""))
    start, size = _start(call.query.get("$skiptoken", "")), _size(call.query.get("$top", ""))
    base = f"{call.emulator.options.base_url}/graph/v1.0"
    body: Json = {"@odata.context": f"{base}/$metadata#tenantRelationships/{path}"}
    if call.query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(rows)
    if start + size < len(rows):
        kept = {name: value for name, value in call.query.items() if name != "$skiptoken"}
        following = kept | {"$skiptoken": base64.urlsafe_b64encode(str(start + size).encode()).decode()}
        text = "&".join(f"{'$skipToken' if key == '$skiptoken' else key}={quote(following[key])}" for key in following)
        body["@odata.nextLink"] = f"{base}/tenantRelationships/{path}?{text}"
    wanted = [name for name in call.query.get("$select", "").split(",") if name]
    body["value"] = [_selected(row, wanted) for row in rows[start : start + size]]
    return body


def _selected(row: Json, wanted: list[str]) -> Json:
    if not wanted:
        return row
    return {name: value for name, value in row.items() if name in wanted or name in {"id", "@odata.etag"}}


def _size(text: str) -> int:
    if not text:
        return MAXIMUM
    if not text.isdecimal() or not 1 <= int(text) <= MAXIMUM:
        raise bad_request(f"$top must be a number from 1 to {MAXIMUM}.")
    return int(text)


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode())
    except (ValueError, binascii.Error):
        raise bad_request("The $skipToken cannot be read.") from None


def _read_filter(text: str) -> list[Test]:
    if not text.strip():
        return []
    return [_read_test(part.strip()) for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE)]


def _read_test(text: str) -> Test:
    started = _START.fullmatch(text)
    if started is not None:
        name, prefix = started.group(1), started.group(2).replace("''", "'").casefold()
        return lambda row: _value(row, name).casefold().startswith(prefix)
    compared = _COMPARISON.fullmatch(text)
    if compared is None:
        raise bad_request(f"The $filter cannot be read at: {text}")
    name, compare = compared.group(1), _OPERATORS[compared.group(2).lower()]
    wanted = compared.group(3).strip("'").replace("''", "'").casefold()
    return lambda row: compare(_value(row, name).casefold(), wanted)


def _value(row: Json, path: str) -> str:
    value: object = row
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def _sorted(rows: list[Json], order: str) -> list[Json]:
    if not order:
        return rows
    name, _, direction = order.strip().partition(" ")
    if direction.strip().lower() not in {"", "asc", "desc"}:
        raise bad_request("$orderby takes one member and asc or desc.")
    return sorted(rows, key=lambda row: _value(row, name), reverse=direction.strip().lower() == "desc")
