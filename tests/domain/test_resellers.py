"""Whose customer somebody stays when its target is an indirect provider: one right link, or none (R-207, R-220)."""

from __future__ import annotations

import pytest

from tenantfold.domain.messages import invitation_text
from tenantfold.domain.model import Route, TenantId
from tenantfold.domain.resellers import NoLink, Reseller, reseller_of
from tests.domain.samples import item, plan_customer

FIRST_UP = Reseller(tenant_id=TenantId("first-up"), partner_id="4847383", name="First Up", is_active=True)
ENDED = Reseller(tenant_id=TenantId("ended"), partner_id="4512000", name="Ended", is_active=False)


@pytest.mark.parametrize(
    ("on_record", "found"),
    [
        pytest.param(["4847383"], FIRST_UP, id="one"),
        pytest.param(["4847383", "4847383"], FIRST_UP, id="the same twice"),
        pytest.param(["4847383", ""], FIRST_UP, id="one that names nobody beside it"),
        pytest.param([""], None, id="nobody"),
        pytest.param([], None, id="nothing that moves"),
    ],
)
def test_the_reseller_of_what_moves(on_record: list[str], found: Reseller | None):
    """By its partner location id; what stays says nothing."""
    items = [item(f"s{number}", partner_id_on_record=one) for number, one in enumerate(on_record)]
    kept = item("kept", route=Route.KEEP, partner_id_on_record="4999999")
    assert reseller_of(plan_customer(*items, kept), (ENDED, FIRST_UP)) == found


@pytest.mark.parametrize(
    ("on_record", "said"),
    [
        pytest.param(["4847383", "4512000"], "2 resellers (4512000, 4847383)", id="two"),
        pytest.param(["4512000"], "Ended (4512000), whose partnership is not active", id="ended"),
        pytest.param(["4900000"], "4900000, unknown", id="unknown"),
    ],
)
def test_no_link_is_guessed(on_record: list[str], said: str):
    """Under a wrong link the customer would stand with somebody else; a person is told what to do."""
    items = [item(f"s{number}", partner_id_on_record=one) for number, one in enumerate(on_record)]
    answer = reseller_of(plan_customer(*items), (ENDED, FIRST_UP))
    assert isinstance(answer, NoLink)
    assert said in answer.detail
    assert answer.next_action


def test_the_letter_says_that_the_reseller_stays():
    """Only where there is one; the link is in it as it is (R-97)."""
    with_one = invitation_text("Ekdal AB", "Nordwind", "https://a/?msppId=1", "First Up")
    assert "First Up stays your partner" in with_one
    assert "https://a/?msppId=1\n" in with_one
    assert "stays your partner" not in invitation_text("Ekdal AB", "Nordwind", "https://a/?msppId=0")
