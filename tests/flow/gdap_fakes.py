"""Fakes of delegated admin access: a Graph with faults, and a ledger that survives crashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from tenantfold.clock import ManualClock
from tenantfold.domain.gdap import (
    AccessAssignment,
    AccessState,
    AdminRelationship,
    GdapCase,
    GdapIntent,
    GdapOutcome,
    GdapStanding,
    GroupAccess,
    RelationshipId,
    RelationshipState,
    RelationshipWish,
)
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.errors import (
    AuthError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    RefusedError,
    TenantfoldError,
    UnavailableError,
)
from tests.flow.fakes import Crash, FakeLedger, Fault, no_fault

_ERRORS: dict[str, type[TenantfoldError]] = {
    "refused": RefusedError,
    "unavailable": UnavailableError,
    "auth": AuthError,
    "lost before": NoAnswerError,
}


@dataclass
class FakeGraph:
    """Delegated admin relationships of one partner; ``fault`` says how each write ends (``"create alfa"``)."""

    clock: ManualClock
    fault: Fault = no_fault
    there: dict[RelationshipId, AdminRelationship] = field(default_factory=dict)
    access: dict[RelationshipId, list[AccessAssignment]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    most: int = 0

    async def admin_relationships(self, customer_id: CustomerId | None = None) -> tuple[AdminRelationship, ...]:
        """All, or those of one customer."""
        self.calls["list" if customer_id is None else "list of one"] += 1
        return tuple(one for one in self.there.values() if customer_id in {None, one.customer_id})

    async def admin_relationship(self, relationship_id: RelationshipId) -> AdminRelationship:
        """One."""
        self.calls["read"] += 1
        if relationship_id not in self.there:
            raise NotFoundError("There is none.")
        return self.there[relationship_id]

    async def offer_admin_relationship(self, wish: RelationshipWish, request_id: UUID) -> AdminRelationship:
        """Make a draft; a name is there once."""
        how = self._begin(f"create {wish.customer_id}")
        if any(one.name == wish.name for one in self.there.values()):
            raise ConflictError("The name is taken.")
        made = AdminRelationship(
            id=RelationshipId(f"r-{len(self.there):03}"),
            name=wish.name,
            customer_id=wish.customer_id,
            status="created",
            state=RelationshipState.CREATED,
            roles=wish.roles,
            changed_at=self.clock.now(),
        )
        self.there[made.id] = made
        living = Counter(one.customer_id for one in self.there.values() if not one.state.is_over)
        self.most = max(self.most, *living.values())
        self._end(how)
        return made

    async def request_approval(self, relationship_id: RelationshipId, request_id: UUID) -> None:
        """A draft waits for its customer."""
        found = self.there[relationship_id]
        how = self._begin(f"lock {found.customer_id}")
        if found.state is not RelationshipState.CREATED:
            raise ConflictError("It is no draft.")
        self.turn(relationship_id, RelationshipState.APPROVAL_PENDING)
        self._end(how)

    async def access_assignments(self, relationship_id: RelationshipId) -> tuple[AccessAssignment, ...]:
        """What was given."""
        self.calls["access"] += 1
        return tuple(self.access.get(relationship_id, ()))

    async def assign_access(
        self, relationship_id: RelationshipId, access: GroupAccess, request_id: UUID
    ) -> AccessAssignment:
        """Active at once."""
        how = self._begin(f"assign {self.there[relationship_id].customer_id}")
        given = self.access.setdefault(relationship_id, [])
        if any(one.group_id == access.group_id for one in given):
            raise ConflictError("The group has it.")
        made = AccessAssignment(
            id=f"a-{len(given)}",
            group_id=access.group_id,
            status="active",
            state=AccessState.ACTIVE,
            roles=access.roles,
        )
        given.append(made)
        self._end(how)
        return made

    def turn(self, relationship_id: RelationshipId, state: RelationshipState) -> None:
        """Bring a relationship to a state: what a customer does, or time."""
        changed = replace(self.there[relationship_id], state=state, status=state.value)
        self.there[relationship_id] = replace(changed, changed_at=self.clock.now())

    def _begin(self, point: str) -> str:
        self.calls[point.partition(" ")[0]] += 1
        how = self.fault(point)
        if how == "crash before":
            raise Crash(point)
        if how in _ERRORS:
            raise _ERRORS[how](f"{how} at {point}")
        return how

    def _end(self, how: str) -> None:
        if how == "crash after":
            raise Crash(how)
        if how == "lost after":
            raise NoAnswerError("The answer was lost.")


@dataclass
class FakeGdapLedger(FakeLedger):
    """What was recorded survives a Crash."""

    gdap_entries: dict[CustomerId, list[tuple[GdapIntent, GdapOutcome | None]]] = field(default_factory=dict)
    gdap_rows: dict[CustomerId, GdapCase] = field(default_factory=dict)

    async def gdap_case(self, customer_id: CustomerId) -> GdapCase | None:
        """The row with its entries."""
        row = self.gdap_rows.get(customer_id)
        return replace(row, entries=tuple(self.gdap_entries.get(customer_id, ()))) if row is not None else None

    async def gdap_cases(self, after: str = "", limit: int = 500) -> tuple[GdapCase, ...]:
        """In id order."""
        found = [await self.gdap_case(one) for one in sorted(self.gdap_rows) if one > after]
        return tuple(one for one in found[:limit] if one is not None)

    async def record_gdap_intent(self, case: GdapCase, intent: GdapIntent, lost: GdapOutcome | None = None) -> None:
        """Both or none."""
        entries = self.gdap_entries.setdefault(case.customer_id, [])
        if any(one.key == intent.key for one, _ in entries):
            raise ConflictError("It exists already.")
        if lost is not None:
            await self.record_gdap_outcome(lost)
        entries.append((intent, None))
        self.gdap_rows.setdefault(case.customer_id, replace(case, entries=()))
        self._point(f"intent {intent.kind.value}")

    async def record_gdap_outcome(self, outcome: GdapOutcome) -> None:
        """Once."""
        self._point("outcome")
        for entries in self.gdap_entries.values():
            for index, (intent, ended) in enumerate(entries):
                if intent.key == outcome.intent_key:
                    assert ended is None
                    entries[index] = (intent, outcome)
        self._point("outcome kept")

    async def save_gdap_standing(self, case: GdapCase, standing: GdapStanding, now: datetime) -> None:
        """Keep it."""
        self.gdap_rows[case.customer_id] = replace(case, entries=(), standing=standing, checked_at=now)
        self.history.append(Event(at=now, customer_id=case.customer_id, name=standing.code, facts={}))
