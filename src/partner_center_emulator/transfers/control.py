"""Mishaps of transfers and migrations on purpose (control plane of this area)."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from partner_center_emulator.control import PREFIX, ControlError, find_tenant, guarded, order_of
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.requests import Page
from partner_center_emulator.state.transfers import Stumble


class StumbleOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST transfers/stumbles`` asks for: whose next attempts fail, how often, with which code."""

    ids: list[str]
    times: int = 1
    code: int = 900103
    suspends_source: bool = False


class ProgramOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST transfers/partners`` asks for: whether a partner tenant may take part."""

    partner: str
    enabled: bool


@guarded
async def set_stumbles(emulator: Emulator, request: Request) -> object:
    """Let the next attempts to move or migrate some things fail; ``times`` 0 takes that back."""
    order = await order_of(request, StumbleOrder)
    if order.times < 0:
        raise ControlError("The number in times must not be negative.")
    for thing_id in order.ids:
        emulator.world.transfers.stumbles[thing_id.lower()] = Stumble(
            code=order.code, times=order.times, suspends_source=order.suspends_source
        )
    return emulator.world.transfers.stumbles


@guarded
async def set_program(emulator: Emulator, request: Request) -> object:
    """Allow or forbid a partner tenant to take part in transfers (900137)."""
    order = await order_of(request, ProgramOrder)
    tenant = find_tenant(emulator, order.partner)
    disabled = [known for known in emulator.world.transfers.disabled_tenants if known != tenant.id]
    emulator.world.transfers.disabled_tenants = disabled if order.enabled else [*disabled, tenant.id]
    return {"disabled_tenants": emulator.world.transfers.disabled_tenants}


ROUTES: tuple[Page, ...] = (
    Page("POST", f"{PREFIX}/transfers/stumbles", set_stumbles),
    Page("POST", f"{PREFIX}/transfers/partners", set_program),
)
