"""Intents: what is committed before a call, and keys that the same wish always has (invariant 6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.actions import Attest, BuyAddOns, PlaceOrder, Suspend, Write
from tenantfold.domain.intents import intent_for
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind, intent_key
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.domain.records import Case
from tests.domain.samples import (
    C1,
    CONTACT,
    NOW,
    ORDER,
    S1,
    SE,
    TARGET,
    case,
    counterpart,
    item,
    later,
    line,
    observation,
    order_intent,
    outcome,
    source,
    suspend_intent,
    target,
)

WRITES: list[tuple[Write, OpKind, str, tuple[str, ...]]] = [
    (Attest(CONTACT), OpKind.ATTEST_AGREEMENT, TARGET, ()),
    (PlaceOrder("annual", (line("s1"), line("s2"))), OpKind.PLACE_ORDER, TARGET, ("s1", "s2")),
    (BuyAddOns(ORDER, "monthly", (line("s3"),)), OpKind.BUY_ADD_ONS, TARGET, ("s3",)),
    (Suspend(item()), OpKind.SUSPEND, SE, ("s1",)),
]
SUBJECTS = st.lists(st.sampled_from(["s1", "s2", "s3"]).map(SubscriptionId), unique=True, max_size=3).map(tuple)
WISHES = st.tuples(
    st.sampled_from(["north", "south"]),
    st.sampled_from(["c1", "c2"]).map(CustomerId),
    st.sampled_from(OpKind),
    SUBJECTS,
    st.integers(0, 3),
)


def _intent(action: Write, known: Case | None = None, at: timedelta = timedelta(0)) -> Intent:
    return intent_for(action, known or case(), observation(source(), target("t8")), "north", TARGET, NOW + at)


@given(one=WISHES, other=WISHES)
def test_same_wish_same_key_and_another_wish_another_key(
    one: tuple[str, CustomerId, OpKind, tuple[SubscriptionId, ...], int],
    other: tuple[str, CustomerId, OpKind, tuple[SubscriptionId, ...], int],
):
    """Keys are derived from consolidation, customer, action, subjects (in any order) and generation alone."""
    same = (*one[:3], sorted(one[3]), one[4]) == (*other[:3], sorted(other[3]), other[4])
    assert (intent_key(*one) == intent_key(*other)) is same


def test_the_key_never_changes_between_versions():
    """A crash before an upgrade must be settled after it: this value is part of the ledger's format."""
    assert intent_key("north", C1, OpKind.SUSPEND, (S1,), 0) == "0b3a0ca870248338176ffe09c2e128da266c27f6"
    assert str(suspend_intent(key="k").request_id) == "a1e2a18d-3295-5d01-b2f6-f2b71f7cbf8b"


@pytest.mark.parametrize(("action", "kind", "tenant", "subjects"), WRITES, ids=lambda value: str(value)[:13])
def test_an_intent_says_what_is_wanted_where_and_for_whom(
    action: Write, kind: OpKind, tenant: str, subjects: tuple[str, ...]
):
    """Everything a resend needs stands in it."""
    intent = _intent(action)
    assert (intent.kind, intent.tenant_id, intent.subjects) == (kind, tenant, subjects)
    assert (intent.customer_id, intent.plan_id, intent.at, intent.generation) == (C1, 1, NOW, 0)
    assert intent.key == intent_key("north", C1, kind, intent.subjects, 0)
    match action:
        case Attest(contact=contact):
            assert intent.contact == contact
        case PlaceOrder(billing_cycle=cycle, lines=lines):
            assert (intent.billing_cycle, intent.lines, intent.order_id) == (cycle, lines, None)
        case BuyAddOns(order_id=order_id, billing_cycle=cycle, lines=lines):
            assert (intent.billing_cycle, intent.lines, intent.order_id) == (cycle, lines, order_id)
        case Suspend():
            assert intent.lines == ()


@pytest.mark.parametrize(("action", "kind", "tenant", "subjects"), WRITES, ids=lambda value: str(value)[:13])
def test_the_key_does_not_depend_on_when_or_where_it_is_made(
    action: Write, kind: OpKind, tenant: str, subjects: tuple[str, ...]
):
    """Another machine an hour later derives the same key and the same request id."""
    one = _intent(action)
    other = _intent(action, case(counterparts=(counterpart("s9", "t9"),)), timedelta(hours=1))
    assert other.key == one.key
    assert other.request_id == one.request_id


@pytest.mark.parametrize(
    ("ends", "generation"),
    [
        ([], 0),
        ([OutcomeKind.FAILED], 1),
        ([OutcomeKind.FAILED, OutcomeKind.FAILED], 2),
        ([OutcomeKind.DONE], 0),
        ([OutcomeKind.ADOPTED], 0),
        ([OutcomeKind.FAILED, OutcomeKind.DONE], 1),
    ],
)
def test_only_failed_attempts_count_as_generations(ends: list[OutcomeKind], generation: int):
    """What surely had no effect may be wished again under a new key; what took effect never is."""
    known = case(settled=tuple(_settled(suspend_intent(generation=number), end) for number, end in enumerate(ends)))
    intent = _intent(Suspend(item()), known)
    assert intent.generation == generation
    assert intent.key == intent_key("north", C1, OpKind.SUSPEND, (S1,), generation)


def test_failures_of_other_wishes_do_not_count():
    """Another action, other subjects."""
    failed = [suspend_intent("s2"), order_intent(), order_intent(line("s1"), line("s2"))]
    known = case(settled=tuple(_settled(one, OutcomeKind.FAILED) for one in failed))
    assert _intent(Suspend(item()), known).generation == 0
    assert _intent(PlaceOrder("monthly", (line("s1"),)), known).generation == 1


def _settled(intent: Intent, kind: OutcomeKind) -> tuple[Intent, Outcome]:
    return intent, outcome(intent, kind)


@pytest.mark.parametrize("action", [PlaceOrder("monthly", (line(),)), BuyAddOns(ORDER, "monthly", (line(),))])
def test_the_baseline_of_an_order_is_what_stood_there(action: Write):
    """What was read and what we ordered since: so what the call makes can be told apart."""
    known = case(counterparts=(counterpart("s5", "t5"), counterpart("s6", None)))
    assert _intent(action, known).baseline == ("t5", "t8")
    assert intent_for(action, known, None, "north", TARGET, later()).baseline == ("t5",)


def test_request_ids_differ_where_keys_do():
    """Microsoft tells resends from new calls by them."""
    assert order_intent(key="a").request_id == order_intent(key="a", plan_id=2).request_id
    assert order_intent(key="a").request_id != order_intent(key="b").request_id
