"""Why something that runs out and is bought again waits: the sentences of ``domain.rebuy`` (domain room)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.model import Subscription
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.states import Owner, Phase

REPLAN = "Run: tenantfold inventory, tenantfold plan, approve the new plan, then tenantfold run."
LOOKS_AGAIN = "Keep tenantfold run going, or run it again: it looks again."


def running(item: PlanItem, ends_on: date, due_at: datetime, *, is_near: bool) -> Refusal:
    """The term still runs: nothing is bought before its last day, because that would be billed twice (R-133)."""
    detail = f"{_name(item)} does not renew and ends with {ends_on}; it is bought again at the target on that day."
    return Refusal(
        code=RefusalCode.TERM_RUNNING,
        phase=Phase.RUNNING_OUT,
        rule="R-132",
        detail=detail,
        owner=Owner.OPERATIONS if is_near else Owner.TENANTFOLD,
        next_action=f"Keep tenantfold run going on {ends_on} (UTC), or run it on that day: a day later people are "
        "locked out."
        if is_near
        else LOOKS_AGAIN,
        due_at=due_at,
    )


def not_chosen(item: PlanItem, ends_on: date, due_at: datetime) -> Refusal:
    """Since May 2026 no renewal means a paid Extended Service Term, unless a person chose the end (commerce 3.7)."""
    return Refusal(
        code=RefusalCode.END_OF_TERM_OPEN,
        phase=Phase.RUNNING_OUT,
        rule="commerce reference 3.7",
        detail=f"{_name(item)} ends with {ends_on}, but without an explicit choice it goes on as a paid Extended "
        "Service Term; the API neither shows nor sets that choice.",
        owner=Owner.OPERATIONS,
        next_action="In the source's Partner Center choose that it is canceled at its end, then: tenantfold "
        "tasks done <customer> end_of_term_chosen",
        due_at=due_at,
    )


def too_late(item: PlanItem, last: date, due_at: datetime) -> Refusal:
    """The days of grace are over: data may be gone already, so a person looks before money is spent (R-132)."""
    return Refusal(
        code=RefusalCode.TOO_LATE_TO_REBUY,
        phase=Phase.RUNNING_OUT,
        rule="R-132",
        detail=f"{_name(item)} had to be bought again by {last}, and was not: people may be locked out and data lost.",
        owner=Owner.OPERATIONS,
        next_action="Look at the customer's data at once, then: tenantfold tasks done <customer> data_safe, and it is "
        "bought. Or buy it at the target yourself: an equal one is taken as it is.",
        due_at=due_at,
    )


def goes_on(item: PlanItem, source: Subscription, due_at: datetime, *, is_bought: bool) -> Refusal:
    """The term ended, but the source did not: it was renewed, or it is in the Extended Service Term."""
    until = f" until {source.commitment_end_on}" if source.commitment_end_on else ""
    how = "renewed itself" if source.auto_renew else "went on (Extended Service Term, or somebody renewed it)"
    both = " Both sides are billed." if is_bought else ""
    ended = "End it at the source: a renewal within 7 days (R-138), an Extended Service Term at any time."
    return Refusal(
        code=RefusalCode.SOURCE_GOES_ON,
        phase=Phase.RUNNING_OUT if is_bought else Phase.STALE,
        rule="commerce reference 3.7",
        detail=f"{_name(item)} was to end with {item.ends_on}, but {how}{until}.{both}",
        owner=Owner.OPERATIONS,
        next_action=ended
        if is_bought
        else f"People still work with it. {REPLAN} Or, if it does not renew: tenantfold tasks done <customer> "
        "data_safe; then it is bought now, and you end it at the source.",
        due_at=due_at,
    )


def not_shown(item: PlanItem, what: str, rule: str, due_at: datetime, *, is_lag: bool) -> Refusal:
    """Something that was bought, or turned off, does not read so: a lagging list at first, a person's doing later."""
    return Refusal(
        code=RefusalCode.TARGET_MISSING,
        phase=Phase.RUNNING_OUT if is_lag else Phase.DRIFTED,
        rule=rule,
        detail=f"{_name(item)} {what}.",
        owner=Owner.MICROSOFT if is_lag else Owner.OPERATIONS,
        next_action=LOOKS_AGAIN if is_lag else "Look at it in both Partner Centers, then run again.",
        due_at=due_at,
    )


def settles(item: PlanItem, what: str, due_at: datetime) -> Refusal:
    """What Microsoft does by itself does not show yet."""
    return Refusal(
        code=RefusalCode.SETTLING,
        phase=Phase.RUNNING_OUT,
        rule="R-134",
        detail=f"{_name(item)} {what}.",
        owner=Owner.MICROSOFT,
        next_action=LOOKS_AGAIN,
        due_at=due_at,
    )


def drifted(item: PlanItem, what: str, due_at: datetime) -> Refusal:
    """What stands at the target is not what was planned (invariant 4)."""
    return Refusal(
        code=RefusalCode.DRIFT,
        phase=Phase.DRIFTED,
        rule="R-28",
        detail=f"{_name(item)} stands at the target but differs: {what}.",
        owner=Owner.OPERATIONS,
        next_action="Make it equal to what the plan shows, in the target's Partner Center, then run again.",
        due_at=due_at,
    )


def unusable(item: PlanItem, what: str, code: RefusalCode = RefusalCode.PLAN_STALE) -> Refusal:
    """The source is not what the approver saw: nothing is done before somebody plans again."""
    return Refusal(
        code=code,
        phase=Phase.STALE,
        rule="invariant 5",
        detail=f"{_name(item)} {what}.",
        owner=Owner.OPERATIONS,
        next_action=REPLAN,
    )


def after(now: datetime, seconds: float) -> datetime:
    """A moment to look again."""
    return now + timedelta(seconds=seconds)


def _name(item: PlanItem) -> str:
    return f"{item.offer_name} ({item.subscription_id})"
