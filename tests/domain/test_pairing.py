"""Pairing: every line of an order gets its counterpart, and no target subscription stands for two (invariant 2)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import OfferId, OrderId, PlacedLine, SubscriptionId
from tenantfold.domain.pairing import counterparts_of
from tenantfold.domain.states import Origin
from tests.domain.samples import E5, ORDER, TODAY, line, order_intent, outcome, placed

OFFERS = st.sampled_from(["E3", "E5"])
COUNTS = st.integers(1, 2)
ANSWERS = st.lists(
    st.tuples(st.integers(1, 8) | st.none(), OFFERS, COUNTS), max_size=8, unique_by=lambda one: one[0] or object()
)


@given(
    wanted=st.lists(st.tuples(OFFERS, COUNTS), min_size=1, max_size=5),
    answer=ANSWERS,
    taken=st.sets(st.integers(1, 8)),
)
def test_every_line_gets_one_counterpart_and_no_target_serves_two(
    wanted: list[tuple[str, int]], answer: list[tuple[int | None, str, int]], taken: set[int]
):
    """Whatever the answer holds: late ids, missing lines, old lines, lines of others."""
    lines = [
        line(f"s{index}", offer_id=OfferId(offer), license_count=count) for index, (offer, count) in enumerate(wanted)
    ]
    shown = {SubscriptionId(f"t{number}"): (offer, count) for number, offer, count in answer if number is not None}
    others = {SubscriptionId(f"t{number}") for number in taken}
    intent = order_intent(*lines)
    got = outcome(intent, order_id=ORDER, lines=tuple(_placed(*one) for one in answer))
    found = counterparts_of(intent, got, others, TODAY)

    assert [one.source_id for one in found] == [one.source_subscription_id for one in lines]
    ids = [one.target_id for one in found if one.target_id is not None]
    assert len(set(ids)) == len(ids)
    assert not others & set(ids)
    for one, wish in zip(found, lines, strict=True):
        assert one.target_id is None or shown[one.target_id] == (wish.offer_id, wish.license_count)
        assert (one.order_id, one.origin, one.cutover_on) == (ORDER, Origin.CREATED, TODAY)


def _placed(number: int | None, offer: str, count: int) -> PlacedLine:
    return placed(f"t{number}" if number is not None else None, offer_id=OfferId(offer), license_count=count)


def test_a_failed_order_has_no_counterparts():
    """Nothing was made."""
    intent = order_intent()
    assert counterparts_of(intent, outcome(intent, OutcomeKind.FAILED, lines=(placed(),)), (), TODAY) == ()


def test_a_line_that_the_answer_does_not_show_is_not_left_out():
    """Leaving it out would order it a second time."""
    intent = order_intent(line("s1"), line("s2", offer_id=E5))
    found = counterparts_of(intent, outcome(intent, order_id=ORDER, lines=(placed(),)), (), TODAY)
    assert [(one.source_id, one.target_id) for one in found] == [("s1", "t1"), ("s2", None)]


def test_old_lines_of_the_order_are_not_taken_for_new_ones():
    """The answer to buying add-ons shows the whole order."""
    intent = order_intent()
    got = outcome(intent, order_id=ORDER, lines=(placed("t1"), placed("t2")))
    (one,) = counterparts_of(intent, got, {SubscriptionId("t1")}, TODAY)
    assert one.target_id == "t2"


def test_an_answer_without_an_order_id_is_kept_without_one():
    """It is found by reading later."""
    intent = order_intent()
    (one,) = counterparts_of(intent, outcome(intent), (), TODAY)
    assert (one.order_id, one.target_id) == (OrderId(""), None)
