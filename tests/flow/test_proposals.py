"""Use case: proposals for the offers of the newest plan that are no longer sold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.findings import FindingCode
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import OfferId, Sku, SkuTerm
from tenantfold.domain.plan import Disposition
from tenantfold.errors import PlanMissingError, RefusedError
from tenantfold.flow.proposals import propose_replacements
from tests.flow.fakes import TARGET
from tests.flow.test_inventory import E3
from tests.flow.test_planning import Desk

GONE = OfferId("GONE")
MONTH = SkuTerm(duration="P1M", billing_cycle="monthly")
YEAR = SkuTerm(duration="P1Y", billing_cycle="monthly")
PREMIUM = Sku(
    id=OfferId("CFQ7TTC0LCHC:0002"), title="Business Premium", country="SE", is_sold=True, terms=(MONTH, YEAR)
)
SIGNED = OfferMapping(source_offer_id=GONE, target_offer_id=PREMIUM.id, sold_as=YEAR, approved_by="Eva")
UNSIGNED = (OfferMapping(source_offer_id=GONE, target_offer_id=E3.id),)


async def _desk(name: str = f"{E3.name} Campaign", **fields: object) -> Desk:
    """Three customers; two of them hold an offer that the target does not sell. It sells E3."""
    desk = Desk(**fields)  # type: ignore[arg-type]  # the test names the fields
    for number in range(3):
        desk.stage.add(number, accepted=False)
    for number in range(2):
        desk.stage.change(number, offer_id=GONE, offer_name=name, license_count=5 + number)
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


async def test_a_legacy_offer_that_only_new_commerce_follows_is_proposed_signed_and_planned():
    """R-121, the usual case: nobody holds new commerce yet, and its catalog is read all the same."""
    desk = await _desk(PREMIUM.title, sold_skus={"SE": (PREMIUM,)})
    await desk.plan()
    (found,) = await propose_replacements(desk.stage.ledger, desk.inventory, TARGET)
    (proposal,) = found.proposals
    assert (proposal.offer_id, proposal.sold_as, found.not_read) == (PREMIUM.id, YEAR, ())
    signed = replace(proposal.as_mapping(), approved_by="Eva")
    _, customers = await desk.plan(mapping=(signed,))
    ordered = {one.items[0].target_offer_id: one.items[0].sold_as for one in customers if one.items[0].offer_id == GONE}
    assert ordered == {PREMIUM.id: YEAR}


@pytest.mark.parametrize("sold", [replace(PREMIUM, is_sold=False), replace(PREMIUM, terms=(MONTH,))], ids=str)
async def test_a_signed_row_is_checked_where_nobody_holds_new_commerce(sold: Sku):
    """What the target does not sell, or not on these terms, is never ordered; the plan says so."""
    desk = await _desk(PREMIUM.title, sold_skus={"SE": (sold,)})
    _, customers = await desk.plan(mapping=(SIGNED,))
    assert {one.disposition for one in customers if one.items[0].offer_id == GONE} == {Disposition.BLOCKED}


async def test_a_catalog_that_could_not_be_read_is_not_called_empty():
    """The proposal names the country, and the plan says "not verified" of a signed row (invariant 9)."""
    desk = await _desk(PREMIUM.title, broken={"skus": RefusedError("Not for you.")})
    await desk.plan()
    (found,) = await propose_replacements(desk.stage.ledger, desk.inventory, TARGET)
    assert (found.proposals, found.not_read) == ((), ("SE",))
    _, customers = await desk.plan(mapping=(SIGNED,))
    said = [one for customer in customers for one in customer.all_findings() if one.code is FindingCode.NOT_VERIFIED]
    assert [one.rule for one in said if str(PREMIUM.id) in one.detail and "P1Y monthly" in one.detail]


async def test_a_row_that_only_lacks_a_name_is_not_proposed_again():
    """The plan reports it as not approved; a person has to sign it, not to choose again."""
    desk = await _desk()
    await desk.plan(mapping=UNSIGNED)
    assert await propose_replacements(desk.stage.ledger, desk.inventory, TARGET) == ()
