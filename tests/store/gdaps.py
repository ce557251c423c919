"""Samples of delegated admin access for the store's tests."""

from __future__ import annotations

from dataclasses import replace

from tenantfold.domain.gdap import (
    GdapCase,
    GdapIntent,
    GdapOp,
    GdapOutcome,
    GroupAccess,
    RelationshipId,
    RelationshipWish,
    RoleId,
)
from tenantfold.domain.journal import OutcomeKind
from tests.store.samples import NOW, customer_id, later

ACCESS = GroupAccess(group_id="g-1", roles=(RoleId("reader"), RoleId("support")))


def case(number: int) -> GdapCase:
    """A customer nobody asked yet."""
    return GdapCase(customer_id=customer_id(number), company_name=f"Bolag {number} ÅÄÖ")


def intent(number: int, kind: GdapOp = GdapOp.CREATE, **fields: object) -> GdapIntent:
    """A write for a customer, with everything that can be in one."""
    wish = RelationshipWish(
        name="north-1", customer_id=customer_id(number), roles=ACCESS.roles, duration_days=730, auto_extend=True
    )
    value = GdapIntent(
        key=f"{kind.value}-{number}",
        customer_id=customer_id(number),
        kind=kind,
        at=NOW,
        round=1,
        wish=wish,
        access=ACCESS,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def outcome(of: GdapIntent, kind: OutcomeKind = OutcomeKind.DONE) -> GdapOutcome:
    """How it ended."""
    return GdapOutcome(intent_key=of.key, kind=kind, at=later(minutes=1), relationship_id=RelationshipId("r-1"))
