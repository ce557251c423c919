"""What an event may make due, how often, and what a registration is to become (core reference 9.4)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.webhooks import (
    EVENTS,
    ProbeOutcome,
    Registration,
    Wakes,
    earlier_due,
    holds,
    may_be_delivered_to,
    may_wake,
    wakes,
    wanted_registration,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
QUIET = timedelta(seconds=60)
URL = "https://hooks.example/partner-center"
ACCEPTED = "reseller-relationship-accepted-by-customer"


def after(seconds: float) -> datetime:
    """So many seconds after NOW; negative: before."""
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (ACCEPTED, Wakes.ACCEPTANCES),
        ("indirect-reseller-relationship-accepted-by-customer", Wakes.ACCEPTANCES),
        ("subscription-updated", Wakes.CUSTOMER),
        ("complete-transfer", Wakes.CUSTOMER),
        ("fail-transfer", Wakes.CUSTOMER),
        ("Subscription-Updated ", Wakes.CUSTOMER),
        ("test-created", Wakes.NOTHING),
        ("invoice-ready", Wakes.UNKNOWN),
        ("granular-admin-relationship-approved", Wakes.UNKNOWN),
        ("something-new-of-2027", Wakes.UNKNOWN),
        ("", Wakes.UNKNOWN),
    ],
)
def test_each_event_is_about_acceptances_or_a_customer_or_nothing(event: str, what: Wakes):
    """The whole table; a name nobody knows is a state of its own (invariant 9)."""
    assert wakes(event) is what


@pytest.mark.parametrize(
    ("due", "woken", "expected"),
    [
        (300, None, 0),  # waits for a later time: now
        (300, -60, 0),  # the last wake-up is long enough ago
        (300, -30, 30),  # too soon after the last one: not lost, but later
        (300, 30, 90),  # a wake-up was put off already, and used up since
        (20, -30, None),  # due before that anyway
        (0, None, None),  # due
        (-10, None, None),  # overdue
        (None, None, None),  # waits for a person
        (300, 3600, 0),  # woken in the future: that clock was set back
    ],
)
def test_a_customer_becomes_due_now_or_when_it_was_quiet_long_enough(
    due: float | None, woken: float | None, expected: float | None
):
    """In seconds from now; None means that nothing changes."""
    found = earlier_due(NOW, None if due is None else after(due), None if woken is None else after(woken), QUIET)
    assert found == (None if expected is None else after(expected))


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40))
def test_no_flood_wakes_a_customer_more_often_than_the_quiet_time_says(gaps: list[int]):
    """Whatever the times of the deliveries: a customer that always waits an hour is woken at most once a minute."""
    now, woken_at, due_at = NOW, None, after(3600)
    wake_ups: list[datetime] = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        if due_at <= now:  # it is driven at its time, and waits for the next hour
            wake_ups.append(due_at)
            due_at = now + timedelta(hours=1)
        earlier = earlier_due(now, due_at, woken_at, QUIET)
        if earlier is not None:
            assert now <= earlier < due_at
            woken_at = due_at = earlier
    assert all(later - earlier >= QUIET for earlier, later in itertools.pairwise(wake_ups))


@pytest.mark.parametrize(
    ("woken", "may"), [(None, True), (-60, True), (-59, False), (0, False), (60, False), (61, True)]
)
def test_the_look_at_who_accepted_has_the_same_quiet_time(woken: float | None, may: bool):  # noqa: FBT001 - a table
    """One further ahead than the quiet time is of a clock that was set back."""
    assert may_wake(NOW, None if woken is None else after(woken), QUIET) is may


@pytest.mark.parametrize(
    ("url", "may"),
    [
        (URL, True),
        ("http://127.0.0.1:8790", True),
        ("http://localhost/hook", True),
        ("http://hooks.example/", False),
        ("https://user:word@hooks.example/", False),
        ("https://hooks.example/?token=1", False),
        ("https://hooks.example/#here", False),
        ("https://hooks.example:99999/", False),
        ("https:///hook", False),
        ("https://[::1", False),
        ("hooks.example", False),
        ("https://hooks.example/a b", False),
        ("", False),
    ],
)
def test_only_https_addresses_are_registered(url: str, may: bool):  # noqa: FBT001 - a table
    """Http on this machine only, for the emulator; nothing secret in an address."""
    assert may_be_delivered_to(url) is may


def test_without_a_registration_all_offered_events_of_ours_are_wanted():
    """Others are not asked for; what Microsoft does not offer is told."""
    wanted = wanted_registration(None, URL, ["Test-Created", ACCEPTED, "invoice-ready"])
    assert wanted.is_new
    assert wanted.registration == Registration(url=URL, events=(ACCEPTED, "test-created"))
    assert set(wanted.not_offered) == set(EVENTS) - {ACCEPTED, "test-created"}


def test_a_registration_that_lists_ours_is_left_alone():
    """In any case of letters, with a slash more or less at the end."""
    present = Registration(url=f"{URL}/", events=("invoice-ready", *(name.upper() for name in EVENTS)))
    assert wanted_registration(present, URL, list(EVENTS)).is_as_wanted


def test_events_that_somebody_else_wants_at_our_address_stay():
    """Only what is missing is added."""
    present = Registration(url=URL, events=("invoice-ready", ACCEPTED))
    wanted = wanted_registration(present, URL, ["test-created", ACCEPTED])
    assert not wanted.is_as_wanted
    assert wanted.registration.events == ("invoice-ready", ACCEPTED, "test-created")


def test_another_address_is_told_before_it_is_given_up():
    """Its events are not taken over: they were for somebody else."""
    present = Registration(url="https://other.example/", events=("invoice-ready", ACCEPTED))
    wanted = wanted_registration(present, URL, [ACCEPTED])
    assert (wanted.elsewhere, wanted.is_new, wanted.is_as_wanted) == ("https://other.example/", False, False)
    assert wanted.registration == Registration(url=URL, events=(ACCEPTED,))


def test_a_registration_holds_when_address_and_events_are_there():
    """More events are fine, fewer or another address are not, and none is not."""
    wish = Registration(url=URL, events=(ACCEPTED,))
    assert holds(Registration(url=f"{URL}/", events=("x", ACCEPTED.upper())), wish)
    assert not holds(Registration(url=URL, events=("x",)), wish)
    assert not holds(Registration(url="https://other.example", events=(ACCEPTED,)), wish)
    assert not holds(None, wish)


@pytest.mark.parametrize(
    ("status", "delivered", "is_open"),
    [("completed", True, False), ("failed", False, False), ("pending", False, True), ("new word", False, True)],
)
def test_a_test_event_is_open_until_microsoft_says_how_it_ended(status: str, delivered: bool, is_open: bool):  # noqa: FBT001 - a table
    """A word nobody knows is not read as delivered."""
    outcome = ProbeOutcome(status=status)
    assert (outcome.is_delivered, outcome.is_open) == (delivered, is_open)
