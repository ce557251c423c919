"""Preflight asks nothing of ordinary legacy licenses: that may save time and must never save a word."""

from __future__ import annotations

from hypothesis import event, given
from hypothesis import strategies as st

from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import Offer, Subscription
from tenantfold.domain.planner import _reviewed
from tenantfold.domain.preflight.rule import _ITEM_CHECKS, is_ordinary
from tests.domain.samples import E3, E5, VISIO, context, entry, offer, source, target

APPROVED = OfferMapping(source_offer_id=E3, target_offer_id=E5, approved_by="Eva")
ORDINARY = st.builds(
    source,
    st.sampled_from(["s1"]),
    license_count=st.integers(1, 12),
    billing_cycle=st.sampled_from(["monthly", "annual", "triennial"]),
    offer_id=st.sampled_from([E3, E5, VISIO]),
    parent_id=st.sampled_from([None, None, "s0"]),
)
OFFERS = st.builds(
    offer,
    st.sampled_from(["E3", "E5"]),
    maximum_quantity=st.sampled_from([10, 1000]),
    minimum_quantity=st.sampled_from([1, 5]),
    is_available=st.sampled_from([True, True, False]),
    billing_cycles=st.sampled_from([("monthly", "annual"), ("monthly",), ()]),
    limit_unit=st.sampled_from(["None", "None", "Concurrent"]),
    limit=st.sampled_from([0, 1, 2]),
)


@given(held=ORDINARY, sold=OFFERS, mapped=st.booleans(), standing=st.booleans())
def test_no_rule_would_speak_of_an_ordinary_item(held: Subscription, sold: Offer, *, mapped: bool, standing: bool):
    """Ordinary items are not asked about; that may save time and must never save a word."""
    mapping = {E3: APPROVED} if mapped else {}
    book = entry(held, *([target(license_count=9)] if standing else []))
    review = _reviewed(book, context(sold, mapping=mapping))
    for item in review.items:
        said = [rule.name for rule, check in _ITEM_CHECKS[item.route] if check(review, item) is not None]
        event("ordinary" if is_ordinary(review, item) else "asked")
        assert not said or not is_ordinary(review, item)
