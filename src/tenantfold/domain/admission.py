"""Admission: can this end today? Pure arithmetic over calls still needed and calls that may still be made (DESIGN 7).

The unit is one call to one limited resource of one partner tenant. Resources without a published limit are not
counted. A day ends at ``policy.late_at``: what is open then is late (R-33, R-192).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.model import TenantId
from tenantfold.domain.plan import PlanCustomer
from tenantfold.domain.policy import Policy
from tenantfold.domain.states import Owner, Phase
from tenantfold.domain.waves import HELD_BECAUSE, HELD_NEXT, Held, LimitRule, WaveRefusal, override_command

SUBSCRIPTION, ORDER = "subscription", "order"  # resources with a limit of their own (core reference 4)
READS = 2  # of each side: once before anything is ordered, once after the last write

Key = tuple[TenantId, str]
Demand = Mapping[Key, int]
"""Calls by partner tenant and resource."""


class Rates(Protocol):
    """How fast Microsoft lets us call."""

    def per_minute(self, tenant_id: TenantId, resource: str) -> float:
        """Calls a minute to a resource of a partner tenant."""
        ...

    def pause_minutes(self, tenant_id: TenantId, resource: str) -> float:
        """How long nothing may leave for it yet, because of a ``Retry-After``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRates:
    """What was learned, by tenant and resource, and the settings' rate until something is. ``paused``: minutes."""

    fallback: float
    learned: Mapping[Key, float] = field(default_factory=dict)
    paused: Mapping[Key, float] = field(default_factory=dict)

    def per_minute(self, tenant_id: TenantId, resource: str) -> float:
        """Calls a minute to a resource of a partner tenant."""
        return self.learned.get((tenant_id, resource), self.fallback)

    def pause_minutes(self, tenant_id: TenantId, resource: str) -> float:
        """How long nothing may leave for it yet."""
        return self.paused.get((tenant_id, resource), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLoad:
    """What is left to do at one source tenant: for how many customers, with how many suspensions."""

    customers: int
    suspends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is left to do for some customers: the counts that the number of calls follows from."""

    customers: int = 0
    orders: int = 0
    sources: Mapping[TenantId, SourceLoad] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """The tenant and resource that takes longest: how many calls, how fast, how many minutes with the pause first."""

    tenant_id: TenantId
    resource: str
    calls: int
    per_minute: float
    minutes: float
    pause_minutes: float = 0.0

    def calls_in(self, minutes: float) -> int:
        """How many calls can be made in the next so many minutes."""
        return math.floor(self.per_minute * max(0.0, minutes - self.pause_minutes))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRefusal:
    """Why a wave cannot end today, with the numbers. ``fitting`` customers of it could still begin and end today."""

    bottleneck: Bottleneck
    calls_left: int
    minutes_left: float
    until: datetime
    fitting: int

    def numbers(self) -> Mapping[str, str]:
        """The numbers as texts, for events and JSON."""
        return {
            "tenant": self.bottleneck.tenant_id,
            "resource": self.bottleneck.resource,
            "calls_needed": str(self.bottleneck.calls),
            "calls_left": str(self.calls_left),
            "calls_per_minute": f"{self.bottleneck.per_minute:g}",
            "minutes_needed": _minutes(self.bottleneck.minutes),
            "minutes_left": _minutes(self.minutes_left),
            "until": f"{self.until:%Y-%m-%dT%H:%MZ}",
            "customers_that_fit": str(self.fitting),
        }


def load_of(customer: PlanCustomer) -> Load:
    """The whole load of one customer that has not begun.

    Bases of one billing cycle are one order, add-ons are added to it in one call (commerce reference 2.3); an add-on
    is suspended with its base (R-124); what is adopted is not ordered.
    """
    items = [item for item in customer.items if item.moves]
    ordered = {(item.billing_cycle, item.is_add_on) for item in items if item.target_id is None}
    sources = {
        tenant_id: SourceLoad(
            customers=1, suspends=sum(item.tenant_id == tenant_id and not item.is_add_on for item in items)
        )
        for tenant_id in dict.fromkeys(item.tenant_id for item in items)
    }
    return Load(customers=int(bool(items)), orders=len(ordered), sources=sources)


def demand_of(load: Load, target_id: TenantId) -> Demand:
    """The calls of a load: two reads of each side, the orders, the suspensions."""
    calls = {(target_id, SUBSCRIPTION): READS * load.customers, (target_id, ORDER): load.orders}
    for tenant_id, source in load.sources.items():
        calls[tenant_id, SUBSCRIPTION] = READS * source.customers + source.suspends
    return {key: count for key, count in calls.items() if count}


def together(*demands: Demand) -> Demand:
    """The sum of some demands."""
    total: dict[Key, int] = {}
    for demand in demands:
        for key, count in demand.items():
            total[key] = total.get(key, 0) + count
    return total


def bottleneck_of(demand: Demand, rates: Rates) -> Bottleneck | None:
    """What takes longest of a demand, all limits working side by side; None when there is nothing to do."""
    found = [_limit_of(key, calls, rates) for key, calls in sorted(demand.items()) if calls > 0]
    return max(found, key=lambda one: one.minutes, default=None)


def _limit_of(key: Key, calls: int, rates: Rates) -> Bottleneck:
    per_minute, pause = rates.per_minute(*key), rates.pause_minutes(*key)
    return Bottleneck(
        tenant_id=key[0],
        resource=key[1],
        calls=calls,
        per_minute=per_minute,
        minutes=pause + calls / per_minute if per_minute > 0 else math.inf,
        pause_minutes=pause,
    )


def minutes_until(now: datetime, end: datetime) -> float:
    """Minutes from now to a time; 0 when it has passed."""
    return max(0.0, (end - now).total_seconds() / 60)


def late_today(now: datetime, policy: Policy) -> datetime:
    """When today's open cutovers become late."""
    return datetime.combine(now.date(), policy.late_at, tzinfo=now.tzinfo)


def last_start_today(now: datetime, policy: Policy) -> datetime:
    """Until when a wave's customers can begin and end today: new ones stop at ``stop_starting_at`` at the latest."""
    stop = datetime.combine(now.date(), policy.stop_starting_at, tzinfo=now.tzinfo)
    return min(stop, late_today(now, policy))


def can_finish_today(
    demand: Demand, customers: int, open_demand: Demand, rates: Rates, now: datetime, policy: Policy
) -> DayRefusal | None:
    """Whether ``customers`` with this demand can all begin and end today beside what is open; None: they can."""
    until = last_start_today(now, policy)
    minutes = minutes_until(now, until)
    worst = bottleneck_of({key: count + open_demand.get(key, 0) for key, count in demand.items() if count}, rates)
    if worst is None or worst.minutes <= minutes:
        return None
    return DayRefusal(
        bottleneck=worst,
        calls_left=worst.calls_in(minutes),
        minutes_left=minutes,
        until=until,
        fitting=_fitting(demand, customers, open_demand, rates, minutes),
    )


def _fitting(demand: Demand, customers: int, open_demand: Demand, rates: Rates, minutes: float) -> int:
    """How many average customers of the demand fit into what the open ones leave of the day."""
    shares = [
        (_limit_of(key, count, rates).calls_in(minutes) - open_demand.get(key, 0)) / (count / customers)
        for key, count in demand.items()
        if count and customers
    ]
    return max(0, min(math.floor(min(shares, default=0.0)), customers))


def may_begin(demand: Demand, open_demand: Demand, rates: Rates, now: datetime, policy: Policy) -> Refusal | None:
    """Whether one more customer can begin and end today beside everything that is open (invariant 3)."""
    end = late_today(now, policy)
    minutes = minutes_until(now, end)
    worst = bottleneck_of({key: count + open_demand.get(key, 0) for key, count in demand.items() if count}, rates)
    if worst is None or worst.minutes <= minutes:
        return None
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=5, second=0, microsecond=0)
    return Refusal(
        code=RefusalCode.CANNOT_FINISH_TODAY,
        phase=Phase.ACCEPTED,
        rule="R-33",
        detail=f"{worst.calls} {worst.resource} calls at {worst.tenant_id} are needed for what is open and this "
        f"customer; {worst.calls_in(minutes)} can be made until {end:%H:%M} UTC "
        f"({worst.per_minute:g} a minute).",
        owner=Owner.TENANTFOLD,
        next_action="Run again after 00:05 UTC.",
        due_at=tomorrow,
    )


def held_refusal(held: Held) -> Refusal | None:
    """The refusal of a customer that is held since it was handed out; lifting the hold makes it due again."""
    if held is Held.NOTHING:
        return None
    return Refusal(
        code=RefusalCode.HELD,
        phase=Phase.ACCEPTED,
        rule="waves",
        detail=HELD_BECAUSE[held],
        owner=Owner.OPERATIONS,
        next_action=HELD_NEXT[held],
    )


def day_sentence(refusal: DayRefusal, key_of: Mapping[TenantId, str]) -> str:
    """The answer to "can this wave finish today?" in words; ``key_of`` gives tenants their short names."""
    worst = refusal.bottleneck
    where = key_of.get(worst.tenant_id, worst.tenant_id)
    return (
        f"The wave cannot finish today: {worst.calls} {worst.resource} calls at {where} are needed (what is open "
        f"included), {refusal.calls_left} can be made until {refusal.until:%H:%M} UTC. At {worst.per_minute:g} a "
        f"minute that is {_minutes(worst.minutes)} minutes where {_minutes(refusal.minutes_left)} are left; "
        f"{refusal.fitting} of its customers would fit."
    )


def cannot_finish(name: str, refusal: DayRefusal, key_of: Mapping[TenantId, str]) -> WaveRefusal:
    """The refusal of a wave that is too big for the rest of the day."""
    return WaveRefusal(
        code=RefusalCode.CANNOT_FINISH_TODAY,
        rule=LimitRule.TODAY,
        detail=day_sentence(refusal, key_of),
        numbers=refusal.numbers(),
        override=override_command(name, LimitRule.TODAY),
    )


def eta_sentence(worst: Bottleneck, key_of: Mapping[TenantId, str]) -> str:
    """How long a demand takes and what slows it down, in words."""
    where = key_of.get(worst.tenant_id, worst.tenant_id)
    return (
        f"What is left takes {_minutes(worst.minutes)} minutes of calls; the bottleneck is {worst.resource} calls at "
        f"{where}: {worst.calls} at {worst.per_minute:g} a minute."
    )


def eta_words(worst: Bottleneck, key_of: Mapping[TenantId, str]) -> str:
    """The same in the few words that fit beside a bar."""
    where = key_of.get(worst.tenant_id, worst.tenant_id)
    return f"{_minutes(worst.minutes)} minutes left by {worst.resource} calls at {where}"


def _minutes(minutes: float) -> str:
    return "endless" if math.isinf(minutes) else f"{math.ceil(minutes * 10) / 10:g}"
