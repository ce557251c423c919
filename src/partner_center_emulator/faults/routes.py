"""The control plane of the fault plan and the pace (wire room): read, replace, switch, clear."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from partner_center_emulator import pace
from partner_center_emulator.control import PREFIX, ControlError, guarded, order_of
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import plan as plans
from partner_center_emulator.requests import Page
from partner_center_emulator.state.behaviour import Fault, FaultPlan, Pace


class FaultsOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST faults`` may ask for; done in this order."""

    seed: int = 0
    faults: list[Fault] | None = None  # replaces the plan, counters begin anew
    add: list[Fault] = []  # goes to the end of the plan
    enable: list[str] = []
    disable: list[str] = []


@guarded
async def read_faults(emulator: Emulator, _request: Request) -> object:
    """Return the plan and how often each of its faults could have hit and did."""
    return _shown(emulator)


@guarded
async def set_faults(emulator: Emulator, request: Request) -> object:
    """Replace the plan, add to it, or switch faults on and off; a TOML plan replaces the present one."""
    try:
        if "toml" in request.headers.get("content-type", ""):
            plans.install(emulator.world, plans.read_toml(await request.body()))
            return _shown(emulator)
        order = await order_of(request, FaultsOrder)
        if order.faults is not None:
            plans.install(emulator.world, FaultPlan(seed=order.seed, faults=order.faults))
        if order.add:
            plans.add(emulator.world, order.add)
        for name in order.enable:
            plans.switch(emulator.world, name, enabled=True)
        for name in order.disable:
            plans.switch(emulator.world, name, enabled=False)
    except plans.PlanError as error:
        raise ControlError(str(error)) from error
    return _shown(emulator)


@guarded
async def clear_faults(emulator: Emulator, _request: Request) -> object:
    """Take the whole plan away: storms, stale lists and lapsed tokens end with it."""
    plans.install(emulator.world, FaultPlan())
    return _shown(emulator)


def _shown(emulator: Emulator) -> object:
    state = emulator.world.behaviour.faults
    return {
        "seed": state.plan.seed,
        "faults": [
            {
                **msgspec.to_builtins(fault),
                "matched": state.matched.get(fault.name, 0),
                "fired": state.fired.get(fault.name, 0),
            }
            for fault in state.plan.faults
        ],
    }


@guarded
async def read_pace(emulator: Emulator, _request: Request) -> object:
    """Return the pace of each step and what is under way."""
    return {
        "steps": pace.steps(),
        "rules": emulator.options.pace,
        "waiting": list(emulator.world.behaviour.pace.waiting.values()),
    }


@guarded
async def set_pace(emulator: Emulator, request: Request) -> object:
    """Set the pace of the named steps or routes; the others stay. What is under way keeps its own pace."""
    rules = await order_of(request, dict[str, Pace])
    for name, rule in rules.items():
        if rule.reads < 0 or not 0 <= rule.seconds < float("inf"):
            raise ControlError(f"The reads and seconds of {name} must not be negative.")
    emulator.options.pace = {**emulator.options.pace, **rules}
    return {"rules": emulator.options.pace}


@guarded
async def clear_pace(emulator: Emulator, _request: Request) -> object:
    """Let every step be done at once again."""
    emulator.options.pace = {}
    return {"rules": {}}


ROUTES = (
    Page("GET", f"{PREFIX}/faults", read_faults),
    Page("POST", f"{PREFIX}/faults", set_faults),
    Page("DELETE", f"{PREFIX}/faults", clear_faults),
    Page("GET", f"{PREFIX}/state/pace", read_pace),
    Page("POST", f"{PREFIX}/state/pace", set_pace),
    Page("DELETE", f"{PREFIX}/state/pace", clear_pace),
)
