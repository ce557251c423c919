"""The truth ledger judges the other routes: transfers, buying again, by hand, Azure; and what nobody may do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partner_center_emulator.actors import portal
from partner_center_emulator.azure.models import open_plan
from partner_center_emulator.clock import Clock
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.ledger import LedgerReport, judge
from partner_center_emulator.ledger.shape import CustomerVerdict, Move
from partner_center_emulator.orders.new_commerce import place
from partner_center_emulator.orders.wanted import Request, examine
from partner_center_emulator.products.availability import current_item, plan_of
from partner_center_emulator.seed.mixed import mixed_partner
from partner_center_emulator.seed.portfolios import Portfolio
from partner_center_emulator.state.behaviour import SupportManner
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.subscriptions.terms import record_change
from partner_center_emulator.transfers import modern
from partner_center_emulator.world import Customer, Relationship, Subscription

DAY = 86_400.0


class Tale:
    """One customer with a portfolio in a mixed partner, and what the partner does with it."""

    def __init__(self, portfolio: Portfolio, source: str = "se", seed: int = 1) -> None:
        mixer = mixed_partner(seed)
        self.customer: Customer = mixer.add(portfolio, source, "Alfa Bygg AB")
        self.customer.direct_signed_agreement = True
        self.source = mixer.tenant(source)
        self.target = mixer.tenant("target-us" if source == "us" else "target")
        self.emulator = Emulator(
            mixer.world, Options(provisioning_seconds=0.0), Clock(mixer.world.started_at, frozen=True)
        )
        self.world = self.emulator.world
        key = f"{self.target.id}/{self.customer.id}"
        self.world.relationships[key] = Relationship(
            tenant_id=self.target.id, customer_id=self.customer.id, since=self.world.started_at
        )

    def held(self, kind: str) -> Subscription:
        """The customer's first subscription of a kind."""
        return next(one for one in self.world.subscriptions.values() if self.world.labels.get(one.id) == kind)

    def pass_days(self, days: float) -> None:
        """Let days go by."""
        self.emulator.clock.advance(days * DAY)

    def transfer(self, *ids: str) -> None:
        """Request, submit and complete a transfer by calls of ours."""
        wish: dict[str, object] = {"sourcePartnerTenantId": self.source.id, "customerEmailId": self.customer.email}
        made = modern.create(self.emulator, self.target, self.customer, wish, "somebody")
        lines: list[object] = [{"subscriptionId": one} for one in ids]
        modern.submit(self.emulator, made, {"lineItems": lines}, "call-submit")
        self.emulator.clock.advance(600)
        assert made.status == "Complete"

    def buys(self, like: Subscription, other: str = "") -> None:
        """Buy the same, or another ``product:sku``, at the target by a call of ours."""
        product, sku, _ = like.offer_id.split(":")
        item = current_item(self.emulator, other or f"{product}:{sku}", self.customer.address.country)
        wish = Request(
            number=0, catalog_item_id=item.catalog_item_id, quantity=like.quantity, billing_cycle=like.billing_cycle,
            term_duration=self.world.commerce.terms[like.id].term_duration,
        )  # fmt: skip
        wanted = examine(self.emulator, self.target, self.customer, wish, [wish])
        place(self.emulator, self.target, self.customer, [wanted], "call-buy")

    def judged(self) -> LedgerReport:
        """The truth as of now."""
        return judge(self.world, self.emulator.clock.now(), detail=True)

    def line(self) -> CustomerVerdict:
        """The truth about the customer."""
        found = self.judged().customers
        assert isinstance(found, list)
        return found[0]


def ways(moves: list[Move]) -> dict[str, str]:
    """Subject -> way."""
    return {one.subject_id: one.way for one in moves}


def harmless(found: LedgerReport) -> bool:
    """Whether nothing is wrong."""
    return not (
        found.twins or found.gaps or found.parity.unequal or found.billed_suspensions or found.azure_faults
    )  # fmt: skip


# -- transfers --------------------------------------------------------------------------------------------------------


def test_a_transferred_license_has_moved_equal():
    """Its way is told, nothing is missing, and nobody is billed twice."""
    tale = Tale(Portfolio.SEAT_POOL)
    one = tale.held("LICENSE")
    tale.transfer(one.id)
    found, line = tale.judged(), tale.line()
    assert harmless(found)
    assert (line.state, ways(line.moves)) == ("moved", {one.id: "transferred"})
    assert found.totals.ways == {"transferred": 1}
    assert found.overlaps == []


def test_a_license_that_is_transferred_and_bought_is_a_twin():
    """The availability in the offer's id differs, the product does not."""
    tale = Tale(Portfolio.NOT_TRANSFERABLE)
    one = tale.held("LICENSE")
    tale.transfer(one.id)
    tale.buys(one)
    assert tale.judged().totals.twins == 1


def test_a_line_that_was_not_transferred_is_where_it_was():
    """One of two moved: no gap, and the customer has moved partly."""
    tale = Tale(Portfolio.MODERN_ADD_ON)
    tale.transfer(tale.held("LICENSE").id)
    assert harmless(tale.judged())
    assert (tale.line().state, tale.line().moved, tale.line().movable) == ("partly", 1, 2)


def test_a_transfer_must_keep_term_and_end():
    """R-149: what arrives with another term end or length is unequal."""
    tale = Tale(Portfolio.SEAT_POOL)
    tale.transfer(tale.held("LICENSE").id)
    made = next(one for one in tale.world.changes if one.what == "subscription.created")
    made.after |= {"commitment_end": "2030-01-01", "term_duration": "P3Y"}
    (row,) = tale.judged().parity.unequal
    assert [one.what for one in row.differences] == ["term_duration", "term_end"]


def test_a_transferred_license_that_ends_by_its_own_term_is_no_gap():
    """Whoever let it run out at the target is no concern of the move."""
    tale = Tale(Portfolio.NOT_TRANSFERABLE)
    one = tale.held("LICENSE")
    one.auto_renew = False
    one.commitment_end = (tale.world.started_at + timedelta(days=9)).date()
    tale.transfer(one.id)
    tale.pass_days(60)
    assert tale.world.subscriptions[tale.line().moves[0].counterpart_id].status in {"expired", "disabled"}
    assert tale.judged().gaps == []


# -- the end of a term ------------------------------------------------------------------------------------------------


def test_an_expired_license_bought_again_in_its_days_of_grace_has_moved():
    """R-132: people worked all the time."""
    tale = Tale(Portfolio.EXPIRED)
    one = tale.held("EXPIRED")
    tale.pass_days(2)
    tale.buys(one)
    tale.pass_days(100)
    assert harmless(tale.judged())
    assert ways(tale.line().moves) == {one.id: "rebought"}


@pytest.mark.parametrize("is_gone", [True, False])
def test_another_product_stands_only_for_what_is_no_longer_sold(*, is_gone: bool):
    """As for legacy offers: whoever could buy the same must; for the rest a person chose something else (R-121)."""
    tale = Tale(Portfolio.EXPIRED)
    one = tale.held("EXPIRED")
    product, sku, _ = one.offer_id.split(":")
    others = [
        each
        for each in tale.world.commerce.products.values()
        if each.type == "OnlineServicesNCE" and each.id != product
    ]
    wish = next((each, its) for each in others for its in each.skus if plan_of(its, "P1M", one.billing_cycle))
    if is_gone:
        next(each for each in tale.world.commerce.products[product].skus if each.id == sku).not_sold_in.append(
            tale.customer.address.country
        )
    tale.world.commerce.terms[one.id].term_duration = "P1M"
    tale.buys(one, f"{wish[0].id}:{wish[1].id}")
    tale.pass_days(100)
    found = tale.judged()
    assert (harmless(found), found.totals.twins) == ((True, 0) if is_gone else (False, 1))
    assert ways(tale.line().moves) == ({one.id: "rebought"} if is_gone else {})


def test_an_expired_license_bought_again_late_leaves_a_gap():
    """From the day it was disabled to the purchase nobody could work."""
    tale = Tale(Portfolio.EXPIRED)
    one = tale.held("EXPIRED")
    tale.pass_days(40)
    assert tale.judged().gaps == []  # nobody has begun anything: it ran out by itself
    tale.buys(one)
    (gap,) = tale.judged().gaps
    assert (gap.subscription_id, gap.seats) == (one.id, one.quantity)
    assert gap.to == tale.emulator.clock.now()
    assert 0 < gap.seconds < 40 * DAY


def test_whoever_turns_the_renewal_off_owes_the_seats():
    """Let run out by a call of ours and never bought again: a gap that stays open."""
    tale = Tale(Portfolio.NOT_TRANSFERABLE)
    one = tale.held("NOT_TRANSFERABLE")
    record_change(tale.emulator, one, "call-stop", auto_renew=False)
    tale.pass_days(60)
    assert tale.world.subscriptions[one.id].status == "expired"
    assert tale.judged().gaps == []
    tale.pass_days(40)
    (gap,) = tale.judged().gaps
    assert (gap.seats, gap.to) == (one.quantity, None)


def test_a_license_bought_again_with_another_term_is_unequal():
    """A year became a month."""
    tale = Tale(Portfolio.EXPIRED)
    one = tale.held("EXPIRED")
    tale.world.commerce.terms[one.id].term_duration = "P1M"
    tale.buys(one)
    tale.world.commerce.terms[one.id].term_duration = "P1Y"
    (row,) = tale.judged().parity.unequal
    assert [one.what for one in row.differences] == ["term_duration"]


# -- what nobody may do -----------------------------------------------------------------------------------------------


def test_suspending_new_commerce_is_always_wrong():
    """R-135: it locks people out and stops no bill; even with a counterpart. The portal is not blamed."""
    tale = Tale(Portfolio.SEAT_POOL)
    one = tale.held("LICENSE")
    change(tale.emulator, one, "", status="suspended")
    assert tale.judged().billed_suspensions == []
    change(tale.emulator, one, "", status="active")
    change(tale.emulator, one, "call-wrong", status="suspended")
    found = tale.judged()
    assert [row.subscription_id for row in found.billed_suspensions] == [one.id]
    assert found.totals.billed_suspensions == 1


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_what_a_person_bought_and_ended_has_moved_by_hand():
    """Marketplace: bought at the target, ended at the source, by somebody in the portal."""
    tale = Tale(Portfolio.SAAS)
    one = tale.held("SAAS")
    portal.buy_alike(tale.emulator, tale.target, one)
    assert tale.line().moves == []
    portal.end(tale.emulator, one)
    assert ways(tale.line().moves) == {one.id: "by_hand"}
    assert harmless(tale.judged())


# -- Azure ------------------------------------------------------------------------------------------------------------


def test_azure_moves_with_each_subscription_and_reservation():
    """Active Azure subscriptions and reservations are counted one by one; the inactive one is none."""
    tale = Tale(Portfolio.RESERVATION_OFF)
    open_plan(tale.emulator, tale.target, tale.customer, request_id="call-plan", with_default=False)
    items = [one.id for one in tale.world.azure.entitlements.values()]
    kept = [one.id for one in tale.world.azure.benefits.values() if one.status == "active"]
    tale.transfer(*items)
    assert tale.line().state == "partly"
    tale.transfer(*kept)
    assert harmless(tale.judged())
    assert tale.line().state == "moved"
    assert set(ways(tale.line().moves).values()) == {"azure_transferred"}
    assert len(tale.line().moves) == len(items) + 1


@pytest.mark.parametrize("becomes", ["suspended", "disabled", "deleted"])
def test_support_moves_legacy_azure_without_a_fault(becomes: str):
    """Whatever is left at the source: exactly one is billed at any time."""
    tale = Tale(Portfolio.LEGACY_AZURE)
    tale.world.azure.source_becomes = becomes  # type: ignore[assignment]  # one of the three
    tale.world.behaviour.support.manner = SupportManner(median_hours=60.0)
    ids = [one.id for one in tale.world.subscriptions.values()]
    portal.hand_off(tale.emulator, tale.source, tale.target, ids)
    tale.pass_days(30)
    assert harmless(tale.judged())
    assert tale.line().state == "moved"
    assert set(ways(tale.line().moves).values()) == {"azure_supported"}


def test_azure_that_nobody_pays_for_is_found():
    """A legacy Azure subscription suspended by a call of ours, before anybody moved it."""
    tale = Tale(Portfolio.LEGACY_AZURE)
    tale.pass_days(1)
    one = tale.held("LEGACY_AZURE")
    change(tale.emulator, one, "call-wrong", status="suspended")
    tale.pass_days(1)
    fault = next(row for row in tale.judged().azure_faults if row.subject_id == one.id)
    assert (fault.kind, fault.to) == ("unpaid", None)


def test_azure_that_two_pay_for_is_found():
    """The source comes back to life after the move."""
    tale = Tale(Portfolio.LEGACY_AZURE)
    one = tale.held("LEGACY_AZURE")
    portal.hand_off(tale.emulator, tale.source, tale.target, [one.id])
    tale.world.azure.source_becomes = "suspended"
    tale.pass_days(30)
    change(tale.emulator, one, "", status="active")
    tale.pass_days(2)
    change(tale.emulator, one, "", status="suspended")
    (fault,) = tale.judged().azure_faults
    assert fault.kind == "double"
    assert fault.to is not None
    assert (fault.to - fault.from_).days == 2


def test_a_plan_for_a_customer_without_azure_is_needless():
    """Bought by a call of ours for nobody."""
    tale = Tale(Portfolio.LEGACY)
    open_plan(tale.emulator, tale.target, tale.customer, request_id="call-plan")
    assert [one.kind for one in tale.judged().azure_faults] == ["needless_plan"]


# -- clouds -----------------------------------------------------------------------------------------------------------


def test_each_cloud_has_its_own_target():
    """A government customer may move to the government's target; an American one of a commercial source may not."""
    assert Tale(Portfolio.LEGACY, source="us").line().state == "untouched"
    assert Tale(Portfolio.OUTSIDE_REGION).line().state == "not_movable"
