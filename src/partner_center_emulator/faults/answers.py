"""Spoiling what an answer says (fault room): unknown values, lists that lag behind, pages that repeat or skip."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import cast

import msgspec

from partner_center_emulator import resources
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import ApiError
from partner_center_emulator.faults import draws
from partner_center_emulator.requests import Call, Route
from partner_center_emulator.state.behaviour import Fault, StaleImage
from partner_center_emulator.wire import Json

behaviour(
    "faults",
    source="assumed",
    page="core 10a",
    note="Failures on demand from a seeded plan (docs/reference/emulator-faults.md); none without a plan",
)


def alter(call: Call, body: object) -> object:
    """Return the body of a success as the faults of this call leave it."""
    if call.method == "GET" and call.world.behaviour.faults.stale:
        body = _as_it_was(call, body)
    for fault in call.faults:
        if fault.kind == "unknown_value":
            body = with_value(body, fault.member, fault.value)
    return body


def with_value(body: object, member: str, value: str) -> object:
    """Return ``body`` with ``member`` of the object, or of each item of the collection, set where it stood."""
    if not isinstance(body, dict):
        return body
    changed: Json = {
        name: value if name.casefold() == member.casefold() and isinstance(inner, str) else inner
        for name, inner in body.items()
    }
    items = changed.get("items")
    if isinstance(items, list):
        changed["items"] = [with_value(item, member, value) for item in items]
    return changed


def page_shift(call: Call, start: int, size: int) -> int:
    """Return where a page begins that should begin at ``start``: earlier when it repeats, later when it skips.

    Only pages after the first can be hit.
    """
    plan = call.world.behaviour.faults.plan
    if start <= 0 or not plan.faults:
        return start
    customer_id = call.path.get("customer", "")
    for fault in call.emulator.derived(draws.Candidates).of(call.route.key):
        if fault.kind not in {"repeated_page", "skipped_page"}:
            continue
        if draws.is_meant(call.emulator, fault, call.tenant.id, customer_id) and draws.fires(call.emulator, fault):
            start = start + size if fault.kind == "skipped_page" else max(0, start - size)
    return start


async def keep_images(call: Call) -> None:
    """Before a write: keep every list that a ``stale_list`` fault lets lag, as it is now.

    Lists are those whose path needs no variable that the write's path does not have.
    """
    state = call.world.behaviour.faults
    for fault in state.plan.faults:
        if fault.kind != "stale_list" or not fault.enabled:
            continue
        if not draws.is_meant(call.emulator, fault, call.tenant.id, call.path.get("customer", "")):
            continue
        routes = [route for route in _list_routes() if _lags(fault, route, call)]
        if routes and draws.fires(call.emulator, fault):
            _forget_lapsed(call)
            for route in routes:
                await _keep_image(call, fault, route)


def _forget_lapsed(call: Call) -> None:
    stale, now = call.world.behaviour.faults.stale, call.clock.now()
    for place in [place for place, images in stale.items() if images[-1].until <= now]:
        del stale[place]


@cache
def _list_routes() -> tuple[tuple[Route, frozenset[str]], ...]:
    found = (route for route in resources.routes() if isinstance(route, Route) and route.method == "GET")
    return tuple((route, frozenset(_variables(route.template))) for route in found)


def _variables(template: str) -> list[str]:
    return [part.strip("{}") for part in template.split("/") if part.startswith("{")]


def _lags(fault: Fault, listed: tuple[Route, frozenset[str]], call: Call) -> bool:
    route, variables = listed
    of_this_customer = "customer" in variables if "customer" in call.path else True
    return of_this_customer and variables <= set(call.path) and draws.fits_route(fault, route.key)


async def _keep_image(call: Call, fault: Fault, listed: tuple[Route, frozenset[str]]) -> None:
    route, variables = listed
    path = {name: call.path[name] for name in variables}
    reading = Call(call.emulator, route, path, route.template.format(**path).lower(), b"")
    reading.tenant, reading.principal = call.tenant, call.principal
    with suppress(ApiError):  # a list that cannot be read needs no image
        body = (await route.handler(reading)).body
        if isinstance(body, dict) and isinstance(body.get("items"), list):
            until = call.clock.now() + timedelta(seconds=fault.seconds)
            images = call.world.behaviour.faults.stale.setdefault(_place(reading), [])
            images.append(StaleImage(until=until, body=msgspec.json.encode(body)))


def _place(call: Call) -> str:
    path = "/".join(call.path[name].lower() for name in sorted(call.path))
    return f"{call.tenant.id}/{call.route.key}/{path}"


def _as_it_was(call: Call, body: object) -> object:
    """Return the list without what came and changed since the oldest image that has not lapsed."""
    stale = call.world.behaviour.faults.stale
    place = _place(call)
    if place not in stale or not isinstance(body, dict) or not isinstance(body.get("items"), list):
        return body
    images = stale[place] = [image for image in stale[place] if image.until > call.clock.now()]
    if not images:
        del stale[place]
        return body
    image = cast("Json", msgspec.json.decode(images[0].body))
    known = {str(item["id"]): item for item in cast("list[Json]", image["items"]) if "id" in item}
    is_whole = "next" not in cast("Json", image.get("links") or {})
    fresh = cast("list[Json]", body["items"])
    items = [known.get(str(item.get("id")), item) for item in fresh if not is_whole or str(item.get("id")) in known]
    total = body.get("totalCount")
    hidden = len(fresh) - len(items)
    return {**body, "totalCount": total - hidden if isinstance(total, int) else total, "items": items}
