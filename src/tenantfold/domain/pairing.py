"""Pairs the lines of an order with the source subscriptions they stand for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import OrderId, OrderLine, PlacedLine, Subscription, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.products import product_sku
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
    origin = Origin.REBOUGHT if intent.kind is OpKind.BUY_AGAIN else Origin.CREATED
    found = []
    for line in intent.lines:
        match = _take(left, line)
        found.append(
            Counterpart(
                source_id=line.source_subscription_id,
                target_id=match.subscription_id if match else None,
                order_id=outcome.order_id or OrderId(""),
                origin=origin,
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
    """The line of this offer and count; among equal ones that under the wanted base, where the answer says it.

    New commerce is wished for by ``PRODUCT:SKU``, and answered with the catalog item that was bought.
    """
    shape = (product_sku(wanted.offer_id), wanted.license_count)
    equal = [line for line in left if (product_sku(line.offer_id), line.license_count) == shape]
    same_base = [line for line in equal if line.parent_id in {None, wanted.parent_target_id}]
    chosen = next((line for line in same_base if line.parent_id == wanted.parent_target_id), None)
    chosen = chosen or next(iter(same_base), None)
    if chosen is not None:
        left.remove(chosen)
    return chosen


def identified(
    unknown: Iterable[Counterpart], known: Iterable[Counterpart], observation: Observation
) -> Iterable[Counterpart]:
    """Counterparts whose subscription id came later than their order's answer, found in the order they belong to.

    By offer and count; then by offer alone where only one is left of it: somebody may have changed its count before we
    saw it, which parity reports. Waiting for the count that was ordered would be waiting forever.
    """
    taken = {one.target_id for one in known if one.target_id is not None}
    left = list(unknown)
    for exactly in (True, False):
        for counterpart in tuple(left):
            match = _in_order(counterpart, left, taken, observation, exactly=exactly)
            if match is not None:
                taken.add(match.id)
                left.remove(counterpart)
                yield replace(counterpart, target_id=match.id)


def _in_order(
    counterpart: Counterpart,
    unknown: Collection[Counterpart],
    taken: Collection[SubscriptionId],
    observation: Observation,
    *,
    exactly: bool,
) -> Subscription | None:
    wanted = observation.ordered_as.get(counterpart.source_id)
    if wanted is None:
        return None
    same = [
        one
        for one in observation.target.values()
        if one.order_id == counterpart.order_id and one.id not in taken and product_sku(one.offer_id) == wanted[0]
    ]
    if exactly:
        return next((one for one in same if one.license_count == wanted[1]), None)
    rivals = [
        one
        for one in unknown
        if one.order_id == counterpart.order_id and observation.ordered_as.get(one.source_id, ("",))[0] == wanted[0]
    ]
    return same[0] if len(same) == len(rivals) == 1 else None


def with_order(known: Iterable[Counterpart], observation: Observation) -> Iterable[Counterpart]:
    """An adopted base has an order of its own, which its add-ons must be bought on."""
    for counterpart in known:
        if counterpart.order_id or counterpart.target_id is None:
            continue
        target = observation.target.get(counterpart.target_id)
        if target is not None and target.order_id:
            yield replace(counterpart, order_id=target.order_id)
