"""Routes: what a subscription is, and what holds whatever else is known (invariants 7 and 9).

The table of rules section E is in test_routes_table.py.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.alternatives import weigh
from tenantfold.domain.model import CommerceKind, ProductKind, Route, Subscription, WireStatus
from tenantfold.domain.products import commerce_kind, product_kind
from tenantfold.domain.routes import Market, choose, facts_of
from tests.domain.samples import TODAY, source

NEW = {"offer_id": "CFQ7TTC0LF8S:0002:CFQ7TTC0K971", "product_type": "OnlineServicesNCE", "term_duration": "P1Y"}
AZURE_PLAN = {"offer_id": "DZH318Z0BPS6:0001:DZH318Z0BMTV", "product_type": "Azure", "billing_type": "usage"}
LEGACY_AZURE = {"offer_id": "MS-AZR-0145P", "billing_type": "usage"}

MARKETS = st.builds(
    Market,
    today=st.sampled_from([None, TODAY]),
    in_region=st.sampled_from([None, True, False]),
    billing_owners=st.sampled_from([None, True, False]),
    source_currency=st.sampled_from(["", "SEK"]),
    target_currency=st.sampled_from(["", "EUR", "SEK"]),
)
PRODUCTS = [
    pytest.param({}, ProductKind.LEGACY_LICENSE, id="legacy license"),
    pytest.param(NEW, ProductKind.LICENSE, id="new-commerce license"),
    pytest.param({**NEW, "product_type": ""}, ProductKind.LICENSE, id="new-commerce license told by its offer id"),
    pytest.param(AZURE_PLAN, ProductKind.AZURE_PLAN, id="Azure plan"),
    pytest.param({**AZURE_PLAN, "product_type": ""}, ProductKind.AZURE_PLAN, id="Azure plan told by its offer id"),
    pytest.param({**AZURE_PLAN, "product_type": "AzureReservation"}, ProductKind.AZURE_COMMITMENT, id="reservation"),
    pytest.param({**AZURE_PLAN, "product_type": "AzureSavingsPlan"}, ProductKind.AZURE_COMMITMENT, id="savings plan"),
    pytest.param(LEGACY_AZURE, ProductKind.LEGACY_AZURE, id="legacy Azure"),
    pytest.param({"offer_id": "ms-azr-0145p"}, ProductKind.LEGACY_AZURE, id="legacy Azure in small letters"),
    pytest.param({"product_type": "Software"}, ProductKind.SOFTWARE, id="software"),
    pytest.param({"offer_id": "DG7GMGF0D5RK:0005"}, ProductKind.SOFTWARE, id="software told by its offer id"),
    pytest.param({"product_type": "MarketplaceSaaS"}, ProductKind.SAAS, id="marketplace"),
    pytest.param({"product_type": "Hardware"}, ProductKind.UNKNOWN, id="a type nobody knows"),
    pytest.param({"offer_id": "DZH318Z0ABCD:0001"}, ProductKind.UNKNOWN, id="Azure or marketplace, not told"),
    pytest.param({"billing_type": "benefit"}, ProductKind.UNKNOWN, id="benefit"),
]
KINDS = [
    pytest.param({}, CommerceKind.LEGACY_LICENSE, id="legacy license"),
    pytest.param(NEW, CommerceKind.NEW_COMMERCE, id="new commerce"),
    pytest.param({**NEW, "product_type": ""}, CommerceKind.NEW_COMMERCE, id="new commerce told by its offer id"),
    pytest.param({"product_type": "Software"}, CommerceKind.NEW_COMMERCE, id="perpetual software"),
    pytest.param(AZURE_PLAN, CommerceKind.AZURE, id="Azure plan"),
    pytest.param({**AZURE_PLAN, "billing_type": "license"}, CommerceKind.AZURE, id="Azure by product type"),
    pytest.param(LEGACY_AZURE, CommerceKind.AZURE, id="legacy Azure"),
    pytest.param({"offer_id": "ms-azr-0145p"}, CommerceKind.AZURE, id="legacy Azure in small letters"),
    pytest.param({"billing_type": "usage"}, CommerceKind.AZURE, id="usage-based"),
    pytest.param({"billing_type": "benefit"}, CommerceKind.OTHER, id="benefit"),
    pytest.param({"billing_type": ""}, CommerceKind.OTHER, id="no billing type"),
    pytest.param({"billing_type": "something new"}, CommerceKind.OTHER, id="unknown billing type"),
]

SUBSCRIPTIONS = st.builds(
    source,
    offer_id=st.sampled_from(["E3", "MS-AZR-0145P", "CFQ7TTC0LF8S:0002", "DZH318Z0BPS6:0001"]),
    product_type=st.sampled_from(["", "Azure", "OnlineServicesNCE", "Software"]),
    billing_type=st.sampled_from(["license", "usage", "benefit", ""]),
    wire_status=st.sampled_from([*WireStatus]) | st.text(max_size=8),
    is_trial=st.booleans(),
    parent_id=st.sampled_from([None, "s0"]),
)


@pytest.mark.parametrize(("fields", "kind"), KINDS)
def test_tells_the_commerce_kind(fields: dict[str, object], kind: CommerceKind):
    """What suspension does to the bill depends on the kind (S-1)."""
    assert commerce_kind(source(**fields)) is kind


@pytest.mark.parametrize(("fields", "kind"), PRODUCTS)
def test_tells_the_kind_of_product(fields: dict[str, object], kind: ProductKind):
    """What is not known is unknown, never the nearest known kind (R-227)."""
    assert product_kind(source(**fields)) is kind


@given(subscription=SUBSCRIPTIONS, market=MARKETS)
def test_an_unknown_status_is_told_before_anything_else(subscription: Subscription, market: Market):
    """Whatever else is known: a status that proves nothing is a person's work (invariant 9)."""
    if subscription.wire_status not in set(WireStatus) - {WireStatus.NONE}:
        choice = choose(facts_of(subscription), market)
        assert (choice.route, choice.rules[0]) == (Route.MANUAL, "R-227")


@given(subscription=SUBSCRIPTIONS, market=MARKETS)
def test_only_active_legacy_licenses_are_recreated(subscription: Subscription, market: Market):
    """New commerce and Azure are never ordered again and never suspended (invariant 7)."""
    if choose(facts_of(subscription), market).route.suspends_source:
        assert commerce_kind(subscription) is CommerceKind.LEGACY_LICENSE
        assert subscription.wire_status == WireStatus.ACTIVE
        assert not subscription.is_trial
        assert market.in_region is not False


@given(subscription=SUBSCRIPTIONS, market=MARKETS)
def test_what_is_left_out_is_over_or_a_trial(subscription: Subscription, market: Market):
    """Nothing that may be billed or used is skipped."""
    if choose(facts_of(subscription), market).route is Route.SKIP:
        assert subscription.is_trial or subscription.wire_status in {"suspended", "deleted", "expired", "disabled"}


@given(subscription=SUBSCRIPTIONS, market=MARKETS)
def test_every_route_is_weighed_with_a_reason_rules_and_a_cost(subscription: Subscription, market: Market):
    """The chosen one and the seven others; one that can be gone has a cost, one that cannot says why."""
    weighed = weigh(facts_of(subscription), market)
    assert {weighed.choice.route} | {one.route for one in weighed.alternatives} == set(Route)
    assert len(weighed.alternatives) == len(Route) - 1
    for one in weighed.alternatives:
        assert one.why
        assert all(rule.startswith("R-") for rule in one.rules)
        assert one.rules
        assert one.cost is not None or not one.is_possible
        assert one.cost is None or one.cost.words()


@given(subscription=SUBSCRIPTIONS, market=MARKETS)
def test_no_alternative_would_suspend_new_commerce(subscription: Subscription, market: Market):
    """The way that suspends the source is possible for legacy licenses alone (R-135)."""
    for one in weigh(facts_of(subscription), market).alternatives:
        if one.route.suspends_source and one.is_possible:
            assert commerce_kind(subscription) is CommerceKind.LEGACY_LICENSE
