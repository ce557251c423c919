"""The customer's own acceptance of the agreement, where the partner's settings count nothing else (R-113, R-116)."""

from __future__ import annotations

import pytest

from tenantfold.domain.actions import Pause, PlaceOrder
from tenantfold.domain.course import next_action
from tenantfold.domain.cutover import needs_agreement_read
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.model import AgreementContact
from tenantfold.domain.policy import AgreementSource, Policy
from tenantfold.domain.states import Owner, Phase
from tests.domain.samples import CONTACT, NOW, case, observation, plan_customer, source

OWN_WORD = Policy(agreement_source=AgreementSource.CUSTOMER)


@pytest.mark.parametrize("contact", [None, CONTACT], ids=["no contact", "a contact of an older plan"])
@pytest.mark.parametrize(("agreed", "ordered"), [(True, 1), (False, 0), (None, 0)])
def test_where_only_the_customers_word_counts_it_is_the_customer_who_must_act(
    contact: AgreementContact | None,
    agreed: bool | None,  # noqa: FBT001 - a column
    ordered: int,
):
    """policy.agreement_source = customer (R-113): nothing is attested, and nobody is told to fill in a list."""
    known = case(customer=plan_customer(contact=contact), settled=())
    assert needs_agreement_read(known, OWN_WORD)
    action = next_action(known, observation(source(), has_agreement=agreed), NOW, OWN_WORD)
    assert isinstance(action, PlaceOrder) is bool(ordered)
    if not ordered:
        assert isinstance(action, Pause)
        said = action.refusal
        assert (said.code, said.phase, said.owner) == (RefusalCode.AGREEMENT_MISSING, Phase.ACCEPTED, Owner.CUSTOMER)
        assert "Microsoft 365 admin center" in said.next_action
        assert "contact_first_name" not in said.next_action


def test_what_was_attested_under_another_policy_stands():
    """It is on file at Microsoft: nobody is asked again."""
    assert not needs_agreement_read(case(), OWN_WORD)
    assert isinstance(next_action(case(), observation(source()), NOW, OWN_WORD), PlaceOrder)
