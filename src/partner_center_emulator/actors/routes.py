"""The control plane of people (wire room): support's manner and what it has in hand, and a colleague in the portal."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
from starlette.requests import Request

from partner_center_emulator.actors import portal
from partner_center_emulator.control import PREFIX, ControlError, find_tenant, guarded, order_of
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.requests import Page
from partner_center_emulator.state.behaviour import SupportManner


@guarded
async def read_support(emulator: Emulator, _request: Request) -> object:
    """Return support's manner and every hand-off."""
    state = emulator.world.behaviour.support
    return {"manner": state.manner, "hand_offs": list(state.hand_offs.values())}


@guarded
async def set_support(emulator: Emulator, request: Request) -> SupportManner:
    """Set how support works from now on; what it has in hand already keeps its time."""
    manner = await order_of(request, SupportManner)
    if not 0 <= manner.mistake_probability <= 1:
        raise ControlError("The mistake_probability must lie between 0 and 1.")
    if not (0 <= manner.median_hours < math.inf and 0 <= manner.sigma <= 5):  # noqa: PLR2004 - e to the 5th is 150 times
        raise ControlError("The median_hours must not be negative, and sigma must lie between 0 and 5.")
    emulator.world.behaviour.support.manner = manner
    return manner


class PortalOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST actors/portal`` asks a colleague to do for one subscription of a source tenant."""

    subscription: str
    does: Literal["buy_alike", "end", "choose_end_of_term", "hand_off", "cancel_marketplace"]
    target: str = "target"


@guarded
async def work_in_portal(emulator: Emulator, request: Request) -> object:
    """Let a colleague buy the same, end a subscription, choose its end, hand it to support, or tidy up below it."""
    order = await order_of(request, PortalOrder)
    held = emulator.world.subscriptions.get(order.subscription.lower())
    if held is None:
        raise ControlError("There is no such subscription.", 404)
    target = find_tenant(emulator, order.target)
    try:
        if order.does == "hand_off":
            return portal.hand_off(emulator, emulator.world.partner_tenants[held.tenant_id], target, [held.id])
        if order.does == "cancel_marketplace":
            return {"canceled": portal.cancel_marketplace(emulator, held)}
        if held.id not in emulator.world.commerce.terms:
            raise ControlError("The colleague does that with new commerce only.")
        if order.does == "buy_alike":
            return portal.buy_alike(emulator, target, held)
        act = portal.end if order.does == "end" else portal.choose_end_of_term
        act(emulator, held)
    except ApiError as error:
        raise ControlError(str(error)) from error
    return held


ROUTES = (
    Page("POST", f"{PREFIX}/actors/portal", work_in_portal),
    Page("GET", f"{PREFIX}/actors/support", read_support),
    Page("POST", f"{PREFIX}/actors/support", set_support),
)
