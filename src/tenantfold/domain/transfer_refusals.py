"""What a refused submission of a transfer teaches about single things (domain room).

There is no call that says beforehand what may be transferred (R-155): the refusal names one thing that may not, and
refuses all others with it (R-167). What was named stays behind and is a person's; the rest goes without it. It is tried
again when somebody says that the reason is gone, and after some days in any case, because people forget to say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from re import escape, search

from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import Route, SubscriptionId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Owner, Phase

NOT_AVAILABLE = "900134"  # "<id> is not available for a transfer." (commerce reference 4.1)
MARKETPLACE = "900146"  # marketplace products below it do not pass the check
LOOKS_AGAIN = timedelta(days=1)  # whether a person has removed it at the source without a word
NAMED = 3  # things named in one sentence
_OF_THE_REQUEST = frozenset(
    {"900100", "900101", "900102", "900103"}
)  # not found, open, over or failed: no item's fault


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why one thing may not move: what it is, the rule, and what a person does about it."""

    words: str
    rule: str
    fix: str


_REASONS: Mapping[str, _Reason] = {
    "800078": _Reason(
        "is not valid for a transfer",
        "R-167",
        "Look at its status in the source's Partner Center: only what is active moves.",
    ),
    "900104": _Reason(
        "stands in another transfer",
        "R-163",
        "Let the other transfer end, or cancel it in Partner Center.",
    ),
    NOT_AVAILABLE: _Reason(
        "is not available for a transfer",
        "R-151",
        "Ask Microsoft why, or cancel it at the source and set it up anew at the target.",
    ),
    "900145": _Reason(
        "is a reservation or savings plan that is not active",
        "R-167",
        "Bring it in order in the source's Partner Center, or leave it to run out there.",
    ),
    MARKETPLACE: _Reason(
        "has marketplace products that do not move with it",
        "R-169",
        "Cancel the marketplace products below it; after the transfer they are bought again.",
    ),
}
"""The refusals that are about one thing of a submission (commerce reference 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBack:
    """One thing that Microsoft refused to transfer, why, and when. ``subjects``: the items it was submitted for."""

    id: SubscriptionId
    code: str
    at: datetime
    subjects: tuple[SubscriptionId, ...]


def not_transferable(settled: Iterable[tuple[Intent, Outcome]]) -> frozenset[SubscriptionId]:
    """What Microsoft called not available for a transfer (900134): the plan finds another route for a license."""
    return frozenset(one.id for one in kept_back(settled).values() if one.code == NOT_AVAILABLE)


def with_marketplace(settled: Iterable[tuple[Intent, Outcome]]) -> frozenset[SubscriptionId]:
    """The Azure subscriptions that Microsoft refused for marketplace products below them (900146, R-169)."""
    return frozenset(one.id for one in kept_back(settled).values() if one.code == MARKETPLACE)


def kept_back(settled: Iterable[tuple[Intent, Outcome]]) -> dict[SubscriptionId, KeptBack]:
    """What refusals named, by id, with the newest one of each; what was taken later is not kept back any more."""
    found: dict[SubscriptionId, KeptBack] = {}
    for intent, outcome in settled:
        if intent.kind is not OpKind.SUBMIT_TRANSFER:
            continue
        if outcome.kind is not OutcomeKind.FAILED:
            for entry in intent.entries:
                found.pop(entry, None)
            continue
        for entry in named_in(outcome, intent.entries):
            found[entry] = KeptBack(id=entry, code=outcome.code, at=outcome.at, subjects=intent.subjects)
    return found


def named_in(outcome: Outcome, entries: Sequence[SubscriptionId]) -> frozenset[SubscriptionId]:
    """Which of the entries a refusal is about: those it names, or the only one; none where it is of something else."""
    if outcome.code not in _REASONS:
        return frozenset()
    named = frozenset(one for one in entries if _names(outcome.detail, one))
    return named or frozenset(entries if len(entries) == 1 else ())


def _names(detail: str, entry: SubscriptionId) -> bool:
    """Whether the id stands in a sentence as a word of its own."""
    return search(rf"(?<![\w-]){escape(entry.lower())}(?![\w-])", detail.lower()) is not None


def unexplained(settled: Iterable[tuple[Intent, Outcome]]) -> tuple[tuple[Intent, Outcome], ...]:
    """The calls without the submissions that failed for a thing they named: that one waits, not what went with it."""
    return tuple(
        (intent, outcome)
        for intent, outcome in settled
        if intent.kind is not OpKind.SUBMIT_TRANSFER
        or outcome.kind is not OutcomeKind.FAILED
        or not named_in(outcome, intent.entries)
    )


def is_about_things(outcome: Outcome) -> bool:
    """Whether a failed submission may go through with less in it: Microsoft refused it, and not for the request."""
    is_said = outcome.code.isdigit() or outcome.code == "refused"
    return is_said and outcome.code not in _OF_THE_REQUEST


def standing(case: Case, item: PlanItem) -> tuple[KeptBack, ...]:
    """What is kept back of an item, however long ago, and of which nobody said since that its reason is gone.

    A license that is not available is no person's: it is planned to run out and be bought again (R-131).
    """
    said_at = max(
        (
            one.at
            for one in case.evidence
            if (one.subscription_id, one.task) == (item.subscription_id, TaskKind.TRANSFER_UNBLOCKED)
        ),
        default=None,
    )
    return tuple(
        one
        for one in kept_back(case.settled).values()
        if _is_of(one, item, case)
        and (said_at is None or one.at >= said_at)
        and not (item.route is Route.TRANSFER and one.code == NOT_AVAILABLE)
    )


def _is_of(one: KeptBack, item: PlanItem, case: Case) -> bool:
    """Whether a thing belongs to an item: it is the item, or it is below an Azure item that it was submitted for."""
    if one.id == item.subscription_id:
        return True
    is_planned = any(other.subscription_id == one.id for other in case.customer.items)
    return item.route is Route.AZURE_TRANSFER and item.subscription_id in one.subjects and not is_planned


def waiting(case: Case, item: PlanItem, now: datetime, policy: Policy) -> tuple[KeptBack, ...]:
    """What of an item is not submitted now; a refusal older than the policy says is tried again."""
    age = timedelta(seconds=policy.refused_retry_seconds)
    return tuple(one for one in standing(case, item) if now < one.at + age)


def left_behind(
    case: Case, item: PlanItem, kept: Sequence[KeptBack], now: datetime, policy: Policy
) -> tuple[Refusal, ...]:
    """Why some of an item stays behind, one refusal for each reason: a person's (R-167, R-169)."""
    found: list[Refusal] = []
    ordered = sorted(kept, key=lambda one: (one.code, one.id))
    for code, group in groupby(ordered, key=lambda one: one.code):
        same, reason = tuple(group), _REASONS[code]
        again_at = min(one.at for one in same) + timedelta(seconds=policy.refused_retry_seconds)
        found.append(
            Refusal(
                code=RefusalCode.NEEDS_PERSON,
                phase=Phase.BY_HAND,
                rule=reason.rule,
                detail=f"{item.offer_name}: Microsoft says {code}: {_listed(same)} {reason.words}. The rest goes "
                "without it.",
                owner=Owner.OPERATIONS,
                next_action=f"{reason.fix} Then: tenantfold tasks done {case.customer.customer_id} "
                f"{TaskKind.TRANSFER_UNBLOCKED.value} --subscription {item.subscription_id}",
                due_at=min(again_at, now + LOOKS_AGAIN),
            )
        )
    return tuple(found)


def sentence(kept: Sequence[KeptBack]) -> str:
    """What a person is asked to do about what is kept back, by name; empty without any."""
    found = []
    for code, group in groupby(sorted(kept, key=lambda one: (one.code, one.id)), key=lambda one: one.code):
        reason = _REASONS[code]
        found.append(f"{_listed(tuple(group))} {reason.words} ({code}). {reason.fix}")
    return " ".join(found)


def rule(kept: Sequence[KeptBack]) -> str:
    """The rules that keep these things back."""
    return ", ".join(sorted({_REASONS[one.code].rule for one in kept}))


def _listed(kept: Sequence[KeptBack]) -> str:
    more = f" and {len(kept) - NAMED} more" if len(kept) > NAMED else ""
    return ", ".join(one.id for one in kept[:NAMED]) + more
