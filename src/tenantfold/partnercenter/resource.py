"""What the calls of every resource share (partnercenter room): reading, listing, and a write that leaves once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from msgspec import Raw

from tenantfold.domain.model import TenantId
from tenantfold.errors import UnexpectedAnswerError
from tenantfold.partnercenter.clouds import Cloud
from tenantfold.partnercenter.failures import unclear_answer
from tenantfold.partnercenter.paging import all_items
from tenantfold.partnercenter.transport import Answer, Call, Transport
from tenantfold.partnercenter.wire_routes import Route

T = TypeVar("T")


class Resource:
    """Calls of one partner tenant; the resources of the client are made of it."""

    def __init__(self, transport: Transport, *, tenant_id: TenantId, cloud: Cloud) -> None:
        self._transport = transport
        self._tenant_id = tenant_id
        self._cloud = cloud

    async def _read(self, route: Route, **ids: str) -> Answer:
        return await self._transport.send(get_call(route, ids))

    async def _write(self, route: Route, request_id: UUID, body: bytes, *, etag: str = "", **ids: str) -> Answer:
        call = Call(route=route, target=target_of(route, ids), body=body, etag=etag, request_id=request_id)
        return await self._transport.send(call)

    def _items(
        self, route: Route, ids: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> AsyncIterator[Raw]:
        """Every item of a list, page after page."""
        return all_items(self._transport, get_call(route, ids, query), self._cloud.partner_center)


def get_call(route: Route, ids: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None) -> Call:
    """A read, with its ids in the path and its query."""
    target = target_of(route, ids or {})
    return Call(route=route, target=f"{target}?{urlencode(query)}" if query else target)


def target_of(route: Route, ids: Mapping[str, str]) -> str:
    """The path of a route with these ids in it."""
    return route.template.format(**{name: quote(value, safe="") for name, value in ids.items()})


def understood(answer: Answer, read: Callable[[bytes], T]) -> T:
    """Read the answer of a write; one that cannot be read leaves the effect unknown, so it is NoAnswerError."""
    try:
        return read(answer.body)
    except UnexpectedAnswerError as error:
        facts = {**answer.facts, **error.facts}
        raise unclear_answer("Microsoft answered with something unreadable to", is_write=True, facts=facts) from error
