"""Delegated admin access (GDAP) of the target to one customer, as values: what is wanted, written and read (R-103).

It stands beside the routes and gates nothing: no order and no transfer needs it (R-107). Its writes have a journal of
their own, so that no machine of a route ever meets one. Words of the wire are kept; a status nobody knows is UNKNOWN.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from urllib.parse import quote
from uuid import NAMESPACE_OID, UUID, uuid5

from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.states import Owner

RelationshipId = NewType("RelationshipId", str)
RoleId = NewType("RoleId", str)

NAME_LENGTH = 50  # Microsoft's limit for a relationship's name (core reference 8)
APPROVAL_DAYS = 90  # until a request that nobody answers expires
_DIGEST_LENGTH = 32
_UNDER_WAY = frozenset({"approved", "activating"})
_ENDING = frozenset({"expiring", "termination_requested", "terminating"})
_OVER = frozenset({"expired", "terminated"})


class RelationshipState(StrEnum):
    """What the status of a relationship means (core reference 8)."""

    CREATED = "created"
    APPROVAL_PENDING = "approval_pending"
    APPROVED = "approved"
    ACTIVATING = "activating"
    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    TERMINATION_REQUESTED = "termination_requested"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"  # a word we do not know: taken as neither active nor over

    @property
    def is_under_way(self) -> bool:
        """Whether the customer has approved and Microsoft is not ready yet."""
        return self in _UNDER_WAY

    @property
    def is_ending(self) -> bool:
        """Whether it is about to be over."""
        return self in _ENDING

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self in _OVER


class AccessState(StrEnum):
    """What the status of an access assignment means (core reference 8)."""

    PENDING = "pending"
    ACTIVE = "active"
    DELETING = "deleting"
    DELETED = "deleted"
    ERROR = "error"
    UNKNOWN = "unknown"

    @property
    def is_gone(self) -> bool:
        """Whether the group has, or will have, nothing of it any more."""
        return self in {AccessState.DELETING, AccessState.DELETED}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRelationship:
    """A delegated admin relationship of the target as it was read. ``customer_id`` is empty for an open offer.

    ``roles`` is empty where the answer had none: then nothing is verified by it. ``status`` is Microsoft's own word.
    """

    id: RelationshipId
    name: str
    customer_id: CustomerId
    status: str
    state: RelationshipState
    roles: tuple[RoleId, ...] = ()
    changed_at: datetime | None = None
    activated_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAssignment:
    """Roles of a relationship that a security group of the target has, as read."""

    id: str
    group_id: str
    status: str
    state: AccessState
    roles: tuple[RoleId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAccess:
    """A security group of the target and the roles it is to have."""

    group_id: str
    roles: tuple[RoleId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapTerms:
    """What is asked of every customer, and which groups get it. 1 to 730 days (R-105)."""

    roles: tuple[RoleId, ...]
    groups: tuple[GroupAccess, ...]
    duration_days: int
    auto_extend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipWish:
    """What one customer is offered. ``name`` is unique over all relationships of the partner, at most 50 characters."""

    name: str
    customer_id: CustomerId
    roles: tuple[RoleId, ...]
    duration_days: int
    auto_extend: bool


class GdapOp(StrEnum):
    """The writes delegated admin access needs."""

    CREATE = "create_relationship"
    LOCK = "lock_for_approval"
    ASSIGN = "assign_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapIntent:
    """A write that is about to be made; committed before the call leaves (invariant 6).

    ``round`` counts the relationships of the customer that were over before. ``attempt`` counts earlier intents of the
    same wish, and ``sent_as`` is the key of the one it repeats after a lost answer: the request id stays the same.
    """

    key: str
    customer_id: CustomerId
    kind: GdapOp
    at: datetime
    round: int
    attempt: int = 0
    relationship_id: RelationshipId | None = None
    wish: RelationshipWish | None = None
    access: GroupAccess | None = None
    sent_as: str = ""

    @property
    def request_id(self) -> UUID:
        """The request id of the call and of every resend of it."""
        return uuid5(NAMESPACE_OID, self.sent_as or self.key)

    @property
    def subject(self) -> str:
        """What tells two wishes of one kind and round apart: the group that gets access."""
        return self.access.group_id if self.access is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapOutcome:
    """How an intent ended. ``relationship_id`` is what came of creating."""

    intent_key: str
    kind: OutcomeKind
    at: datetime
    relationship_id: RelationshipId | None = None
    code: str = ""
    detail: str = ""


class GdapCondition(StrEnum):
    """Where a customer stands with delegated admin access."""

    NOT_REQUESTED = "not_requested"
    SETTLING = "settling"
    WAITS_FOR_CUSTOMER = "waits_for_customer"
    WAITS_FOR_MICROSOFT = "waits_for_microsoft"
    ACTIVE = "active"
    NEEDS_PERSON = "needs_person"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapStanding:
    """Where one customer stands, why, and who acts next. Always follows from the journal and a read.

    ``due_at``: when the request expires, or when a lost answer may be settled. ``verified`` are the groups whose access
    was read active. ``letter``: where the customer's letter was written to.
    """

    condition: GdapCondition
    code: str
    detail: str
    owner: Owner
    next_action: str = ""
    relationship_id: RelationshipId | None = None
    due_at: datetime | None = None
    ends_at: datetime | None = None
    verified: tuple[GroupAccess, ...] = ()
    letter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapCase:
    """Everything the ledger knows about one customer's delegated admin access.

    ``entries``: every intent with its outcome (None: in doubt), oldest first. ``standing`` is the last one kept.
    """

    customer_id: CustomerId
    company_name: str
    entries: tuple[tuple[GdapIntent, GdapOutcome | None], ...] = ()
    standing: GdapStanding | None = None
    checked_at: datetime | None = None

    @property
    def round(self) -> int:
        """Which relationship is the present one: how many were over before it."""
        return max((intent.round for intent, _ in self.entries), default=0)

    @property
    def present(self) -> tuple[tuple[GdapIntent, GdapOutcome | None], ...]:
        """The entries of the present round; those of earlier rounds can have no effect any more."""
        return tuple(entry for entry in self.entries if entry[0].round == self.round)

    @property
    def in_doubt(self) -> GdapIntent | None:
        """The oldest intent of the present round without outcome."""
        return next((intent for intent, outcome in self.present if outcome is None), None)

    @property
    def relationship_id(self) -> RelationshipId | None:
        """The present relationship, once its creation is known to have taken effect."""
        made = (outcome.relationship_id for _, outcome in self.present if outcome is not None)
        return next((found for found in made if found is not None), None)

    @property
    def wish(self) -> RelationshipWish | None:
        """What the customer is asked for in the present round; None before anything was."""
        return next((intent.wish for intent, _ in self.present if intent.wish is not None), None)

    def attempts(self, kind: GdapOp, round_: int, subject: str = "") -> int:
        """How many intents of this wish there were."""
        return sum((intent.kind, intent.round, intent.subject) == (kind, round_, subject) for intent, _ in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read at the target of one customer: all its relationships, and our own one's access if that was read."""

    relationships: tuple[AdminRelationship, ...]
    access: tuple[AccessAssignment, ...] | None = None


def gdap_key(
    consolidation: str, customer_id: CustomerId, kind: GdapOp, round_: int, subject: str = "", attempt: int = 0
) -> str:
    """Derive the key of a wish: the same wish has the same key on every machine and after every crash."""
    parts = "\x1f".join(("gdap", consolidation, customer_id, kind.value, str(round_), subject, str(attempt)))
    return hashlib.sha256(parts.encode()).hexdigest()[:40]


def relationship_name(consolidation: str, customer_id: CustomerId, round_: int) -> str:
    """The name of a customer's relationship: the same for every attempt, so that a lost one is found by it.

    Derived from the key of creating it; unique, because Microsoft refuses a second one of the same name.
    """
    digest = gdap_key(consolidation, customer_id, GdapOp.CREATE, round_)[:_DIGEST_LENGTH]
    return f"{consolidation[: NAME_LENGTH - _DIGEST_LENGTH - 1]}-{digest}"


def approval_link(admin_center: str, relationship_id: RelationshipId) -> str:
    """The page on which a customer's Global administrator approves (core reference 8): one customer's alone (R-104)."""
    page = f"{admin_center}/AdminPortal/Home#/partners/invitation/granularAdminRelationships"
    return f"{page}/{quote(relationship_id, safe='')}"
