"""What happens next with a customer's delegated admin access: one table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.gdap import NAME_LENGTH, AccessState, GdapCase, GdapOp, Seen, relationship_name
from tenantfold.domain.gdap_course import Adopt, Begin, GdapOrder, GdapStep, ReadAccess, Rest, SendAgain, next_step
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import CustomerId
from tests.domain.gdaps import (
    ASKS,
    BOTH,
    CHECKS,
    CREATED,
    DESK,
    DESK_GROUP,
    EMPTY,
    LOCKED,
    LONG_LOST,
    LOST,
    NOW,
    READER,
    READERS_GROUP,
    REFUSED,
    RENEWS,
    TERMS,
    VERIFIED,
    WAITING,
    State,
    case,
    done,
    foreign,
    given_to,
    intent,
    relationship,
    seen,
)


def says(step: GdapStep) -> str:
    """A step in a word or two, for the table."""
    match step:
        case Rest(standing=standing):
            return f"{standing.condition.value}: {standing.code}"
        case Begin(intent=made, is_there=is_there):
            return f"{'keep' if is_there else 'begin'} {made.kind.value} {made.subject}".strip()
        case SendAgain(intent=made):
            return f"again {made.kind.value} {made.subject}".strip()
        case Adopt(intent=made):
            return f"adopt {made.kind.value} {made.subject}".strip()
        case ReadAccess():
            return "read access"


@pytest.mark.parametrize(
    ("known", "read", "order", "expected"),
    [
        # asking
        pytest.param(EMPTY, seen(), CHECKS, "not_requested: not_requested", id="a check creates nothing"),
        pytest.param(EMPTY, seen(), ASKS, "begin create_relationship", id="asked for"),
        pytest.param(EMPTY, seen(relationship()), ASKS, "keep create_relationship", id="stands there by our name"),
        pytest.param(EMPTY, seen(foreign(State.ACTIVE)), ASKS, "needs_person: other_relationship", id="has another"),
        pytest.param(EMPTY, seen(foreign(State.CREATED)), ASKS, "needs_person: other_relationship", id="has a draft"),
        pytest.param(EMPTY, seen(foreign(State.UNKNOWN)), ASKS, "needs_person: other_relationship", id="or unknown"),
        pytest.param(EMPTY, seen(foreign(State.EXPIRED)), ASKS, "begin create_relationship", id="had another"),
        pytest.param(
            EMPTY,
            seen(relationship(State.ACTIVE, name=relationship_name("nordics", EMPTY.customer_id, 1))),
            ASKS,
            "needs_person: other_relationship",
            id="a later round of a ledger that was lost",
        ),
        pytest.param(case(REFUSED), seen(), CHECKS, "needs_person: refused", id="refused"),
        pytest.param(case(REFUSED), seen(), ASKS, "begin create_relationship", id="refused, and asked for again"),
        # a lost creation
        pytest.param(case((LOST, None)), seen(), ASKS, "settling: settling", id="lost a moment ago"),
        pytest.param(case((LOST, None)), seen(relationship()), CHECKS, "adopt create_relationship", id="lost, found"),
        pytest.param(case((LONG_LOST, None)), seen(), CHECKS, "needs_person: not_created", id="lost without effect"),
        pytest.param(case((LONG_LOST, None)), seen(), ASKS, "again create_relationship", id="lost, asked again"),
        pytest.param(
            case((LONG_LOST, None)),
            seen(foreign(State.APPROVAL_PENDING)),
            ASKS,
            "needs_person: other_relationship",
            id="lost, meanwhile another",
        ),
        # to the customer
        pytest.param(case(CREATED), seen(relationship()), CHECKS, "begin lock_for_approval", id="made, not sent"),
        pytest.param(
            case(CREATED, (intent(GdapOp.LOCK, 1), None)),
            seen(relationship()),
            CHECKS,
            "waits_for_microsoft: locking",
            id="sending was lost a moment ago",
        ),
        pytest.param(
            case(CREATED, (intent(GdapOp.LOCK), None)),
            seen(relationship()),
            CHECKS,
            "again lock_for_approval",
            id="sending had no effect",
        ),
        pytest.param(
            case(CREATED, (intent(GdapOp.LOCK, 1), None)),
            seen(relationship(State.APPROVAL_PENDING)),
            CHECKS,
            "adopt lock_for_approval",
            id="sending was lost, but took effect",
        ),
        pytest.param(
            case(CREATED, done(intent(GdapOp.LOCK, 1))),
            seen(relationship()),
            CHECKS,
            "waits_for_microsoft: locking",
            id="sent, and the list lags",
        ),
        pytest.param(
            case(CREATED, done(intent(GdapOp.LOCK, 1), OutcomeKind.FAILED)),
            seen(relationship()),
            CHECKS,
            "begin lock_for_approval",
            id="sending was refused",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.APPROVAL_PENDING)),
            CHECKS,
            "waits_for_customer: waits_for_customer",
            id="the customer has not answered",
        ),
        # what became of it
        pytest.param(
            WAITING, seen(relationship(State.APPROVED)), CHECKS, "waits_for_microsoft: activating", id="approved"
        ),
        pytest.param(WAITING, seen(relationship(State.EXPIRING)), RENEWS, "waits_for_microsoft: ending", id="ending"),
        pytest.param(WAITING, seen(relationship(State.EXPIRED)), ASKS, "ended: expired", id="lapsed"),
        pytest.param(
            WAITING, seen(relationship(State.EXPIRED)), RENEWS, "begin create_relationship", id="lapsed, renewed"
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.EXPIRED), foreign(State.ACTIVE)),
            RENEWS,
            "needs_person: other_relationship",
            id="lapsed, and another is there",
        ),
        pytest.param(
            WAITING, seen(relationship(State.TERMINATED)), CHECKS, "ended: terminated", id="terminated by somebody"
        ),
        pytest.param(
            WAITING, seen(relationship(State.UNKNOWN)), RENEWS, "needs_person: unknown_status", id="a new word"
        ),
        pytest.param(WAITING, seen(), ASKS, "needs_person: gone", id="deleted by somebody"),
        pytest.param(WAITING, seen(), RENEWS, "begin create_relationship", id="deleted, renewed"),
        pytest.param(
            case(done(intent(GdapOp.CREATE, 1))), seen(), RENEWS, "settling: settling", id="made, and not listed yet"
        ),
        # access
        pytest.param(WAITING, seen(relationship(State.ACTIVE)), CHECKS, "read access", id="active"),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE), access=()),
            CHECKS,
            "begin assign_access g-desk",
            id="nobody has access",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE), access=[given_to(DESK_GROUP, AccessState.PENDING)]),
            CHECKS,
            "begin assign_access g-read",
            id="the next group",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE), access=[BOTH[0], given_to(READERS_GROUP, AccessState.DELETED)]),
            CHECKS,
            "begin assign_access g-read",
            id="access was taken away",
        ),
        pytest.param(
            case(CREATED, LOCKED, (intent(GdapOp.ASSIGN, 1, access=DESK_GROUP), None)),
            seen(relationship(State.ACTIVE), access=[BOTH[1]]),
            CHECKS,
            "waits_for_microsoft: assigning",
            id="giving was lost a moment ago",
        ),
        pytest.param(
            case(CREATED, LOCKED, (intent(GdapOp.ASSIGN, access=DESK_GROUP), None)),
            seen(relationship(State.ACTIVE), access=[BOTH[1]]),
            CHECKS,
            "again assign_access g-desk",
            id="giving had no effect",
        ),
        pytest.param(
            case(CREATED, LOCKED, (intent(GdapOp.ASSIGN, access=DESK_GROUP), None)),
            seen(relationship(State.ACTIVE), access=BOTH),
            CHECKS,
            "adopt assign_access g-desk",
            id="giving took effect",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE), access=[BOTH[0], given_to(READERS_GROUP, AccessState.PENDING)]),
            CHECKS,
            "waits_for_microsoft: assigning",
            id="one is pending",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE), access=[BOTH[0], given_to(READERS_GROUP, AccessState.ERROR)]),
            CHECKS,
            "needs_person: access_differs",
            id="one went wrong",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE), access=[BOTH[0], given_to(READERS_GROUP, AccessState.UNKNOWN)]),
            CHECKS,
            "needs_person: access_differs",
            id="one has an unknown status",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE), access=[BOTH[0], given_to(READERS_GROUP, roles=())]),
            CHECKS,
            "needs_person: access_differs",
            id="one shows no roles",
        ),
        pytest.param(
            WAITING, seen(relationship(State.ACTIVE), access=BOTH), CHECKS, "active: active", id="everybody has access"
        ),
        pytest.param(
            replace(WAITING, standing=VERIFIED),
            seen(relationship(State.ACTIVE)),
            CHECKS,
            "active: active",
            id="verified before",
        ),
        pytest.param(
            replace(WAITING, standing=VERIFIED),
            seen(relationship(State.ACTIVE)),
            GdapOrder(rereads=True),
            "read access",
            id="verified before, and read again",
        ),
        pytest.param(
            replace(WAITING, standing=replace(VERIFIED, verified=(DESK_GROUP,))),
            seen(relationship(State.ACTIVE)),
            CHECKS,
            "read access",
            id="a group came into the settings",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE, roles=(READER,)), access=()),
            CHECKS,
            "needs_person: roles_differ",
            id="a role it does not hold",
        ),
        pytest.param(
            WAITING,
            seen(relationship(State.ACTIVE, roles=())),
            CHECKS,
            "needs_person: roles_differ",
            id="its roles were not in the answer",
        ),
    ],
)
def test_what_happens_next(known: GdapCase, read: Seen, order: GdapOrder, expected: str):
    """One row a situation."""
    assert says(next_step(known, read, DESK, order)) == expected


def test_without_a_group_nobody_has_access_and_a_person_is_told():
    """R-106: an active relationship alone gives nothing."""
    desk = replace(DESK, terms=replace(TERMS, groups=()))
    step = next_step(WAITING, seen(relationship(State.ACTIVE)), desk, CHECKS)
    assert says(step) == "needs_person: no_groups"


def test_a_request_expires_ninety_days_after_it_was_sent():
    """R-104; where nobody knows when that was, no day is named."""
    pending = relationship(State.APPROVAL_PENDING)
    step = next_step(WAITING, seen(pending), DESK, CHECKS)
    assert isinstance(step, Rest)
    assert step.standing.due_at == NOW + timedelta(days=90)
    unsent = next_step(case(CREATED), seen(replace(pending, changed_at=None)), DESK, CHECKS)
    assert isinstance(unsent, Rest)
    assert unsent.standing.due_at is None


def test_a_resend_keeps_name_and_request_id_and_counts_its_own_time():
    """Microsoft can tell that it is the same wish, and the settling time begins anew."""
    first = next_step(EMPTY, seen(), DESK, ASKS)
    assert isinstance(first, Begin)
    later = replace(DESK, now=NOW + timedelta(hours=1))
    again = next_step(case((first.intent, None)), seen(), later, ASKS)
    assert isinstance(again, SendAgain)
    assert again.intent.request_id == first.intent.request_id
    assert again.intent.wish == first.intent.wish
    assert again.intent.key != first.intent.key
    assert again.intent.at == later.now


@given(st.text("abc-", min_size=1, max_size=80), st.text(min_size=1), st.integers(0, 9))
def test_names_fit_and_differ_by_customer_and_round(consolidation: str, customer: str, round_: int):
    """At most 50 characters (core reference 8); the same wish has the same name everywhere."""
    name = relationship_name(consolidation, CustomerId(customer), round_)
    assert len(name) <= NAME_LENGTH
    assert name == relationship_name(consolidation, CustomerId(customer), round_)
    assert name != relationship_name(consolidation, CustomerId(customer), round_ + 1)
    assert name != relationship_name(consolidation, CustomerId(f"{customer}x"), round_)
