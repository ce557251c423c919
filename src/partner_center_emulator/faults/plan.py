"""Reading, checking and switching fault plans (fault room)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from partner_center_emulator.state.behaviour import Fault, FaultPlan, FaultState
from partner_center_emulator.world import World

_NOT_NEGATIVE = ("skip", "count", "seconds", "spread", "most_seconds", "line", "copies")
_STATUSES = range(400, 600)
MOST_COPIES = 100


class PlanError(ValueError):
    """A fault plan that cannot be used; the text is a sentence for whoever wrote it."""


def read_file(path: Path) -> FaultPlan:
    """Return the plan in a TOML file; raises OSError or PlanError."""
    return read_toml(path.read_bytes())


def read_toml(text: bytes) -> FaultPlan:
    """Return the plan in TOML text; raises PlanError."""
    try:
        return checked(msgspec.toml.decode(text, type=FaultPlan))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"The fault plan cannot be read: {error}.") from error
    except ValueError as error:
        if isinstance(error, PlanError):
            raise
        raise PlanError(f"The fault plan is no TOML: {error}.") from error


def checked(plan: FaultPlan) -> FaultPlan:
    """Return the plan with a unique name for each fault; raises PlanError for measures that mean nothing."""
    numbers: Counter[str] = Counter()
    taken = {fault.name for fault in plan.faults if fault.name}
    for fault in plan.faults:
        while not fault.name:
            numbers[fault.kind] += 1
            name = f"{fault.kind}-{numbers[fault.kind]}"
            if name not in taken:
                fault.name = name
        _check(fault)
    doubled = [name for name, times in Counter(fault.name for fault in plan.faults).items() if times > 1]
    if doubled:
        raise PlanError(f"Two faults have the name {doubled[0]}.")
    return plan


def _check(fault: Fault) -> None:
    if not 0 <= fault.probability <= 1:
        raise PlanError(f"The probability of {fault.name} must lie between 0 and 1.")
    for name in _NOT_NEGATIVE:
        value = getattr(fault, name)
        if value is not None and not 0 <= value < float("inf"):
            raise PlanError(f"The member {name} of {fault.name} must not be negative or endless.")
    if fault.status not in _STATUSES:
        raise PlanError(f"The status of {fault.name} must be an error's: 400 to 599.")
    if fault.distribution == "pareto" and not fault.spread:
        raise PlanError(f"The pareto distribution of {fault.name} needs a shape above 0 in spread.")
    if fault.copies > MOST_COPIES:
        raise PlanError(f"The copies of {fault.name} must not be more than {MOST_COPIES}.")
    for name in ("begins_at", "ends_at"):
        moment = getattr(fault, name)
        if moment is not None and moment.tzinfo is None:
            raise PlanError(f"The time {name} of {fault.name} needs a time zone.")


def install(world: World, plan: FaultPlan) -> FaultState:
    """Put a checked plan in place of the present one; counters, storms and stale lists begin anew."""
    world.behaviour.faults = FaultState(plan=checked(plan))
    return world.behaviour.faults


def add(world: World, faults: Iterable[Fault]) -> FaultState:
    """Add faults to the present plan and keep its counters; raises PlanError."""
    state = world.behaviour.faults
    state.plan = checked(FaultPlan(seed=state.plan.seed, faults=[*state.plan.faults, *faults]))
    return state


def switch(world: World, name: str, *, enabled: bool) -> Fault:
    """Switch one fault on or off; raises PlanError for an unknown name."""
    state = world.behaviour.faults
    for fault in state.plan.faults:
        if fault.name == name:
            fault.enabled = enabled
            # a new plan object tells whoever keeps tables of the plan that it has changed
            state.plan = FaultPlan(seed=state.plan.seed, faults=state.plan.faults)
            return fault
    raise PlanError(f"There is no fault {name}.")
