"""What runs out, in a small world of lost answers, late lists and forgetful people: never early, never twice.

The world plays Microsoft: a term ends by itself, an order takes effect at once or a little later, or never.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tenantfold.domain import actions
from tenantfold.domain.course import next_action
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.intents import intent_for, sent_again
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import OrderId, PlacedLine, Subscription, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.pairing import counterparts_of
from tenantfold.domain.records import Case
from tenantfold.domain.routes import rebuy_until
from tenantfold.domain.states import Counterpart
from tests.domain.rebuys import SOLD_NOW, again, confirmed, ending, ending_item, running_out
from tests.domain.samples import POLICY, TARGET, observation

START = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
LOST_EFFECTS = (0.0, 600.0, None)  # seconds until a call without answer takes effect; None: never
_FATES = ("done", "refused", *LOST_EFFECTS)


@dataclass
class World:
    """Both sides as they are; ``pending`` holds what takes effect later."""

    now: datetime
    chosen: set[str]
    fates: list[object]
    held: dict[SubscriptionId, Subscription] = field(default_factory=dict)
    pending: list[tuple[datetime, Intent]] = field(default_factory=list)
    bought: list[tuple[datetime, Intent]] = field(default_factory=list)

    def move(self, hours: float) -> None:
        """Let time pass, day by day."""
        end = self.now + timedelta(hours=hours)
        while self.now < end:
            midnight = datetime.combine(self.now.date() + timedelta(days=1), time.min, tzinfo=UTC)
            due = min([at for at, _ in self.pending], default=end)
            self.now = max(self.now, min(end, midnight, due))
            self._take_effect()
            if self.now == midnight:
                self._end_terms(midnight.date() - timedelta(days=1))

    def call(self, intent: Intent) -> Outcome | None:
        """Make a call: its outcome, or None when the answer is lost."""
        fate = self.fates.pop() if self.fates else "done"
        if fate == "refused":
            return Outcome(intent_key=intent.key, kind=OutcomeKind.FAILED, at=self.now, detail="900278 try later")
        if fate == "done":
            return self._effect(intent)
        if isinstance(fate, float):
            self.pending.append((self.now + timedelta(seconds=fate), intent))
            self._take_effect()
        return None

    def _take_effect(self) -> None:
        for at, intent in tuple(self.pending):
            if at <= self.now:
                self.pending.remove((at, intent))
                self._effect(intent)

    def _effect(self, intent: Intent) -> Outcome:
        done = Outcome(intent_key=intent.key, kind=OutcomeKind.DONE, at=self.now)
        if intent.kind is OpKind.STOP_RENEWAL:
            held = self.held[intent.subjects[0]]
            self.held[held.id] = replace(held, auto_renew=False)
            return done
        self.bought.append((self.now, intent))
        order_id = OrderId(f"order-{len(self.bought)}")
        lines = []
        for position, line in enumerate(intent.lines):
            name = f"t{len(self.bought)}-{position}"
            self.held[SubscriptionId(name)] = again(
                name, order_id=order_id, license_count=line.license_count, offer_id=SOLD_NOW
            )
            lines.append(
                PlacedLine(offer_id=SOLD_NOW, license_count=line.license_count, subscription_id=SubscriptionId(name))
            )
        return replace(done, order_id=order_id, lines=tuple(lines))

    def _end_terms(self, day: date) -> None:
        for held in tuple(self.held.values()):
            if held.tenant_id == TARGET or held.wire_status != "active" or held.commitment_end_on != day:
                continue
            if held.auto_renew:
                self.held[held.id] = replace(held, commitment_end_on=day + timedelta(days=365))
            elif day <= date(2026, 5, 4):
                self.held[held.id] = replace(held, wire_status="expired")
            elif held.id in self.chosen:
                self.held[held.id] = replace(held, wire_status="disabled")
            else:
                self.held[held.id] = replace(held, commitment_end_on=day + timedelta(days=30))

    def read(self) -> Observation:
        """What both lists show now."""
        return observation(*self.held.values(), at=self.now)


@dataclass
class Driver:
    """Plays the shell: carries out what the core names, and keeps what the ledger would keep."""

    world: World
    case: Case
    seen: Observation | None = None

    def drive(self) -> None:
        """As far as it goes now."""
        for _ in range(60):
            action = next_action(self.case, self.seen, self.world.now, POLICY)
            match action:
                case actions.Pause():
                    return
                case actions.Observe():
                    self.seen = self.world.read()
                case actions.MarkSuspended(finished=True):
                    return
                case actions.MarkArrived(counterparts=found):
                    self._note(found)
                case actions.AdoptOutcome(intent=intent, outcome=outcome):
                    self._close(intent, outcome)
                case actions.Resend(intent=intent):
                    self._resend(intent)
                case actions.StopRenewal() | actions.BuyAgain():
                    intent = intent_for(action, self.case, self.seen, "north", TARGET, self.world.now)
                    self.case = replace(self.case, open_intents=(intent,))
                    self._send(intent)
                case _:
                    raise AssertionError(action)
        raise AssertionError("It leads nowhere.")

    def _resend(self, intent: Intent) -> None:
        if intent.kind.creates:
            failed = Outcome(intent_key=intent.key, kind=OutcomeKind.FAILED, at=self.world.now, code="sent_again")
            self._close(intent, failed)
            intent = sent_again(intent, "north", self.world.now)
            self.case = replace(self.case, open_intents=(intent,))
        self._send(intent)

    def _send(self, intent: Intent) -> None:
        outcome = self.world.call(intent)
        if outcome is not None:
            self._close(intent, outcome)
        self.seen = None

    def _close(self, intent: Intent, outcome: Outcome) -> None:
        taken = {one.target_id for one in self.case.counterparts if one.target_id is not None}
        self._note(counterparts_of(intent, outcome, taken, self.world.now.date()))
        settled = (*self.case.settled, (intent, outcome))
        self.case = replace(self.case, open_intents=(), settled=settled)

    def _note(self, found: tuple[Counterpart, ...]) -> None:
        known = {one.source_id: one for one in (*self.case.counterparts, *found)}
        self.case = replace(self.case, counterparts=tuple(known.values()))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, Case, list[float]]:
    """A customer with one to three subscriptions that end on different days, and how often somebody looks."""
    count = draw(st.integers(1, 3))
    names = [f"n{number}" for number in range(count)]
    ends = [date(2026, 4, 28) + timedelta(days=draw(st.integers(0, 12))) for _ in names]
    chosen = {name for name in names if draw(st.booleans())}
    counts = [draw(st.sampled_from((5, 5, 9))) for _ in names]
    world = World(now=START, chosen=chosen, fates=draw(st.lists(st.sampled_from(_FATES), max_size=8)))
    items = []
    for name, ends_on, licenses in zip(names, ends, counts, strict=True):
        renews = draw(st.booleans())
        world.held[SubscriptionId(name)] = ending(
            name, commitment_end_on=ends_on, auto_renew=renews, license_count=licenses
        )
        items.append(ending_item(name, ends_on=ends_on, license_count=licenses))
    evidence = [confirmed(TaskKind.END_OF_TERM_CHOSEN, name, at=START) for name in chosen]
    evidence += [confirmed(TaskKind.DATA_SAFE, name, at=START) for name in names if draw(st.integers(0, 3)) == 0]
    looks = draw(st.lists(st.sampled_from((0.01, 0.3, 1.0, 5.0, 11.0, 24.0, 70.0)), min_size=10, max_size=60))
    return world, running_out(*items, evidence=tuple(evidence)), looks


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_it_is_bought_once_on_the_last_day_or_inside_the_grace_and_else_only_when_a_person_said_so(
    given_world: tuple[World, Case, list[float]],
):
    """Never early (double bill), never twice (invariant 2), never late without a confirmation (R-132)."""
    world, known, looks = given_world
    driver = Driver(world, known)
    driver.drive()
    world.move(24 * 20)
    for hours in looks:
        driver.drive()
        world.move(hours)
    world.move(1.0)
    items = {item.subscription_id: item for item in known.customer.items}
    safe = {one.subscription_id for one in known.evidence if one.task is TaskKind.DATA_SAFE}
    bought = Counter(name for _, intent in world.bought for name in intent.subjects)
    event(f"bought {sum(bought.values())}")
    assert all(count == 1 for count in bought.values()), bought
    for _, intent in world.bought:
        for name in intent.subjects:
            last = rebuy_until(items[name].ends_on)
            assert intent.at.date() >= (items[name].ends_on or date.max), "too early"
            assert last is None or intent.at.date() <= last or name in safe, "too late"


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_nobody_is_locked_out_while_somebody_looks_every_few_hours(given_world: tuple[World, Case, list[float]]):
    """With runs through the last days and no refusals, everything stands when its source ends, and is noted done."""
    world, known, _ = given_world
    world.fates = [fate for fate in world.fates if fate == "done"]
    driver = Driver(world, known)
    for _ in range(24 * 9):
        driver.drive()
        world.move(5.0)
    done = {one.source_id for one in driver.case.counterparts if one.is_done}
    over = {one.id for one in world.held.values() if one.tenant_id != TARGET and one.wire_status != "active"}
    bought = {name for _, intent in world.bought for name in intent.subjects}
    assert bought == {item.subscription_id for item in known.customer.items}
    assert done == over
    for at, intent in world.bought:
        assert all(
            at.date() == item.ends_on for item in known.customer.items if item.subscription_id in intent.subjects
        )
