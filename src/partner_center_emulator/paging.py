"""The two ways of paging (wire room): seek (a token in a header) and offset (core reference 3).

A seek token is opaque to clients, bound to tenant and query, and lapses after 15 minutes of the emulator's clock (real
life unknown: a switch). It says after which key to go on, so that changes between two pages neither skip nor repeat.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TypeVar
from urllib.parse import quote

import msgspec

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.faults.answers import page_shift
from partner_center_emulator.requests import Call
from partner_center_emulator.wire import Json, collection, link

behaviour(
    "paging",
    source="documented",
    page="core 3",
    note="Seek paging: links.next carries the MS-ContinuationToken in its headers; offset and size for offers",
)
behaviour(
    "paging",
    source="assumed",
    page="core 10a.5",
    note="A seek token is bound to tenant and query and lapses after "
    "15 minutes; seekOperation=Next without the header is 400",
)

MAXIMUM = 500
CONTINUATION = "ms-continuationtoken"

T = TypeVar("T")


class _SeekToken(msgspec.Struct, array_like=True):
    """What stands in an opaque token."""

    query_mark: str
    after: str
    issued_at: float


def seek_page(
    call: Call,
    uri: str,
    keys: Sequence[str],
    build: Callable[[str], object],
    *,
    filter_text: str = "",
    most: int = MAXIMUM,
    kept: Sequence[str] = ("filter",),
) -> Json:
    """Return one page of a seek-paged collection.

    ``keys`` is sorted; ``build`` makes the item of one key; ``uri`` is the collection's path without ``/v1``. ``size``
    0 or missing means ``most``, more is cut to it; ``kept`` are the query parameters that the next link repeats. Raises
    400 code 2000 for a bad size, seek operation or token.
    """
    size = call.whole_number("size", 0, most=most) or most
    start = page_shift(call, _start(call, keys, filter_text), size)
    page = keys[start : start + size]
    repeated = "".join(f"&{name}={quote(call.query[name], safe='')}" for name in kept if name in call.query)
    parameters = f"?size={size}{repeated}"
    links: Json = {"self": link(f"{uri}?{call.query_text}" if call.query_text else uri)}
    if start + size < len(keys):
        token = _encode(_SeekToken(_mark(call, filter_text), page[-1], call.clock.now().timestamp()))
        following = f"{uri}{parameters}&seekOperation=Next"
        links["next"] = link(following, headers=[("MS-ContinuationToken", token)])
    total = len(keys) if call.emulator.options.total_count == "grand" else None
    return collection([build(key) for key in page], links=links, total_count=total)


def offset_page(call: Call, uri: str, rows: Sequence[T], build: Callable[[T], object], *, most: int) -> Json:
    """Return one page of an offset-paged collection: ``offset`` from 0, ``size`` up to ``most`` (missing = ``most``).

    Raises 400 code 2000 for numbers that are none.
    """
    offset = call.whole_number("offset", 0)
    size = call.whole_number("size", 0, most=most) or most
    offset = page_shift(call, offset, size)
    links: Json = {"self": link(f"{uri}?{call.query_text}" if call.query_text else uri)}
    kept = "".join(f"{name}={quote(value)}&" for name, value in call.query.items() if name not in {"offset", "size"})
    if offset + size < len(rows):
        links["next"] = link(f"{uri}?{kept}offset={offset + size}&size={size}")
    if offset:
        links["previous"] = link(f"{uri}?{kept}offset={max(0, offset - size)}&size={size}")
    return collection([build(row) for row in rows[offset : offset + size]], links=links)


def _start(call: Call, keys: Sequence[str], filter_text: str) -> int:
    operation = call.query.get("seekoperation", "").lower()
    token_text = call.headers.get(CONTINUATION, "")
    if operation not in {"", "next", "first"}:
        raise refusal(2000, f"The seek operation {operation} is not supported.")
    if operation == "first" or not (operation or token_text):
        return 0
    if not token_text:
        raise refusal(2000, "The header MS-ContinuationToken is missing.")
    token = _decode(token_text)
    age = call.clock.now().timestamp() - token.issued_at
    if token.query_mark != _mark(call, filter_text) or not 0 <= age <= call.emulator.options.seek_token_seconds:
        raise refusal(2000, "The continuation token does not belong to this query or has lapsed.")
    return bisect_right(keys, token.after)


def _mark(call: Call, filter_text: str) -> str:
    """Return what binds a token to its tenant, path and filter."""
    text = f"{call.tenant.id}|{call.route.template}|{call.path}|{filter_text}"
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _encode(token: _SeekToken) -> str:
    return base64.b64encode(msgspec.json.encode(token)).decode()


def _decode(text: str) -> _SeekToken:
    try:
        return msgspec.json.decode(base64.b64decode(text, validate=True), type=_SeekToken)
    except (ValueError, msgspec.DecodeError):
        raise refusal(2000, "The continuation token cannot be read.") from None
