"""Azure in the truth ledger (truth room): who is billed for each Azure subscription, at every time.

An Azure subscription has no seats and its id never changes; what moves is the bill. So the questions are: does anybody
pay for it, do two, and has it (or a reservation) gone from a source to a target.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

import msgspec

from partner_center_emulator.azure.models import LEGACY_OFFER, is_plan
from partner_center_emulator.ledger.shape import AzureFault, Move
from partner_center_emulator.state.azure import Benefit, Entitlement
from partner_center_emulator.world import StateChange, Subscription, World

R = TypeVar("R", Entitlement, Benefit)


class AzureFindings(msgspec.Struct):
    """What was found at one customer. ``movable``: Azure subscriptions and reservations that were once at a source."""

    movable: int = 0
    moves: list[Move] = []
    faults: list[AzureFault] = []


class AzureBook:
    """What the record says of Azure, by customer; made once per report."""

    def __init__(self, world: World, targets: Collection[str]) -> None:
        self._world = world
        self._targets = targets
        self._entitlements = _by_customer(world.azure.entitlements.values())
        self._benefits = _by_customer(world.azure.benefits.values())
        self._payers: dict[str, list[Subscription]] = {}
        for row in world.subscriptions.values():
            if row.billing_type == "usage":
                self._payers.setdefault(row.customer_id, []).append(row)
        mine = self._entitlements.keys() | self._benefits.keys() | self._payers.keys()
        self._changes: dict[str, list[StateChange]] = {}
        for change in world.changes if mine else ():
            if change.customer_id in mine and change.what.startswith(("subscription.", "entitlement.", "benefit.")):
                self._changes.setdefault(change.customer_id, []).append(change)

    def judge(self, customer_id: str, now: datetime) -> AzureFindings:
        """Return what became of one customer's Azure until now."""
        found = AzureFindings()
        changes = self._changes.get(customer_id, [])
        things = [*self._entitlements.get(customer_id, ()), *self._benefits.get(customer_id, ())]
        for thing in things:
            moved = [one for one in changes if one.subject_id == thing.id and one.what.endswith(".moved")]
            first = moved[0].before["tenant_id"] if moved else thing.tenant_id
            created_here = first in self._targets
            found.movable += not created_here and (bool(moved) or thing.status == "active")
            if moved and not created_here and thing.tenant_id in self._targets:
                by_call = bool(moved[-1].request_id)
                found.moves.append(
                    Move(
                        subject_id=thing.id,
                        way="azure_transferred" if by_call else "azure_supported",
                        at=moved[-1].at,
                        counterpart_id=str(moved[-1].after.get("subscription_id", thing.id)),
                    )
                )
        for entitlement in self._entitlements.get(customer_id, ()):
            found.faults += _bills(self._world, entitlement, self._payers.get(customer_id, []), changes, now)
        found.faults += self._needless_plans(customer_id)
        return found

    def _needless_plans(self, customer_id: str) -> Iterator[AzureFault]:
        """Plans bought at a target for a customer that never had Azure at a source."""
        rows = self._payers.get(customer_id, [])
        if any(row.tenant_id not in self._targets for row in rows):
            return
        for change in self._changes.get(customer_id, ()):
            row = self._world.subscriptions.get(change.subject_id)
            made = change.what == "subscription.created" and bool(change.request_id)
            if made and row is not None and is_plan(row) and row.tenant_id in self._targets:
                yield AzureFault(kind="needless_plan", customer_id=customer_id, subject_id=row.id, from_=change.at)


def _bills(
    world: World, entitlement: Entitlement, payers: Iterable[Subscription], changes: list[StateChange], now: datetime
) -> list[AzureFault]:
    """The times in which nobody or two were billed for an Azure subscription that was active.

    Changes of one instant are one: support makes the new one and ends the old one in the same moment.
    """
    state = _Billing(entitlement, payers, changes)
    faults: list[AzureFault] = []
    kind, since = state.wrong(), world.started_at
    for place, change in enumerate(changes):
        state.take(change)
        if place + 1 < len(changes) and changes[place + 1].at == change.at:
            continue
        wrong = state.wrong()
        if wrong != kind:
            faults += _fault(entitlement, kind, since, change.at)
            kind, since = wrong, change.at
    return [*faults, *_fault(entitlement, kind, since, None if kind else now)]


def _fault(entitlement: Entitlement, kind: str, start: datetime, end: datetime | None) -> Iterator[AzureFault]:
    if kind and start != end:
        members = {"kind": kind, "customer_id": entitlement.customer_id, "subject_id": entitlement.id}
        yield msgspec.convert({**members, "from": start, "to": end}, AzureFault)


class _Billing:
    """Who is billed for one Azure subscription, while the record is read."""

    def __init__(self, entitlement: Entitlement, payers: Iterable[Subscription], changes: list[StateChange]) -> None:
        self._id = entitlement.id
        rows = list(payers)
        self._legacy = {row.id for row in rows if row.offer_id == LEGACY_OFFER and row.entitlement_id == entitlement.id}
        self._status = {row.id: _first(changes, row.id, "subscription.", "status", row.status) for row in rows}
        self._holder = _first(changes, entitlement.id, "entitlement.", "subscription_id", entitlement.subscription_id)
        self._is_active = _first(changes, entitlement.id, "entitlement.", "status", entitlement.status) == "active"

    def take(self, change: StateChange) -> None:
        """Let one change happen."""
        if change.subject_id == self._id and change.what.startswith("entitlement."):
            self._holder = str(change.after.get("subscription_id", change.after.get("plan_id", self._holder)))
            self._is_active = str(change.after.get("status", "active" if self._is_active else "")) == "active"
        elif change.subject_id in self._status:
            self._status[change.subject_id] = str(change.after.get("status", self._status[change.subject_id]))

    def wrong(self) -> str:
        """What is wrong with the bill now; empty when it is right."""
        paying = {one for one in (self._legacy | {self._holder}) if self._status.get(one) == "active"}
        if not self._is_active:
            return ""
        return "double" if len(paying) > 1 else "" if paying else "unpaid"


def _first(changes: Iterable[StateChange], subject_id: str, what: str, member: str, present: str) -> str:
    """What a member was at the start: before its first change; nothing for what was made later."""
    for change in changes:
        if change.subject_id == subject_id and change.what.startswith(what):
            if change.what.endswith(".created"):
                return ""
            if member in change.before:
                return str(change.before[member])
    return present


def _by_customer(rows: Iterable[R]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = {}
    for row in rows:
        found.setdefault(row.customer_id, []).append(row)
    return found
