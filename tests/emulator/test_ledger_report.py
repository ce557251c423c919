"""The truth ledger: other offers, add-ons, parity, customers, and the report as a whole."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.ledger import judge, report
from partner_center_emulator.orders.purchase import place_order
from partner_center_emulator.seed import generate_world
from partner_center_emulator.subscriptions.models import change_in_portal, patch_subscription
from partner_center_emulator.world import RequestTally, Violation
from tests.emulator.small_world import ALFA, BRAVO, SE, TARGET, small_emulator
from tests.emulator.story import AUDIO, BUSINESS, E1, E3, POWER_BI, PROTECTION, SHIFT, TRIAL, Story, moved_story

# -- other offers -----------------------------------------------------------------------------------------------------


def test_accepts_the_replacement_of_an_offer_that_is_gone():
    """The campaign offer is gone; its named replacement with the same count is a whole move."""
    story = Story().had("s1", 12, SHIFT).at("03-02 09:00").creates("t1", 12, BUSINESS).suspends("s1")
    found = story.judged()
    assert (found.twins, found.gaps) == ([], [])
    assert found.parity.equal == 1


def test_accepts_another_offer_for_one_that_is_gone_if_counts_match():
    """Also an offer that nobody named may stand for it, but only with the same count."""
    story = Story().had("s1", 12, SHIFT).at("03-02 09:00").creates("t1", 12, E1).suspends("s1")
    assert story.judged().twins == []
    other = Story().had("s1", 12, SHIFT).at("03-02 09:00").creates("t1", 11, E1).suspends("s1").judged()
    assert other.totals.twins == 1
    assert other.totals.gaps == 1


def test_reports_a_replacement_with_another_count_as_unequal():
    """The named replacement with too few seats is no twin but a gap and a difference."""
    story = Story().had("s1", 12, SHIFT).at("03-02 09:00").creates("t1", 10, BUSINESS).suspends("s1")
    found = story.at("03-02 10:00").judged()
    assert found.twins == []
    assert [gap.seats for gap in found.gaps] == [2]
    assert [d.what for d in found.parity.unequal[0].differences] == ["quantity"]


def test_keeps_an_offers_own_target_for_its_own_source():
    """With the replacement also held in its own right, two targets of it are right and a third is a twin."""
    story = Story().had("s1", 12, SHIFT).had("s2", 12, BUSINESS).at("03-02 09:00")
    story.creates("t1", 12, BUSINESS).creates("t2", 12, BUSINESS).suspends("s1", "s2")
    found = story.judged()
    assert (found.twins, found.gaps, found.parity.equal) == ([], [], 2)
    assert story.creates("t3", 12, BUSINESS).judged().totals.twins == 1


def test_accepts_no_other_offer_for_one_that_is_sold():
    """An offer that can still be bought must be bought."""
    found = Story().had("s1", 12, E3).at("03-02 09:00").creates("t1", 12, E1).suspends("s1").judged()
    assert found.totals.twins == 1
    assert found.totals.gaps == 1
    assert [d.what for d in found.parity.unequal[0].differences] == ["counterpart"]


# -- add-ons ----------------------------------------------------------------------------------------------------------


def add_on_story() -> Story:
    """Return a base with an add-on, moved together."""
    story = Story().had("s1", 10).had("a1", 6, AUDIO, parent="s1").at("03-02 09:00")
    story.creates("t1", 10).creates("b1", 6, AUDIO, parent="t1")
    return story.suspends("s1", "a1")


def test_moves_add_ons_with_their_base():
    """Base and add-on each have their counterpart."""
    found = add_on_story().judged()
    assert (found.twins, found.gaps, found.parity.equal) == ([], [], 2)


def test_finds_an_add_on_that_was_forgotten():
    """Suspending a base takes its add-on along: without one at the target its seats are a gap."""
    story = Story().had("s1", 10).had("a1", 6, AUDIO, parent="s1").at("03-02 09:00").creates("t1", 10)
    found = story.suspends("s1", "a1").at("03-02 10:00").judged()
    assert [(gap.subscription_id, gap.seats) for gap in found.gaps] == [("a1", 6)]


def test_finds_an_add_on_on_the_wrong_base():
    """An add-on whose parent is not the counterpart of its base is unequal."""
    story = Story().had("s1", 10).had("a1", 6, AUDIO, parent="s1").had("x1", 3, E1).at("03-02 09:00")
    story.creates("t1", 10).creates("y1", 3, E1).creates("b1", 6, AUDIO, parent="y1").suspends("s1", "a1", "x1")
    (row,) = story.judged().parity.unequal
    assert (row.subscription_id, [d.what for d in row.differences]) == ("a1", ["parent"])


def test_pairs_add_ons_by_their_bases():
    """Two equal add-ons on two bases are paired through the bases, whatever the order of creation."""
    story = Story().had("s1", 10).had("s2", 20, E1).had("a1", 5, PROTECTION, parent="s1")
    story.had("a2", 5, PROTECTION, parent="s2").at("03-02 09:00").creates("t2", 20, E1).creates("t1", 10)
    story.creates("b2", 5, PROTECTION, parent="t2").creates("b1", 5, PROTECTION, parent="t1")
    found = story.suspends("s1", "a1", "s2", "a2").judged()
    assert (found.parity.moved, found.parity.equal) == (4, 4)


# -- parity, states, report -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "target", "what"),
    [
        ({"cycle": "annual"}, {"cycle": "monthly"}, "billing_cycle"),
        ({"reseller": "4500001"}, {}, "partner_id_on_record"),
    ],
)
def test_compares_what_must_be_equal(source: dict[str, str], target: dict[str, str], what: str):
    """Billing cycle and partner on record belong to parity."""
    story = Story().had("s1", 10, **source).at("03-02 09:00").creates("t1", 10, **target).suspends("s1")
    assert [d.what for d in story.judged().parity.unequal[0].differences] == [what]


def test_blames_no_client_for_a_later_seat_change():
    """What somebody changes in the portal at the target after the cutover is no difference."""
    story = moved_story().at("03-06 09:00").portal("t1", quantity=14)
    assert story.judged().parity.equal == 1


def test_says_how_far_each_customer_is():
    """A customer is moved when everything movable is; the trial does not count."""
    story = Story().had("s1", 10).had("s2", 5, POWER_BI).had("s3", 25, TRIAL).at("03-02 09:00").creates("t1", 10)
    line = story.suspends("s1").judged(ALFA).customers
    assert isinstance(line, list)
    assert (line[0].state, line[0].movable, line[0].moved, line[0].target_active) == ("partly", 2, 1, 1)
    moved = story.creates("t2", 5, POWER_BI).suspends("s2").judged(ALFA).customers
    assert isinstance(moved, list)
    assert moved[0].state == "moved"


def test_does_not_count_a_status_nobody_knows_as_movable():
    """A subscription in an unknown status was never in service, so it blocks no customer's verdict."""
    story = Story().had("s1", 10).had("s2", 5, POWER_BI, status="pending_review_hold").at("03-02 09:00")
    found = story.creates("t1", 10).suspends("s1").judged(ALFA)
    assert isinstance(found.customers, list)
    assert found.customers[0].state == "moved"


def test_limits_itself_to_one_customer():
    """With a customer only its own facts and one line are reported."""
    story = Story().had("s1", 10).had("s2", 5, customer=BRAVO).at("03-02 09:00").suspends("s1", "s2")
    found = story.judged(BRAVO)
    assert [gap.customer_id for gap in found.gaps] == [BRAVO]
    assert found.totals.customers == 1
    assert isinstance(found.customers, list)
    assert len(found.customers) == 1
    assert story.judged().customers is msgspec.UNSET


def test_writes_the_json_of_the_specification():
    """Names on the wire: gaps have from and to, customers only appear when asked for."""
    story = Story().had("s1", 10).at("03-02 09:00").suspends("s1").at("03-02 10:00").creates("t1", 10)
    story.world.tallies["GET /v1/customers"] = RequestTally(calls=7, throttled=2, errors=1)
    story.world.violations.append(Violation(at=story.now, tenant_id=SE, rule="ignored_retry_after", detail="x"))
    body = msgspec.json.decode(msgspec.json.encode(story.judged()))
    lists = {"twins", "gaps", "overlaps", "violations", "billed_suspensions", "azure_faults"}
    assert set(body) == lists | {"clock", "wall", "parity", "calls", "totals", "money"}
    assert body["gaps"][0]["from"] == "2026-03-02T09:00:00Z"
    assert body["gaps"][0]["to"] == "2026-03-02T10:00:00Z"
    assert body["calls"] == {"GET /v1/customers": {"calls": 7, "throttled": 2, "errors": 1}}
    assert (body["totals"]["calls"], body["totals"]["throttled"], body["totals"]["violations"]) == (7, 2, 1)


def test_judges_what_the_emulator_itself_records():
    """The real order, suspension, portal and clock write what the ledger reads."""
    emulator = small_emulator()
    world = emulator.world
    customer = world.customers[ALFA]
    source = _bought(emulator, SE, 10)
    world.changes.clear()  # the source was there before the story begins
    target = _bought(emulator, TARGET, 10)
    emulator.clock.advance(60)
    patch_subscription(emulator, world.subscriptions[source], {"status": "suspended"}, {}, "call-2")
    found = report(emulator, customer_id=customer.id)
    assert (found.gaps, found.twins, found.parity.equal) == ([], [], 1)
    change_in_portal(emulator, target, {"status": "suspended"})
    emulator.clock.advance(120)
    (gap,) = report(emulator).gaps
    assert (gap.seconds, gap.to) == (120.0, None)
    emulator.clock.advance(91 * 86400)
    assert world.subscriptions[source].status == "deleted"
    assert report(emulator).totals.gaps == 1


def _bought(emulator: Emulator, tenant_id: str, quantity: int) -> str:
    world = emulator.world
    line = {"offerId": next(iter(world.offers)), "quantity": quantity}
    order = place_order(
        emulator, world.partner_tenants[tenant_id], world.customers[ALFA], {"lineItems": [line]}, "call-1"
    )
    found = order.lines[0].subscription_id
    assert found is not None
    return found


_ACTIONS = ("create", "suspend target", "activate target", "suspend source", "activate source")


@settings(deadline=None)  # the machine may be busy; the time of one example says nothing
@given(
    sources=st.integers(1, 3),
    script=st.lists(st.tuples(st.sampled_from(_ACTIONS), st.integers(0, 3), st.integers(0, 90_000)), max_size=14),
)
def test_never_overlooks_a_twin_or_a_shortage(sources: int, script: list[tuple[str, int, int]]):
    """Against a plain count: the peak of active targets gives the twins, a short pool of seats always is a gap."""
    story, peak, short = Story(), 0, False
    for number in range(sources):
        story.had(f"s{number}", 10)
    for action, number, seconds in script:
        story.now += timedelta(seconds=seconds)
        _play(story, action, number)
        alive = [row for row in story.world.subscriptions.values() if row.status == "active"]
        serving = sum(row.tenant_id == TARGET for row in alive)
        peak = max(peak, serving)
        short = short or len(alive) < sources
    found = story.judged()
    assert found.totals.twins == max(0, peak - sources)
    assert bool(found.gaps) or not short
    assert found.parity.moved == sum(
        row.tenant_id != TARGET and row.status != "active" for row in story.world.subscriptions.values()
    )


def _play(story: Story, action: str, number: int) -> None:
    """Let the action happen if it can."""
    verb, _, side = action.partition(" ")
    name = f"{side[:1] or 't'}{number}"
    known = story.world.subscriptions.get(name)
    if verb == "create" and known is None:
        story.creates(name, 10)
    elif verb == "suspend" and known is not None and known.status == "active":
        story.suspends(name)
    elif verb == "activate" and known is not None and known.status == "suspended":
        story.activates(name)


def test_judges_only_the_customers_that_anything_happened_to():
    """In a large world the untouched customers are only counted."""
    world = generate_world(5, 400)
    found = judge(world, world.started_at, detail=True)
    assert (found.totals.customers, found.totals.twins, found.totals.gaps) == (400, 0, 0)
    assert found.totals.untouched + found.totals.not_movable == 400
    assert isinstance(found.customers, list)
    assert sum(line.source_active for line in found.customers) == sum(
        row.status == "active" for row in world.subscriptions.values()
    )
