"""What a refused submission of a transfer teaches about single items (domain room).

There is no call that says beforehand whether a new-commerce subscription may be transferred (R-155): the refusal names
the one that may not, and refuses all others with it (R-167). The plan reads the same facts and finds another route.
"""

from __future__ import annotations

from collections.abc import Iterable

from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import SubscriptionId

NOT_AVAILABLE = "900134"  # "<id> is not available for a transfer." (commerce reference 4.1)


def not_transferable(settled: Iterable[tuple[Intent, Outcome]]) -> frozenset[SubscriptionId]:
    """The items that Microsoft named when it refused a submission; nothing that a later answer took back is known."""
    found: set[SubscriptionId] = set()
    for intent, outcome in settled:
        if intent.kind is OpKind.SUBMIT_TRANSFER and outcome.kind is OutcomeKind.FAILED:
            found |= named_in(outcome, intent.entries)
    return frozenset(found)


def named_in(outcome: Outcome, entries: Iterable[SubscriptionId]) -> frozenset[SubscriptionId]:
    """Which of the entries a refusal names; none where it is about something else."""
    if outcome.code != NOT_AVAILABLE:
        return frozenset()
    detail = outcome.detail.lower()
    return frozenset(one for one in entries if one.lower() in detail)
