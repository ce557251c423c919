"""What Azure subscriptions cost (state room): days of use per partner tenant, rebuilt from the record (commerce 6.5).

Azure is paid after use: nothing is given back when billing moves, the former partner only gets a last usage line. An
Azure subscription costs its ``monthly_cost`` spread over the days of the month; the day of a move is the target's (as
S-5 has it for licenses), because the state at the end of a day counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from partner_center_emulator.invoices.periods import DAY, Period, calendar_period
from partner_center_emulator.invoices.terms import CENT
from partner_center_emulator.state.azure import Entitlement
from partner_center_emulator.world import StateChange, World

_KINDS = frozenset({"entitlement.moved", "entitlement.changed"})
_DAILY = Decimal("0.000001")


class _Spell(msgspec.Struct):
    """From this day on the Azure subscription is billed to this tenant, under this commerce subscription."""

    day: date
    tenant_id: str
    subscription_id: str
    is_active: bool


class UsageDay(msgspec.Struct, frozen=True):
    """One day of one Azure subscription at one partner tenant."""

    entitlement: Entitlement
    subscription_id: str
    day: date
    cost: Decimal


class UsageBook:
    """The use of all Azure subscriptions; ``refresh`` first, then ask."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = 0
        self._changes: dict[str, list[StateChange]] = {}

    def refresh(self) -> None:
        """Read what was recorded since the last time."""
        changes = self._world.changes
        for position in range(self._read, len(changes)):
            change = changes[position]
            if change.what in _KINDS:
                self._changes.setdefault(change.subject_id, []).append(change)
        self._read = len(changes)

    def days(self, tenant_id: str, period: Period, *, legacy: bool) -> Iterator[UsageDay]:
        """Yield every day of use in ``period`` that is billed to a tenant, for plans or for legacy subscriptions."""
        for entitlement in self._world.azure.entitlements.values():
            cost = Decimal(entitlement.monthly_cost)
            if not cost:
                continue
            spells = self._spells(entitlement)
            day = max(period.start, spells[0].day)
            while day <= period.end:
                now = [spell for spell in spells if spell.day <= day][-1]
                if now.tenant_id == tenant_id and now.is_active and self._is_legacy(now.subscription_id) == legacy:
                    daily = (cost / calendar_period(day).days).quantize(_DAILY, rounding=ROUND_HALF_UP)
                    yield UsageDay(entitlement, now.subscription_id, day, daily)
                day += DAY

    def _is_legacy(self, subscription_id: str) -> bool:
        return subscription_id not in self._world.commerce.terms

    def _spells(self, entitlement: Entitlement) -> list[_Spell]:
        changes = self._changes.get(entitlement.id, [])
        tenant_id, subscription_id = entitlement.tenant_id, entitlement.subscription_id
        moves = [change for change in changes if "tenant_id" in change.before]
        if moves:
            tenant_id, subscription_id = str(moves[0].before["tenant_id"]), str(moves[0].before["subscription_id"])
        toggles = [change for change in changes if "status" in change.before]
        is_active = (str(toggles[0].before["status"]) if toggles else entitlement.status) == "active"
        spells = [_Spell(entitlement.created_at.date(), tenant_id, subscription_id, is_active)]
        for change in changes:
            tenant_id = str(change.after.get("tenant_id", tenant_id))
            subscription_id = str(change.after.get("subscription_id", subscription_id))
            is_active = str(change.after.get("status", "active" if is_active else "")) == "active"
            spells.append(_Spell(change.at.date(), tenant_id, subscription_id, is_active))
        return spells


def total_cost(days: list[UsageDay]) -> Decimal:
    """Return what days of use cost together, in cents."""
    return sum((day.cost for day in days), Decimal(0)).quantize(CENT, rounding=ROUND_HALF_UP)
