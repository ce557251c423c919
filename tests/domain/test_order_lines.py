"""Legacy licenses that an approved mapping takes to new commerce: ordered, read and compared by product and SKU."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tenantfold.domain.actions import (
    Action,
    AdoptOutcome,
    BuyAddOns,
    Link,
    MarkVerified,
    Pause,
    PlaceOrder,
    Resend,
    Suspend,
    Withdraw,
)
from tenantfold.domain.course import next_action
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import Outcome, OutcomeKind
from tenantfold.domain.model import OfferId, OrderLine, PlacedLine, SkuTerm, Subscription, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.order_lines import is_new_commerce, line_of, wanted_offer, wanted_terms
from tenantfold.domain.pairing import counterparts_of
from tenantfold.domain.parity import compare
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import LateCase, Policy
from tenantfold.domain.records import Case
from tests.domain.samples import (
    E3,
    NOW,
    ORDER,
    POLICY,
    TODAY,
    VISIO,
    case,
    counterpart,
    item,
    later,
    line,
    observation,
    order_intent,
    outcome,
    source,
    target,
)

SKU = OfferId("CFQ7TTC0LF8R:0001")
ADD_ON_SKU = OfferId("CFQ7TTC0LHXM:0001")
YEARLY = SkuTerm(duration="P1Y", billing_cycle="annual")
SETTLED = NOW + timedelta(seconds=POLICY.settling_seconds)


def mapped(name: str = "s1", /, **fields: object) -> PlanItem:
    """A legacy license that becomes new commerce, yearly; the source is billed monthly and shows no term."""
    return item(name, **({"target_offer_id": SKU, "sold_as": YEARLY} | fields))


def modern(name: str = "t1", /, **fields: object) -> Subscription:
    """What stands at the target for it."""
    given: dict[str, object] = {
        "offer_id": OfferId(f"{SKU}:CFQ7TTC0TODAY"),
        "product_type": "OnlineServicesNCE",
        "term_duration": "P1Y",
        "billing_cycle": "annual",
    }
    return target(name, **(given | fields))


def modern_line(name: str = "s1", /, **fields: object) -> OrderLine:
    """The line that orders it."""
    return line(name, **({"offer_id": SKU, "term_duration": "P1Y"} | fields))


def _next(known: Case, seen: Observation, now: datetime = NOW, policy: Policy = POLICY) -> Action:
    return next_action(known, seen, now, policy)


def test_an_ordinary_item_is_ordered_as_it_is():
    """Legacy has no term of its own in an order (commerce reference 2.3)."""
    one = item(term_duration="P1Y")
    assert (wanted_offer(one), wanted_terms(one)) == (E3, SkuTerm(duration="P1Y", billing_cycle="monthly"))
    assert not is_new_commerce(one)
    assert line_of(one) == line()


def test_a_mapping_says_product_term_and_billing():
    """The approved one, not the source's."""
    assert is_new_commerce(mapped())
    assert line_of(mapped()) == modern_line()
    assert wanted_terms(mapped()) == YEARLY


def test_it_is_ordered_with_the_billing_cycle_of_the_mapping():
    """And its term in the line."""
    assert _next(case(mapped()), observation(source())) == PlaceOrder("annual", (modern_line(),))


def test_legacy_and_new_commerce_are_ordered_apart():
    """Two commerce systems, two orders, whatever the billing cycle."""
    same_cycle = replace(YEARLY, billing_cycle="monthly")
    known = case(item("s1"), mapped("s2", sold_as=same_cycle), item("s3"))
    seen = observation(source("s1"), source("s2"), source("s3"))
    assert _next(known, seen) == PlaceOrder("monthly", (line("s1"), line("s3")))
    ordered = (counterpart("s1", "t1"), counterpart("s3", "t3"))
    seen = observation(source("s1"), source("s2"), source("s3"), target("t1"), target("t3"))
    action = _next(replace(known, counterparts=ordered), seen)
    assert action == PlaceOrder("monthly", (modern_line("s2"),))


def test_an_add_on_that_becomes_new_commerce_is_ordered_like_a_base_after_the_bases():
    """New commerce has no parents: its add-ons are lines of their own (commerce reference 2.2)."""
    add_on = mapped("a1", offer_id=VISIO, target_offer_id=ADD_ON_SKU, parent_id=SubscriptionId("s1"))
    sources = (source(), source("a1", offer_id=VISIO, parent_id=SubscriptionId("s1")))
    known = case(mapped(), add_on)
    assert _next(known, observation(*sources)) == PlaceOrder("annual", (modern_line(),))
    known = replace(known, counterparts=(counterpart(),))
    action = _next(known, observation(*sources, modern()))
    assert action == PlaceOrder("annual", (modern_line("a1", offer_id=ADD_ON_SKU),))


def test_a_legacy_add_on_still_goes_onto_the_order_of_its_base():
    """As before."""
    add_on = item("a1", offer_id=VISIO, target_offer_id=VISIO, parent_id=SubscriptionId("s1"))
    sources = (source(), source("a1", offer_id=VISIO, parent_id=SubscriptionId("s1")))
    action = _next(case(item(), add_on, counterparts=(counterpart(),)), observation(*sources, target()))
    assert isinstance(action, BuyAddOns)
    assert action.lines[0].parent_target_id == "t1"


def test_it_is_verified_by_product_and_sku_and_then_its_source_is_suspended():
    """The third part of the catalog item id is Microsoft's (commerce reference 1.2)."""
    known = case(mapped(), counterparts=(counterpart(),))
    seen = observation(source(), modern())
    assert isinstance(_next(known, seen), MarkVerified)
    known = replace(known, counterparts=(counterpart(verified_at=NOW),))
    assert _next(known, seen) == Suspend(mapped())


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"offer_id": OfferId("CFQ7TTC0LF8R:0002:CFQ7TTC0TODAY")}, "offer"),
        ({"term_duration": "P1M"}, "term"),
        ({"billing_cycle": "monthly"}, "billing cycle"),
        ({"license_count": 4}, "license count"),
    ],
)
def test_another_sku_term_or_billing_is_drift(fields: dict[str, object], what: str):
    """Invariant 4, against what the approver saw."""
    assert [drift.field for drift in compare(mapped(), modern(**fields))] == [what]
    action = _next(case(mapped(), counterparts=(counterpart(),)), observation(source(), modern(**fields)))
    assert isinstance(action, Pause)
    assert action.refusal.code is RefusalCode.DRIFT


def test_an_add_on_of_new_commerce_equals_without_a_base():
    """Its target shows none."""
    add_on = mapped("a1", parent_id=SubscriptionId("s1"))
    assert compare(add_on, modern("t2")) == ()


def test_the_answer_names_the_catalog_item_and_is_paired_all_the_same():
    """Wished for by product and SKU."""
    intent = order_intent(modern_line(), billing_cycle="annual")
    placed = PlacedLine(offer_id=modern().offer_id, license_count=5, subscription_id=SubscriptionId("t1"))
    answer = Outcome(intent_key=intent.key, kind=OutcomeKind.DONE, at=NOW, order_id=ORDER, lines=(placed,))
    assert counterparts_of(intent, answer, (), TODAY) == (counterpart(),)


def test_a_late_id_is_found_by_product_and_sku():
    """As with legacy orders."""
    intent = order_intent(modern_line(), billing_cycle="annual")
    known = case(mapped(), counterparts=(counterpart("s1", None),))
    seen = observation(source(), modern(), ordered_as={SubscriptionId("s1"): (SKU, 5)})
    assert _next(known, seen) == Link((counterpart(),))
    assert intent.lines[0].offer_id == SKU


def test_a_lost_answer_is_found_at_the_target_or_sent_again():
    """The same order, and the same request id."""
    intent = order_intent(modern_line(), billing_cycle="annual")
    known = case(mapped(), open_intents=(intent,))
    found = _next(known, observation(source(), modern()))
    assert isinstance(found, AdoptOutcome)
    assert found.outcome.kind is OutcomeKind.ADOPTED
    assert _next(known, observation(source(), at=SETTLED), SETTLED) == Resend(intent)


def test_a_lost_order_is_not_sent_again_when_the_mapping_changed():
    """The newest plan counts (invariant 5)."""
    intent = order_intent(modern_line(), billing_cycle="annual")
    other = mapped(sold_as=replace(YEARLY, billing_cycle="monthly"))
    action = _next(case(other, open_intents=(intent,)), observation(source(), at=SETTLED), SETTLED)
    assert isinstance(action, AdoptOutcome)
    assert action.outcome.kind is OutcomeKind.FAILED


def test_a_late_cutover_onto_new_commerce_is_never_taken_back_by_suspending():
    """Suspending new commerce stops no bill (R-135): what stands is finished."""
    late = datetime(2026, 3, 2, 23, 45, tzinfo=UTC)
    known = case(mapped(), counterparts=(counterpart(),), settled=(*case().settled, _ordered()))
    stuck = observation(source(), modern(wire_status="pending"), at=late)
    action = _next(known, stuck, late, Policy(late_case=LateCase.WITHDRAW))
    assert isinstance(action, Pause)
    legacy = observation(source(), target(wire_status="pending"), at=late)
    assert isinstance(
        _next(case(counterparts=(counterpart(),)), legacy, late, Policy(late_case=LateCase.WITHDRAW)), Withdraw
    )


def _ordered() -> tuple[object, ...]:
    intent = order_intent(modern_line(), billing_cycle="annual")
    return intent, outcome(intent, at=later(seconds=1))
