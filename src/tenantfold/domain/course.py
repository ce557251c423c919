"""What happens next to one customer, over all its routes. Reading order 8: the heart.

``next_action`` asks one machine per route and names exactly one action; ``flow/cutover.py`` carries it out
and asks again. The cutover of legacy licenses comes first, because it must end on its UTC day (invariant 3); whatever
waits never keeps another route from going on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tenantfold.domain import azure_support, by_hand, cutover, lateness, rebuy, transfer
from tenantfold.domain.actions import (
    Action,
    BuyAgain,
    BuyAzurePlan,
    MarkSuspended,
    Observe,
    Pause,
    RequestTransfer,
    RouteWrite,
)
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.machine import Machine, is_old, together, unfinished
from tenantfold.domain.model import Route
from tenantfold.domain.observation import Observation, Part
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Owner, Phase

MACHINES: tuple[Machine, ...] = (
    cutover.MACHINE,
    transfer.MACHINE,
    rebuy.MACHINE,
    azure_support.MACHINE,
    by_hand.MACHINE,
)
"""In the order they are asked. Each kind of call belongs to one of them."""

_NEEDS_AGREEMENT = (RequestTransfer, BuyAzurePlan, BuyAgain)  # what brings something to the target
_CARRIED_OUT = frozenset(route for route in Route if route.is_carried_out)


def next_action(case: Case, observation: Observation | None, now: datetime, policy: Policy) -> Action:
    """Name the one next action for a customer. Pure; the order of the questions is the order of safety."""
    waiting: list[Refusal] = []
    for action in _answers(case, observation, now, policy):
        if not isinstance(action, Pause):
            return action
        waiting.append(action.refusal)
    if waiting:
        return Pause(together(waiting))
    refusal = cutover.may_drive(case)
    return Pause(refusal) if refusal is not None else _finish(case, observation)


def sets_out(case: Case, action: Action) -> bool:
    """Whether an action is a write of a route that nobody must finish today: it respects holds, but no day's end."""
    return isinstance(action, RouteWrite) and lateness.open_since(case) is None


def parts_of(case: Case) -> frozenset[Part]:
    """What must be read of a customer beside its subscriptions, by the routes that are not done yet."""
    kinds = {intent.kind for intent in case.open_intents}
    wanted = (one.parts for one in MACHINES if one.kinds & kinds or (one.parts and unfinished(case, one.routes)))
    return frozenset[Part]().union(*wanted)


def _answers(case: Case, observation: Observation | None, now: datetime, policy: Policy) -> Iterator[Action]:
    """What each machine with something to do answers, until the first that is not a pause."""
    for machine in MACHINES:
        intent = next((one for one in case.open_intents if one.kind in machine.kinds), None)
        if intent is not None:  # reconciliation comes before everything else (invariant 6)
            yield machine.settle(case, intent, observation, now, policy)
            continue
        if not unfinished(case, machine.routes):
            continue
        refusal = cutover.may_drive(case) or _not_accepted(case)
        if refusal is not None:
            yield Pause(refusal)
        elif observation is None or is_old(observation, now, policy):
            yield Observe()
        else:
            action = machine.forward(case, observation, now, policy)
            if isinstance(action, _NEEDS_AGREEMENT):
                action = cutover.agreement(case, observation, policy) or action
            if action is not None:
                yield action


def _not_accepted(case: Case) -> Refusal | None:
    if case.progress.accepted_at is not None:
        return None
    invited = case.invited_at is not None
    return Refusal(
        code=RefusalCode.NOT_ACCEPTED,
        phase=Phase.INVITED if invited else Phase.PLANNED,
        rule="R-22",
        detail="The customer's global administrator has not accepted the relationship yet.",
        owner=Owner.CUSTOMER if invited else Owner.OPERATIONS,
        next_action="Remind the customer of the invitation." if invited else "Run: tenantfold invite",
    )


def _finish(case: Case, observation: Observation | None) -> Action:
    """The customer has moved, unless it got something new at the source meanwhile (R-32: every subscription)."""
    if observation is None:
        return Observe()
    left = unfinished(case, _CARRIED_OUT)
    if left:
        return Pause(_nobody_carries_out(left))
    added = cutover.unplanned(case, observation)
    return Pause(added) if added is not None else MarkSuspended((), finished=True)


def _nobody_carries_out(left: tuple[PlanItem, ...]) -> Refusal:
    """Nothing may count as moved because no machine had anything to say about it."""
    names = ", ".join(f"{one.offer_name} ({one.route.value})" for one in left)
    return Refusal(
        code=RefusalCode.NEEDS_PERSON,
        phase=Phase.FAILED,
        rule="invariant 9",
        detail=f"It is not moved, and nothing is left that this program could do: {names}.",
        owner=Owner.OPERATIONS,
        next_action="Run: tenantfold inventory, tenantfold plan, approve the new plan, then tenantfold run.",
    )
