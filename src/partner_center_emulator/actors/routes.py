"""The control plane of Microsoft's support (wire room): its manner, and what it has in hand."""

from __future__ import annotations

import math

from starlette.requests import Request

from partner_center_emulator.control import PREFIX, ControlError, guarded, order_of
from partner_center_emulator.emulator import Emulator
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


ROUTES = (
    Page("GET", f"{PREFIX}/actors/support", read_support),
    Page("POST", f"{PREFIX}/actors/support", set_support),
)
