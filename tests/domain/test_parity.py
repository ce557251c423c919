"""Parity: what must be equal on both sides, field by field (invariant 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.model import OfferId, Subscription, SubscriptionId
from tenantfold.domain.parity import Drift, compare, source_drift
from tenantfold.domain.plan import PlanItem
from tests.domain.samples import E5, item, source, target

BASE = SubscriptionId("t9")
ADD_ON = item(parent_id="s9")

TARGET_DRIFTS = [
    pytest.param({"offer_id": E5}, Drift(field="offer", expected="E3", found="E5"), id="offer"),
    pytest.param({"license_count": 4}, Drift(field="license count", expected="5", found="4"), id="license count"),
    pytest.param(
        {"billing_cycle": "annual"},
        Drift(field="billing cycle", expected="monthly", found="annual"),
        id="billing cycle",
    ),
    pytest.param(
        {"partner_id_on_record": "517285"},
        Drift(field="partner id on record", expected="", found="517285"),
        id="partner id on record",
    ),
    pytest.param(
        {"parent_id": "t7"}, Drift(field="base subscription", expected="", found="t7"), id="an add-on stands for a base"
    ),
]

SUBSCRIPTIONS = st.builds(
    source,
    offer_id=st.sampled_from([OfferId("E3"), OfferId("E5")]),
    license_count=st.integers(1, 3),
    billing_cycle=st.sampled_from(["monthly", "annual", ""]),
    partner_id_on_record=st.sampled_from(["", "517285"]),
    parent_id=st.sampled_from([None, SubscriptionId("s9")]),
    friendly_name=st.text(max_size=3),
    wire_status=st.sampled_from(["active", "suspended"]),
)


def _item_of(one: Subscription) -> PlanItem:
    return item(
        offer_id=one.offer_id,
        target_offer_id=one.offer_id,
        license_count=one.license_count,
        billing_cycle=one.billing_cycle,
        partner_id_on_record=one.partner_id_on_record,
        parent_id=one.parent_id,
    )


def test_an_equal_target_has_no_drift():
    """The plain case."""
    assert compare(item(), target()) == ()


@pytest.mark.parametrize(("fields", "drift"), TARGET_DRIFTS)
def test_each_field_of_the_target_drifts_alone(fields: dict[str, object], drift: Drift):
    """One difference is named once, with both values."""
    assert compare(item(), target(**fields)) == (drift,)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"offer_id": E5}, "offer"),
        ({"license_count": 4}, "license count"),
        ({"billing_cycle": "annual"}, "billing cycle"),
        ({"partner_id_on_record": "517285"}, "partner id on record"),
        ({"parent_id": "s9"}, "base subscription"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_field_of_the_source_drifts_alone(fields: dict[str, object], name: str):
    """What the approver saw changed in one place."""
    assert [one.field for one in source_drift(item(), source(**fields))] == [name]


@pytest.mark.parametrize(
    "fields", [{"friendly_name": "x"}, {"wire_status": "suspended"}, {"order_id": "o"}, {"etag": "e"}]
)
def test_names_and_versions_are_not_parity(fields: dict[str, object]):
    """Status is a guard of its own; the rest does not change what the customer may use."""
    assert compare(item(), target(**fields)) == ()
    assert source_drift(item(), source(**fields)) == ()


def test_an_approved_mapping_is_what_the_target_must_hold():
    """The offer to find is the one that was approved, not the source's."""
    mapped = item(target_offer_id=E5)
    assert compare(mapped, target(offer_id=E5)) == ()
    assert compare(mapped, target()) == (Drift(field="offer", expected="E5", found="E3"),)


def test_without_an_offer_of_its_own_the_target_must_hold_the_source_offer():
    """A plan made without a catalog expects the same offer."""
    assert compare(item(target_offer_id=None), target()) == ()


@pytest.mark.parametrize(
    ("found", "parent", "drifts"),
    [
        pytest.param(BASE, BASE, 0, id="under its base"),
        pytest.param("t7", BASE, 1, id="under another"),
        pytest.param(None, BASE, 1, id="under none"),
        pytest.param(BASE, None, 1, id="base unknown"),
        pytest.param(None, None, 1, id="base unknown and under none"),
    ],
)
def test_an_add_on_must_stand_under_the_counterpart_of_its_base(
    found: str | None, parent: SubscriptionId | None, drifts: int
):
    """Anything else is not the same add-on, least of all one without a base (R-124, invariant 9)."""
    assert len(compare(ADD_ON, target(parent_id=found), parent)) == drifts


def test_a_drift_speaks_plainly():
    """An empty side is called nothing."""
    assert str(Drift(field="license count", expected="5", found="4")) == "license count: expected 5, found 4"
    assert str(Drift(field="offer", expected="", found="E3")) == "offer: expected nothing, found E3"


@given(one=SUBSCRIPTIONS)
def test_equal_fields_never_drift(one: Subscription):
    """A plan item made of a subscription equals it on both sides."""
    parent = SubscriptionId("t9") if one.parent_id else None
    assert source_drift(_item_of(one), one) == ()
    assert compare(_item_of(one), replace(one, parent_id=parent), parent) == ()


@given(one=SUBSCRIPTIONS, other=SUBSCRIPTIONS)
def test_drift_is_symmetric(one: Subscription, other: Subscription):
    """Seen from either side the same fields differ, with expected and found exchanged."""
    there = source_drift(_item_of(one), other)
    back = source_drift(_item_of(other), one)
    assert [replace(drift, expected=drift.found, found=drift.expected) for drift in there] == list(back)
