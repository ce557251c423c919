"""Somebody steers beside a run: the held do not begin, the stopped get no call, and all move in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, update

from tenantfold.domain.model import CustomerId
from tenantfold.domain.waves import Held
from tenantfold.simulation import crash_search, steering_script
from tenantfold.simulation.deaths import Death, Moment
from tenantfold.simulation.scenario import CustomerScript, Odd, Scenario, draw
from tenantfold.simulation.steering_script import Order, Steering, When, Word
from tenantfold.store import holds, tables

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
FOUND_ONCE = {
    7: "a customer whose agreement was attested counted as begun, so a pause or an aborted wave did not hold it",
}


def steered(*orders: Order, customers: int = 2, **members: object) -> Scenario:
    """Plain customers, nothing wrong, these orders; ``members`` are of the steering."""
    scripts = tuple(CustomerScript(number=number, odd=Odd.PLAIN, source="se") for number in range(customers))
    visits = (0.0, 3_600.0)  # by the second everybody has accepted
    plain = replace(draw(3), customers=scripts, faults=(), kills=(), visits=visits, paces={}, options={})
    steering = Steering(orders=orders, **members)  # type: ignore[arg-type]  # by name
    return replace(plain, starts_at=MORNING, laptop_ahead=0.0, steering=steering)


def at_boundary(word: Word, boundary: float, *numbers: int, lasts: float | None = None) -> Order:
    """An order at a journal boundary of the run."""
    return Order(word=word, when=When.BOUNDARY, moment=boundary, numbers=numbers, lasts=lasts)


def at_the_desk(word: Word, wave: str, *numbers: int, **members: object) -> Order:
    """An order about a wave before the first run."""
    return Order(word=word, when=When.DESK, moment=0, wave=wave, numbers=numbers, **members)  # type: ignore[arg-type]


@pytest.mark.parametrize("first", range(1, 25, 6))
def test_a_stop_at_any_boundary_is_obeyed_and_taken_back(first: int):
    """No call is decided on after it; the morning after everybody is finished."""
    for boundary in range(first, first + 6, 2):
        verdict = crash_search.play(steered(at_boundary(Word.STOP, boundary, 0)))
        assert verdict.faults == (), f"boundary {boundary}"
        assert verdict.moved == 2


@pytest.mark.parametrize("boundary", [1, 4, 8, 12])
def test_a_pause_at_any_boundary_leaves_nobody_between_two_bills(boundary: int):
    """Whoever has begun is finished the same day: no overlap needs an excuse."""
    verdict = crash_search.play(steered(at_boundary(Word.PAUSE, boundary)))
    assert (verdict.faults, verdict.moved, verdict.late) == ((), 2, 0)


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("word", [Word.STOP, Word.PAUSE])
def test_a_hold_that_dies_anywhere_is_said_once_more_and_obeyed(word: Word, moment: Moment):
    """So does taking it back; in the end everybody has moved, and every death is told."""
    for number in (1, 2, 3) if moment is Moment.BOUNDARY else (2, 6, 12, 20):
        death = Death(moment=moment, number=number, down_seconds=30.0)
        order = replace(at_boundary(word, 5, 0, lasts=120.0), death=death)
        verdict = crash_search.play(steered(order))
        assert (verdict.faults, verdict.moved) == ((), 2), f"{moment.value} {number}"


@pytest.mark.parametrize("number", [1, 2])
def test_a_wave_over_which_somebody_died_runs_in_the_end(number: int):
    """Making and starting it are said once more; what was done is not done twice."""
    death = Death(moment=Moment.BOUNDARY, number=number, down_seconds=30.0)
    made, started = at_the_desk(Word.NEW, "north", 0, 1), at_the_desk(Word.START, "north")
    scenario = steered(replace(made, death=death), replace(started, death=death))
    verdict = crash_search.play(scenario)
    assert (verdict.faults, verdict.moved) == ((), 2)
    assert any("wave new north with Customer 1, Customer 2 is killed" in line for line in crash_search.tell(scenario))


def test_a_wave_that_was_never_made_holds_nobody():
    """Its maker died before anything was written, and so whoever was to join it later begins like everybody."""
    nothing_written = Death(moment=Moment.TURN, number=2, down_seconds=30_000.0)
    never = at_the_desk(Word.NEW, "north", 0, death=nothing_written)
    joins = at_the_desk(Word.GROW, "north", 1, death=Death(moment=Moment.BOUNDARY, number=90, down_seconds=9.0))
    assert crash_search.play(steered(never, joins, customers=3)).faults == ()


def test_who_stays_held_is_explained_and_left_alone():
    """Nobody lets it go on: it does not move, and that is no fault."""
    verdict = crash_search.play(steered(at_boundary(Word.PAUSE, 1, 0), stays=frozenset({0})))
    told = crash_search.tell(steered(at_boundary(Word.PAUSE, 1, 0), stays=frozenset({0})))
    assert verdict.faults == ()
    assert any(line.endswith("The operator starts: pause Customer 1.") for line in told)


def test_a_wave_that_is_too_large_does_not_start_until_somebody_answers_for_it():
    """It is refused at first; the morning after the operator overrides the rule."""
    made, started = at_the_desk(Word.NEW, "north", 0, 1), at_the_desk(Word.START, "north")
    scenario = steered(made, started, max_customers=1)
    verdict = crash_search.play(scenario)
    assert (verdict.faults, verdict.moved) == ((), 2)
    assert any("wave start north ends with: WaveRefusedError" in line for line in crash_search.tell(scenario))


def test_a_scheduled_wave_begins_in_a_run_that_waits():
    """Nobody has to come by again."""
    made = at_the_desk(Word.NEW, "north", 0, 1)
    scenario = steered(made, at_the_desk(Word.SCHEDULE, "north", starts_in=1_800.0), wait_seconds=7_200.0)
    told = crash_search.tell(scenario)
    assert crash_search.play(scenario).faults == ()
    begun = next(line for line in told if "truth" in line and "order.created" in line)
    assert begun.startswith("02 08:35")


def test_finds_a_program_that_does_not_heed_a_stop(monkeypatch: pytest.MonkeyPatch):
    """Broken on purpose: the ledger takes intents of those that are stopped."""

    def heedless(conn: Connection, customer_id: CustomerId, version: int) -> bool:
        mine = update(tables.progress).where(tables.progress.c.customer_id == customer_id)
        return bool(conn.execute(mine.values(version=version + 1)).rowcount)

    monkeypatch.setattr(holds, "note_begun", heedless)
    orders = [at_boundary(Word.STOP, boundary, 0) for boundary in range(3, 12)]
    assert any("stopped" in crash_search.play(steered(one, customers=1)).kinds for one in orders)


def test_finds_a_program_that_begins_whoever_is_held(monkeypatch: pytest.MonkeyPatch):
    """Broken on purpose: the ledger says of nobody that it is held, so a wave that is a draft begins."""
    monkeypatch.setattr(holds, "refresh", lambda *_args: 0)
    monkeypatch.setattr(holds, "held", lambda *_args: Held.NOTHING)
    verdict = crash_search.play(steered(at_the_desk(Word.NEW, "north", 0, 1)))
    assert "held" in verdict.kinds


@pytest.mark.parametrize("seed", FOUND_ONCE)
def test_what_was_found_once_stays_found(seed: int):
    """Seeds that failed when they were first played; the table says of what."""
    assert crash_search.play(draw(seed)).faults == ()


def test_steering_changes_nothing_else_of_a_seed():
    """It is drawn from a generator of its own, for a share of the seeds."""
    some = [draw(seed) for seed in range(1, 101)]
    assert 30 <= sum(one.steering is not None for one in some) <= 50
    assert steering_script.draw(7, (0, 1)) == steering_script.draw(7, (0, 1))


def test_a_story_without_a_customer_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch):
    """Broken on purpose, and shrunk: orders name only who is left."""
    monkeypatch.setattr(holds, "refresh", lambda *_args: 0)
    monkeypatch.setattr(holds, "held", lambda *_args: Held.NOTHING)
    orders = (at_the_desk(Word.NEW, "north", 0, 1, 2), at_boundary(Word.PAUSE, 60, 2))
    shrunk = crash_search.shrink(steered(*orders, customers=3), frozenset({"held"}))
    assert shrunk.steering is not None
    left = {one.number for one in shrunk.customers}
    assert len(left) == 1
    assert all(set(one.numbers) <= left for one in shrunk.steering.orders)


def test_the_same_steered_seed_leaves_the_same_journal():
    """Orders beside a run happen at the same place every time."""
    scenario = draw(3)
    assert scenario.steering is not None
    assert crash_search.journal(scenario) == crash_search.journal(scenario)
