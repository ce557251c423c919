"""The judge (simulation room): what went wrong in a simulation, told by the emulator's truth alone.

Our own records are heard for two questions only: which calls were ours by intent, and whether a customer that did not
move is explained. Everything else is in the world: twins, gaps, overlap, parity, who was called when.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from partner_center_emulator.ledger.shape import CustomerVerdict, Overlap
from partner_center_emulator.strict import TOLD_ABOUT_ANOTHER
from partner_center_emulator.world import StateChange, Violation
from tenantfold.domain.explanation import next_step
from tenantfold.domain.journal import Intent
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.records import Case
from tenantfold.domain.states import Owner, Phase
from tenantfold.simulation.hearing import Hearing, Verdict, hear, intents_of, name_in, script_in, verdict_of
from tenantfold.simulation.scenario import CustomerScript, Odd
from tenantfold.simulation.steering_judge import is_left_held, steered, was_stopped
from tenantfold.simulation.world import Simulation

_JUDGED_RULES = frozenset({"resent_with_new_id", "ignored_retry_after"})
_TIME_ALONE = frozenset({Owner.TENANTFOLD, Owner.MICROSOFT})
_LONGEST_ADVICE = timedelta(minutes=5)  # no storm of a scenario lasts longer


async def judge(simulation: Simulation) -> Verdict:
    """Judge a simulation that has ended."""
    hearing = await hear(simulation)
    harm(hearing)
    overlaps(hearing)
    unapproved(hearing)
    unexplained(hearing)
    conduct(hearing)
    steered(hearing)
    return verdict_of(hearing)


# --- twins, gaps, parity ---------------------------------------------------------------------------------------------


def harm(hearing: Hearing) -> None:
    """What must be zero whatever goes wrong."""
    for twin in hearing.truth.twins:
        hearing.say("twin", f"{name_in(hearing, twin.customer_id)}: {twin.detail}.")
    for gap in hearing.truth.gaps:
        what = f"{gap.seats} of {gap.of_seats} licenses of {gap.subscription_id} unserved for {gap.seconds:.0f} s"
        hearing.say("gap", f"{name_in(hearing, gap.customer_id)}: {what} from {gap.from_:%Y-%m-%d %H:%M:%S}.")
    for unequal in hearing.truth.parity.unequal:
        what = "; ".join(f"{one.what} {one.source!r} became {one.target!r}" for one in unequal.differences)
        hearing.say("parity", f"{name_in(hearing, unequal.customer_id)}: {unequal.subscription_id}: {what}.")


def overlaps(hearing: Hearing) -> None:
    """Two bills on more than the shared day: only where something went wrong that the program could not help."""
    record = hearing.simulation.record
    fired = sum(record.fired.values())
    for overlap in hearing.truth.overlaps:
        if overlap.is_preexisting:
            continue
        script = script_in(hearing, overlap.customer_id)
        excused = script.number in record.portal or was_stopped(hearing, script.number)
        if fired or record.kills or excused or hearing.simulation.scenario.paces:
            hearing.late += 1
        else:
            hearing.say("overlap", _told(hearing, overlap))


def _told(hearing: Hearing, overlap: Overlap) -> str:
    days = ", ".join(map(str, overlap.utc_days))
    return (
        f"{name_in(hearing, overlap.customer_id)}: {overlap.subscription_id} was billed twice on {days}, for no reason."
    )


# --- approval --------------------------------------------------------------------------------------------------------


def unapproved(hearing: Hearing) -> None:
    """Every write of ours at the emulator belongs to an intent whose items are in a plan approved before it."""
    intents = {str(intent.request_id): intent for case in hearing.cases.values() for intent in intents_of(case)}
    for change in hearing.simulation.stage.world.changes:
        if not change.request_id or not change.what.startswith(("order.", "subscription.")):
            continue
        intent = intents.get(change.request_id)
        reason = "nobody intended it" if intent is None else _not_approved(hearing, change, intent)
        if reason:
            who = name_in(hearing, change.customer_id)
            hearing.say("unapproved", f"{who}: {change.what} at {change.at:%Y-%m-%d %H:%M:%S}: {reason}.")


def _not_approved(hearing: Hearing, change: StateChange, intent: Intent) -> str:
    """Why a write was not approved; empty when it was. Any plan approved by then will do: a newer one only adds."""
    approved_by_then = [plan for plan, at in hearing.simulation.record.approved.items() if at <= change.at]
    wanted = set(intent.subjects)
    for plan_id in approved_by_then:
        items = {one.subscription_id: one for one in hearing.items[plan_id, intent.customer_id] if one.moves}
        if wanted <= set(items) and _as_planned(intent, items.values()):
            return ""
    return f"no plan approved by then has {intent.kind.value} of {', '.join(sorted(wanted))} like this"


def _as_planned(intent: Intent, items: Iterable[PlanItem]) -> bool:
    planned = {one.subscription_id: (one.target_offer_id or one.offer_id, one.license_count) for one in items}
    return all(planned[line.source_subscription_id] == (line.offer_id, line.license_count) for line in intent.lines)


# --- moved or explained ----------------------------------------------------------------------------------------------


def unexplained(hearing: Hearing) -> None:
    """Everybody has moved or has a reason, an owner and a next action; and nobody is said to have moved who has not."""
    for line in hearing.truth.customers or ():
        case = hearing.cases.get(CustomerId(line.customer_id))
        script = script_in(hearing, line.customer_id)
        if case is None:
            if line.state != "not_movable":
                hearing.say("unexplained", f"{hearing.simulation.casting.name_of(script)} is in no plan.")
            continue
        _explain(hearing, line, case, script)


def _explain(hearing: Hearing, line: CustomerVerdict, case: Case, script: CustomerScript) -> None:
    progress, name = case.progress, hearing.simulation.casting.name_of(script)
    where = f"{progress.phase.value} ({progress.code or 'no code'}: {progress.detail or 'no detail'})"
    if progress.phase is Phase.MOVED:
        if line.state not in {"moved", "not_movable"} and script.number not in hearing.simulation.record.portal:
            hearing.say("untrue", f"{name} is said to have moved but is {line.state}.")
        return
    if line.state == "not_movable" or progress.phase.is_final or is_left_held(hearing, case):
        return
    owner, next_action = next_step(progress)
    if not next_action or owner is Owner.NOBODY:
        hearing.say("unexplained", f"{name} is {where} and nobody has to act.")
    elif owner in _TIME_ALONE and script.odd is not Odd.ACCEPTS_LATE:
        hearing.say("stuck", f"{name} is {where}; only time has to pass, and it has passed.")


# --- conduct ---------------------------------------------------------------------------------------------------------


def conduct(hearing: Hearing) -> None:
    """How the program behaved towards Microsoft."""
    probed: dict[str, datetime] = {}
    for violation in hearing.truth.violations:
        if violation.rule in _JUDGED_RULES and not _forgotten(hearing, violation) and not _probe(violation, probed):
            hearing.say("conduct", f"{violation.at:%Y-%m-%d %H:%M:%S} {violation.rule}: {violation.detail}")


def _forgotten(hearing: Hearing, violation: Violation) -> bool:
    """A process that has just started cannot know what the one before it was told."""
    if violation.rule != "ignored_retry_after":
        return False
    return any(at <= violation.at <= at + _LONGEST_ADVICE for at in hearing.simulation.record.starts)


def _probe(violation: Violation, probed: dict[str, datetime]) -> bool:
    """One call about another customer finds out whose limit it is (core reference 4); a second one should know."""
    last = probed.get(violation.tenant_id)
    if not violation.detail.endswith(TOLD_ABOUT_ANOTHER) or (last and violation.at - last <= _LONGEST_ADVICE):
        return False
    probed[violation.tenant_id] = violation.at
    return True
