"""Deliveries make due what waits, whoever runs hears of it, and registering is done once and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.model import CustomerId
from tenantfold.domain.states import Phase
from tenantfold.domain.webhooks import EVENTS, Delivery, ProbeOutcome, Registration
from tenantfold.errors import (
    InputError,
    NoAnswerError,
    RefusedError,
    SignatureError,
    TenantfoldError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import Reconciler, StopSign
from tenantfold.flow.run import RunOptions
from tenantfold.flow.webhooks import (
    Doorbell,
    Received,
    Receiver,
    Registered,
    RegistrationTask,
    register,
    send_test,
)
from tests.flow.fake_webhooks import FakeCheck, FakeWakeUps, FakeWebhookCenter
from tests.flow.fakes import TARGET
from tests.flow.stage import START, Stage, customer_id

QUIET = timedelta(seconds=60)
URL = "https://hooks.example/partner-center"
ACCEPTED = "reseller-relationship-accepted-by-customer"


@dataclass
class Story:
    """Customers in the plan, a receiver beside the run, and what happens at which second of the run."""

    stage: Stage = field(default_factory=Stage)
    happens: dict[float, Callable[[], None]] = field(default_factory=dict)
    check: FakeCheck = field(default_factory=FakeCheck)
    walks: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Join the parts."""
        stage = self.stage
        stage.clock = stage.world.clock = stage.ledger.clock = ManualClock(START, on_move=self._moved)
        self.wake_ups = FakeWakeUps(stage.ledger)
        self.receiver = Receiver(self.check, self.wake_ups, stage.clock, QUIET)
        center = stage.centers[TARGET]
        walk = center.customers

        def counted():
            self.walks.append(self.seconds)
            return walk()

        center.customers = counted  # type: ignore[method-assign]

    @property
    def seconds(self) -> float:
        """How long the run is at it."""
        return (self.stage.clock.now() - START).total_seconds()

    def _moved(self, _seconds: float) -> None:
        for when in sorted(self.happens):
            if when <= self.seconds:
                self.happens.pop(when)()

    async def deliver(self, event: str, customer: CustomerId | None) -> Received:
        """A delivery that is Microsoft's."""
        self.check.says = Delivery(event=event, customer_id=customer)
        return await self.receiver.receive({}, b"{}")

    async def run(self, *, wait: timedelta, poll: timedelta, hears: bool = True):
        """A run that waits for acceptances."""
        bell = Doorbell(self.wake_ups, self.stage.clock, QUIET) if hears else None
        options = RunOptions(wait=wait, poll_seconds=poll.total_seconds(), doorbell=bell)
        return await self.stage.run(options)


# --- taking in ------------------------------------------------------------------------------------------------------


async def test_an_acceptance_asks_for_the_look_once_and_only_for_who_is_waited_for():
    """A stranger's acceptance asks for nothing; the second delivery finds the first one waiting."""
    story = Story()
    story.stage.add(1, accepted=False)
    await story.stage.plan()
    found = [
        await story.deliver(ACCEPTED, one) for one in (CustomerId("stranger"), customer_id(1), customer_id(1), None)
    ]
    assert found == [Received.NOTHING_WAITS, Received.WOKE, Received.NOTHING_WAITS, Received.NOTHING_WAITS]
    assert [(one.name, one.customer_id) for one in story.stage.ledger.history] == [
        ("webhook.acceptances_asked_for", customer_id(1))
    ]


async def test_an_event_of_a_waiting_customer_makes_it_due():
    """One without a customer, or of a stranger, does nothing."""
    story = Story()
    story.stage.add(1)
    await story.stage.plan()
    rows = story.stage.ledger.rows
    hour = START + timedelta(hours=1)
    rows[customer_id(1)] = replace(rows[customer_id(1)], phase=Phase.TRANSFERRING, due_at=hour, accepted_at=START)
    found = [await story.deliver("complete-transfer", one) for one in (None, CustomerId("x"), customer_id(1))]
    assert found == [Received.NOTHING_WAITS, Received.NOTHING_WAITS, Received.WOKE]
    assert rows[customer_id(1)].due_at == START


@pytest.mark.parametrize("event", ["invoice-ready", "something-new", "", "test-created"])
async def test_events_nobody_acts_on_are_ignored(event: str):
    """An unknown name is no error; it stands in the log."""
    story = Story()
    assert await story.deliver(event, customer_id(1)) is Received.IGNORED
    assert story.stage.ledger.history == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SignatureError("no", reason="signature"), Received.REFUSED),
        (UnavailableError("no certificate"), Received.NOT_VERIFIED),
        (UnexpectedAnswerError("no event"), Received.IGNORED),
    ],
    ids=["forged", "not verified", "unreadable"],
)
async def test_what_is_not_proven_wakes_nobody_and_is_counted(error: TenantfoldError, expected: Received):
    """Whatever it says."""
    story = Story(check=FakeCheck(error=error))
    story.stage.add(1, accepted=False)
    await story.stage.plan()
    assert [await story.deliver(ACCEPTED, customer_id(1)) for _ in range(2)] == [expected, expected]
    assert story.receiver.counts == {expected: 2}
    assert not story.wake_ups.rings


# --- hearing --------------------------------------------------------------------------------------------------------


def accepts_at(story: Story, number: int, seconds: float) -> None:
    """The customer accepts at this second of the run, and Microsoft delivers the event two seconds later."""
    story.happens[seconds] = lambda: story.stage.world.related.add((TARGET, customer_id(number)))
    story.happens[seconds + 2] = lambda: setattr(story.wake_ups, "rings", True)


async def test_a_delivery_moves_a_customer_long_before_the_next_look():
    """Looked for every hour, a customer that accepts after ten minutes has moved seconds later."""
    story = Story()
    story.stage.add(1, accepted=False)
    await story.stage.plan()
    accepts_at(story, 1, 600)
    await story.run(wait=timedelta(hours=3), poll=timedelta(hours=1))
    assert story.stage.has_moved(1)
    assert story.stage.world.gaps == []
    assert story.seconds < 660


async def test_without_a_doorbell_the_same_customer_waits_for_the_look():
    """What webhooks are worth: the hour."""
    story = Story()
    story.stage.add(1, accepted=False)
    await story.stage.plan()
    accepts_at(story, 1, 600)
    await story.run(wait=timedelta(hours=3), poll=timedelta(hours=1), hears=False)
    assert story.stage.has_moved(1)
    assert story.seconds >= 3600


async def test_a_flood_of_deliveries_adds_one_look_each_quiet_time_and_puts_off_none():
    """Rung every second for 20 minutes by somebody who never accepts: 20 looks more, and those of the schedule."""
    story = Story()
    story.stage.add(1, accepted=False)
    await story.stage.plan()
    story.happens = {float(second): lambda: setattr(story.wake_ups, "rings", True) for second in range(1, 1200)}
    await story.run(wait=timedelta(minutes=20), poll=timedelta(minutes=4))
    asked_for = len(story.wake_ups.taken_at)
    assert 16 <= asked_for <= 20
    scheduled = [when for when in story.walks if when % 240 == 0]
    assert len(scheduled) >= 6  # the first, and every four minutes
    assert len(story.walks) == asked_for + 6


async def test_a_look_that_fails_is_asked_for_again():
    """The run goes on; the next look is after the quiet time."""
    story = Story()
    story.stage.add(1, accepted=False)
    await story.stage.plan()
    accepts_at(story, 1, 600)
    bell = Doorbell(story.wake_ups, story.stage.clock, QUIET)

    async def fails() -> int:
        raise UnavailableError("Not now.")

    async def finds() -> int:
        return 3

    story.wake_ups.rings = True
    assert await bell.answer(fails) == 0
    assert story.wake_ups.rings
    story.stage.clock.move(30)
    assert await bell.answer(finds) == 0
    story.stage.clock.move(30)
    assert await bell.answer(finds) == 3


async def test_a_doorbell_asks_the_ledger_only_every_few_seconds():
    """Whoever runs looks for due customers all the time."""
    story = Story()
    bell = Doorbell(story.wake_ups, story.stage.clock, QUIET)
    assert not await bell.rings()
    story.wake_ups.rings = True
    assert not await bell.rings()
    story.stage.clock.move(5)
    assert await bell.rings()


async def test_a_woken_customer_is_driven_before_its_time():
    """While the run waits for another one's hour: the doorbell ends the sleep, the ledger says who."""
    story = Story()
    story.stage.add(1)
    await story.stage.plan()
    await story.stage.ledger.mark_accepted([customer_id(1)], START)
    rows = story.stage.ledger.rows
    rows[customer_id(1)] = replace(rows[customer_id(1)], phase=Phase.ACCEPTED, due_at=START + timedelta(minutes=19))
    seconds: list[float] = []

    def wake() -> None:
        row = rows[customer_id(1)]
        rows[customer_id(1)] = replace(row, due_at=story.stage.clock.now(), version=row.version + 1)

    story.happens[30] = wake
    story.stage.ledger.wake = never  # type: ignore[method-assign]
    await story.run(wait=timedelta(0), poll=timedelta(minutes=1))
    seconds.append(story.seconds)
    assert story.stage.has_moved(1)
    assert seconds[0] < 60


@pytest.mark.parametrize(
    ("waits", "expected", "hears"), [(None, 5, "yes"), (3, 3, "yes"), (60, 5, "yes"), (60, 60, "no")]
)
async def test_while_others_are_driven_the_ledger_is_looked_at_every_few_seconds(
    waits: float | None, expected: float, hears: str
):
    """Else a long drive would keep a woken customer waiting; a customer that is due before is not put off."""
    story = Story()
    work = Reconciler(story.stage.cutover(), Silent(), StopSign())
    work.doorbell = Doorbell(story.wake_ups, story.stage.clock, QUIET) if hears == "yes" else None
    if waits is not None:
        work._due_at[customer_id(1)] = START + timedelta(seconds=waits)
    assert work.next_at() == START + timedelta(seconds=expected)


async def never(phases: object, now: object) -> int:
    """The start of this run wakes nobody."""
    return 0


# --- registering ----------------------------------------------------------------------------------------------------


async def registered(
    center: FakeWebhookCenter, *, url: str = URL, may_replace: bool = False
) -> tuple[Registered, Stage]:
    """Register a tenant; what came out, and the stage whose ledger has the history."""
    stage = Stage()
    task = RegistrationTask(
        center=center, ledger=stage.ledger, clock=stage.clock, tenant_key="se", url=url, may_replace=may_replace
    )
    return await register(task), stage


async def test_registering_is_written_between_two_lines_of_history():
    """What was to be done stands before the call, what was done after it."""
    center = FakeWebhookCenter()
    done, stage = await registered(center)
    assert center.present == Registration(url=URL, events=tuple(EVENTS))
    assert done.changed
    assert [one.name for one in stage.ledger.history] == ["webhook.registering", "webhook.registered"]


async def test_registering_again_writes_nothing():
    """Read first: what is there already needs no call."""
    center = FakeWebhookCenter()
    await registered(center)
    done, stage = await registered(center)
    assert center.writes == ["make"]
    assert not done.changed
    assert stage.ledger.history == []


async def test_somebody_elses_registration_is_not_taken_over_unasked():
    """Another program may live of it; a person says that it may go."""
    center = FakeWebhookCenter(present=Registration(url="https://other.example", events=(ACCEPTED,)))
    with pytest.raises(InputError, match=r"other\.example") as caught:
        await registered(center)
    assert "--replace" in caught.value.next_step
    assert center.writes == []
    await registered(center, may_replace=True)
    assert center.present == Registration(url=URL, events=tuple(EVENTS))


async def test_a_lost_answer_is_looked_up_and_not_sent_again():
    """It took effect: fine. It did not: the error, and one attempt."""
    center = FakeWebhookCenter(losing=NoAnswerError("Silence."))
    done, _ = await registered(center)
    assert done.changed
    deaf = FakeWebhookCenter(losing=NoAnswerError("Silence."), deaf=True)
    with pytest.raises(NoAnswerError):
        await registered(deaf)
    assert (center.writes, deaf.writes) == (["make"], ["make"])


async def test_a_registration_that_is_not_read_back_is_not_believed():
    """The answer said yes, the read says something else (invariant 9)."""
    with pytest.raises(UnexpectedAnswerError, match="read back"):
        await registered(FakeWebhookCenter(deaf=True))


async def test_nothing_is_registered_that_cannot_work():
    """An address without TLS, or a tenant that may have none of the events."""
    with pytest.raises(InputError, match="https"):
        await registered(FakeWebhookCenter(), url="http://hooks.example/")
    with pytest.raises(RefusedError, match="none of the events"):
        await registered(FakeWebhookCenter(offered=("invoice-ready",)))


async def test_a_test_event_is_waited_for_half_a_minute():
    """Its outcome as soon as there is one, else what stands then."""
    clock = ManualClock(START)
    pending, done = ProbeOutcome(status="pending"), ProbeOutcome(status="completed", answers=("OK",))
    assert await send_test(FakeWebhookCenter(outcomes=[pending, pending, done]), clock) == done
    assert clock.slept == [2.0, 2.0]
    assert await send_test(FakeWebhookCenter(outcomes=[pending]), clock) == pending
    assert sum(clock.slept) == pytest.approx(34)
