"""Which fault hits (fault room): matching by route, tenant and customer, and seeded draws.

A draw is a digest of the world's seed, the plan's seed, the fault's name and the number of the matching call. So the
same calls in the same order meet the same faults, whatever else happens, and also after a snapshot was loaded.
"""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from hashlib import blake2b
from statistics import NormalDist

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.behaviour import Fault, FaultKind, FaultPlan
from partner_center_emulator.world import World

_WEBHOOK_KINDS: frozenset[FaultKind] = frozenset({"duplicate_webhook", "late_webhook", "lost_webhook"})
# these are asked for at their own places, not at every call
_ELSEWHERE: frozenset[FaultKind] = _WEBHOOK_KINDS | {"stale_list", "repeated_page", "skipped_page"}
# after these the call still gets its answer, so that another fault can follow
_GENTLE: frozenset[FaultKind] = frozenset({"latency", "slow_body", "unknown_value", "failed_line"})
_FOR_PEOPLE = "/Adminportal"
_EDGE = 1e-12  # keeps draws off the ends, where an inverse distribution is endless


class Candidates:
    """Which faults of the present plan can hit a route; obtained with ``emulator.derived(Candidates)``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plan: FaultPlan | None = None
        self._by_route: dict[str, tuple[Fault, ...]] = {}

    def of(self, route_key: str) -> tuple[Fault, ...]:
        """Return the enabled faults whose ``route`` and ``methods`` fit, in the order of the plan."""
        plan = self._world.behaviour.faults.plan
        if plan is not self._plan:
            self._plan = plan
            self._by_route.clear()
        found = self._by_route.get(route_key)
        if found is None:
            found = tuple(fault for fault in plan.faults if fault.enabled and fits_route(fault, route_key))
            self._by_route[route_key] = found
        return found


def fits_route(fault: Fault, route_key: str) -> bool:
    """Whether a fault is meant for the route ``"METHOD /template"``; pages for people only if it names them."""
    method, _, template = route_key.partition(" ")
    if fault.methods and method not in {name.upper() for name in fault.methods}:
        return False
    named = fault.route.rpartition(" ")[2]
    if template.startswith(_FOR_PEOPLE) and not named.startswith("/Admin"):
        return False  # a browser's icons and style sheets would use up what is meant for programs
    return fnmatchcase(route_key if " " in fault.route else template, fault.route)


def is_meant(emulator: Emulator, fault: Fault, tenant_id: str, customer_id: str) -> bool:
    """Whether a fault is meant for this tenant, customer and time."""
    now = emulator.clock.now()
    if (fault.begins_at and now < fault.begins_at) or (fault.ends_at and now >= fault.ends_at):
        return False
    if fault.customers and customer_id.lower() not in {known.lower() for known in fault.customers}:
        return False
    if not fault.tenants:
        return True
    tenant = emulator.world.partner_tenants.get(tenant_id)
    names = {tenant.id, tenant.key.lower()} if tenant else set()
    return any(name.lower() in names for name in fault.tenants)


def fires(emulator: Emulator, fault: Fault) -> bool:
    """Count one matching call, and say whether the fault hits it: by ``skip``, ``count`` and ``probability``."""
    state = emulator.world.behaviour.faults
    number = state.matched[fault.name] = state.matched.get(fault.name, 0) + 1
    fired = state.fired.get(fault.name, 0)
    if number <= fault.skip or (fault.count is not None and fired >= fault.count):
        return False
    if draw(emulator, fault, number, "hit") >= fault.probability:
        return False
    state.fired[fault.name] = fired + 1
    return True


def chosen(emulator: Emulator, route_key: str, tenant_id: str, customer_id: str) -> tuple[Fault, ...]:
    """Return the faults that hit one call: they are asked in turn, and one that settles the answer is the last."""
    found: list[Fault] = []
    for fault in emulator.derived(Candidates).of(route_key):
        if fault.kind in _ELSEWHERE or not is_meant(emulator, fault, tenant_id, customer_id):
            continue
        if _in_storm(emulator, fault, tenant_id) or fires(emulator, fault):
            found.append(fault)
            if fault.kind not in _GENTLE:
                break
    return tuple(found)


def _in_storm(emulator: Emulator, fault: Fault, tenant_id: str) -> bool:
    if fault.kind != "throttle_storm":
        return False
    over_at = emulator.world.behaviour.faults.storms.get(f"{fault.name}/{tenant_id}")
    return over_at is not None and emulator.clock.now() < over_at


def draw(emulator: Emulator, fault: Fault, number: int, purpose: str) -> float:
    """Return a number from 0 up to 1 that depends on nothing but seeds, fault, number and purpose."""
    world = emulator.world
    text = f"{world.seed}/{world.behaviour.faults.plan.seed}/{fault.name}/{number}/{purpose}"
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56


def delay(emulator: Emulator, fault: Fault) -> float:
    """Return how many seconds a ``latency`` fault takes this time, never more than ``most_seconds``."""
    number = emulator.world.behaviour.faults.fired.get(fault.name, 0)
    return sample(fault, draw(emulator, fault, number, "delay"))


def sample(fault: Fault, chance: float) -> float:
    """Return the seconds of a fault's distribution at ``chance`` (0 to 1)."""
    chance = min(max(chance, _EDGE), 1 - _EDGE)
    middle, spread = fault.seconds, fault.spread
    if fault.distribution == "uniform":
        seconds = middle + (2 * chance - 1) * spread
    elif fault.distribution == "normal":
        seconds = middle + spread * NormalDist().inv_cdf(chance)
    elif fault.distribution == "lognormal":
        seconds = middle * math.exp(min(spread * NormalDist().inv_cdf(chance), 50))
    elif fault.distribution == "exponential":
        seconds = -middle * math.log1p(-chance)
    elif fault.distribution == "pareto":
        seconds = middle * math.exp(min(-math.log1p(-chance) / spread, 50))
    else:
        seconds = middle
    return min(max(seconds, 0.0), fault.most_seconds)
