"""The run: everybody who is due is driven, and nobody stops the others (invariants 3, 5 and 8)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.journal import OpKind
from tenantfold.domain.model import CustomerId, OrderLine, PlacedOrder, Subscription
from tenantfold.domain.plan import Disposition
from tenantfold.domain.reads import Read
from tenantfold.domain.states import Owner, Phase
from tenantfold.errors import (
    AuthError,
    NotFoundError,
    PlanMissingError,
    PlanNotApprovedError,
    PlanRefusedError,
    RoleMissingError,
    StoreError,
    TenantfoldError,
    ThrottledError,
    UnexpectedAnswerError,
)
from tenantfold.flow.run import RunOptions, RunSummary, StopSign
from tests.flow.fakes import TARGET, FakePartnerCenter, FakeWorld
from tests.flow.stage import START, Stage, customer_id


@dataclass
class Troubled(FakePartnerCenter):
    """Raises what it is told to at reading or ordering for one customer; counts its reads."""

    at: str = ""
    error: Exception | None = None
    victim: CustomerId | None = None
    reads: Counter[str] = field(default_factory=Counter)

    async def subscriptions(self, customer_id: CustomerId) -> tuple[Read[Subscription], ...]:
        """A list, or the error."""
        self.reads[customer_id] += 1
        self._fail("read", customer_id)
        return await super().subscriptions(customer_id)

    async def place_order(
        self, customer_id: CustomerId, billing_cycle: str, lines: object, request_id: UUID
    ) -> PlacedOrder:
        """An order, or the error."""
        self._fail("order", customer_id)
        assert isinstance(lines, tuple)
        placed: tuple[OrderLine, ...] = lines
        return await super().place_order(customer_id, billing_cycle, placed, request_id)

    def _fail(self, at: str, customer_id: CustomerId) -> None:
        if self.error is not None and at == self.at and self.victim in {None, customer_id}:
            raise self.error


def _trouble(stage: Stage, at: str, error: Exception, victim: CustomerId | None = None) -> Troubled:
    center = Troubled(TARGET, stage.world, at=at, error=error, victim=victim)
    stage.centers[TARGET] = center
    return center


async def _stage(count: int, **fields: object) -> Stage:
    stage = Stage()
    for number in range(count):
        stage.add(number)
    await stage.plan(**fields)  # type: ignore[arg-type]  # fields of the plan's customers
    return stage


# --- the plain course ------------------------------------------------------------------------------------------------


async def test_moves_everybody_and_says_so():
    """Accepted, ordered, verified, suspended, in one run."""
    stage = await _stage(3)
    summary = await stage.run()
    assert all(stage.has_moved(number) for number in range(3))
    assert summary.phases == {Phase.MOVED: 3}
    assert (summary.newly_accepted, summary.driven, summary.unfinished) == (3, 3, 0)
    assert (summary.errors, summary.interrupted) == ({}, False)


async def test_a_second_run_writes_nothing():
    """Everything is where it should be."""
    stage = await _stage(2)
    await stage.run()
    writes = Counter(stage.world.writes)
    summary = await stage.run()
    assert stage.world.writes == writes
    assert (summary.driven, summary.newly_accepted) == (0, 0)


async def test_calls_little_beyond_what_must_be_written():
    """DESIGN 10: at most 5 + k calls for k subscriptions; the target is read once before and once after the order."""
    stage = await _stage(1)
    center = Troubled(TARGET, stage.world)
    stage.centers[TARGET] = center
    await stage.run()
    assert center.reads[customer_id(0)] == 2
    assert stage.world.writes == {"attest": 1, "order": 1, "suspend": 1}


async def test_every_write_has_its_intent_and_outcome():
    """Invariant 6, without faults."""
    stage = await _stage(1)
    await stage.run()
    kinds = [intent.kind for intent in stage.ledger.intents.values()]
    assert kinds == [OpKind.ATTEST_AGREEMENT, OpKind.PLACE_ORDER, OpKind.SUSPEND]
    assert set(stage.ledger.outcomes) == set(stage.ledger.intents)


@pytest.mark.parametrize(("approved", "error"), [(False, PlanNotApprovedError), (None, PlanMissingError)])
async def test_runs_nothing_without_an_approved_plan(approved: bool | None, error: type[Exception]):  # noqa: FBT001 - a column
    """Invariant 5."""
    stage = Stage()
    stage.add(0)
    if approved is not None:
        await stage.plan(approved=approved)
    with pytest.raises(error):
        await stage.run()
    assert not stage.world.writes


async def test_a_plan_that_was_edited_in_the_ledger_runs_nothing(monkeypatch: pytest.MonkeyPatch):
    """What runs is byte for byte what was approved (invariant 5)."""
    stage = await _stage(1)

    async def edited(plan_id: int) -> str:
        return f"not {plan_id}"

    monkeypatch.setattr(stage.ledger, "plan_digest", edited)
    with pytest.raises(PlanRefusedError, match="changed after it was made"):
        await stage.run()
    assert not stage.world.writes


async def test_blocked_customers_are_not_driven():
    """They stay in the plan (R-32)."""
    stage = await _stage(1, disposition=Disposition.BLOCKED)
    summary = await stage.run()
    assert summary.phases == {Phase.BLOCKED: 1}
    assert not stage.world.writes


async def test_what_appeared_at_the_source_after_approval_stops_only_that_customer():
    """A stale seat change ends in STALE without any order; the others move (invariants 5 and 8)."""
    stage = await _stage(2)
    stage.change(0, license_count=6)
    summary = await stage.run()
    assert stage.phase(0) is Phase.STALE
    assert stage.at_target(0) == []
    assert stage.source(0).wire_status == "active"
    assert stage.has_moved(1)
    assert summary.unfinished == 1
    row = stage.ledger.rows[customer_id(0)]
    assert (row.owner, row.code) == (Owner.OPERATIONS, "plan_stale")
    assert "expected 5, found 6" in row.detail


async def test_a_stale_customer_moves_after_it_was_planned_and_approved_again():
    """The way out that the refusal names works."""
    stage = await _stage(1)
    stage.change(0, license_count=6)
    await stage.run()
    await stage.plan()
    await stage.run()
    assert stage.has_moved(0)


# --- one bad customer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["read", "order"])
@pytest.mark.parametrize(
    "error",
    [
        RoleMissingError("Not with this role."),
        UnexpectedAnswerError("That is no JSON."),
        NotFoundError("No relationship."),
        ThrottledError("Too many."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_one_bad_customer_never_stops_the_others(error: TenantfoldError, at: str):
    """Invariant 8: its reason is kept on its row, everybody else moves."""
    stage = await _stage(3)
    _trouble(stage, at, error, victim=customer_id(1))
    summary = await stage.run(RunOptions(patience=timedelta(0)))
    assert stage.has_moved(0)
    assert stage.has_moved(2)
    assert not stage.has_moved(1)
    assert stage.source(1).wire_status == "active"
    row = stage.ledger.rows[customer_id(1)]
    assert row.phase in {Phase.FAILED, Phase.STRANDED}
    assert row.detail
    assert row.next_action
    assert summary.unfinished == 1


async def test_an_error_of_ours_is_named_in_the_summary():
    """Unexpected ends of a drive are listed by customer."""
    stage = await _stage(2)
    _trouble(stage, "read", RoleMissingError("Not with this role."), victim=customer_id(0))
    summary = await stage.run()
    assert summary.errors == {customer_id(0): "Not with this role."}
    assert stage.phase(0) is Phase.FAILED


async def test_who_was_set_aside_is_tried_again_by_the_next_run():
    """A failed customer is woken, not forgotten."""
    stage = await _stage(1)
    _trouble(stage, "read", RoleMissingError("Not with this role."))
    await stage.run()
    stage.centers[TARGET] = FakePartnerCenter(TARGET, stage.world)
    await stage.run()
    assert stage.has_moved(0)


@pytest.mark.parametrize("at", ["read", "order"])
async def test_a_lost_sign_in_stops_the_run(at: str):
    """Nothing will work for anybody; what was begun is left consistent and the next run finishes."""
    stage = await _stage(3)
    _trouble(stage, at, AuthError("The secret has expired."))
    with pytest.raises(AuthError, match="secret has expired"):
        await stage.run(RunOptions(in_flight=1))
    assert stage.world.writes["order"] == 0
    stage.centers[TARGET] = FakePartnerCenter(TARGET, stage.world)
    await stage.run()
    assert all(stage.has_moved(number) for number in range(3))


async def test_a_broken_ledger_stops_the_run_as_what_it_is():
    """Better stop than act unrecorded; the error arrives as itself, not wrapped in a group."""
    stage = await _stage(2)
    _trouble(stage, "read", StoreError("The disk is full."))
    with pytest.raises(StoreError, match="disk is full"):
        await stage.run()


# --- waiting ---------------------------------------------------------------------------------------------------------


def _lose_first_order(world: FakeWorld, fault: str) -> None:
    faults = [fault]
    world.fault = lambda point: faults.pop() if point == "order" and faults else ""


async def test_patience_waits_for_the_settling_time():
    """An order whose answer was lost and that had no effect is sent again by the same run."""
    stage = await _stage(1)
    _lose_first_order(stage.world, "lost_before")
    await stage.run(RunOptions(patience=timedelta(minutes=20)))
    assert stage.has_moved(0)
    assert stage.clock.now() >= START + timedelta(seconds=stage.policy.settling_seconds)


async def test_without_patience_the_next_run_goes_on():
    """The customer waits as stranded; nothing is sent before the settling time is over."""
    stage = await _stage(1)
    _lose_first_order(stage.world, "lost_before")
    summary = await stage.run(RunOptions(patience=timedelta(minutes=5)))
    assert summary.phases == {Phase.STRANDED: 1}
    assert stage.clock.now() == START
    stage.clock.move(stage.policy.settling_seconds + 1)
    await stage.run(RunOptions(patience=timedelta(0)))
    assert stage.has_moved(0)


async def test_an_order_that_took_effect_is_adopted_without_waiting():
    """Looked up first (invariant 2)."""
    stage = await _stage(1)
    _lose_first_order(stage.world, "lost_after")
    await stage.run(RunOptions(patience=timedelta(0)))
    assert stage.has_moved(0)
    assert stage.world.writes["order"] == 1


async def test_waits_for_acceptances_as_long_as_it_was_told_to():
    """Asks the target's list every poll; who accepts meanwhile is moved by the same run."""
    stage = Stage()
    stage.add(0, accepted=False)
    await stage.plan()
    accepts_at = START + timedelta(minutes=5)
    stage.clock = _clock_that(stage, accepts_at)
    stage.world.clock = stage.ledger.clock = stage.clock
    summary = await stage.run(RunOptions(wait=timedelta(minutes=30), poll_seconds=60))
    assert stage.has_moved(0)
    assert summary.newly_accepted == 1
    assert accepts_at <= stage.clock.now() <= accepts_at + timedelta(minutes=2)


def _clock_that(stage: Stage, accepts_at: datetime) -> ManualClock:
    """A clock at whose move past a time the customer accepts."""
    passed = [0.0]

    def accept(seconds: float) -> None:
        passed[0] += seconds
        if START + timedelta(seconds=passed[0]) >= accepts_at:
            stage.world.related.add((TARGET, customer_id(0)))

    return ManualClock(START, on_move=accept)


async def test_stops_waiting_for_acceptances_in_time():
    """Nobody accepts: the run ends when its wait is over and the customer stays as it was."""
    stage = Stage()
    stage.add(0, accepted=False)
    await stage.plan()
    summary = await stage.run(RunOptions(wait=timedelta(minutes=3)))
    assert stage.clock.now() == START + timedelta(minutes=3)
    assert summary.phases == {Phase.PLANNED: 1}
    assert summary.unfinished == 1


async def test_does_not_wait_when_nobody_is_left():
    """Everybody moved: the wait is over at once."""
    stage = await _stage(1)
    await stage.run(RunOptions(wait=timedelta(hours=1)))
    assert stage.clock.now() == START


async def _scheduled(stage: Stage, starts_at: datetime, wait: timedelta) -> RunSummary:
    """A run over customers that are held until a wave starts; everybody has accepted."""
    await stage.ledger.mark_accepted([customer_id(0)], START)
    held = stage.ledger.rows[customer_id(0)]
    stage.ledger.rows[customer_id(0)] = replace(held, due_at=None, phase=Phase.INVITED)  # no run wakes it
    started: list[datetime] = []

    async def start() -> None:
        if not started and stage.clock.now() >= starts_at:
            started.append(stage.clock.now())
            row = stage.ledger.rows[customer_id(0)]
            stage.ledger.rows[customer_id(0)] = replace(row, due_at=stage.clock.now())

    async def next_start_at() -> datetime | None:
        return None if started else starts_at

    return await stage.run(RunOptions(wait=wait, before_look=start, next_start_at=next_start_at))


async def test_waits_for_a_scheduled_wave_though_everybody_has_accepted():
    """``run --wait 8h`` in the evening moves the wave of the morning, and takes its time for it."""
    stage = await _stage(1)
    _lose_first_order(stage.world, "lost_before")
    starts_at = START + timedelta(hours=6)
    await _scheduled(stage, starts_at, timedelta(hours=8))
    assert stage.has_moved(0)
    settled_at = starts_at + timedelta(seconds=stage.policy.settling_seconds)
    assert settled_at <= stage.clock.now() <= settled_at + timedelta(minutes=1)


async def test_does_not_wait_for_a_wave_that_starts_after_the_wait():
    """The next run, or a worker, starts it."""
    stage = await _stage(1)
    summary = await _scheduled(stage, START + timedelta(hours=9), timedelta(hours=8))
    assert stage.clock.now() == START
    assert summary.driven == 0


async def test_learns_the_time_at_every_look_though_nobody_is_looked_for():
    """A clock that is moved while a run waits for a wave is seen within a poll."""
    stage = await _stage(1)
    asked: list[datetime] = []

    async def ask() -> None:
        asked.append(stage.clock.now())

    async def next_start_at() -> datetime | None:
        return START + timedelta(minutes=4)

    await stage.run(RunOptions(wait=timedelta(minutes=5), next_start_at=next_start_at, before_poll=ask))
    minutes = [(at - START) / timedelta(minutes=1) for at in asked]
    assert minutes[:5] == [0, 1, 2, 3, 4]


async def test_starts_nothing_late_in_the_day_and_goes_on_the_next():
    """Invariant 3: set up and suspended on one UTC day."""
    stage = await _stage(1)
    stage.clock.move(timedelta(hours=14).total_seconds())
    await stage.run()
    assert stage.at_target(0) == []
    assert stage.ledger.rows[customer_id(0)].due_at == datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
    await stage.run(RunOptions(patience=timedelta(hours=4)))
    assert stage.has_moved(0)
    link = next(iter(stage.ledger.links.values()))
    assert link.suspended_at is not None
    assert link.cutover_on == link.suspended_at.date() == datetime(2026, 3, 3, tzinfo=UTC).date()


# --- stopping --------------------------------------------------------------------------------------------------------


class StopAfter(StopSign):
    """Raised after it was asked a number of times."""

    def __init__(self, asks: int) -> None:
        super().__init__()
        self.left = asks

    def __call__(self) -> bool:
        """One less."""
        self.left -= 1
        self.raised = self.raised or self.left < 0
        return self.raised


@pytest.mark.parametrize("asks", range(30))
async def test_a_stop_leaves_everything_consistent_and_the_next_run_finishes(asks: int):
    """Ctrl-C between any two actions: no call without outcome, no gap, no twin."""
    stage = await _stage(2)
    summary = await stage.run(RunOptions(in_flight=2), stop=StopAfter(asks))
    assert summary.interrupted or all(stage.has_moved(number) for number in range(2))
    assert set(stage.ledger.outcomes) == set(stage.ledger.intents)
    assert stage.world.gaps == []
    await stage.run()
    assert all(stage.has_moved(number) for number in range(2))
    assert stage.world.writes == {"attest": 2, "order": 2, "suspend": 2}


async def test_a_stop_is_noticed_while_waiting():
    """Within a second, not at the end of the wait."""
    stage = await _stage(1)
    _lose_first_order(stage.world, "lost_before")
    stop = StopSign()

    def raise_it(_seconds: float) -> None:
        stop.raised = True

    stage.clock = stage.world.clock = stage.ledger.clock = ManualClock(START, on_move=raise_it)
    summary = await stage.run(RunOptions(patience=timedelta(hours=1)), stop=stop)
    assert summary.interrupted
    assert stage.clock.now() <= START + timedelta(seconds=1)


async def test_reports_how_many_were_driven():
    """The reporter hears every customer once."""

    class Heard:
        """Keeps the last figure."""

        done = 0

        def update(self, label: str, done: int, total: int | None) -> None:
            """Keep it."""
            self.done = max(self.done, done)

    stage = await _stage(3)
    heard = Heard()
    await stage.run(report=heard)
    assert heard.done == 3
