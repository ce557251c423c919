"""Pairs the lines of an order with the source subscriptions they stand for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from tenantfold.domain.journal import Intent, Outcome, OutcomeKind
from tenantfold.domain.model import OrderId, PlacedLine, SubscriptionId
from tenantfold.domain.states import Counterpart, Origin


def counterparts_of(
    intent: Intent, outcome: Outcome, taken: Collection[SubscriptionId], today: date
) -> tuple[Counterpart, ...]:
    """One counterpart for every line of the intent, none left out.

    A line the answer does not show (late id, partial answer) gets ``target_id`` None and is found by reading later:
    leaving it out would order it a second time (invariant 2). ``taken`` holds target subscriptions that stand for
    others already: a PATCH of an order answers with the old lines as well.
    """
    if outcome.kind is OutcomeKind.FAILED:
        return ()
    left = [line for line in outcome.lines if line.subscription_id not in taken]
    found = []
    for line in intent.lines:
        match = _take(left, line.offer_id, line.license_count)
        found.append(
            Counterpart(
                source_id=line.source_subscription_id,
                target_id=match.subscription_id if match else None,
                order_id=outcome.order_id or OrderId(""),
                origin=Origin.CREATED,
                cutover_on=today,
            )
        )
    return tuple(found)


def _take(left: list[PlacedLine], offer_id: str, license_count: int) -> PlacedLine | None:
    for index, line in enumerate(left):
        if (line.offer_id, line.license_count) == (offer_id, license_count):
            return left.pop(index)
    return None
