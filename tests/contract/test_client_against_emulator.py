"""The client and the emulator share no code: here they must agree, in one process and on one clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from partner_center_emulator.seed import generate_world
from partner_center_emulator.signin import models as pretended_sign_in
from partner_center_emulator.state.people import PartnerLink, ResellerPartner
from tenantfold.domain.model import (
    OfferId,
    OrderLine,
    PlacedOrder,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.resellers import Reseller
from tenantfold.errors import (
    AuthError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    PartnerCenterError,
    RefusedError,
    RoleMissingError,
)
from tenantfold.partnercenter import (
    PartnerCenterClient,
)
from tests.contract.stage import CONTACT, OpenStage, Stage, lines_for, ready_customer, wish


@pytest.mark.parametrize("key", ["se", "no", "dk", "target"])
async def test_agree_on_who_we_are(stage: Stage, key: str):
    """Organization, currency, partner id, user and roles of each tenant."""
    tenant = stage.tenant(key)
    identity = await stage.client(key).identity()
    assert identity.tenant_id == tenant.id
    assert (identity.company_name, identity.country) == (tenant.company_name, tenant.address.country)
    assert (identity.currency, identity.partner_id) == (tenant.currency, tenant.partner_id)
    assert "AdminAgents" in identity.roles
    assert identity.user_name in {user.user_principal_name for user in tenant.users}


@pytest.mark.parametrize("key", ["se", "no", "dk"])
async def test_agree_on_every_customer_and_subscription(stage: Stage, key: str):
    """The whole book of a tenant, value by value, unknown statuses included."""
    world, tenant, client = stage.emulator.world, stage.tenant(key), stage.client(key)
    listed = {read.value.id: read.value async for read in client.customers()}
    assert set(listed) == {one.customer_id for one in world.relationships.values() if one.tenant_id == tenant.id}
    for customer_id, thin in listed.items():
        truth = world.customers[customer_id]
        assert (thin.company_name, thin.domain, thin.relationship) == (truth.company_name, truth.domain, "reseller")
        whole = (await client.customer(customer_id)).value
        assert whole.country == truth.address.country
        subscriptions = {read.value.id: read.value for read in await client.subscriptions(customer_id)}
        held = {
            one.id: one
            for one in world.subscriptions.values()
            if (one.tenant_id, one.customer_id) == (tenant.id, customer_id)
        }
        assert set(subscriptions) == set(held)
        for subscription_id, seen in subscriptions.items():
            there = held[subscription_id]
            assert (seen.offer_id, seen.license_count, seen.wire_status) == (
                there.offer_id,
                there.quantity,
                there.status,
            )
            assert (seen.billing_cycle, seen.parent_id) == (there.billing_cycle, there.parent_subscription_id)
            assert (seen.order_id, seen.commitment_end_on) == (there.order_id, there.commitment_end)
            assert seen.created_at == there.created_at
            assert seen.is_trial is there.is_trial
            assert seen.etag
    assert stage.violations() == []


async def test_agree_on_the_catalog_of_a_country(stage: Stage):
    """Offers of Ireland: everything sold there, with what planning asks of it."""
    offers = {read.value.id: read.value for read in await stage.client("target").offers("IE")}
    sold = {one.id: one for one in stage.emulator.world.offers.values() if not one.off_catalog}
    sold = {key: one for key, one in sold.items() if "IE" not in one.not_sold_in}
    assert set(offers) == set(sold)
    for offer_id, offer in offers.items():
        truth = sold[OfferId(offer_id)]
        assert (offer.name, offer.is_available, offer.is_add_on) == (
            truth.name,
            truth.is_available_for_purchase,
            truth.is_add_on,
        )
        assert (offer.minimum_quantity, offer.maximum_quantity) == (truth.minimum_quantity, truth.maximum_quantity)
        assert sorted(offer.billing_cycles) == sorted(truth.billing_cycles)
        assert (offer.limit_unit, offer.limit) == (truth.limit_unit, truth.limit)
        assert list(offer.prerequisite_offers) == truth.prerequisite_offers


async def test_reads_more_customers_than_one_page_holds_and_resumes_in_the_middle(open_stage: OpenStage):
    """Seek paging with the token in the headers, with links that carry the version."""
    stage = await open_stage(generate_world(7, 1300), link_prefix=True, bom="always")
    key = max(("se", "no", "dk"), key=lambda one: len(_relationships(stage, one)))
    first = await stage.client(key).customer_page()
    assert len(first.items) == 500
    another = stage.client(key)
    seen = {read.value.id for read in first.items}
    next_link = first.next_link
    while next_link is not None:
        page = await another.customer_page(next_link)
        seen |= {read.value.id for read in page.items}
        next_link = page.next_link
    assert seen == _relationships(stage, key)
    assert seen == {read.value.id async for read in another.customers()}


def _relationships(stage: Stage, key: str) -> set[str]:
    tenant = stage.tenant(key)
    return {one.customer_id for one in stage.emulator.world.relationships.values() if one.tenant_id == tenant.id}


async def test_agree_on_the_resellers_of_a_provider(stage: Stage):
    """The link of the provider with one of them in it; somebody else's is refused (R-220)."""
    people, target = stage.emulator.world.people, stage.tenant("target")
    people.resellers["first-up"] = ResellerPartner(
        id="first-up", name="First Up", partner_id="4847383", country="IE", agreement_signed=True
    )
    people.links[f"{target.id}/first-up"] = PartnerLink(
        provider_id=target.id, reseller_id="first-up", since=stage.clock.now(), state="Active"
    )
    client = stage.client("target")
    assert await client.resellers() == (
        Reseller(tenant_id=TenantId("first-up"), partner_id="4847383", name="First Up", is_active=True),
    )
    assert "msppId=first-up" in await client.relationship_url(TenantId("first-up"))
    assert "msppId=0" in await client.relationship_url()
    with pytest.raises(RefusedError):
        await client.relationship_url(TenantId("stranger"))
    assert await stage.client("se").resellers() == ()


async def test_sees_a_customer_only_after_it_accepted(stage: Stage):
    """Before acceptance the target has no relationship; the address to accept at is the target's."""
    customer_id, target = stage.cast("seat_change"), stage.client("target")
    with pytest.raises(NotFoundError):
        await target.customer(customer_id)
    with pytest.raises(NotFoundError):
        await target.subscriptions(customer_id)
    assert stage.tenant("target").id in await target.relationship_url()
    stage.accept(customer_id)
    assert (await target.customer(customer_id)).value.id == customer_id
    assert await target.subscriptions(customer_id) == ()


async def test_cannot_buy_before_the_agreement_and_attests_it_once(stage: Stage):
    """13605 without it; the same statement twice is no error."""
    customer_id, target = stage.cast("seat_change"), stage.client("target")
    stage.emulator.world.customers[customer_id].direct_signed_agreement = False
    stage.accept(customer_id)
    lines = lines_for(await stage.client("dk").subscriptions(customer_id), "annual")
    assert not await target.has_agreement(customer_id)
    with pytest.raises(RefusedError) as caught:
        await target.place_order(customer_id, "annual", lines, wish("too early"))
    assert caught.value.facts["code"] == "13605"
    await target.attest_agreement(customer_id, CONTACT, wish("agreement"))
    await target.attest_agreement(customer_id, CONTACT, wish("again"))
    assert await target.has_agreement(customer_id)
    assert stage.attestations(customer_id) == 1
    await target.place_order(customer_id, "annual", lines, wish("now"))


async def test_recreates_bases_and_add_ons_and_suspends_the_source(stage: Stage):
    """The guide's path for one customer, read back from the other side."""
    customer_id, lines = await ready_customer(stage)
    source, target = stage.client("dk"), stage.client("target")
    held = await source.subscriptions(customer_id)
    order = await target.place_order(customer_id, "annual", lines, wish("bases"))
    base = order.lines[0].subscription_id
    assert base is not None
    add_ons = [read.value for read in held if read.value.is_add_on]
    grown = await target.buy_add_ons(customer_id, order.id, [_add_on(one, base) for one in add_ons], wish("add-ons"))
    assert _holdings(grown) == {(line.offer_id, line.license_count) for line in lines} | {
        (one.offer_id, one.license_count) for one in add_ons
    }
    mine = {read.value.id: read.value for read in await target.subscriptions(customer_id)}
    assert {one.parent_id for one in mine.values() if one.is_add_on} == {base}
    assert {one.id for one in await target.orders(customer_id)} == {order.id}
    for read in held:
        if read.value.wire_status == "active" and not read.value.is_add_on:
            after = await source.suspend(customer_id, read, wish(f"suspend {read.value.id}"))
            assert after.value.wire_status == "suspended"
    statuses = {read.value.wire_status for read in await source.subscriptions(customer_id)}
    assert statuses == {"suspended"}
    assert stage.violations() == []


def _add_on(one: Subscription, base: SubscriptionId) -> OrderLine:
    return OrderLine(
        source_subscription_id=one.id,
        offer_id=one.offer_id,
        license_count=one.license_count,
        friendly_name=one.friendly_name,
        parent_target_id=base,
    )


def _holdings(order: PlacedOrder) -> set[tuple[str, int]]:
    return {(line.offer_id, line.license_count) for line in order.lines}


async def test_a_resent_order_makes_no_twin(stage: Stage):
    """The answer is lost after the order took effect: the same request id gets the same order."""
    customer_id, lines = await ready_customer(stage)
    target = stage.client("target")
    await target.customer(customer_id)
    stage.wire.losing = "POST"
    with pytest.raises(NoAnswerError):
        await target.place_order(customer_id, "annual", lines, wish("bases"))
    stage.wire.losing = ""
    (placed,) = await target.orders(customer_id)
    again = await target.place_order(customer_id, "annual", lines, wish("bases"))
    assert again.id == placed.id
    assert len(await target.subscriptions(customer_id)) == len(lines)
    assert stage.violations() == []


async def test_a_suspension_whose_answer_was_lost_is_in_doubt_and_can_be_looked_up(stage: Stage):
    """What happened is read, not guessed."""
    customer_id, source = stage.cast("two_sources"), stage.client("no")
    read = (await source.subscriptions(customer_id))[0]
    stage.wire.losing = "PATCH"
    with pytest.raises(NoAnswerError):
        await source.suspend(customer_id, read, wish("suspend"))
    stage.wire.losing = ""
    assert (await source.subscription(customer_id, read.value.id)).value.wire_status == "suspended"


async def test_a_change_behind_our_back_is_a_conflict(stage: Stage):
    """Somebody changed the license count in the portal after we read: nothing is overwritten."""
    customer_id, source = stage.cast("two_sources"), stage.client("no")
    read = (await source.subscriptions(customer_id))[0]
    other = await source.suspend(customer_id, read, wish("first"))
    with pytest.raises(ConflictError):
        await source.suspend(customer_id, read, wish("second"))
    assert other.value.etag != read.value.etag


async def test_sixty_four_callers_keep_to_the_rate_limit(open_stage: OpenStage):
    """With a limit of 20 a minute, 64 parallel readers get everything and nobody ignores Retry-After."""
    stage = await open_stage(strict=True, throttle_limit=20, retry_after_in_flight=64)
    client = stage.client("se")
    customers = [read.value.id async for read in client.customers()]
    reads = await asyncio.gather(*(client.customer(customer_id) for customer_id in (customers * 9)[:64]))
    assert len(reads) == 64
    assert stage.violations() == []
    assert stage.clock.now() - stage.emulator.world.started_at >= timedelta(minutes=3)


async def test_signs_in_again_when_the_token_ends(stage: Stage):
    """Hours pass between two steps of a fold."""
    client = stage.client("se")
    await client.customer_page()
    stage.clock.move(5 * 3600)
    await client.customer_page()
    stage.emulator.clock.advance(2 * 3600)  # the server's clock runs ahead of ours: only a 401 tells
    await client.customer_page()
    assert client.calls["GET /v1/customers"] == 4


async def test_explains_why_sign_in_fails(stage: Stage):
    """A wrong secret, an expired one, a revoked refresh token: one sentence each, no call to Partner Center."""
    tenant = stage.tenant("se")

    async def failure(client: PartnerCenterClient) -> PartnerCenterError:
        with pytest.raises(AuthError) as caught:
            await client.customer_page()
        assert client.calls == {}
        return caught.value

    assert "wrong" in (await failure(stage.client("se", secret="guess"))).message
    revoked = stage.client("se")
    pretended_sign_in.revoke(stage.emulator, tenant)
    assert "revoked" in (await failure(revoked)).message
    tenant.apps[0].secret_expires_at = stage.clock.now()
    assert "expired" in (await failure(stage.client("se"))).message


async def test_tells_a_missing_role_from_a_missing_user(stage: Stage):
    """An application alone may list customers, but not ask for the relationship address."""
    alone = stage.client("target", app_only=True)
    assert (await alone.customer_page()).items is not None
    with pytest.raises(RoleMissingError) as caught:
        await alone.relationship_url()
    assert caught.value.facts["code"] == "900329"
    stage.tenant("target").users[0].roles = ["helpdesk_agent"]
    helper = stage.client("target", user=stage.tenant("target").users[0].user_principal_name)
    with pytest.raises(RoleMissingError):
        await helper.relationship_url()
    assert (await helper.identity()).roles == {"HelpdeskAgents"}


async def test_says_that_a_sign_in_without_mfa_is_not_enough(stage: Stage):
    """900421: the refresh token stems from a sign-in without a second factor."""
    user = stage.tenant("target").users[0]
    user.has_mfa = False
    with pytest.raises(AuthError) as caught:
        await stage.client("target", user=user.user_principal_name).relationship_url()
    assert "MFA" in caught.value.next_step


async def test_knows_that_the_customer_signed_the_agreement_itself(stage: Stage):
    """The customer's own signature is as good as our attestation (core reference 7)."""
    customer_id, target = stage.cast("seat_change"), stage.client("target")
    stage.emulator.world.customers[customer_id].direct_signed_agreement = True
    stage.accept(customer_id)
    assert await target.has_agreement(customer_id)
    assert stage.attestations(customer_id) == 0


async def test_learns_the_emulators_time(stage: Stage):
    """The emulator lives in its own year; the same-day rule must live there, too."""
    await stage.client("se").customer_page()
    assert stage.observed.has_server_time
    assert abs(stage.observed.now() - stage.emulator.clock.now()) < timedelta(seconds=5)
