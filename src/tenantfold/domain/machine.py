"""What a machine is: the decisions of one route, or of routes that share their calls (domain room).

``domain.course`` asks every machine of a customer; none of them waits for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tenantfold.domain.actions import Action
from tenantfold.domain.guards import Refusal
from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import Route
from tenantfold.domain.observation import Observation, Part
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Owner

_PERSONS = frozenset({Owner.OPERATIONS, Owner.APPROVER, Owner.CUSTOMER})

Forward = Callable[[Case, Observation, datetime, Policy], Action | None]
Settle = Callable[[Case, Intent, Observation | None, datetime, Policy], Action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Carries out ``routes`` by calls of ``kinds``, which no other machine makes; ``parts`` is what it reads for that.

    ``forward`` names the next action, None when nothing is left to do; the read it gets is fresh.
    ``settle`` says what becomes of one of its own intents without outcome; the read may be old or missing.
    """

    routes: frozenset[Route]
    kinds: frozenset[OpKind]
    forward: Forward
    settle: Settle
    parts: frozenset[Part] = frozenset()


def unfinished(case: Case, routes: frozenset[Route]) -> tuple[PlanItem, ...]:
    """The items of these routes for which something is left to do, in the order of the plan."""
    done = {one.source_id for one in case.counterparts if one.is_done}
    return tuple(item for item in case.customer.items if item.route in routes and item.subscription_id not in done)


def is_old(observation: Observation, now: datetime, policy: Policy) -> bool:
    """Whether a read is too old to act on (invariant 5)."""
    return (now - observation.at).total_seconds() > policy.observation_max_age_seconds


def together(waiting: Sequence[Refusal]) -> Refusal:
    """One refusal for all that waits: what a person must do leads, and the earliest time to look again counts."""
    different = list(dict.fromkeys(waiting))
    leading = min(different, key=lambda one: one.owner not in _PERSONS)
    others = [one.detail for one in different if one is not leading]
    return replace(
        leading,
        detail=" Beside it: ".join([leading.detail, *others]),
        due_at=min((one.due_at for one in different if one.due_at is not None), default=None),
    )
