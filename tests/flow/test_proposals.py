"""Use case: proposals for the offers of the newest plan that are no longer sold."""

from __future__ import annotations

import pytest

from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import OfferId
from tenantfold.errors import PlanMissingError
from tenantfold.flow.proposals import propose_replacements
from tests.flow.fakes import TARGET
from tests.flow.test_inventory import E3
from tests.flow.test_planning import Desk

GONE = OfferId("GONE")
UNSIGNED = (OfferMapping(source_offer_id=GONE, target_offer_id=E3.id),)


async def _desk() -> Desk:
    """Three customers; two of them hold an offer that the target does not sell. It sells E3."""
    desk = Desk()
    for number in range(3):
        desk.stage.add(number, accepted=False)
    for number in range(2):
        desk.stage.change(number, offer_id=GONE, offer_name=f"{E3.name} Campaign", license_count=5 + number)
    await desk.read()
    return desk


async def test_without_a_plan_there_is_nothing_to_propose():
    """The plan says what is missing, so there must be one."""
    desk = await _desk()
    with pytest.raises(PlanMissingError):
        await propose_replacements(desk.stage.ledger, desk.inventory, TARGET)


async def test_one_proposal_serves_all_customers_that_wait_for_it():
    """The offer, how many customers hold it, and what their license counts need."""
    desk = await _desk()
    await desk.plan()
    (found,) = await propose_replacements(desk.stage.ledger, desk.inventory, TARGET)
    assert (found.wanted.offer_id, found.customers) == (GONE, 2)
    assert (found.wanted.fewest, found.wanted.most, found.wanted.countries) == (5, 6, frozenset({"SE"}))
    assert [one.offer_id for one in found.proposals] == [E3.id]


async def test_a_row_that_only_lacks_a_name_is_not_proposed_again():
    """The plan reports it as not approved; a person has to sign it, not to choose again."""
    desk = await _desk()
    await desk.plan(mapping=UNSIGNED)
    assert await propose_replacements(desk.stage.ledger, desk.inventory, TARGET) == ()
