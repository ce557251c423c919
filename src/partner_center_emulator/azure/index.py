"""Look-up tables over Azure subscriptions and benefits, and the one way to record a change of one (state room)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.azure import Benefit, Entitlement
from partner_center_emulator.world import World

R = TypeVar("R", Entitlement, Benefit)


class AzureIndex:
    """Entitlements and benefits by customer; obtained with ``emulator.derived(AzureIndex)``. Nothing ever leaves."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._entitlements: dict[str, list[Entitlement]] = {}
        self._benefits: dict[str, list[Benefit]] = {}
        self._counts = (0, 0)

    def entitlements_of(self, customer_id: str) -> list[Entitlement]:
        """Return the Azure subscriptions of one customer at all its partners, oldest first."""
        self._refresh()
        return self._entitlements.get(customer_id, [])

    def benefits_of(self, customer_id: str) -> list[Benefit]:
        """Return the reservations and savings plans of one customer at all its partners, oldest first."""
        self._refresh()
        return self._benefits.get(customer_id, [])

    def _refresh(self) -> None:
        state = self._world.azure
        counts = (len(state.entitlements), len(state.benefits))
        if counts != self._counts:
            self._entitlements = _by_customer(state.entitlements.values())
            self._benefits = _by_customer(state.benefits.values())
            self._counts = counts


def _by_customer(rows: Iterable[R]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = {}
    for row in rows:
        found.setdefault(row.customer_id, []).append(row)
    return found


def record(
    emulator: Emulator,
    row: Entitlement | Benefit,
    what: str,
    before: dict[str, object],
    after: dict[str, object],
    request_id: str,
) -> None:
    """Write a change of an Azure subscription or a benefit to the truth ledger."""
    emulator.record(
        what,
        tenant_id=row.tenant_id,
        customer_id=row.customer_id,
        subject_id=row.id,
        request_id=request_id,
        before=before,
        after=after,
    )
