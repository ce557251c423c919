"""Money in the truth ledger: what is paid twice, what is expected, what is invoiced."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from time import process_time

import msgspec
import pytest

from partner_center_emulator import ledger
from partner_center_emulator.clock import Clock
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.invoices.month_end import close, period_of
from partner_center_emulator.seed import generate_world
from partner_center_emulator.subscriptions.models import change_in_portal, patch_subscription
from partner_center_emulator.world import World
from tests.emulator.small_world import ALFA, BRAVO, SE
from tests.emulator.story import Story


def old_story(*names: str, quantity: int = 10) -> Story:
    """Return a story whose source subscriptions were bought on 20 June 2025, so that no full refund is due."""
    story = Story()
    for name in names:
        story.had(name, quantity)
        row = story.world.subscriptions[name]
        row.created_at = datetime(2025, 6, 20, 9, tzinfo=UTC)
        row.effective_start = row.created_at.date()
    return story


def started(story: Story, name: str) -> Story:
    """Give a subscription of the target the day on which the story created it."""
    row = story.world.subscriptions[name]
    row.created_at, row.effective_start = story.now, story.now.date()
    return story


def test_a_cutover_within_one_utc_day_costs_nothing_twice():
    """The day of the suspension comes back, so the target alone pays for it (R-188, R-192)."""
    story = started(old_story("s1").at("03-03 09:00").creates("t1", 10), "t1").at("03-03 23:59").suspends("s1")
    money = story.at("03-20 12:00").judged().money
    assert (money.double_billing, money.double_billed) == ([], {})


def test_every_day_between_purchase_and_suspension_is_paid_twice():
    """Created on the 3rd, suspended on the 6th: the 3rd, 4th and 5th, at the daily price of the source's cycle."""
    story = started(old_story("s1").at("03-03 09:00").creates("t1", 10), "t1").at("03-06 00:01").suspends("s1")
    (found,) = story.at("03-20 12:00").judged().money.double_billing
    assert [day.day.isoformat() for day in found.days] == ["2026-03-03", "2026-03-04", "2026-03-05"]
    offer = story.world.offers[story.world.subscriptions["s1"].offer_id]
    monthly = (Decimal(offer.monthly_price) * Decimal("10.60")).quantize(Decimal("0.01"))
    daily = monthly / 28 * 10  # the cycle from 20 February to 19 March has 28 days
    assert abs(found.source_total - daily * 3) < Decimal("0.01")
    assert (found.source_currency, found.target_currency) == ("SEK", "EUR")
    assert story.judged().money.double_billed == {"SEK": found.source_total}


def test_only_the_seats_on_both_sides_are_paid_twice():
    """Ten here and six there: six."""
    story = started(old_story("s1").at("03-03 09:00").creates("t1", 6), "t1").at("03-05 09:00").suspends("s1")
    (found,) = story.at("03-20 12:00").judged().money.double_billing
    assert {day.seats for day in found.days} == {6}


def test_today_is_not_counted_before_it_is_over():
    """A suspension later today would give today back."""
    story = started(old_story("s1").at("03-03 09:00").creates("t1", 10), "t1")
    assert story.at("03-03 20:00").judged().money.double_billing == []
    (found,) = story.at("03-04 00:00").judged().money.double_billing
    assert len(found.days) == 1


def test_a_source_that_is_refunded_in_full_is_not_paid_twice():
    """Bought less than 30 days before it was suspended: all comes back (R-188)."""
    story = old_story("s1")
    story.world.subscriptions["s1"].created_at = datetime(2026, 2, 20, 9, tzinfo=UTC)
    started(story.at("03-03 09:00").creates("t1", 10), "t1").at("03-06 09:00").suspends("s1")
    assert story.at("03-20 12:00").judged().money.double_billing == []


def test_what_was_double_before_the_world_began_is_nobodys_doing():
    """Such money is shown and not added up."""
    story = old_story("s1").had("t1", 10, tenant="target")
    story.world.subscriptions["t1"].created_at = datetime(2025, 6, 20, 9, tzinfo=UTC)
    story.at("03-06 09:00").suspends("s1")
    money = story.at("03-20 12:00").judged().money
    assert [row.is_preexisting for row in money.double_billing] == [True]
    assert money.double_billed == {}


def generated(customers: int = 40) -> Emulator:
    """Return an emulator with a generated world on a frozen clock."""
    world = generate_world(5, customers)
    return Emulator(world, None, Clock(world.started_at, frozen=True))


def test_what_is_invoiced_is_what_the_rules_expect():
    """Over months with suspensions, reactivations and seat changes, per customer and tenant."""
    emulator = generated()
    active = [row for row in emulator.world.subscriptions.values() if row.status == "active" and not row.is_trial]
    for number, row in enumerate(active[:30]):
        emulator.clock.advance(86_400 * 1.3)
        if number % 3:
            change_in_portal(emulator, row.id, {"status": "suspended"})
        else:
            change_in_portal(emulator, row.id, {"quantity": row.quantity + 1})
        if number % 5 == 0:
            change_in_portal(emulator, active[number // 2].id, {"status": "active"})
    emulator.clock.advance(86_400 * 35)
    money = ledger.report(emulator, detail=True).money
    assert isinstance(money.accounts, list)
    assert sum(row.invoiced != 0 for row in money.accounts) > 20
    assert [(row.expected - row.invoiced) for row in money.accounts if row.expected != row.invoiced] == []
    totals = {row.tenant_key: row.charged + row.credited for row in money.tenants}
    for key, total in totals.items():
        assert total == sum((row.invoiced for row in money.accounts if row.tenant_key == key), Decimal(0))
    assert any(row.credited < 0 for row in money.tenants)


def test_an_invoice_that_charges_twice_shows_as_a_difference():
    """A line too much on an invoice is more than the rules expect."""
    emulator = generated()
    emulator.clock.advance(86_400 * 40)
    invoice = next(iter(emulator.world.invoices.invoices.values()))
    extra = next(line for line in invoice.lines if line.amount)
    invoice.lines.append(extra)
    money = ledger.report(emulator, customer_id=extra.customer_id).money
    assert isinstance(money.accounts, list)
    assert sum((row.invoiced - row.expected for row in money.accounts), Decimal(0)) == extra.amount


def test_a_report_of_one_customer_has_its_money_only():
    """Other customers' invoices and double billing are left out; accounts come with customers only."""
    story = old_story("s1").had("s2", 5, customer=BRAVO).at("03-03 09:00").creates("t1", 10)
    started(story, "t1").at("03-06 09:00").suspends("s1", "s2")
    story.at("03-20 12:00")
    assert story.judged(BRAVO).money.double_billing == []
    assert len(story.judged(ALFA).money.double_billing) == 1
    assert story.judged().money.accounts is msgspec.UNSET
    text = msgspec.json.decode(msgspec.json.encode(story.judged(ALFA)))["money"]
    assert set(text) == {"double_billing", "double_billed", "tenants", "accounts"}
    assert isinstance(text["double_billing"][0]["source_total"], str)


def test_the_ledger_reads_the_emulators_own_record():
    """A partner's PATCH and the month end end up in the same account, with nothing left over."""
    emulator = generated()
    row = next(
        row
        for row in emulator.world.subscriptions.values()
        if row.status == "active" and row.billing_cycle == "monthly"
    )
    patch_subscription(emulator, row, {"status": "suspended"}, {}, "call-1")
    emulator.clock.advance(86_400 * 70)
    money = ledger.report(emulator, customer_id=row.customer_id).money
    assert isinstance(money.accounts, list)
    assert all(found.expected == found.invoiced for found in money.accounts)


@pytest.mark.parametrize("customers", [4_000])
def test_a_month_end_is_linear(customers: int):
    """Ten times the customers take about ten times the processor time; 10,000 take seconds."""
    small, large = _month_end(customers // 10), _month_end(customers)
    assert large[1] > 8 * small[1]
    assert large[0] < 30 * max(small[0], 0.02)
    assert large[0] < 12


def _month_end(customers: int) -> tuple[float, int]:
    """Return the processor seconds of one legacy month end of all tenants, and the number of its lines."""
    emulator = generated(customers)
    began = process_time()
    lines = 0
    for tenant in emulator.world.partner_tenants.values():
        invoice = close(emulator, tenant, "Recurring", period_of(tenant, "Recurring", emulator.world.started_at.date()))
        lines += len(invoice.lines) if invoice else 0
    return process_time() - began, lines


def test_a_world_with_invoices_is_loaded_as_it_was_saved():
    """Decimals, dates and compact lines survive JSON."""
    emulator = generated()
    emulator.clock.advance(86_400 * 40)
    copy = msgspec.json.decode(msgspec.json.encode(emulator.world), type=World)
    assert copy.invoices == emulator.world.invoices
    assert copy.invoices.invoices
    assert SE not in copy.partner_tenants
