"""From page to page (partnercenter room). The token of the next page is in the link's headers, not in its uri.

Core reference 3: follow ``links.next`` with every header in it; never build the next address. A next link is packed as
opaque text, so that a snapshot interrupted on page 120 goes on there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from msgspec import Raw

from tenantfold.errors import UnexpectedAnswerError
from tenantfold.partnercenter.transport import Call, Transport
from tenantfold.partnercenter.wire import Header, Link, decode, decode_items, encode
from tenantfold.partnercenter.wire_routes import Route

_VERSION_AND_SLASHES = re.compile(r"^(?:/+|v1/)+")
_NEVER_FROM_A_LINK = frozenset({"authorization", "host", "content-length", "ms-requestid", "ms-correlationid"})


def pack(link: Link) -> str:
    """A next link as text to keep."""
    return encode(link).decode()


def unpack(next_link: str) -> Link:
    """The link in a kept text; UnexpectedAnswerError when it was damaged."""
    return decode(next_link.encode(), Link)


def target_of(uri: str, base: str) -> str:
    """The path and query a link means: relative to ``/v1`` with or without saying so, or absolute at our host.

    Since November 2021 some tenants get ``/v1`` in front and naive clients call ``/v1//v1/...`` (core reference 2.3).
    UnexpectedAnswerError for another host, because our token would go there.
    """
    relative = uri.removeprefix(base)
    if "://" in relative.partition("?")[0]:
        raise UnexpectedAnswerError(f"Partner Center links to another host: {uri[:200]}", uri=uri[:200])
    return "/v1/" + _VERSION_AND_SLASHES.sub("", relative)


def following(route: Route, link: Link, base: str) -> Call:
    """The call that reads the page a link points to."""
    headers = {header.key: header.value for header in link.headers or () if _may_send(header)}
    return Call(route=route, target=target_of(link.uri, base), headers=headers)


async def all_items(transport: Transport, first: Call, base: str) -> AsyncIterator[Raw]:
    """Every item of a list, page after page; UnexpectedAnswerError when the pages go in a circle."""
    call: Call | None = first
    seen: set[str] = set()
    while call is not None:
        items, link = decode_items((await transport.send(call)).body)
        for item in items:
            yield item
        call = None
        if link is not None:
            packed = pack(link)
            guard_progress(packed, seen)
            call = following(first.route, link, base)


def guard_progress(next_link: str, seen: set[str]) -> None:
    """Note a next link; UnexpectedAnswerError when it was followed before, or we would read forever."""
    if next_link in seen:
        raise UnexpectedAnswerError("Partner Center gave the same next page twice.", next_link=next_link[:200])
    seen.add(next_link)


def _may_send(header: Header) -> bool:
    return header.key.lower() not in _NEVER_FROM_A_LINK
