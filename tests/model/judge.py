"""The judge of the model: invariants 1 to 5, asked of what really is, never of what the ledger believes.

What a person does in a portal between our read and our write cannot be known by anybody; only that is excused
(``target_changed``), and on the source side only for add-ons: a base is protected by its eTag.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tenantfold.domain import lateness
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.plan import PlanCustomer
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tests.model.microsoft import BY_HAND, Site, Thing
from tests.model.state import FIRST_DAY, Calendar, Ledger, State, said


class Rules(NamedTuple):
    """What the judge goes by."""

    policy: Policy
    calendar: Calendar


def before_write(state: State, intent: Intent, rules: Rules, plan: PlanCustomer) -> str:
    """Invariants 3 and 5 at the moment a call leaves: approved, decided on a fresh read, begun in time."""
    if not state.approved:
        return f"{said(intent)} is sent under a plan that nobody approved"
    if intent.kind is OpKind.ATTEST_AGREEMENT:
        return ""
    now, seen = rules.calendar.moments[state.moment], state.seen
    if (
        seen is None
        or (now - rules.calendar.moments[seen.at]).total_seconds() > rules.policy.observation_max_age_seconds
    ):
        return f"{said(intent)} is sent on an old read"
    return _order(state, intent, rules, plan) if intent.kind.creates else ""


def _order(state: State, intent: Intent, rules: Rules, plan: PlanCustomer) -> str:
    now, seen = rules.calendar.moments[state.moment], state.seen
    begun = any(lateness.is_open(one) for one in state.ledger.links)
    if not begun and now.time() >= rules.policy.stop_starting_at:
        return f"{said(intent)} begins a cutover at {now:%H:%M}"
    known = {one.source_id for one in state.ledger.links}
    approved = {item.subscription_id: (item.offer_id, item.license_count, item.billing_cycle) for item in plan.items}
    for line in intent.lines:
        source = next(one for one in (seen.sources if seen else ()) if one.name == line.source_subscription_id)
        if line.source_subscription_id in known:
            return f"{source.name} is ordered though it has a counterpart"
        if source.status != "active" or source.shape != approved[line.source_subscription_id]:
            return f"{source.name} is ordered though it is not what was approved"
        if (line.offer_id, line.license_count, intent.billing_cycle) != source.shape:
            return f"{source.name} is ordered as something else"
    return ""


def adopted(state: State, intent: Intent, outcome: Outcome) -> str:
    """Invariants 2 and 5 when a lost call is settled: what took effect is not denied, what did not is not taken.

    An attestation may be denied: stating it once more changes nothing.
    """
    if outcome.kind is OutcomeKind.FAILED:
        denied = intent.kind is not OpKind.ATTEST_AGREEMENT and state.site.made_by(str(intent.request_id)) is not None
        return f"{said(intent)} took effect and is closed as failed" if denied else ""
    sent = (intent.at - FIRST_DAY).total_seconds() // 60
    for line in outcome.lines:
        found = state.site.target(line.subscription_id)
        if found is not None and found.made_for == BY_HAND and found.shows_at <= sent:
            return f"{found.name} stood there before {said(intent)} was sent and is taken for ours"
    return ""


def effect(state: State, after: Site) -> str:
    """Invariants 1, 2 and 4 at the moment a call takes effect."""
    made = Counter(one.made_for for one in after.targets if one.made_for != BY_HAND)
    twins = [name for name, count in made.items() if count > 1]
    if twins:
        return f"twin: {twins[0]} was ordered {made[twins[0]]} times"
    for before in state.site.sources:
        now = after.source(before.name)
        if now.status == "suspended" and before.status == "active":
            wrong = _gap(state, after, now)
            if wrong:
                return wrong
    for one in after.targets:
        before_it = state.site.target(one.name)
        if before_it is not None and before_it.status == "active" and one.status == "suspended":
            wrong = _withdrawn(state, after, one)
            if wrong:
                return wrong
    return ""


def _gap(state: State, after: Site, source: Thing) -> str:
    """A source was suspended: its counterpart must stand, active and equal, unless a portal was faster than we."""
    seen = state.seen
    if seen is not None and (seen.target_changed or (source.parent and seen.source_changed)):
        return ""
    links = {one.source_id: one.target_id for one in state.ledger.links}
    target = after.target(links.get(source.name))  # type: ignore[call-overload]  # names are plain text here
    if target is None or target.status != "active":
        return f"gap: {source.name} is suspended while its counterpart is {target.status if target else 'nowhere'}"
    base = links.get(source.parent) if source.parent else None  # type: ignore[call-overload]  # as above
    if target.shape != source.shape or target.parent != base:
        return f"no parity: {source.name} is suspended while {target.name} is not its equal"
    return ""


def _withdrawn(state: State, after: Site, target: Thing) -> str:
    """A target was suspended by us: every source it stands for must run."""
    seen = state.seen
    if seen is not None and seen.source_changed:
        return ""
    mine = [one.source_id for one in state.ledger.links if one.target_id == target.name]
    off = [name for name in mine if after.source(name).status != "active"]
    return f"gap: {target.name} is withdrawn while {off[0]} is suspended" if off else ""


def rest(state: State, case: Case, rules: Rules) -> str:
    """What must hold between two steps: the end, and a day that ended in the middle (invariant 3)."""
    if state.moved:
        return _moved(state.site, state.ledger)
    now = rules.calendar.moments[state.moment]
    today, late = rules.calendar.day(state.moment), lateness.is_late(case, now, rules.policy)
    strays = _strays(state.site, state.ledger)
    for one in state.site.targets:
        if one.made_for == BY_HAND or one.status != "active" or one.active_on == today:
            continue
        if state.ledger.open or late or one in strays or state.site.source(one.made_for).status != "active":
            continue
        return f"{one.name} and {one.made_for} are both active since day {one.active_on}, and no alarm"
    return ""


def _strays(site: Site, ledger: Ledger) -> list[Thing]:
    """What we ordered and know nothing of because a person ordered the very same, and that one was taken for ours.

    Two stand there, as that person wanted it; nobody could tell which is which. One stray for each such order.
    """
    links = {one.target_id for one in ledger.links}
    borrowed = [one for one in site.targets if one.made_for == BY_HAND and one.name in links]
    ours = [one for one in site.targets if one.made_for != BY_HAND and one.name not in links]
    return ours[: len(borrowed)]


def _moved(site: Site, ledger: Ledger) -> str:
    targets = [one.target_id for one in ledger.links]
    if ledger.open is not None:
        return "moved with a call in doubt"
    if len(set(targets)) < len(site.sources) or None in targets:
        return "moved without a counterpart for each source"
    running = [one.name for one in site.sources if one.status == "active"]
    if running:
        return f"moved while {running[0]} is active"
    excused = _strays(site, ledger)
    stray = [one for one in site.targets if one.made_for != BY_HAND and one.name not in targets and one not in excused]
    return f"moved, but our own {stray[0].name} is nobody's counterpart" if stray else ""
