"""Pairs the lines of an order with the source subscriptions they stand for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import OrderId, OrderLine, PlacedLine, SubscriptionId
from tenantfold.domain.states import Counterpart, Origin


def counterparts_of(
    intent: Intent, outcome: Outcome, taken: Collection[SubscriptionId], today: date
) -> tuple[Counterpart, ...]:
    """One counterpart for every line of the intent, none left out.

    A line the answer does not show (late id, partial answer) gets ``target_id`` None and is found by reading later:
    leaving it out would order it a second time (invariant 2). ``taken`` holds target subscriptions that stand for
    others already: a PATCH of an order answers with the old lines as well.
    """
    if outcome.kind is OutcomeKind.FAILED or intent.kind.may_repeat:
        return ()
    left = [line for line in outcome.lines if line.subscription_id not in taken]
    found = []
    for line in intent.lines:
        match = _take(left, line)
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


def reactivated(intent: Intent, outcome: Outcome, known: Iterable[Counterpart], today: date) -> tuple[Counterpart, ...]:
    """The counterpart a reactivation brought back: its cutover begins anew on this day."""
    if outcome.kind is OutcomeKind.FAILED or intent.kind is not OpKind.REACTIVATE:
        return ()
    return tuple(
        replace(one, withdrawn_at=None, verified_at=None, cutover_on=today)
        for one in known
        if one.source_id in intent.subjects
    )


def _take(left: list[PlacedLine], wanted: OrderLine) -> PlacedLine | None:
    """The line of this offer and count; among equal ones that under the wanted base, where the answer says it."""
    shape = (wanted.offer_id, wanted.license_count)
    equal = [line for line in left if (line.offer_id, line.license_count) == shape]
    same_base = [line for line in equal if line.parent_id in {None, wanted.parent_target_id}]
    chosen = next((line for line in same_base if line.parent_id == wanted.parent_target_id), None)
    chosen = chosen or next(iter(same_base), None)
    if chosen is not None:
        left.remove(chosen)
    return chosen
