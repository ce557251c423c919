"""The truth ledger judges stories whose verdict is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.emulator.small_world import ALFA, BRAVO, OVERSEAS
from tests.emulator.story import (
    E3,
    POWER_BI,
    Story,
    moved_story,
)


def test_finds_nothing_wrong_with_a_plain_move():
    """A same-day move is moved, equal, and without twin, gap or overlap."""
    found = moved_story().judged(detail=True)
    assert (found.twins, found.gaps, found.overlaps) == ([], [], [])
    assert (found.parity.moved, found.parity.equal, found.parity.unequal) == (1, 1, [])
    assert isinstance(found.customers, list)
    assert [line.state for line in found.customers if line.customer_id == ALFA] == ["moved"]


def test_finds_nothing_in_a_world_in_which_nothing_happened():
    """Customers with active sources are untouched, those without are not movable."""
    story = Story().had("s1", 10).had("s2", 5, customer=BRAVO, status="suspended")
    found = story.judged(detail=True)
    assert found.totals.untouched == 1
    assert found.totals.not_movable == 4
    assert found.parity.moved == 0
    assert isinstance(found.customers, list)
    assert {line.customer_id: line.state for line in found.customers}[ALFA] == "untouched"


def test_a_customer_outside_the_region_cannot_be_moved():
    """Its subscriptions are active, but the target may not serve its country; the others are untouched."""
    story = Story().had("s1", 10).had("s2", 10, customer=OVERSEAS)
    found = story.judged(detail=True)
    assert isinstance(found.customers, list)
    states = {line.customer_id: line.state for line in found.customers}
    assert (states[ALFA], states[OVERSEAS]) == ("untouched", "not_movable")


# -- twins ------------------------------------------------------------------------------------------------------------


def test_calls_a_second_target_subscription_a_twin():
    """Two active target subscriptions for one source subscription are one twin."""
    found = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10).creates("t2", 10).judged()
    assert found.totals.twins == 1
    assert found.twins[0].source_subscription_ids == ["s1"]
    assert found.twins[0].target_subscription_ids == ["t1", "t2"]
    assert not found.twins[0].is_withdrawn


def test_keeps_a_twin_on_record_after_it_was_withdrawn():
    """A twin that is suspended again did exist."""
    story = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10).creates("t2", 10)
    found = story.at("03-02 10:00").suspends("t2").judged()
    assert found.totals.twins == 1
    assert found.twins[0].is_withdrawn


def test_takes_a_new_target_after_a_withdrawn_one_for_no_twin():
    """Created, withdrawn the same day, created again on the next: never two at once, and no day too many."""
    story = Story().had("s1", 10).at("03-02 23:40").creates("t1", 10).at("03-02 23:55").suspends("t1")
    story.at("03-03 08:00").creates("t2", 10).at("03-03 08:10").suspends("s1").at("03-05 00:00")
    found = story.judged()
    assert found.twins == []
    assert found.gaps == []
    assert found.overlaps == []
    assert found.parity.equal == 1


def test_lets_a_withdrawn_target_be_reactivated():
    """A target that is suspended and reactivated later is the same counterpart, not a second one."""
    story = Story().had("s1", 10).at("03-02 23:40").creates("t1", 10).at("03-02 23:55").suspends("t1")
    story.at("03-03 08:00").activates("t1").at("03-03 08:10").suspends("s1")
    found = story.judged()
    assert (found.twins, found.gaps, found.overlaps) == ([], [], [])
    assert found.parity.equal == 1


def test_takes_targets_that_take_turns_for_no_twin():
    """Two target subscriptions that are never active together stand for one source, whoever comes back."""
    story = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10).suspends("t1").creates("t2", 10).suspends("t2")
    assert story.activates("t1").judged().twins == []
    assert story.activates("t2").judged().totals.twins == 1


def test_counts_every_surplus_target():
    """Three targets for one source are two twins in one entry."""
    found = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10).creates("t2", 10).creates("t3", 10).judged()
    assert [twin.excess for twin in found.twins] == [2]
    assert found.totals.twins == 2


def test_calls_a_target_without_any_source_a_twin():
    """A purchase that stands for nothing at the sources is one too many."""
    found = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10, POWER_BI).judged()
    assert [twin.source_subscription_ids for twin in found.twins] == [[]]


def test_two_sources_of_one_offer_may_have_two_targets():
    """A customer of two source tenants that hold the same offer gets two target subscriptions, and no third."""
    story = Story().had("s1", 10).had("s2", 4, tenant="no").at("03-02 09:00").creates("t1", 4).creates("t2", 10)
    story.suspends("s1", "s2")
    found = story.judged()
    assert (found.twins, found.gaps) == ([], [])
    assert (found.parity.moved, found.parity.equal) == (2, 2)
    assert story.creates("t3", 4).judged().totals.twins == 1


def test_a_deleted_source_stands_for_nothing():
    """A target for a source subscription that was deleted long ago is a twin."""
    found = Story().had("s1", 10, status="deleted").at("03-02 09:00").creates("t1", 10).judged()
    assert found.totals.twins == 1


def test_a_suspended_source_may_have_a_target():
    """A target for a source that the seed had suspended is no twin, and its seats were never anybody's gap."""
    found = Story().had("s1", 10, status="suspended").at("03-02 09:00").creates("t1", 10).judged()
    assert (found.twins, found.gaps, found.parity.moved) == ([], [], 0)


# -- adoption ---------------------------------------------------------------------------------------------------------


def test_adopts_a_target_that_existed_beforehand():
    """With the same offer and count at the target from before, suspending the source is a whole move."""
    story = Story().had("s1", 10).had("t0", 10, tenant="target").at("03-04 09:00").suspends("s1")
    found = story.judged()
    assert (found.twins, found.gaps) == ([], [])
    assert found.parity.equal == 1
    assert found.totals.overlap_seat_days == 0
    assert found.totals.preexisting_overlap_seat_days == 20
    assert [overlap.utc_days for overlap in found.overlaps] == [[date(2026, 3, 2), date(2026, 3, 3)]]


def test_calls_a_target_beside_an_adoptable_one_a_twin():
    """Creating another one although an equal one was there already is a twin."""
    story = Story().had("s1", 10).had("t0", 10, tenant="target").at("03-02 09:00").creates("t1", 10).suspends("s1")
    found = story.judged()
    assert found.totals.twins == 1
    assert found.parity.equal == 1


@pytest.mark.parametrize(("offer", "quantity"), [(E3, 3), (POWER_BI, 10)])
def test_leaves_a_target_alone_that_belongs_to_nobody(offer: str, quantity: int):
    """What existed at the target with another count or offer is no twin, and a new target beside it is none either."""
    story = Story().had("s1", 10).had("t0", quantity, offer, tenant="target")
    found = story.at("03-02 09:00").creates("t1", 10).suspends("s1").judged()
    assert (found.twins, found.gaps) == ([], [])
    assert found.parity.equal == 1


def test_a_suspended_old_target_can_be_brought_back():
    """Reactivating a suspended old target and creating another one beside it is a twin."""
    story = Story().had("s1", 10).had("t0", 10, tenant="target", status="suspended")
    assert story.at("03-02 09:00").activates("t0").suspends("s1").judged().twins == []
    assert story.creates("t1", 10).judged().totals.twins == 1


# -- gaps -------------------------------------------------------------------------------------------------------------


def test_measures_a_gap_from_suspension_to_the_target():
    """Suspended an hour before its counterpart came: 3600 seconds times ten seats."""
    story = Story().had("s1", 10).at("03-02 09:00").suspends("s1").at("03-02 10:00").creates("t1", 10)
    (gap,) = story.at("03-02 12:00").judged().gaps
    assert (gap.seats, gap.of_seats, gap.seconds, gap.seat_seconds) == (10, 10, 3600.0, 36000.0)
    assert gap.from_ == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert gap.to == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_leaves_a_gap_open_while_nobody_serves():
    """Without any counterpart the gap has no end and grows with the clock."""
    story = Story().had("s1", 10).at("03-02 09:00").suspends("s1")
    assert story.at("03-02 09:01").judged().gaps[0].seconds == 60.0
    (gap,) = story.at("03-03 09:00").judged().gaps
    assert gap.to is None
    assert gap.seconds == 86400.0


def test_counts_only_the_seats_that_are_missing():
    """A target with fewer seats leaves a gap of the difference, until it is corrected."""
    story = Story().had("s1", 10).at("03-02 09:00").creates("t1", 8).at("03-02 10:00").suspends("s1")
    story.at("03-02 11:00").sets("t1", 10)
    found = story.at("03-02 12:00").judged()
    assert [(gap.seats, gap.of_seats, gap.seconds) for gap in found.gaps] == [(2, 10, 3600.0)]
    assert found.parity.equal == 1


def test_tells_unequal_counts_from_equal_ones():
    """A target left with too few or too many seats is unequal."""
    for quantity in (8, 12):
        story = Story().had("s1", 10).at("03-02 09:00").creates("t1", quantity).suspends("s1")
        (row,) = story.judged().parity.unequal
        assert [(d.what, d.source, d.target) for d in row.differences] == [("quantity", "10", str(quantity))]


def test_opens_a_gap_when_the_target_stops_later():
    """The counterpart must go on serving: suspending it after the cutover opens a gap."""
    story = moved_story().at("03-06 00:00").suspends("t1").at("03-06 00:10")
    found = story.judged()
    assert [(gap.seconds, gap.to) for gap in found.gaps] == [(600.0, None)]
    assert [d.what for d in found.parity.unequal[0].differences] == ["status"]


def test_closes_a_gap_when_the_source_comes_back():
    """Reactivating the source ends the gap; the other side then needs no seats."""
    story = Story().had("s1", 10).at("03-02 09:00").suspends("s1").at("03-02 09:30").activates("s1")
    found = story.at("03-02 12:00").judged()
    assert [gap.seconds for gap in found.gaps] == [1800.0]
    assert found.parity.moved == 0


@pytest.mark.parametrize("status", ["suspended", "deleted"])
def test_blames_no_client_for_the_portal(status: str):
    """A source that somebody in the portal stops is nobody's gap, even if the partner suspends it later."""
    story = Story().had("s1", 10).at("03-02 09:00").portal("s1", status=status).at("03-03 09:00")
    assert story.judged().gaps == []


def test_keeps_a_gap_open_after_the_clock_deleted_the_source():
    """What a partner stopped stays missing when the clock deletes it."""
    story = Story().had("s1", 10).at("03-02 09:00").suspends("s1").at("05-31 09:00").clock("s1", "deleted")
    (gap,) = story.at("06-01 09:00").judged().gaps
    assert gap.to is None
    assert gap.seconds == timedelta(days=91).total_seconds()


def test_a_moved_source_that_is_deleted_later_stays_moved():
    """Ninety days after a good move nothing is wrong."""
    found = moved_story().at("05-31 09:05").clock("s1", "deleted").at("06-02 00:00").judged(detail=True)
    assert (found.twins, found.gaps, found.overlaps) == ([], [], [])
    assert found.totals.moved == 1


def test_owes_the_seats_of_the_moment_of_suspension():
    """A seat change at the source between order and suspension counts: the newest number is owed."""
    story = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10).at("03-02 09:01").portal("s1", quantity=12)
    story.at("03-02 09:02").suspends("s1").at("03-02 09:03")
    found = story.judged()
    assert [(gap.seats, gap.of_seats) for gap in found.gaps] == [(2, 12)]
    assert [d.what for d in found.parity.unequal[0].differences] == ["quantity"]


def test_sees_the_wrong_order_on_a_frozen_clock():
    """Suspended first and created afterwards at the same time is a gap of zero seconds, and still a gap."""
    story = Story().had("s1", 10).at("03-02 09:00").suspends("s1").creates("t1", 10)
    found = story.judged()
    assert [gap.seconds for gap in found.gaps] == [0.0]
    assert found.totals.gaps == 1


def test_sees_the_right_order_on_a_frozen_clock():
    """Created first and suspended afterwards at the same time is fine."""
    found = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10).suspends("s1").judged()
    assert (found.gaps, found.overlaps) == ([], [])


def test_accuses_nobody_when_sources_go_in_another_order_than_they_were_made():
    """The second source goes first with the first target: licenses of one offer are one pool."""
    story = Story().had("s1", 5).had("s2", 5).at("03-02 09:00").creates("t1", 5).at("03-02 09:01").suspends("s2")
    story.at("03-03 09:00").creates("t2", 5).at("03-03 09:01").suspends("s1")
    found = story.judged()
    assert (found.twins, found.gaps, found.overlaps) == ([], [], [])
    assert found.parity.equal == 2


@pytest.mark.parametrize("copies", [1, 4])
def test_pairs_subscriptions_of_one_offer_by_their_billing_cycle(copies: int):
    """Monthly stands for monthly and annual for annual, in whatever order they were made."""
    story = Story()
    for number in range(copies):
        story.had(f"annual-{number}", 10, cycle="annual").had(f"monthly-{number}", 10)
    story.at("03-02 09:00")
    for number in range(copies):
        story.creates(f"t-monthly-{number}", 10).creates(f"t-annual-{number}", 10, cycle="annual")
    for number in range(copies):
        story.suspends(f"annual-{number}", f"monthly-{number}")
    found = story.judged()
    assert (found.parity.moved, found.parity.unequal) == (2 * copies, [])


def test_finds_the_missing_one_of_many():
    """With more sources than every pairing could be tried for, the one without target is still found."""
    story = Story()
    for number in range(8):
        story.had(f"s{number}", 10 + number)
    story.at("03-02 09:00")
    for number in reversed(range(7)):
        story.creates(f"t{number}", 10 + number)
    story.suspends(*(f"s{number}" for number in range(8)))
    found = story.at("03-02 10:00").judged()
    assert [(gap.subscription_id, gap.seats) for gap in found.gaps] == [("s7", 17)]
    assert (found.parity.moved, found.parity.equal) == (8, 7)
    assert found.twins == []


# -- overlaps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "suspended", "days"),
    [
        ("03-02 00:00", "03-02 23:59:59", []),
        ("03-02 23:59", "03-03 00:01", [3]),
        ("03-02 23:59", "03-03 00:00", [3]),
        ("03-02 09:00", "03-05 09:00", [3, 4, 5]),
    ],
)
def test_counts_overlap_by_utc_dates(created: str, suspended: str, days: list[int]):
    """Same date is no overlap; every further date that both sides touch is one day, also two minutes over midnight."""
    story = Story().had("s1", 10).at(created).creates("t1", 10).at(suspended).suspends("s1").at("03-20 00:00")
    found = story.judged()
    assert [day.day for overlap in found.overlaps for day in overlap.utc_days] == days
    assert found.totals.overlap_seat_days == 10 * len(days)


def test_lets_an_open_overlap_grow():
    """While the source goes on beside its target, every new date counts."""
    story = Story().had("s1", 10).at("03-02 09:00").creates("t1", 10)
    assert story.at("03-02 22:00").judged().overlaps == []
    assert story.at("03-04 01:00").judged().totals.overlap_seat_days == 20


def test_counts_a_source_that_comes_back_beside_its_target():
    """Reactivating a source after the cutover is an overlap on that day."""
    story = moved_story().at("03-06 09:00").activates("s1").at("03-06 10:00").suspends("s1").at("03-09 00:00")
    assert [overlap.utc_days for overlap in story.judged().overlaps] == [[date(2026, 3, 6)]]


def test_counts_the_days_of_a_target_withdrawn_too_late():
    """A target that is withdrawn after midnight has overlapped; the second try on one date adds nothing."""
    story = Story().had("s1", 10).at("03-02 20:00").creates("t1", 10).at("03-04 08:00").suspends("t1")
    story.at("03-05 09:00").creates("t2", 10).at("03-05 09:05").suspends("s1").at("03-10 00:00")
    assert [day.day for overlap in story.judged().overlaps for day in overlap.utc_days] == [3, 4]


def test_counts_the_seats_that_both_sides_served():
    """A larger target overlaps only with the seats of the source."""
    story = Story().had("s1", 4).at("03-02 09:00").creates("t1", 10).at("03-03 09:00").suspends("s1")
    (overlap,) = story.judged().overlaps
    assert (overlap.seats, overlap.seat_days, overlap.counterpart_id) == (4, 4, "t1")
