"""Routes: how one source subscription gets to the target (rules section E, R-121, R-135, R-145, R-227)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.model import CommerceKind, Route, Subscription, WireStatus
from tenantfold.domain.routes import choose, commerce_kind
from tests.domain.samples import source

NEW = {"offer_id": "CFQ7TTC0LF8S:0002:CFQ7TTC0K971", "product_type": "OnlineServicesNCE", "term_duration": "P1Y"}
AZURE_PLAN = {"offer_id": "DZH318Z0BPS6:0001:DZH318Z0BMTV", "product_type": "Azure", "billing_type": "usage"}
LEGACY_AZURE = {"offer_id": "MS-AZR-0145P", "billing_type": "usage"}

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

ROUTES = [
    pytest.param({}, Route.RECREATE, None, id="section E, legacy license: re-create"),
    pytest.param({"parent_id": "s0"}, Route.RECREATE, None, id="R-124 legacy add-on: with its base"),
    pytest.param(NEW, Route.TRANSFER, "R-145", id="R-145 new commerce: partner-to-partner transfer"),
    pytest.param(AZURE_PLAN, Route.AZURE_SUPPORT, "R-46", id="R-46 Azure plan: moved by Microsoft"),
    pytest.param(LEGACY_AZURE, Route.AZURE_SUPPORT, "R-46", id="R-46 legacy Azure: moved by Microsoft"),
    pytest.param({"billing_type": "benefit"}, Route.MANUAL, "R-227", id="R-227 unknown kind: by hand"),
    pytest.param({"is_trial": True}, Route.SKIP, None, id="section E, legacy trial: runs out"),
    pytest.param({**NEW, "is_trial": True}, Route.TRANSFER, "R-145", id="section E, new-commerce trial: told"),
    pytest.param({"wire_status": "suspended"}, Route.SKIP, None, id="R-134 suspended: over"),
    pytest.param({"wire_status": "deleted"}, Route.SKIP, None, id="R-134 deleted: over"),
    pytest.param({"wire_status": "expired"}, Route.SKIP, None, id="R-134 expired: over"),
    pytest.param({"wire_status": "disabled"}, Route.SKIP, None, id="R-134 disabled: over"),
    pytest.param({"wire_status": "pending"}, Route.MANUAL, "R-227", id="R-227 pending: proves nothing"),
    pytest.param({"wire_status": "frozen"}, Route.MANUAL, "R-227", id="R-227 unknown status"),
    pytest.param({"wire_status": ""}, Route.MANUAL, "R-227", id="R-227 no status"),
    pytest.param({"wire_status": "Active"}, Route.MANUAL, "R-227", id="R-227 a status in another spelling"),
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


@pytest.mark.parametrize(("fields", "route", "rule"), ROUTES)
def test_chooses_the_route(fields: dict[str, object], route: Route, rule: str | None):
    """One row per rule; a route that this version cannot go is a blocker that names its rule."""
    chosen, found = choose(source(**fields))
    assert chosen is route
    assert (found.rule if found else None) == rule
    assert found is None or found.severity is Severity.BLOCKER


@given(subscription=SUBSCRIPTIONS)
def test_an_unknown_status_is_told_before_anything_else(subscription: Subscription):
    """Whatever else is known: a status that proves nothing is a blocker and the route a person (invariant 9)."""
    route, found = choose(subscription)
    if subscription.wire_status not in set(WireStatus):
        assert route is Route.MANUAL
        assert found is not None
        assert found.code is FindingCode.UNKNOWN_STATUS


@given(subscription=SUBSCRIPTIONS)
def test_only_active_legacy_licenses_are_recreated(subscription: Subscription):
    """New commerce and Azure are never ordered again and never suspended (invariant 7)."""
    route, found = choose(subscription)
    if route is Route.RECREATE:
        assert commerce_kind(subscription) is CommerceKind.LEGACY_LICENSE
        assert subscription.wire_status == WireStatus.ACTIVE
        assert not subscription.is_trial
        assert found is None


@given(subscription=SUBSCRIPTIONS)
def test_what_stays_without_a_word_is_over_or_a_trial(subscription: Subscription):
    """A subscription that is not moved and not told about must be known to be off, or a legacy trial."""
    route, found = choose(subscription)
    if found is None and route is not Route.RECREATE:
        assert route is Route.SKIP
        assert subscription.is_trial or subscription.wire_status in {
            "suspended", "deleted", "expired", "disabled", "none"
        }  # fmt: skip
