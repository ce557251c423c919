"""The client and the emulator agree on the routes beside ``recreate``: transfers, Azure, the catalog, support."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from partner_center_emulator.seed.mixed import mixed_partner
from partner_center_emulator.seed.portfolios import NOT_TRANSFERABLE, Portfolio
from partner_center_emulator.state.transfers import Stumble
from tenantfold.domain.azure import AzureKind
from tenantfold.domain.model import CustomerId, OfferId, OrderLine, SkuTerm, Subscription, SubscriptionId
from tenantfold.domain.parity import compare_moved
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.products import AZURE_PLAN_SKU, product_sku
from tenantfold.domain.requests import (
    ServiceRequestState,
    ServiceRequestWish,
    TransferProduct,
    TransferState,
    TransferWish,
)
from tenantfold.errors import ConflictError, NoAnswerError, RefusedError
from tests.contract.stage import CONTACT, OpenStage, Stage, wish
from tests.domain.transfers import seats_item

LICENSES = (TransferProduct.LICENSE,)
AZURE = (TransferProduct.AZURE_SUBSCRIPTION, TransferProduct.AZURE_RESERVATION)
ACTIVE = "active"


async def _mixed(open_stage: OpenStage, portfolio: Portfolio, **options: object) -> tuple[Stage, CustomerId]:
    """A partner with one customer of this kind at "se", which accepted the target and its agreement."""
    mixer = mixed_partner(3)
    mixer.add(portfolio, "se", "Ekdal AB")
    stage: Stage = await open_stage(mixer.world, strict=True, **options)
    customer_id = CustomerId(next(iter(mixer.world.customers)))
    stage.accept(customer_id)
    await stage.client("target").attest_agreement(customer_id, CONTACT, wish("agreement"))
    return stage, customer_id


def _asking(stage: Stage, customer_id: CustomerId, *products: TransferProduct) -> TransferWish:
    customer, source = stage.emulator.world.customers[customer_id], stage.tenant("se")
    return TransferWish(
        source_id=source.id,  # type: ignore[arg-type]  # the emulator's ids are plain text
        source_name=source.company_name,
        customer_email=customer.email,
        customer_name=customer.company_name,
        product_types=products,
    )


async def _modern(stage: Stage, customer_id: CustomerId, key: str = "se") -> list[Subscription]:
    reads = await stage.client(key).subscriptions(customer_id)
    return [read.value for read in reads if ":" in read.value.offer_id and read.value.wire_status == ACTIVE]


def _as_planned(source: Subscription) -> PlanItem:
    return replace(
        seats_item(source.id),
        offer_id=source.offer_id,
        license_count=source.license_count,
        billing_cycle=source.billing_cycle,
        term_duration=source.term_duration,
        ends_on=source.commitment_end_on,
        partner_id_on_record=source.partner_id_on_record,
    )


async def test_a_transfer_moves_licenses_and_names_what_became_of_each(open_stage: OpenStage):
    """Asked by the target, given by the source, followed by both; the new subscription is what the old one was."""
    stage, customer_id = await _mixed(open_stage, Portfolio.MODERN)
    source, target = stage.client("se"), stage.client("target")
    held = await _modern(stage, customer_id)
    asked = await target.request_transfer(customer_id, _asking(stage, customer_id, *LICENSES), wish("ask"))
    assert (asked.state, asked.lines, asked.product_types) == (TransferState.PENDING, (), ("OnlineServicesNCE",))
    (seen,) = await source.transfers(customer_id)
    assert (seen.id, seen.source_id, seen.target_id) == (asked.id, stage.tenant("se").id, stage.tenant("target").id)
    given = await source.submit_transfer(customer_id, seen, [one.id for one in held], wish("give"))
    assert given.state is TransferState.IN_PROGRESS
    (hidden,) = await target.transfers(customer_id)
    assert (hidden.state, hidden.lines) == (TransferState.IN_PROGRESS, ())
    await stage.clock.sleep(3600)
    (done,) = await target.transfers(customer_id)
    assert done.state is TransferState.COMPLETE
    assert done.completed_at is not None
    assert done.changed_at is not None
    ids = {line.id: line.target_id for line in done.lines if line.is_done}
    arrived = {read.value.id: read.value for read in await target.subscriptions(customer_id)}
    for one in held:
        target_id = ids[one.id]
        assert target_id is not None
        assert not compare_moved(_as_planned(one), arrived[target_id], stage.clock.now().date())
    assert not await _modern(stage, customer_id)


async def test_one_item_that_may_not_move_refuses_them_all_and_is_named(open_stage: OpenStage):
    """Code 900134 with the id in its words (R-167): that is how the program learns it."""
    stage, customer_id = await _mixed(open_stage, Portfolio.NOT_TRANSFERABLE)
    source, target = stage.client("se"), stage.client("target")
    held = await _modern(stage, customer_id)
    fixed = next(one for one in held if product_sku(one.offer_id) == NOT_TRANSFERABLE)
    asked = await target.request_transfer(customer_id, _asking(stage, customer_id, *LICENSES), wish("ask"))
    with pytest.raises(RefusedError) as refused:
        await source.submit_transfer(customer_id, asked, [one.id for one in held], wish("give"))
    assert refused.value.facts["code"] == "900134"
    assert fixed.id in refused.value.message
    (still,) = await source.transfers(customer_id)
    assert still.state is TransferState.PENDING


async def test_a_line_that_fails_says_why(open_stage: OpenStage):
    """A partial end: one moved, one did not, with Microsoft's words (R-166)."""
    stage, customer_id = await _mixed(open_stage, Portfolio.MODERN)
    source, target = stage.client("se"), stage.client("target")
    held = await _modern(stage, customer_id)
    stage.emulator.world.transfers.stumbles[held[0].id] = Stumble(code=900103, times=1_000)
    asked = await target.request_transfer(customer_id, _asking(stage, customer_id, *LICENSES), wish("ask"))
    await source.submit_transfer(customer_id, asked, [one.id for one in held], wish("give"))
    await stage.clock.sleep(4 * 24 * 3600)
    (ended,) = await source.transfers(customer_id)
    assert ended.state in {TransferState.PARTIAL, TransferState.FAILED}
    failed = next(line for line in ended.lines if line.id == held[0].id)
    assert not failed.is_done
    assert "900103" in failed.error


async def test_a_second_request_conflicts_and_the_first_can_be_taken_back(open_stage: OpenStage):
    """One open request between two partners for a customer (900101); its creator cancels it."""
    stage, customer_id = await _mixed(open_stage, Portfolio.MODERN)
    target = stage.client("target")
    asking = _asking(stage, customer_id, *LICENSES)
    asked = await target.request_transfer(customer_id, asking, wish("ask"))
    with pytest.raises(ConflictError):
        await target.request_transfer(customer_id, asking, wish("ask again"))
    canceled = await target.cancel_transfer(customer_id, asked, wish("cancel"))
    assert canceled.state is TransferState.CANCELED
    again = await target.request_transfer(customer_id, asking, wish("ask anew"))
    assert [one.id for one in await target.transfers(customer_id)] == [asked.id, again.id]


async def test_a_request_whose_answer_is_lost_stands_in_the_list(open_stage: OpenStage):
    """NoAnswerError, and a read that shows it: never sent twice (invariant 6)."""
    stage, customer_id = await _mixed(open_stage, Portfolio.MODERN)
    target = stage.client("target")
    assert await target.transfers(customer_id) == ()
    stage.wire.losing = "POST"
    with pytest.raises(NoAnswerError):
        await target.request_transfer(customer_id, _asking(stage, customer_id, *LICENSES), wish("ask"))
    stage.wire.losing = ""
    assert [one.state for one in await target.transfers(customer_id)] == [TransferState.PENDING]


async def _with_plan(stage: Stage, customer_id: CustomerId) -> Subscription:
    """Buy the Azure plan at the target."""
    target = stage.client("target")
    country = stage.emulator.world.customers[customer_id].address.country
    sold_as = SkuTerm(duration="", billing_cycle="one_time")
    item = await target.catalog_item(AZURE_PLAN_SKU, country, sold_as)
    assert item is not None
    line = OrderLine(
        source_subscription_id=SubscriptionId("plan"), offer_id=item, license_count=1, friendly_name="Azure plan"
    )
    await target.buy(customer_id, "one_time", [line], wish("plan"))
    await stage.clock.sleep(3600)
    (plan,) = await _modern(stage, customer_id, "target")
    return plan


async def test_azure_moves_below_the_plan_of_the_target(open_stage: OpenStage):
    """A plan is bought, its empty subscription canceled, and everything active is given: ids stay (R-164, R-174)."""
    stage, customer_id = await _mixed(open_stage, Portfolio.RESERVATIONS)
    source, target = stage.client("se"), stage.client("target")
    plan = await _with_plan(stage, customer_id)
    (default,) = await target.azure_subscriptions(customer_id, plan.id)
    await target.cancel_azure_subscription(customer_id, plan.id, default.id, wish("default"))
    await stage.clock.sleep(3600)
    assert not [one for one in await target.azure_subscriptions(customer_id, plan.id) if one.is_active]
    (old,) = await _modern(stage, customer_id)
    things = (*await source.azure_subscriptions(customer_id, old.id), *await source.azure_commitments(customer_id))
    assert {one.kind for one in things} == {AzureKind.SUBSCRIPTION, AzureKind.RESERVATION}
    assert all(one.is_active for one in things)
    asked = await target.request_transfer(customer_id, _asking(stage, customer_id, *AZURE), wish("ask"))
    await source.submit_transfer(customer_id, asked, [one.id for one in things], wish("give"))
    await stage.clock.sleep(3600)
    moved = (*await target.azure_subscriptions(customer_id, plan.id), *await target.azure_commitments(customer_id))
    assert {one.id for one in moved if one.is_active} == {one.id for one in things}
    assert not await source.azure_subscriptions(customer_id, old.id)
    assert not await source.azure_commitments(customer_id)


async def test_an_inactive_reservation_shows_as_what_it_is(open_stage: OpenStage):
    """It must not be selected (R-167), and the read says so."""
    stage, customer_id = await _mixed(open_stage, Portfolio.RESERVATION_OFF)
    found = await stage.client("se").azure_commitments(customer_id)
    assert {one.is_active for one in found} == {True, False} or not any(one.is_active for one in found)


async def test_perpetual_software_shows_with_its_order_and_reservations_do_not(open_stage: OpenStage):
    """It has an entitlement and no subscription (commerce reference 3.2)."""
    stage, customer_id = await _mixed(open_stage, Portfolio.PERPETUAL)
    (owned,) = await stage.client("se").software(customer_id)
    assert (owned.count, owned.status) == (2, "valid")
    assert owned.sku_id.startswith("DG7GMGF0")
    assert owned.order_id in stage.emulator.world.orders
    assert not [one for one in await _modern(stage, customer_id) if one.offer_id.startswith(owned.sku_id)]
    assert await stage.client("target").software(customer_id) == ()
    reserved, customer_id = await _mixed(open_stage, Portfolio.RESERVATIONS)
    assert await reserved.client("se").software(customer_id) == ()


async def test_the_catalog_says_what_is_sold_on_which_terms(open_stage: OpenStage):
    """A SKU the customer holds is in the list with its terms; its catalog item is the one of today."""
    stage, customer_id = await _mixed(open_stage, Portfolio.MODERN)
    target = stage.client("target")
    (held, *_) = await _modern(stage, customer_id)
    sku_id = OfferId(product_sku(held.offer_id))
    sold_as = SkuTerm(duration=held.term_duration, billing_cycle=held.billing_cycle)
    skus = {read.value.id: read.value for read in await target.skus("SE")}
    assert skus[sku_id].is_sold
    assert sold_as in skus[sku_id].terms
    item = await target.catalog_item(sku_id, "SE", sold_as)
    assert item is not None
    assert item.startswith(f"{sku_id}:")
    assert await target.catalog_item(sku_id, "SE", replace(sold_as, duration="P9Y")) is None
    assert await target.catalog_item(OfferId("CFQ7TTC00000:0001"), "SE", sold_as) is None


async def test_what_is_bought_again_is_found_by_its_order(open_stage: OpenStage):
    """The subscription comes later than the answer; product, term and seats are those of the line."""
    stage, customer_id = await _mixed(open_stage, Portfolio.MODERN, provisioning_seconds=300.0)
    target = stage.client("target")
    (held, *_) = await _modern(stage, customer_id)
    sold_as = SkuTerm(duration=held.term_duration, billing_cycle=held.billing_cycle)
    item = await target.catalog_item(OfferId(product_sku(held.offer_id)), "SE", sold_as)
    assert item is not None
    line = OrderLine(
        source_subscription_id=held.id,
        offer_id=item,
        license_count=1,
        friendly_name="Again",
        term_duration=held.term_duration,
    )
    order = await target.buy(customer_id, held.billing_cycle, [line], wish("buy"))
    assert [one.subscription_id for one in order.lines] == [None]
    await stage.clock.sleep(600)
    (bought,) = await _modern(stage, customer_id, "target")
    assert (bought.order_id, product_sku(bought.offer_id)) == (order.id, product_sku(held.offer_id))
    assert (bought.term_duration, bought.license_count) == (held.term_duration, 1)


async def test_a_renewal_is_turned_off_with_everything_else_left_as_it_was(open_stage: OpenStage):
    """The whole document goes back; nothing but the renewal changes (R-225)."""
    stage, customer_id = await _mixed(open_stage, Portfolio.MODERN)
    source = stage.client("se")
    reads = await source.subscriptions(customer_id)
    read = next(one for one in reads if one.value.auto_renew and one.value.wire_status == ACTIVE)
    await source.stop_renewal(customer_id, read, wish("stop"))
    after = await source.subscription(customer_id, read.value.id)
    assert after.value == replace(read.value, auto_renew=False, etag=after.value.etag)


async def test_a_service_request_is_opened_only_where_the_api_allows_it(open_stage: OpenStage):
    """It was withdrawn: RefusedError with what to do instead; where it is back, it is found in the list."""
    asking = ServiceRequestWish(title="Change of Cloud Solution Provider", description="Please move it.")
    stage, customer_id = await _mixed(open_stage, Portfolio.LEGACY_AZURE)
    with pytest.raises(RefusedError, match="opens no service requests"):
        await stage.client("se").open_service_request(customer_id, asking, wish("ticket"))
    stage, customer_id = await _mixed(open_stage, Portfolio.LEGACY_AZURE, service_request_create=True)
    opened = await stage.client("se").open_service_request(customer_id, asking, wish("ticket"))
    assert opened.state is ServiceRequestState.OPEN
    found = await stage.client("se").service_requests(customer_id)
    assert [(one.id, one.title) for one in found] == [(opened.id, asking.title)]
    assert found[0].created_at is not None
    assert stage.clock.now() - found[0].created_at < timedelta(minutes=1)
