"""Shows why a customer's subscriptions go the way they go: route, rules, cost, and what speaks against the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from tenantfold.bootstrap import Program
from tenantfold.cli.render import Renderer
from tenantfold.domain.alternatives import Alternative, WeighedRoute
from tenantfold.domain.model import Route
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.records import Case

SHOWN = 8  # different reasons shown to a person; --json has all
_ID = re.compile(
    r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b([0-9a-f]{8})[0-9a-f]{12,}\b", re.IGNORECASE
)

Weighed = Sequence[tuple[PlanItem, WeighedRoute]]


def short_ids(text: str) -> str:
    """A text for people: ids and keys cut to their first eight digits, which is enough to tell them apart."""
    return _ID.sub(lambda match: f"{match[1] or match[2]}\N{HORIZONTAL ELLIPSIS}", text)


def facts_line(facts: Mapping[str, str]) -> str:
    """What an event noted, in one line that fits a narrow terminal."""
    return short_ids(" ".join(f"{key}={text}" for key, text in facts.items() if text))


async def weighed_routes(program: Program, case: Case) -> Weighed:
    """Every subscription of a customer with its route weighed, on the plan's day and by ``files.price_list``."""
    weighing = await program.weighing(case.plan)
    return [(item, weighing.of(item, case.customer.country)) for item in case.customer.items]


def routes_document(weighed: Weighed) -> list[dict[str, object]]:
    """The same for programs, with every alternative."""
    return [{"subscription_id": item.subscription_id, "weighed": one} for item, one in weighed]


def show_reasons(renderer: Renderer, weighed: Weighed) -> None:
    """Say each different reason once, with the subscriptions it holds for."""
    groups: dict[tuple[object, ...], tuple[WeighedRoute, list[PlanItem]]] = {}
    for item, one in weighed:
        if item.route is Route.SKIP and not item.findings:
            continue  # over, and nothing to say about it
        groups.setdefault((one.choice, one.cost, one.alternatives), (one, []))[1].append(item)
    for one, items in list(groups.values())[:SHOWN]:
        _show(renderer, one, items)
    if len(groups) > SHOWN:
        renderer.line(f"... and {len(groups) - SHOWN} more, with --json.")


def _show(renderer: Renderer, one: WeighedRoute, items: Sequence[PlanItem]) -> None:
    names = Counter(item.offer_name for item in items)
    said = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in names.items())
    renderer.title(f"Route {one.choice.route.value}: {said}")
    renderer.line(f"  because {one.choice.why} [{', '.join(one.choice.rules)}]")
    renderer.line(f"  costs {one.cost.words()}; confidence: {one.confidence.value.replace('_', ' ')}")
    rows = [(other.route.value, _verdict(other)) for other in one.alternatives if other.route is not Route.SKIP]
    renderer.table("", ("instead", "why not, or at what cost"), rows)


def _verdict(other: Alternative) -> str:
    rules = f"[{', '.join(other.rules)}]"
    if not other.is_possible:
        return f"no: {other.why} {rules}"
    return f"possible: {other.why} {rules}; costs {other.cost.words() if other.cost else 'nothing'}"
