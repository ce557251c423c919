"""A rehearsal of plans that order new commerce: it foresees what the real run does, on the partner's own catalog."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from partner_center_emulator.catalog import offer_by_name
from partner_center_emulator.seed.mixed import mixed_partner
from partner_center_emulator.seed.portfolios import GONE_TO_OFFER, GONE_TO_SKU, Portfolio
from partner_center_emulator.world import World
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import OfferId, SkuTerm
from tenantfold.domain.prediction import Prediction
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import StopSign
from tenantfold.settings import PolicySettings
from tenantfold.simulation.rehearsal import play, prepared
from tenantfold.simulation.stage import StageOptions
from tenantfold.store import Store
from tests.simulation.rehearsed import AT_ONCE, Real, folded, really, rehearse

SOLD, RAN_OUT = "CFQ7TTC0OWN1:0001", "CFQ7TTC0OWN2:0002"
_SHIPPED, _OFFER_AFTER = "CFQ7TTC0LDPB", "Microsoft 365 Business"
_RENAMED = {_SHIPPED: "CFQ7TTC0OWN1", "CFQ7TTC0HDB0": "CFQ7TTC0OWN2"}
_BUYS = frozenset({Portfolio.LEGACY_GONE_TO_SKU, Portfolio.EXPIRED})
OPTIONS = StageOptions(
    sources=("se", "no", "dk", "fi"),
    policy=PolicySettings(buys_azure_plan="yes", cleans_azure_default="yes", partial_customers="allowed"),
)


def own_world(*portfolios: Portfolio) -> World:
    """A partner whose catalog has products under ids that no other world has."""
    mixer = mixed_partner(seed=5)
    for number, portfolio in enumerate(portfolios):
        mixer.add(portfolio, "se", f"Customer {number}")
    text = msgspec.json.encode(mixer.world)
    for shipped, own in _RENAMED.items():
        text = text.replace(shipped.encode(), own.encode())
    return msgspec.json.decode(text, type=World)


def mapping(world: World) -> tuple[OfferMapping, ...]:
    """What a person approved: a legacy offer for one, new commerce for another, other billing for what ran out."""
    ids = {name: OfferId(offer_by_name(world.offers, name).id) for name in (GONE_TO_OFFER, GONE_TO_SKU, _OFFER_AFTER)}
    sold_as = SkuTerm(duration="P1Y", billing_cycle="monthly")
    return (
        OfferMapping(
            source_offer_id=ids[GONE_TO_SKU],
            target_offer_id=OfferId(SOLD),
            sold_as=sold_as,
            approved_by="Ingrid Holm",
        ),
        OfferMapping(source_offer_id=ids[GONE_TO_OFFER], target_offer_id=ids[_OFFER_AFTER], approved_by="Ingrid Holm"),
    )


def by_route(prediction: Prediction) -> dict[str, int]:
    """Calls of all tenants."""
    found: dict[str, int] = {}
    for one in prediction.calls:
        found[one.route] = found.get(one.route, 0) + one.calls
    return found


def writes(calls: dict[str, int]) -> dict[str, int]:
    """Calls that change something; how often somebody looks depends on when somebody runs."""
    return {
        route: count
        for route, count in calls.items()
        if not route.startswith("GET") and "agreement" not in route.lower() and count
    }


def same(prediction: Prediction, real: Real) -> None:
    """The prediction against reality: who moved, what was written, and what the truth ledgers say."""
    assert writes(by_route(prediction)) == writes(real.calls)
    assert {phase: count for phase, count in prediction.phases.items() if count} == {
        phase: count for phase, count in real.phases.items() if count
    }
    truth = real.truth
    assert (prediction.truth.twins, prediction.truth.gaps, prediction.truth.unequal) == (
        truth.twins,
        truth.gaps,
        truth.unequal,
    )


@pytest.mark.parametrize(
    "portfolio",
    [
        Portfolio.LEGACY_GONE_TO_SKU,
        Portfolio.LEGACY_GONE,
        Portfolio.EXPIRED,
        Portfolio.AZURE,
        Portfolio.LEGACY_AZURE,
        Portfolio.EVERYTHING,
    ],
)
async def test_a_plan_that_orders_new_commerce_is_foreseen(tmp_path: Path, portfolio: Portfolio):
    """A legacy offer that becomes new commerce, a term that is bought again, Azure plans: as it then really goes."""
    world = own_world(portfolio)
    given = await folded(world, tmp_path, mapping=mapping(world), options=OPTIONS)
    prediction = await rehearse(given)
    real = await really(given)
    same(prediction, real)
    assert prediction.is_good
    assert any("the plan orders" in one.text for one in prediction.assumptions) is (portfolio in _BUYS)


async def test_a_move_under_way_is_rehearsed_with_the_new_commerce_it_bought(tmp_path: Path):
    """What the first runs ordered and transferred since the inventory is in the twin: nothing is bought again."""
    world = own_world(Portfolio.LEGACY_GONE_TO_SKU, Portfolio.EXPIRED, Portfolio.MODERN, Portfolio.LEGACY)
    given = await folded(world, tmp_path, mapping=mapping(world), options=OPTIONS)
    real = await really(given)
    assert real.phases["moved"] == 4
    prediction = await rehearse(given)
    assert prediction.phases["moved"] == 4
    assert prediction.is_good
    assert not writes(by_route(prediction))


async def test_an_order_that_the_catalog_does_not_list_is_foreseen_to_fail(tmp_path: Path):
    """A product that the target stopped selling after the plan was made: the real run fails, and so does the twin."""
    world = own_world(Portfolio.LEGACY_GONE_TO_SKU)
    given = await folded(world, tmp_path, mapping=mapping(world), options=OPTIONS)
    async with (
        Store.open(given.url) as store,
        prepared(store, given.settings, given.tenants, world.started_at, AT_ONCE, Silent()) as rehearsal,
    ):
        (sku,) = rehearsal.twin.world.commerce.products["CFQ7TTC0OWN1"].skus
        sku.not_sold_in.append("SE")
        prediction = await asyncio.to_thread(play, rehearsal, Silent(), StopSign())
    world.commerce.products["CFQ7TTC0OWN1"].skus[0].not_sold_in.append("SE")
    real = await really(given, visits=1)
    assert {one.code for one in prediction.unmoved} == {"microsoft_refused"}
    assert prediction.phases["failed"] == real.phases["failed"] == 1
