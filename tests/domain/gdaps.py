"""Samples of delegated admin access for the core's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tenantfold.domain.gdap import (
    AccessAssignment,
    AccessState,
    AdminRelationship,
    GdapCase,
    GdapCondition,
    GdapIntent,
    GdapOp,
    GdapOutcome,
    GdapStanding,
    GdapTerms,
    GroupAccess,
    RelationshipId,
    RelationshipState,
    Seen,
    relationship_name,
)
from tenantfold.domain.gdap_course import GdapDesk, GdapOrder
from tenantfold.domain.gdap_roles import ROLES
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.states import Owner

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SETTLING = 900.0
CUSTOMER = CustomerId("alfa")
READER, SUPPORT = ROLES["Directory readers"], ROLES["Service support administrator"]
DESK_GROUP = GroupAccess(group_id="g-desk", roles=(SUPPORT,))
READERS_GROUP = GroupAccess(group_id="g-read", roles=(READER,))
TERMS = GdapTerms(roles=(READER, SUPPORT), groups=(DESK_GROUP, READERS_GROUP), duration_days=730)
DESK = GdapDesk(consolidation="nordics", terms=TERMS, now=NOW, settling_seconds=SETTLING)
NAME = relationship_name("nordics", CUSTOMER, 0)
OURS, OTHER = RelationshipId("r-ours"), RelationshipId("r-other")
ASKS = GdapOrder(may_create=True)
CHECKS = GdapOrder()
RENEWS = GdapOrder(may_create=True, renews=True)
EMPTY = GdapCase(customer_id=CUSTOMER, company_name="Alfa Bygg AB")
State = RelationshipState


def relationship(state: State = State.CREATED, **fields: object) -> AdminRelationship:
    """Our relationship with the customer as it might be read."""
    value = AdminRelationship(
        id=OURS, name=NAME, customer_id=CUSTOMER, status=state.value, state=state, roles=TERMS.roles, changed_at=NOW
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def foreign(state: State) -> AdminRelationship:
    """One that a colleague made by hand."""
    return relationship(state, id=OTHER, name="made by hand")


def intent(kind: GdapOp, minutes_ago: float = 60, **fields: object) -> GdapIntent:
    """A write some time ago."""
    value = GdapIntent(
        key=f"{kind.value}-{minutes_ago}",
        customer_id=CUSTOMER,
        kind=kind,
        at=NOW - timedelta(minutes=minutes_ago),
        round=0,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def done(made: GdapIntent, kind: OutcomeKind = OutcomeKind.DONE, **fields: object) -> tuple[GdapIntent, GdapOutcome]:
    """A write with its outcome; creating leaves our relationship."""
    found = OURS if made.kind is GdapOp.CREATE and kind is not OutcomeKind.FAILED else None
    outcome = GdapOutcome(intent_key=made.key, kind=kind, at=made.at, relationship_id=found)
    return made, replace(outcome, **fields)  # type: ignore[arg-type]  # the test names the fields


def case(*entries: tuple[GdapIntent, GdapOutcome | None]) -> GdapCase:
    """What the ledger knows."""
    return replace(EMPTY, entries=entries)


def seen(*relationships: AdminRelationship, access: Sequence[AccessAssignment] | None = None) -> Seen:
    """What was read."""
    return Seen(relationships=relationships, access=tuple(access) if access is not None else None)


def given_to(group: GroupAccess, state: AccessState = AccessState.ACTIVE, **fields: object) -> AccessAssignment:
    """Access a group has."""
    value = AccessAssignment(
        id=f"a-{group.group_id}", group_id=group.group_id, status=state.value, state=state, roles=group.roles
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


CREATED = done(intent(GdapOp.CREATE))
LOCKED = done(intent(GdapOp.LOCK))
LOST = intent(GdapOp.CREATE, 1)
LONG_LOST = intent(GdapOp.CREATE, 60)
REFUSED = done(intent(GdapOp.CREATE), OutcomeKind.FAILED, code="refused", detail="No such tenant.")
WAITING = case(CREATED, LOCKED)
BOTH = (given_to(DESK_GROUP), given_to(READERS_GROUP))
VERIFIED = GdapStanding(
    condition=GdapCondition.ACTIVE, code="active", detail="", owner=Owner.NOBODY, verified=TERMS.groups
)
