"""The life of every subscription (truth room), rebuilt from the recorded changes.

Order is the order of the record, not of the clock: on a frozen clock two changes have the same time, and still one came
first. ``sequence`` is a change's place in ``world.changes``; the state at the world's start has the place -1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec

from partner_center_emulator.world import StateChange, Subscription, World

_TOUCHING = frozenset({"subscription.created", "subscription.changed"})
_AZURE = ("entitlement.", "benefit.")
_IN_USE = frozenset({"active", "expired"})  # in the days of grace after a term people still work
_RUN_OUT = frozenset({"expired", "disabled"})  # only the clock does that
START = -1


class Step(msgspec.Struct, frozen=True):
    """From this place in the record on the subscription is like this."""

    sequence: int
    at: datetime
    status: str
    quantity: int
    by_partner: bool  # a partner's call did it; not the seed, the portal or the clock
    cause: str = ""  # transfer, support: who else moved it
    stops_renewal: bool = False
    ends_on: str = ""  # the last day of the term, where the record says so
    term: str = ""  # its length, likewise

    @property
    def seats(self) -> int:
        """Seats in service: the quantity while active, else none."""
        return self.quantity if self.status == "active" else 0

    @property
    def is_in_use(self) -> bool:
        """Whether people can work with it: while it is active, and in the days of grace of new commerce."""
        return self.status in _IN_USE

    @property
    def has_run_out(self) -> bool:
        """Whether its term is over and the clock ended it."""
        return self.status in _RUN_OUT and not self.by_partner


class Track(msgspec.Struct, frozen=True):
    """One subscription with all its steps, oldest first; never empty."""

    subscription: Subscription
    steps: tuple[Step, ...]
    existed: bool  # before the world's clock started

    @property
    def was_active(self) -> bool:
        """Whether it was in service at any time in the record."""
        return any(step.status == "active" for step in self.steps)

    @property
    def was_in_use(self) -> bool:
        """Whether people could work with it at any time in the record."""
        return any(step.is_in_use for step in self.steps)

    @property
    def is_let_run_out(self) -> bool:
        """Whether a partner's call turned its renewal off."""
        return any(step.stops_renewal and step.by_partner for step in self.steps)

    @property
    def last_active(self) -> Step | None:
        """The last step in which it was in service; its quantity is what the customer had."""
        return next((step for step in reversed(self.steps) if step.status == "active"), None)

    @property
    def stopped_by_partner(self) -> Step | None:
        """The step by which a partner's call took it out of service, if it has been out of service since then."""
        stopped: Step | None = None
        previous = ""
        for step in self.steps:
            if step.status == "active":
                stopped = None
            elif previous == "active" and step.by_partner:
                stopped = step
            previous = step.status
        return stopped


def touched_customers(changes: Sequence[StateChange]) -> set[str]:
    """Return the customers of which anything was created, changed or moved since the world began."""
    return {change.customer_id for change in changes if change.what in _TOUCHING or change.what.startswith(_AZURE)}


def family_of(offer_id: str) -> str:
    """Return what stays of an offer id: ``product:sku`` of new commerce, whose third part rotates (commerce 1.2)."""
    product, _, rest = offer_id.partition(":")
    return f"{product}:{rest.partition(':')[0]}" if rest else offer_id


def steps_by_subscription(changes: Sequence[StateChange], customers: set[str]) -> dict[str, list[StateChangeAt]]:
    """Return the changes of the given customers' subscriptions by subscription id, each with its place."""
    found: dict[str, list[StateChangeAt]] = {}
    for sequence, change in enumerate(changes):
        if change.what in _TOUCHING and change.customer_id in customers:
            found.setdefault(change.subject_id, []).append((sequence, change))
    return found


StateChangeAt = tuple[int, StateChange]


def track(world: World, subscription: Subscription, changes: Sequence[StateChangeAt]) -> Track:
    """Return the life of one subscription; without changes it always was as it is."""
    if not changes:
        step = Step(START, world.started_at, subscription.status, subscription.quantity, by_partner=False)
        return Track(subscription, (step,), existed=True)
    existed = changes[0][1].what != "subscription.created"
    steps: list[Step] = []
    if existed:
        steps.append(_step(START, world.started_at, changes[0][1].before, by_partner=False))
    for sequence, change in changes:
        steps.append(_step(sequence, change.at, change.after, by_partner=bool(change.request_id)))
    return Track(subscription, tuple(steps), existed=existed)


def _step(sequence: int, at: datetime, members: Mapping[str, object], *, by_partner: bool) -> Step:
    return Step(
        sequence,
        at,
        str(members["status"]),
        cast("int", members["quantity"]),
        by_partner,
        cause=str(members.get("cause", "")),
        stops_renewal=members.get("auto_renew") is False,
        ends_on=str(members.get("commitment_end", "")),
        term=str(members.get("term_duration", "")),
    )
