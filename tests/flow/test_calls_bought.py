"""Purchases of new commerce: the catalog item is looked up right before the call, and nothing is sent without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import pytest

from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import (
    CustomerId,
    OfferId,
    OrderId,
    OrderLine,
    PlacedLine,
    PlacedOrder,
    SkuTerm,
    SubscriptionId,
)
from tenantfold.errors import NoAnswerError, RefusedError, UnavailableError
from tenantfold.flow.calls import Caller
from tenantfold.flow.partner_center import PartnerCenter
from tests.domain.rebuys import SKU, again_line, buy_intent
from tests.domain.samples import C1, line, order_intent

OFFERED = {(SKU, "SE", SkuTerm(duration="P1Y", billing_cycle="monthly")): OfferId(f"{SKU}:TODAY")}


@dataclass
class Shop:
    """The part of Partner Center that sells: what was asked, what was ordered and how."""

    lost: bool = False
    asked: list[tuple[OfferId, str, SkuTerm]] = field(default_factory=list)
    bought: list[tuple[str, tuple[OrderLine, ...], UUID]] = field(default_factory=list)
    ordered: list[tuple[str, tuple[OrderLine, ...]]] = field(default_factory=list)

    async def catalog_item(self, sku_id: OfferId, country: str, sold_as: SkuTerm) -> OfferId | None:
        """What stands in the catalog."""
        if self.lost:
            raise NoAnswerError("The connection broke.")
        self.asked.append((sku_id, country, sold_as))
        return OFFERED.get((sku_id, country, sold_as))

    async def buy(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Order new commerce."""
        assert customer_id == C1
        self.bought.append((billing_cycle, tuple(lines), request_id))
        return _placed(lines)

    async def place_order(
        self, _customer: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], _request: UUID
    ) -> PlacedOrder:
        """Order legacy offers."""
        self.ordered.append((billing_cycle, tuple(lines)))
        return _placed(lines)


def _placed(lines: Sequence[OrderLine]) -> PlacedOrder:
    made = (
        PlacedLine(offer_id=one.offer_id, license_count=one.license_count, subscription_id=SubscriptionId("t1"))
        for one in lines
    )
    return PlacedOrder(id=OrderId("o1"), status="completed", lines=tuple(made))


def _caller(shop: Shop, country: str = "SE") -> Caller:
    return Caller(center=cast("PartnerCenter", shop), reads={}, tenant_names={}, country=country)


MAPPED = order_intent(line(offer_id=SKU, term_duration="P1Y"))


@pytest.mark.parametrize("intent", [buy_intent(), MAPPED], ids=["bought again", "ordered by a mapping"])
async def test_new_commerce_is_bought_by_the_catalog_item_of_the_day(intent: Intent):
    """With term, count and reseller of the line, and the request id of the intent."""
    shop = Shop()
    outcome = await _caller(shop).call(intent)
    ((cycle, lines, request_id),) = shop.bought
    assert (cycle, request_id) == ("monthly", intent.request_id)
    assert [(one.offer_id, one.term_duration, one.license_count) for one in lines] == [(f"{SKU}:TODAY", "P1Y", 5)]
    assert outcome.order_id == "o1"
    assert not shop.ordered


async def test_legacy_offers_are_ordered_as_they_are():
    """No catalog is asked."""
    shop = Shop()
    await _caller(shop).call(order_intent())
    assert shop.ordered == [("monthly", (line(),))]
    assert not shop.asked


@pytest.mark.parametrize("intent", [buy_intent(again_line(), again_line("n2", term_duration="P3Y")), MAPPED])
async def test_nothing_is_sent_when_one_line_is_not_sold(intent: Intent):
    """The refusal names product, term, billing and country, and surely had no effect."""
    shop = Shop()
    with pytest.raises(RefusedError) as error:
        await _caller(shop, "NO" if intent is MAPPED else "SE").call(intent)
    assert SKU in error.value.message
    assert ("NO" if intent is MAPPED else "P3Y") in error.value.message
    assert not shop.bought


async def test_a_lost_answer_of_the_catalog_is_no_lost_order():
    """The purchase was not made: it is tried again later, without waiting for it to settle."""
    shop = Shop(lost=True)
    with pytest.raises(UnavailableError):
        await _caller(shop).call(buy_intent())
    assert not shop.bought


async def test_an_azure_plan_is_asked_for_without_a_term():
    """It has none; where it is not sold, nothing is sent."""
    shop = Shop()
    with pytest.raises(RefusedError, match="is not sold in the customer's country"):
        await _caller(shop).call(buy_intent(kind=OpKind.BUY_AZURE_PLAN, lines=(), billing_cycle=""))
    assert [one[2].duration for one in shop.asked] == [""]
