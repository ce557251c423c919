"""A plan that would suspend new commerce to stop its bill cannot be expressed (invariant 7, S-1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.model import OfferId, ProductKind, Route
from tenantfold.errors import PlanRefusedError
from tests.domain.samples import item

MODERN = [
    pytest.param({"kind": ProductKind.LICENSE}, id="by its kind"),
    pytest.param({"kind": ProductKind.AZURE_PLAN}, id="Azure plan"),
    pytest.param({"kind": ProductKind.UNKNOWN}, id="a kind nobody knows"),
    pytest.param({"offer_id": OfferId("CFQ7TTC0LF8S:0002:CFQ7TTC0K971")}, id="by its offer, whatever the kind says"),
    pytest.param({"offer_id": OfferId("MS-AZR-0145P")}, id="legacy Azure by its offer"),
    pytest.param({"offer_id": OfferId("ms-azr-0145p")}, id="in small letters"),
]


@pytest.mark.parametrize("fields", MODERN)
def test_no_item_can_be_made_that_suspends_new_commerce(fields: dict[str, object]):
    """Neither new nor by changing another one; the sentence names the rule."""
    with pytest.raises(PlanRefusedError, match="R-135"):
        item(route=Route.RECREATE, **fields)
    harmless = item(route=Route.KEEP, **fields)
    with pytest.raises(PlanRefusedError, match="R-135"):
        replace(harmless, route=Route.RECREATE)


@pytest.mark.parametrize("route", [one for one in Route if not one.suspends_source])
def test_every_other_route_can_be_planned_for_it(route: Route):
    """The guard is about suspension alone."""
    assert item(route=route, kind=ProductKind.LICENSE).route is route
    assert not item(route=route, kind=ProductKind.LICENSE).moves


def test_only_recreate_suspends_the_source():
    """A new route that does must be named here, and refused for new commerce."""
    assert [one for one in Route if one.suspends_source] == [Route.RECREATE]
