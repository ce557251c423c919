"""The control plane under ``/_emulator/`` (wire room): clock, world, actors, truth. No token, no throttle, no counting.

Answers are JSON with our own snake_case names; bad input is 400 with a sentence in ``error``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from partner_center_emulator import actors, credentials, demo_world, ledger, worlds
from partner_center_emulator.clock import ClockState
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.requests import Page, PageHandler
from partner_center_emulator.signin import clouds
from partner_center_emulator.subscriptions import models as subscriptions
from partner_center_emulator.world import Customer, PartnerTenant, World

PREFIX = "/_emulator"

B = TypeVar("B")


class ControlError(Exception):
    """Bad input to the control plane; the text is the whole sentence for the caller."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST clock`` may ask for; done in this order."""

    freeze: bool | None = None
    speed: float | None = None
    advance_seconds: float | None = None
    advance_to: datetime | None = None


class ResetOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST reset`` may ask for."""

    seed: int = 1
    customers: int = 100
    world: Literal["generated", "demo"] = "generated"
    new_commerce_share: float = 0.0  # of a generated world's base subscriptions


class ActorsOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST actors`` asks for: who got the mail of which partner tenant, and how they react."""

    customers: list[str] | Literal["all"]
    partner: str = "target"
    kind: actors.Kind = "preset"
    after_seconds: float = 0.0


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _guarded(handler: Callable[[Emulator, Request], Awaitable[object]]) -> PageHandler:
    """Return the handler with its result written as JSON and bad input as 400."""

    @wraps(handler)
    async def answer(emulator: Emulator, request: Request) -> Response:
        if _is_foreign(request):
            return _json({"error": "A page of another site may not use the control plane."}, 403)
        try:
            return _json(await handler(emulator, request))
        except ControlError as error:
            return _json({"error": str(error)}, error.status)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            return _json({"error": f"The body cannot be used: {error}."}, 400)

    return answer


def _is_foreign(request: Request) -> bool:
    """Whether a browser sends this for a page of another site; tools send no origin at all."""
    origin = request.headers.get("origin")
    return origin is not None and origin.lower() != f"http://{request.headers.get('host', '')}".lower()


async def _order(request: Request, kind: type[B]) -> B:
    return msgspec.json.decode(await request.body() or b"{}", type=kind)


# the same for the control pages of other modules
guarded, order_of = _guarded, _order


@_guarded
async def health(emulator: Emulator, _request: Request) -> object:
    """Say that the emulator is up and how big its world is."""
    world = emulator.world
    return {
        "status": "ok",
        "clock": emulator.clock.now(),
        "seed": world.seed,
        "partner_tenants": len(world.partner_tenants),
        "customers": len(world.customers),
        "subscriptions": len(world.subscriptions),
    }


@_guarded
async def read_clock(emulator: Emulator, _request: Request) -> ClockState:
    """Return the clock's reading and what is due."""
    return emulator.clock.state()


@_guarded
async def set_clock(emulator: Emulator, request: Request) -> ClockState:
    """Freeze, speed up or move the clock; moving runs what becomes due."""
    order = await _order(request, ClockOrder)
    clock = emulator.clock
    try:
        if order.freeze is not None:
            clock.freeze(frozen=order.freeze)
        if order.speed is not None:
            clock.set_speed(order.speed)
        if order.advance_seconds is not None:
            clock.advance(order.advance_seconds)
        if order.advance_to is not None:
            if order.advance_to.tzinfo is None:
                raise ControlError("The time in advance_to needs a time zone.")
            clock.advance_to(order.advance_to)
    except OverflowError:
        raise ControlError("The clock cannot go that far.") from None
    except ValueError as error:
        raise ControlError(str(error)) from error
    return clock.state()


@_guarded
async def read_options(emulator: Emulator, _request: Request) -> Options:
    """Return the switches of the pretended service."""
    return emulator.options


@_guarded
async def set_options(emulator: Emulator, request: Request) -> Options:
    """Change some switches; what is not named stays. The port cannot be changed while serving."""
    changes = await _order(request, dict[str, object])
    present = msgspec.structs.asdict(emulator.options)
    unknown = sorted((set(changes) - set(present)) | ({"port"} & set(changes)))
    if unknown:
        raise ControlError(f"There is no option {unknown[0]} that can be set here.")
    emulator.options = msgspec.convert(present | changes, Options)
    return emulator.options


@_guarded
async def reset(emulator: Emulator, request: Request) -> object:
    """Make a new world in place of the present one."""
    order = await _order(request, ResetOrder)
    try:
        share = order.new_commerce_share
        world = worlds.make(order.world, order.seed, order.customers, new_commerce_share=share)
    except ValueError as error:
        raise ControlError(str(error)) from error
    emulator.replace_world(world)
    return {"seed": world.seed, "customers": len(world.customers), "subscriptions": len(world.subscriptions)}


@_guarded
async def read_snapshot(emulator: Emulator, _request: Request) -> World:
    """Return the whole world, with the clock's reading in ``clock_at``."""
    return worlds.snapshot(emulator)


@_guarded
async def load_snapshot(emulator: Emulator, request: Request) -> object:
    """Put the world in the body in place of the present one."""
    world = await _order(request, World)
    emulator.replace_world(world)
    return {"seed": world.seed, "customers": len(world.customers), "subscriptions": len(world.subscriptions)}


@_guarded
async def set_actors(emulator: Emulator, request: Request) -> actors.Asked:
    """Let customers' admins learn of a partner tenant's relationship request."""
    order = await _order(request, ActorsOrder)
    if order.after_seconds < 0:
        raise ControlError("The seconds in after_seconds must not be negative.")
    tenant = _find_tenant(emulator, order.partner)
    if order.customers == "all":
        asked = list(emulator.world.customers.values())
    else:
        asked = [_find_customer(emulator, customer_id) for customer_id in order.customers]
    return actors.ask(emulator, tenant, asked, order.kind, order.after_seconds)


@_guarded
async def read_ledger(emulator: Emulator, request: Request) -> object:
    """Return the truth: twins, gaps, overlaps, parity, calls, violations."""
    customer_id = request.query_params.get("customer", "").lower()
    if customer_id:
        _find_customer(emulator, customer_id)
    detail = request.query_params.get("detail", "") in {"1", "true"}
    return ledger.report(emulator, customer_id=customer_id or None, detail=detail)


@_guarded
async def read_credentials(emulator: Emulator, request: Request) -> object:
    """Return everything a tool needs to sign in to each partner tenant of the cloud that the path names."""
    return credentials.sheet(emulator, clouds.of_request(request))


@_guarded
async def read_cast(emulator: Emulator, _request: Request) -> object:
    """Return the odd customers of the demo world by their role; empty roles are left out in other worlds."""
    return demo_world.odd_customers(emulator.world)


@_guarded
async def change_subscription(emulator: Emulator, request: Request) -> object:
    """Change a subscription as somebody in the portal would, behind the client's back."""
    changes = await _order(request, dict[str, object])
    if not changes:
        raise ControlError("Say what to change: quantity, status, friendly_name, auto_renew or partner_id_on_record.")
    try:
        return subscriptions.change_in_portal(emulator, request.path_params["subscription"], changes)
    except KeyError as error:
        raise ControlError("There is no such subscription.", 404) from error
    except ValueError as error:
        raise ControlError(str(error)) from error


def _find_tenant(emulator: Emulator, name: str) -> PartnerTenant:
    for tenant in emulator.world.partner_tenants.values():
        if name.lower() in {tenant.id, tenant.key.lower()}:
            return tenant
    raise ControlError(f"There is no partner tenant {name}.")


def _find_customer(emulator: Emulator, customer_id: str) -> Customer:
    customer = emulator.world.customers.get(customer_id.lower())
    if customer is None:
        raise ControlError(f"There is no customer {customer_id}.")
    return customer


# for the control pages that live with their resource
guarded, read_order, find_tenant, find_customer = _guarded, _order, _find_tenant, _find_customer

ROUTES = (
    Page("GET", f"{PREFIX}/health", health),
    Page("GET", f"{PREFIX}/clock", read_clock),
    Page("POST", f"{PREFIX}/clock", set_clock),
    Page("GET", f"{PREFIX}/options", read_options),
    Page("POST", f"{PREFIX}/options", set_options),
    Page("POST", f"{PREFIX}/reset", reset),
    Page("GET", f"{PREFIX}/snapshot", read_snapshot),
    Page("POST", f"{PREFIX}/snapshot", load_snapshot),
    Page("POST", f"{PREFIX}/actors", set_actors),
    Page("GET", f"{PREFIX}/ledger", read_ledger),
    Page("GET", f"{PREFIX}/credentials", read_credentials),
    Page("GET", f"{PREFIX}/cast", read_cast),
    Page("POST", f"{PREFIX}/subscriptions/{{subscription}}", change_subscription),
)
