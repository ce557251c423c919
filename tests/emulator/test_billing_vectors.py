"""Microsoft's published billing examples T-1 to T-7 and the rules around them, on the pure rules (rules section T)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from partner_center_emulator.invoices.life import Charge, Life, Step
from partner_center_emulator.invoices.periods import Period, anniversary_period, calendar_period, cycle_at
from partner_center_emulator.invoices.rules import charges, daily_price, spans
from partner_center_emulator.invoices.terms import BillingTerms, Rounding
from partner_center_emulator.subscriptions.months import add_months

TERMS = BillingTerms()
# The three configurations of the vectors; the defaults of BillingTerms hold exactly these.
THREE, TWO, CUT = Rounding(daily_places=3), Rounding(daily_places=2), Rounding(daily_places=None, unit_mode="down")
Row = tuple[str, str, str]


def step(day: str, quantity: int = 1, status: str = "active", cycle: str = "monthly", **more: object) -> Step:
    """Return one step at noon (or at the given time)."""
    at = datetime.fromisoformat(day if "T" in day else f"{day}T12:00:00").replace(tzinfo=UTC)
    return msgspec.convert({"at": at, "status": status, "quantity": quantity, "cycle": cycle, **more}, Step)


def life(*steps: Step, monthly: str = "4.00", annual: str = "48.00", generation: str = "legacy") -> Life:
    """Return the life of one subscription that was bought with the first step."""
    prices = {"monthly": Decimal(monthly), "annual": Decimal(annual)}
    found = Life(
        subscription_id="s1", generation="legacy", anchor=steps[0].at.date(), prices=prices, steps=tuple(steps)
    )
    return msgspec.structs.replace(found, generation=generation)


def told(told_life: Life, until: str, since: str = "2000-01-01", terms: BillingTerms = TERMS) -> list[Row]:
    """Return the lines as (first day, last day, money)."""
    found = charges(told_life, date.fromisoformat(since), date.fromisoformat(until), terms)
    return [(row.start.isoformat(), row.end.isoformat(), str(row.amount)) for row in found]


def only(bought: str, *steps: Step, cycle: str = "monthly", monthly: str = "4.00") -> Life:
    """Return a legacy life of one license."""
    return life(step(bought, cycle=cycle), *steps, monthly=monthly)


def stop(day: str, cycle: str = "monthly") -> Step:
    """Return the suspension of a legacy subscription."""
    return step(day, status="suspended", cycle=cycle)


VECTORS: list[tuple[str, Life, str, str, list[Row], str, Rounding]] = [
    (
        "T-1",
        only("2018-01-13", stop("2018-02-01")),
        "2018-01-01",
        "2018-04-01",
        [("2018-01-13", "2018-02-12", "4.00"), ("2018-01-13", "2018-02-12", "-4.00")],
        "legacy_monthly",
        THREE,
    ),
    (
        "T-2",
        only("2018-01-13", stop("2018-03-01")),
        "2018-01-01",
        "2018-04-01",
        [
            ("2018-01-13", "2018-02-12", "4.00"),
            ("2018-02-13", "2018-03-12", "4.00"),
            ("2018-03-01", "2018-03-12", "-1.72"),
        ],
        "legacy_monthly",
        THREE,
    ),
    (
        "T-3",
        only("2018-01-13", stop("2018-02-01", "annual"), cycle="annual"),
        "2018-01-01",
        "2018-04-01",
        [("2018-01-13", "2019-01-12", "48.00"), ("2018-01-13", "2019-01-12", "-48.00")],
        "legacy_annual",
        TWO,
    ),
    (
        "T-4",
        only("2018-01-13", stop("2018-03-01", "annual"), cycle="annual"),
        "2018-01-01",
        "2018-04-01",
        [("2018-01-13", "2019-01-12", "48.00"), ("2018-03-01", "2019-01-12", "-41.34")],
        "legacy_annual",
        TWO,
    ),
    (
        "T-5",
        only("2018-01-13", step("2018-02-01", 2)),
        "2018-01-01",
        "2018-02-15",
        [
            ("2018-01-13", "2018-02-12", "4.00"),
            ("2018-01-13", "2018-02-12", "-4.00"),
            ("2018-01-13", "2018-01-31", "2.45"),
            ("2018-02-01", "2018-02-12", "3.10"),  # 1.55 x 2
            ("2018-02-13", "2018-03-12", "8.00"),  # 4.00 x 2
        ],
        "legacy_monthly",
        THREE,
    ),
    (
        "T-6",
        only("2021-06-21", stop("2022-01-25"), monthly="16.00"),
        "2022-01-21",
        "2022-03-01",
        [("2022-01-21", "2022-02-20", "16.00"), ("2022-01-25", "2022-02-20", "-13.93")],
        "legacy_monthly",
        THREE,
    ),
    (
        "T-7",
        life(
            step("2021-07-15", 10),
            step("2021-07-17T13:00:00", 10, "deleted"),
            monthly="10.08",
            generation="new_commerce",
        ),
        "2021-07-01",
        "2021-09-01",
        [("2021-07-15", "2021-08-14", "100.80"), ("2021-07-17", "2021-08-14", "-94.20")],
        "new_commerce",
        CUT,
    ),
]


@pytest.mark.parametrize(
    ("name", "told_life", "since", "until", "rows", "switch", "rounding"), VECTORS, ids=[row[0] for row in VECTORS]
)
def test_reproduces_each_published_example_to_the_cent(
    name: str, told_life: Life, since: str, until: str, rows: list[Row], switch: str, rounding: Rounding
):
    """Days and money of every line; the switch that the example needs is the default of the terms."""
    assert name
    assert getattr(TERMS, switch) == rounding
    assert told(told_life, until, since) == rows


@pytest.mark.parametrize(
    ("price", "days", "of_days", "results"),
    [
        # per vector: what 3 decimals, 2 decimals, and an exact price with cut cents give; only one is published
        ("4.00", 12, 28, ("1.72", "1.68", "1.71")),  # T-2 1.72
        ("4.00", 19, 31, ("2.45", "2.47", "2.45")),  # T-5 2.45
        ("4.00", 12, 31, ("1.55", "1.56", "1.54")),  # T-5 1.55
        ("16.00", 27, 31, ("13.93", "14.04", "13.93")),  # T-6 13.93
        ("48.00", 318, 365, ("41.98", "41.34", "41.81")),  # T-4 41.34
        ("10.08", 29, 31, ("9.43", "9.57", "9.42")),  # T-7 9.42
    ],
)
def test_shows_why_each_example_needs_its_own_rounding(
    price: str, days: int, of_days: int, results: tuple[str, str, str]
):
    """No single configuration gives all published amounts: months need three decimals, years two, new commerce cuts."""
    found = tuple(str(way.part(Decimal(price), days, of_days)) for way in (THREE, TWO, CUT))
    assert found == results


def test_charges_a_reactivated_year_for_what_is_left_of_it():
    """Annual, suspended 1 Feb, reactivated 1 Mar: all back, then 1 Mar to 12 Jan 41.34 (commerce 6.6)."""
    story = only("2018-01-13", stop("2018-02-01", "annual"), step("2018-03-01", cycle="annual"), cycle="annual")
    assert told(story, "2018-06-01")[2:] == [("2018-03-01", "2019-01-12", "41.34")]


def test_gives_everything_back_up_to_the_29th_day_and_a_part_from_the_30th():
    """The limit of the full refund, over the start of a second cycle (R-188)."""
    early = told(only("2018-02-13", stop("2018-03-14")), "2018-05-01")
    assert early[2:] == [("2018-02-13", "2018-03-12", "-4.00"), ("2018-03-13", "2018-04-12", "-4.00")]
    late = told(only("2018-02-13", stop("2018-03-15")), "2018-05-01")
    assert late[2:] == [("2018-03-15", "2018-04-12", "-3.74")]


def test_the_credit_of_several_seat_changes_covers_only_what_was_charged():
    """After two changes in one cycle the suspension gives back the rest at the last count."""
    story = only("2018-01-13", step("2018-02-20", 3), step("2018-03-01", 2), stop("2018-03-06"))
    assert told(story, "2018-05-01")[-1] == ("2018-03-06", "2018-03-12", "-2.00")  # 7 x 0.143 = 1.00, two licenses


def test_a_monthly_subscription_becomes_annual_in_the_middle_of_a_month():
    """The rest of the month comes back, the rest of the year is charged."""
    story = life(step("2018-01-13"), step("2018-03-01", cycle="annual"))
    assert told(story, "2018-04-15")[2:] == [
        ("2018-03-01", "2018-03-12", "-1.72"),
        ("2018-03-01", "2019-01-12", "41.34"),
    ]


def test_the_first_charged_day_can_be_the_day_after_the_order():
    """S-4: the reconciliation file starts on the day after, the billing examples on the order day."""
    terms = msgspec.structs.replace(TERMS, first_charged_day="next_day")
    assert told(only("2018-01-13"), "2018-02-01", terms=terms) == [("2018-01-14", "2018-02-13", "4.00")]


def test_asking_for_later_days_gives_the_same_lines_as_asking_for_all():
    """Old cycles are skipped by arithmetic; what is left must not depend on where one starts."""
    story = only("2016-05-31", step("2017-12-20", 7), stop("2018-02-01"), step("2018-02-10", 9), step("2018-03-05", 4))
    everything = charges(story, date(2016, 1, 1), date(2018, 6, 1), TERMS)
    for day in (date(2017, 12, 20), date(2018, 1, 31), date(2018, 2, 3), date(2018, 3, 5), date(2018, 5, 31)):
        part = charges(story, day, date(2018, 6, 1), TERMS)
        assert part == [row for row in everything if row.billed_on >= day]


def test_nothing_is_charged_for_trials_and_unknown_states():
    """A cycle of "none" is free; a status nobody knows is taken as free."""
    assert told(life(step("2018-01-13", cycle="none")), "2019-01-01") == []
    assert told(life(step("2018-01-13", status="pending_review_hold")), "2019-01-01") == []


# -- new commerce -----------------------------------------------------------------------------------------------------


def modern(*steps: Step) -> Life:
    """Return a new-commerce life at 10.08 a month or 120.00 a year."""
    return life(*steps, monthly="10.08", annual="120.00", generation="new_commerce")


def kinds(found: list[Charge]) -> list[tuple[str, str]]:
    """Return the lines as (charge type, money)."""
    return [(row.type, str(row.amount)) for row in found]


def lines(told_life: Life, until: str, terms: BillingTerms = TERMS) -> list[Charge]:
    """Return all lines up to a day."""
    return charges(told_life, date(2000, 1, 1), date.fromisoformat(until), terms)


def test_suspension_of_new_commerce_stops_no_charge():
    """S-1: a suspended subscription is paid for (R-135)."""
    story = modern(step("2021-07-15", 10), step("2021-08-01", 10, "suspended"))
    assert kinds(lines(story, "2021-10-01")) == [
        ("new", "100.80"),
        ("cycleCharge", "100.80"),
        ("cycleCharge", "100.80"),
    ]


@pytest.mark.parametrize(
    ("at", "credit"),
    [
        ("2021-07-16T12:00:00", ["-100.80"]),  # 24 hours: all of it
        ("2021-07-16T12:00:01", ["-97.50"]),  # 30 of 31 days
        ("2021-07-22T12:00:00", ["-78.00"]),  # 168 hours: 24 of 31 days
        ("2021-07-22T12:00:01", []),  # later: nothing (S-3)
    ],
)
def test_the_windows_of_a_cancellation_are_counted_from_the_instant(at: str, credit: list[str]):
    """S-3: purchase instant plus 24 and 168 hours."""
    story = modern(step("2021-07-15", 10), step(at, 10, "deleted"))
    assert [money for kind, money in kinds(lines(story, "2021-10-01")) if kind == "cancelImmediate"] == credit


def test_a_seat_change_is_a_pair_of_lines_with_one_reference():
    """All old seats back and all new seats charged for the rest of the cycle (commerce 6.6)."""
    story = modern(step("2021-07-15", 10), step("2021-07-25", 12))
    back, charged = lines(story, "2021-08-01")[1:]
    assert kinds([back, charged]) == [("addQuantity", "-68.20"), ("addQuantity", "81.84")]  # 21 of 31 days: 6.82
    assert back.reference == charged.reference != ""
    fewer = modern(step("2021-07-15", 10), step("2021-07-18", 9))
    assert [row.type for row in lines(fewer, "2021-08-01")[1:]] == ["removeQuantity", "removeQuantity"]


def test_the_transfer_day_is_paid_by_the_target():
    """S-5, Microsoft's side: bought 10 April, moved 15 June; the source pays to 14 June, the target from 15 June."""
    source = modern(step("2024-04-10", 10), step("2024-06-15", 10, "deleted", cause="transfer"))
    target = msgspec.structs.replace(
        modern(step("2024-06-15", 10, cause="transfer")), anchor=date(2024, 4, 10), subscription_id="t1"
    )
    given, taken = lines(source, "2024-07-01")[-1], lines(target, "2024-07-01")[0]
    assert (given.start, given.end) == (taken.start, taken.end) == (date(2024, 6, 15), date(2024, 7, 9))
    assert given.amount == -taken.amount
    assert (spans(source, date(2024, 7, 1), TERMS)[-1].end, spans(target, date(2024, 7, 1), TERMS)[0].start) == (
        date(2024, 6, 14),
        date(2024, 6, 15),
    )
    assert lines(target, "2024-07-20")[1].start == date(2024, 7, 10)  # the term stays


def test_the_transfer_day_can_be_paid_by_the_source():
    """S-5, the other reading: the target pays from the day after."""
    terms = msgspec.structs.replace(TERMS, transfer_day_payer="source")
    source = modern(step("2024-04-10", 10), step("2024-06-15", 10, "deleted", cause="transfer"))
    target = msgspec.structs.replace(modern(step("2024-06-15", 10, cause="transfer")), anchor=date(2024, 4, 10))
    assert lines(source, "2024-07-01", terms)[-1].start == date(2024, 6, 16)
    assert lines(target, "2024-07-01", terms)[0].start == date(2024, 6, 16)
    assert spans(source, date(2024, 7, 1), terms)[-1].end == date(2024, 6, 15)


def test_a_prepaid_year_is_given_back_from_the_transfer_day():
    """R-148: a source that prepaid gets a prorated refund."""
    source = modern(step("2023-04-10", 1, cycle="annual"), step("2023-06-15", 1, "deleted", "annual", cause="transfer"))
    assert kinds(lines(source, "2023-07-01"))[1] == ("cancelImmediate", "-98.36")  # 300 of 366 days of 120.00


def test_a_term_renews_and_an_expired_one_stops():
    """The first cycle of a new term is a renewal; a term that expired at midnight charges no further cycle."""
    renewed = lines(modern(step("2021-07-15", 1)), "2022-08-01")
    assert [row.type for row in renewed] == ["new", *["cycleCharge"] * 11, "renew"]
    expired = modern(step("2021-07-15", 1), step("2022-07-15T00:00:00", 1, "expired"))
    assert len(lines(expired, "2022-12-01")) == 12
    assert spans(expired, date(2022, 12, 1), TERMS)[-1].end == date(2022, 7, 14)


def test_a_change_at_the_renewal_is_in_the_new_cycle_only():
    """A scheduled change at midnight makes no pair of corrections."""
    story = modern(step("2021-07-15", 1), step("2022-07-15T00:00:00", 3, cycle="annual"))
    assert kinds(lines(story, "2023-07-01"))[-1] == ("renew", "360.00")


def test_a_cycle_from_the_end_of_a_month_ends_early_in_february():
    """Bought 31 January, ends 27 February; the days of the cycle are those of January (R-194)."""
    story = modern(step("2021-01-31", 1), step("2021-02-01T11:00:00", 1, "deleted"))
    first, _ = lines(story, "2021-04-01")
    assert (first.start, first.end) == (date(2021, 1, 31), date(2021, 2, 27))
    later = modern(step("2021-01-31", 10), step("2021-02-04", 10, "deleted"))
    assert kinds(lines(later, "2021-04-01"))[1] == ("cancelImmediate", "-78.00")  # 24 days of 31: 7.80


# -- days, periods, spans ---------------------------------------------------------------------------------------------


def test_knows_the_billing_periods_of_both_generations():
    """From the anniversary day to the day before it; a calendar month (R-186)."""
    assert anniversary_period(15, date(2026, 3, 14)) == Period(date(2026, 2, 15), date(2026, 3, 14))
    assert anniversary_period(15, date(2026, 3, 15)) == Period(date(2026, 3, 15), date(2026, 4, 14))
    assert anniversary_period(31, date(2026, 3, 1)) == Period(date(2026, 2, 28), date(2026, 3, 30))
    assert calendar_period(date(2024, 2, 10)) == Period(date(2024, 2, 1), date(2024, 2, 29))


def test_moves_days_by_months():
    """A day the month does not have becomes its last one."""
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert cycle_at(date(2026, 1, 31), 1, date(2026, 2, 28)) == Period(date(2026, 2, 28), date(2026, 3, 30))
    assert cycle_at(date(2026, 5, 10), 1, date(2026, 4, 1)).start == date(2026, 3, 10)


@pytest.mark.parametrize(
    ("story", "days"),
    [
        (only("2018-01-13", stop("2018-03-01")), [("2018-01-13", "2018-02-28", 1)]),
        (only("2018-01-13", stop("2018-02-01")), []),
        (only("2018-01-13", step("2018-02-01", 2)), [("2018-01-13", "2018-01-31", 1), ("2018-02-01", "2018-03-31", 2)]),
        (
            only("2018-01-13", stop("2018-02-20"), step("2018-02-20")),
            [("2018-01-13", "2018-02-19", 1), ("2018-02-20", "2018-03-31", 1)],
        ),
    ],
)
def test_tells_the_days_paid_for_in_the_end(story: Life, days: list[tuple[str, str, int]]):
    """The day of a suspension is not paid for; a full refund takes all days off."""
    found = [
        (span.start.isoformat(), span.end.isoformat(), span.seats) for span in spans(story, date(2018, 4, 1), TERMS)
    ]
    assert found == days


def test_a_cancelled_subscription_is_paid_for_as_long_as_nothing_came_back():
    """Spans of new commerce follow the windows."""
    until = date(2021, 12, 1)
    inside = modern(step("2021-07-15", 1), step("2021-07-17", 1, "deleted"))
    outside = modern(step("2021-07-15", 1), step("2021-07-30", 1, "deleted"))
    at_once = modern(step("2021-07-15", 1), step("2021-07-16", 1, "deleted"))
    assert spans(inside, until, TERMS)[-1].end == date(2021, 7, 16)
    assert spans(outside, until, TERMS)[-1].end == date(2021, 8, 14)
    assert spans(at_once, until, TERMS) == []


def test_knows_the_price_of_a_day():
    """A month's price over the days of its cycle, a year's over those of the year; trials cost nothing."""
    assert daily_price(only("2018-01-13"), date(2018, 2, 20)) == Decimal("4.00") / 28
    assert daily_price(only("2018-01-13", cycle="annual"), date(2018, 2, 20)) == Decimal("48.00") / 365
    assert daily_price(life(step("2018-01-13", cycle="none")), date(2018, 2, 20)) == 0
    assert daily_price(modern(step("2021-07-15")), date(2021, 7, 20)) == Decimal("10.08") / 31
