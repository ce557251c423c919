"""What happens next with a customer's delegated admin access: one pure function (R-103 to R-109).

Order of the job: create the relationship, lock it for approval, wait for the customer, give the groups access, done. A
write without outcome is looked up before anything else, so that no customer ever gets a second relationship: the first
is found by its name, which is derived and unique.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tenantfold.domain.gdap import (
    APPROVAL_DAYS,
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
    RelationshipWish,
    Seen,
    gdap_key,
    relationship_name,
)
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.states import Owner

_REQUEST = "Run: tenantfold gdap request"
_CHECK = "Run: tenantfold gdap check"


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapOrder:
    """What the person who asks allows. ``may_create``: the customer is to move by the approved plan.

    ``renews``: a relationship that is over may be followed by another. ``rereads``: access that was verified before is
    read again.
    """

    may_create: bool = False
    renews: bool = False
    rereads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Commit this intent, then make its call. ``is_there``: what it wants stands there already, so no call is made."""

    intent: GdapIntent
    is_there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAgain:
    """The write surely had no effect: close it, commit ``intent`` in its place and make the call."""

    lost: GdapIntent
    intent: GdapIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """The write took effect after all: keep that."""

    intent: GdapIntent
    relationship_id: RelationshipId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAccess:
    """The access assignments of the relationship have to be read first."""

    relationship_id: RelationshipId


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Nothing to do for now: where the customer stands."""

    standing: GdapStanding


GdapStep = Begin | SendAgain | Adopt | ReadAccess | Rest


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapDesk:
    """What deciding needs beside the customer: whose work it is, its terms, the time, and the settling time."""

    consolidation: str
    terms: GdapTerms
    now: datetime
    settling_seconds: float

    def settled_at(self, at: datetime) -> datetime:
        """When a write of that time shows in every list, if it had an effect."""
        return at + timedelta(seconds=self.settling_seconds)


def next_step(case: GdapCase, seen: Seen, desk: GdapDesk, order: GdapOrder) -> GdapStep:
    """Decide what happens next. ``seen`` holds all relationships of the customer, and ours even if asked for by id."""
    lost = case.in_doubt
    if lost is not None and lost.kind is GdapOp.CREATE:
        return _settle_creation(case, lost, seen, desk, order)
    if case.relationship_id is None:
        return _ask_for_one(case, seen, desk, order, case.round)
    ours = next((one for one in seen.relationships if one.id == case.relationship_id), None)
    if ours is None:
        return _not_listed(case, seen, desk, order)
    return _follow(case, ours, seen, desk, order)


def failed(case: GdapCase, intent: GdapIntent, outcome: GdapOutcome, next_action: str = "") -> GdapStanding:
    """Where a customer stands whose write Microsoft refused or never took; the next command tries again."""
    again = _REQUEST if intent.kind is GdapOp.CREATE else _CHECK
    return _person(outcome.code, outcome.detail, next_action or again, case.relationship_id)


# --- the relationship -----------------------------------------------------------------------------------------------


def _settle_creation(case: GdapCase, lost: GdapIntent, seen: Seen, desk: GdapDesk, order: GdapOrder) -> GdapStep:
    """A creation whose answer was lost: found by its name, or sent again after the settling time with the same name."""
    found = _named(case, seen, desk, lost.round)
    if found is not None:
        return Adopt(intent=lost, relationship_id=found.id)
    until = desk.settled_at(lost.at)
    if desk.now < until:
        return _settling("the relationship", until)
    other = _other(case, seen, desk, lost.round)
    if other is not None:
        return _leave(other)
    if not order.may_create:
        return Rest(standing=_person("not_created", "Its request had no effect.", _REQUEST))
    return SendAgain(lost=lost, intent=_again(lost, case, desk))


def _ask_for_one(case: GdapCase, seen: Seen, desk: GdapDesk, order: GdapOrder, round_: int) -> GdapStep:
    """Create a relationship, unless the customer has one by whatever way."""
    found = _named(case, seen, desk, round_)
    other = _other(case, seen, desk, round_)
    if found is None and other is not None:
        return _leave(other)
    if order.may_create:
        return Begin(intent=_creation(case, desk, round_), is_there=found is not None)
    last = next((outcome for _, outcome in reversed(case.present) if outcome is not None), None)
    if last is not None and last.kind is OutcomeKind.FAILED:
        return Rest(standing=_person(last.code or "refused", last.detail, _REQUEST))
    return Rest(
        standing=GdapStanding(
            condition=GdapCondition.NOT_REQUESTED,
            code="not_requested",
            detail="It was not requested.",
            owner=Owner.OPERATIONS,
            next_action=_REQUEST,
        )
    )


def _named(case: GdapCase, seen: Seen, desk: GdapDesk, round_: int) -> AdminRelationship | None:
    name = relationship_name(desk.consolidation, case.customer_id, round_)
    return next((one for one in seen.relationships if one.name == name), None)


def _other(case: GdapCase, seen: Seen, desk: GdapDesk, round_: int) -> AdminRelationship | None:
    """A relationship with the customer that is not over and not the one of this round; a draft counts as well."""
    name = relationship_name(desk.consolidation, case.customer_id, round_)
    for one in seen.relationships:
        if one.customer_id == case.customer_id and one.name != name and not one.state.is_over:
            return one
    return None


def _leave(other: AdminRelationship) -> Rest:
    detail = f"The target has the relationship '{other.name}' ({other.status}) with the customer already."
    return Rest(
        standing=_person(
            "other_relationship",
            detail,
            "Look at its roles and groups in Partner Center; end it there if another is to be requested.",
            other.id,
        )
    )


def _not_listed(case: GdapCase, seen: Seen, desk: GdapDesk, order: GdapOrder) -> GdapStep:
    """Ours is in no list and not found by its id: too fresh to be listed, or deleted by somebody."""
    created_at = max(outcome.at for _, outcome in case.present if outcome and outcome.relationship_id)
    until = desk.settled_at(created_at)
    if desk.now < until:
        return _settling("the relationship", until)
    if order.renews:
        return _ask_for_one(case, seen, desk, order, case.round + 1)
    detail = f"Microsoft does not find the relationship {case.relationship_id} any more."
    return Rest(
        standing=_person(
            "gone", detail, "Find out in Partner Center's activity log who deleted it.", case.relationship_id
        )
    )


def _follow(case: GdapCase, ours: AdminRelationship, seen: Seen, desk: GdapDesk, order: GdapOrder) -> GdapStep:
    """What the state of our relationship asks for."""
    state = ours.state
    if state is RelationshipState.CREATED:
        return _lock(case, ours, desk)
    lock = case.in_doubt
    if lock is not None and lock.kind is GdapOp.LOCK and state is not RelationshipState.UNKNOWN:
        return Adopt(intent=lock)
    if state is RelationshipState.APPROVAL_PENDING:
        return Rest(standing=_pending(case, ours))
    if state.is_under_way:
        return Rest(standing=_microsoft("activating", "The customer approved; Microsoft activates it.", ours))
    if state.is_ending:
        return Rest(standing=_microsoft("ending", "It is about to end.", ours))
    if state.is_over:
        return _over(case, ours, seen, desk, order)
    if state is RelationshipState.ACTIVE:
        return _give_access(case, ours, seen, desk, order)
    detail = f"Microsoft gives it the status '{ours.status}', which is not known here; nothing is verified."
    return Rest(standing=_person("unknown_status", detail, "Look at it in Partner Center.", ours.id))


def _lock(case: GdapCase, ours: AdminRelationship, desk: GdapDesk) -> GdapStep:
    """Send it for approval; one that was sent a moment ago may still read created."""
    step = _write(case, desk, _intent(case, desk, GdapOp.LOCK, relationship_id=ours.id))
    return step if step is not None else Rest(standing=_microsoft("locking", "It is being sent for approval.", ours))


def _pending(case: GdapCase, ours: AdminRelationship) -> GdapStanding:
    """The customer has 90 days from the moment it was sent (R-104); unknown where nobody knows that moment."""
    sent = [outcome.at for intent, outcome in case.present if intent.kind is GdapOp.LOCK and outcome is not None]
    sent_at = ours.changed_at or (max(sent) if sent else None)
    return GdapStanding(
        condition=GdapCondition.WAITS_FOR_CUSTOMER,
        code="waits_for_customer",
        detail="The customer's Global administrator has not approved yet.",
        owner=Owner.CUSTOMER,
        next_action="Send the letter, or remind the customer of it.",
        relationship_id=ours.id,
        due_at=sent_at + timedelta(days=APPROVAL_DAYS) if sent_at is not None else None,
    )


def _over(case: GdapCase, ours: AdminRelationship, seen: Seen, desk: GdapDesk, order: GdapOrder) -> GdapStep:
    """Only a person decides that another one is asked for; the customer gets a new link then (R-104)."""
    if order.renews:
        return _ask_for_one(case, seen, desk, order, case.round + 1)
    if ours.state is RelationshipState.TERMINATED:
        detail = "It was terminated."
    elif ours.activated_at is None:
        detail = f"The customer did not approve within {APPROVAL_DAYS} days."
    else:
        detail = "Its time is over."
    return Rest(
        standing=GdapStanding(
            condition=GdapCondition.ENDED,
            code=ours.state.value,
            detail=detail,
            owner=Owner.OPERATIONS,
            next_action="Decide whether to ask again: tenantfold gdap request --renew",
            relationship_id=ours.id,
            ends_at=ours.ends_at,
        )
    )


# --- access of the groups -------------------------------------------------------------------------------------------


def _give_access(case: GdapCase, ours: AdminRelationship, seen: Seen, desk: GdapDesk, order: GdapOrder) -> GdapStep:
    """Every group of the settings gets its roles; without a group nobody has access (R-106)."""
    groups = desk.terms.groups
    if not groups:
        return Rest(
            standing=_person("no_groups", "It is active, and no group has access.", "Set gdap.groups.", ours.id, ours)
        )
    if any(not set(group.roles) <= set(ours.roles) for group in groups):
        detail = "gdap.groups gives roles that the relationship does not hold."
        return Rest(standing=_person("roles_differ", detail, "Change gdap.groups.", ours.id, ours))
    if seen.access is None:
        before = case.standing.verified if case.standing is not None and case.in_doubt is None else ()
        is_verified = before == groups and not order.rereads
        return Rest(standing=_active(ours, groups)) if is_verified else ReadAccess(relationship_id=ours.id)
    return _each_group(case, ours, seen.access, desk)


def _each_group(
    case: GdapCase, ours: AdminRelationship, access: tuple[AccessAssignment, ...], desk: GdapDesk
) -> GdapStep:
    waiting = False
    wrong: list[str] = []
    for group in desk.terms.groups:
        found = next((one for one in access if one.group_id == group.group_id and not one.state.is_gone), None)
        if found is None:
            step = _write(case, desk, _intent(case, desk, GdapOp.ASSIGN, relationship_id=ours.id, access=group))
            if step is not None:
                return step
            waiting = True
            continue
        lost = _open_assignment(case, group)
        if lost is not None:
            return Adopt(intent=lost)
        if found.state is AccessState.PENDING:
            waiting = True
        elif found.state is not AccessState.ACTIVE or not set(group.roles) <= set(found.roles):
            wrong.append(f"{group.group_id} ({found.status})")
    if wrong:
        detail = f"The access of a group is not as in the settings: {', '.join(wrong)}."
        return Rest(standing=_person("access_differs", detail, "Correct it in Partner Center.", ours.id, ours))
    if waiting:
        return Rest(standing=_microsoft("assigning", "Microsoft gives the groups their access.", ours))
    return Rest(standing=_active(ours, desk.terms.groups))


def _open_assignment(case: GdapCase, group: GroupAccess) -> GdapIntent | None:
    for intent, outcome in case.present:
        if outcome is None and intent.kind is GdapOp.ASSIGN and intent.subject == group.group_id:
            return intent
    return None


# --- intents --------------------------------------------------------------------------------------------------------


def _write(case: GdapCase, desk: GdapDesk, wanted: GdapIntent) -> Begin | SendAgain | None:
    """Make a write whose effect does not show. None: one like it left a moment ago, so its effect may still show."""
    like_it = [
        (intent, outcome)
        for intent, outcome in case.present
        if (intent.kind, intent.subject) == (wanted.kind, wanted.subject)
    ]
    if not like_it:
        return Begin(intent=wanted)
    intent, outcome = like_it[-1]
    had_effect = outcome is None or outcome.kind is not OutcomeKind.FAILED
    if had_effect and desk.now < desk.settled_at(intent.at):
        return None
    return SendAgain(lost=intent, intent=_again(intent, case, desk)) if outcome is None else Begin(intent=wanted)


def _creation(case: GdapCase, desk: GdapDesk, round_: int) -> GdapIntent:
    terms = desk.terms
    wish = RelationshipWish(
        name=relationship_name(desk.consolidation, case.customer_id, round_),
        customer_id=case.customer_id,
        roles=terms.roles,
        duration_days=terms.duration_days,
        auto_extend=terms.auto_extend,
    )
    attempt = case.attempts(GdapOp.CREATE, round_)
    return GdapIntent(
        key=gdap_key(desk.consolidation, case.customer_id, GdapOp.CREATE, round_, attempt=attempt),
        customer_id=case.customer_id,
        kind=GdapOp.CREATE,
        at=desk.now,
        round=round_,
        attempt=attempt,
        wish=wish,
    )


def _intent(
    case: GdapCase,
    desk: GdapDesk,
    kind: GdapOp,
    *,
    relationship_id: RelationshipId,
    access: GroupAccess | None = None,
) -> GdapIntent:
    subject = access.group_id if access is not None else ""
    attempt = case.attempts(kind, case.round, subject)
    return GdapIntent(
        key=gdap_key(desk.consolidation, case.customer_id, kind, case.round, subject, attempt),
        customer_id=case.customer_id,
        kind=kind,
        at=desk.now,
        round=case.round,
        attempt=attempt,
        relationship_id=relationship_id,
        access=access,
    )


def _again(lost: GdapIntent, case: GdapCase, desk: GdapDesk) -> GdapIntent:
    """The same write with a time of its own, from which its settling counts; same name, same request id."""
    attempt = case.attempts(lost.kind, lost.round, lost.subject)
    key = gdap_key(desk.consolidation, case.customer_id, lost.kind, lost.round, lost.subject, attempt)
    return replace(lost, key=key, at=desk.now, attempt=attempt, sent_as=lost.sent_as or lost.key)


# --- where a customer stands ----------------------------------------------------------------------------------------


def _settling(what: str, until: datetime) -> Rest:
    return Rest(
        standing=GdapStanding(
            condition=GdapCondition.SETTLING,
            code="settling",
            detail=f"An answer about {what} was lost, or it is not listed yet; it is looked up again.",
            owner=Owner.TENANTFOLD,
            next_action=_CHECK,
            due_at=until,
        )
    )


def _microsoft(code: str, detail: str, ours: AdminRelationship) -> GdapStanding:
    return GdapStanding(
        condition=GdapCondition.WAITS_FOR_MICROSOFT,
        code=code,
        detail=detail,
        owner=Owner.MICROSOFT,
        next_action=_CHECK,
        relationship_id=ours.id,
        ends_at=ours.ends_at,
    )


def _active(ours: AdminRelationship, groups: tuple[GroupAccess, ...]) -> GdapStanding:
    return GdapStanding(
        condition=GdapCondition.ACTIVE,
        code="active",
        detail=f"It is active, and {len(groups)} group(s) have access.",
        owner=Owner.NOBODY,
        relationship_id=ours.id,
        ends_at=ours.ends_at,
        verified=groups,
    )


def _person(
    code: str,
    detail: str,
    next_action: str,
    relationship_id: RelationshipId | None = None,
    ours: AdminRelationship | None = None,
) -> GdapStanding:
    return GdapStanding(
        condition=GdapCondition.NEEDS_PERSON,
        code=code,
        detail=detail,
        owner=Owner.OPERATIONS,
        next_action=next_action,
        relationship_id=relationship_id,
        ends_at=ours.ends_at if ours is not None else None,
    )
