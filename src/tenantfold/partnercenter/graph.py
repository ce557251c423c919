"""Lists of Microsoft Graph (partnercenter room): page after page by ``@odata.nextLink``, at our host only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from msgspec import Raw, field

from tenantfold.errors import UnexpectedAnswerError
from tenantfold.partnercenter.clouds import Cloud
from tenantfold.partnercenter.transport import Call, Transport
from tenantfold.partnercenter.wire import Wire, decode


class GraphPage(Wire):
    """One page of a list; ``value`` are its items as they came."""

    value: list[Raw]
    next_link: str | None = field(default=None, name="@odata.nextLink")


async def graph_items(transport: Transport, first: Call, cloud: Cloud) -> AsyncIterator[Raw]:
    """Every item of a list. UnexpectedAnswerError when the pages go in a circle or lead to another host."""
    target: str | None = first.target
    seen: set[str] = set()
    while target is not None:
        if target in seen:
            raise UnexpectedAnswerError("Graph gave the same next page twice.", uri=target[:200])
        seen.add(target)
        page = decode((await transport.send(replace(first, target=target))).body, GraphPage)
        for item in page.value:
            yield item
        target = graph_target(page.next_link, cloud)


def graph_target(next_link: str | None, cloud: Cloud) -> str | None:
    """The path and query of a next link. UnexpectedAnswerError for another host, because our token would go there."""
    if not next_link:
        return None
    if not next_link.startswith(f"{cloud.graph}/"):
        raise UnexpectedAnswerError("Graph links to another host.", uri=next_link[:200])
    return next_link.removeprefix(cloud.graph)
