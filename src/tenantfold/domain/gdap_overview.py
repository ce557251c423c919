"""Delegated admin access of all customers at a glance: how many stand where, and who acts next (domain room)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tenantfold.domain.gdap import GdapCase, GdapCondition
from tenantfold.domain.gdap_roles import role_name
from tenantfold.domain.states import Owner

NEXT: Mapping[GdapCondition, tuple[Owner, str]] = {
    GdapCondition.NEEDS_PERSON: (Owner.OPERATIONS, "See what each needs: tenantfold gdap list"),
    GdapCondition.ENDED: (Owner.OPERATIONS, "Ask once more: tenantfold gdap request --renew"),
    GdapCondition.NOT_REQUESTED: (Owner.OPERATIONS, "Write a letter for each: tenantfold gdap request"),
    GdapCondition.WAITS_FOR_CUSTOMER: (
        Owner.CUSTOMER,
        "Remind them with the same letter, then look: tenantfold gdap check",
    ),
    GdapCondition.SETTLING: (Owner.TENANTFOLD, "Let it be looked up: tenantfold gdap check"),
    GdapCondition.WAITS_FOR_MICROSOFT: (Owner.MICROSOFT, "Look again later: tenantfold gdap check"),
    GdapCondition.ACTIVE: (Owner.NOBODY, ""),
}
"""Who acts next and how, those that need somebody first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapCount:
    """How many customers stand at one condition, who acts next and what they do."""

    condition: GdapCondition
    customers: int
    owner: Owner
    next_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapOverview:
    """How many customers stand where. ``checked_at`` is the newest look at any of them (UTC), None before the first."""

    customers: Mapping[GdapCondition, int]
    checked_at: datetime | None = None

    @property
    def counts(self) -> tuple[GdapCount, ...]:
        """The conditions that are there, those that need somebody first."""
        return tuple(
            GdapCount(condition=condition, customers=self.customers[condition], owner=owner, next_action=what)
            for condition, (owner, what) in NEXT.items()
            if self.customers.get(condition)
        )


def asked_roles(case: GdapCase) -> tuple[str, ...]:
    """The roles a customer was asked for, by name; none where nothing was, or where a colleague asked by hand."""
    return tuple(role_name(role) for role in case.wish.roles) if case.wish is not None else ()


def group_words(case: GdapCase) -> tuple[str, ...]:
    """The groups whose access was read active, each with the roles it has."""
    verified = case.standing.verified if case.standing is not None else ()
    return tuple(f"{group.group_id}: {', '.join(role_name(role) for role in group.roles)}" for group in verified)
