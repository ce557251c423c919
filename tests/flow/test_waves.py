"""Use cases of waves over a real ledger: checks before the start, approvals, and what happens by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.admission import KnownRates
from tenantfold.domain.model import CustomerId, OfferId
from tenantfold.domain.policy import Policy
from tenantfold.domain.prices import Price
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Held, LimitRule, Limits, Wave, WaveState
from tenantfold.errors import InputError, WaveRefusedError
from tenantfold.flow.waves import KEPT_EVERY, Approval, WaveDesk, WaveKeeper
from tenantfold.store import Store
from tests.store.samples import SOURCE, TARGET, TENANTS, counterpart, customer_id, plan_customer, saved_plan, step_of

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
POLICY = Policy(stop_starting_at=time(21, 0), late_at=time(23, 30))
EVA = Approval(by="Eva", reason="asked for")
E3 = Price(offer_id=OfferId("OFFER-E3"), monthly_unit_price=Decimal(2), currency="EUR")


@dataclass
class Office:
    """A ledger of twelve customers that accepted, and a desk whose limits and rates the test sets."""

    store: Store
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    limits: Limits = field(default_factory=Limits)
    rate: float = 1_000.0
    prices: Sequence[Price] | InputError = (E3,)

    @property
    def desk(self) -> WaveDesk:
        """The use cases as things stand."""
        return WaveDesk(
            waves=self.store,
            clock=self.clock,
            policy=POLICY,
            limits=self.limits,
            rates=self._rates,
            target_id=TARGET,
            prices=self._prices,
            keys={SOURCE: "se", TARGET: "target"},
        )

    async def _rates(self) -> KnownRates:
        return KnownRates(fallback=self.rate)

    def _prices(self) -> Sequence[Price]:
        if isinstance(self.prices, InputError):
            raise self.prices
        return self.prices

    async def make(self, name: str, *numbers: int) -> Wave:
        """A draft."""
        return await self.desk.create(name, ids(*numbers), "Eva")

    async def state(self, name: str) -> WaveState:
        """Where a wave stands in the ledger."""
        return (await self.desk.find(name)).state

    async def moved(self, *numbers: int) -> None:
        """These customers have moved."""
        for number in numbers:
            await self.store.record_step(await step_of(self.store, number, Phase.MOVED, due_at=None), START)


def ids(*numbers: int) -> tuple[CustomerId, ...]:
    """Ids of customers."""
    return tuple(map(customer_id, numbers))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Twelve customers of one subscription with five licenses each."""
    async with Store.open(f"sqlite:///{tmp_path / 'ledger.db'}") as store:
        await store.migrate()
        for tenant in TENANTS:
            await store.save_tenant(tenant)
        await saved_plan(store, *map(plan_customer, range(12)), now=START)
        await store.mark_accepted(ids(*range(12)), START)
        yield Office(store)


async def test_a_wave_needs_customers_and_a_name_of_its_own(office: Office):
    """Each refusal says what to do; a misspelled name gets the nearest one."""
    with pytest.raises(InputError, match="Nobody can be put into wave empty"):
        await office.make("empty")
    await office.make("north", 1)
    with pytest.raises(InputError, match="There is a wave north already"):
        await office.make("north", 2)
    with pytest.raises(InputError, match=r"There is no wave nroth. Did you mean north\?"):
        await office.desk.find("nroth")


async def test_a_small_wave_starts_at_once(office: Office):
    """Its customers may begin, and the event says who decided."""
    await office.make("north", 1, 2)
    wave = await office.desk.start("north", EVA)
    assert (wave.state, wave.started_at) == (WaveState.RUNNING, START)
    assert await office.store.due_customers(START, 9) == ids(1, 2)
    (event,) = await office.store.events(name="wave.running")
    assert event.facts == {"wave": "north", "before": "draft", "by": "Eva", "reason": "asked for"}


async def test_everything_against_a_start_is_said_at_once_and_answered_for_rule_by_rule(office: Office):
    """Too many customers, too much money and too little of the day: one error, one command; each needs its override."""
    office.limits, office.rate = Limits(customers=2, monthly_amount=20), 3.0
    office.clock.move(timedelta(hours=12, minutes=58).total_seconds())
    await office.make("north", 1, 2, 3)
    with pytest.raises(WaveRefusedError) as caught:
        await office.desk.start("north", EVA)
    said = caught.value.message
    assert "customers: The wave has 3 customers; waves.max_customers allows 2." in said
    assert "monthly_amount: The wave moves 30.00 EUR a month" in said
    assert "today: The wave cannot finish today: 9 subscription calls at se" in said
    assert "6 can be made until 21:00 UTC" in said
    rules = (LimitRule.CUSTOMERS, LimitRule.MONTHLY_AMOUNT, LimitRule.TODAY)
    overrides = " ".join(f"--override {rule.value}" for rule in rules)
    assert f'tenantfold wave start north {overrides} --by NAME --reason "TEXT"' in caught.value.next_step
    with pytest.raises(WaveRefusedError, match="today: ") as caught:
        await office.desk.start("north", replace(EVA, rules=rules[:2]))
    assert "customers:" not in caught.value.message
    wave = await office.desk.start("north", replace(EVA, rules=rules))
    assert [(one.rule, one.by, one.reason, one.at) for one in wave.overrides] == [
        (rule, "Eva", "asked for", office.clock.now()) for rule in rules
    ]
    (event,) = await office.store.events(name="wave.running")
    assert event.facts["overridden"] == "customers monthly_amount today"


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("Eva", ""), (" ", " ")])
async def test_an_override_without_a_name_or_a_reason_changes_nothing(office: Office, by: str, reason: str):
    """Nobody overrides by accident."""
    office.limits = Limits(customers=1)
    await office.make("north", 1, 2)
    with pytest.raises(InputError, match="An override needs an approval") as caught:
        await office.desk.start("north", Approval(by=by, reason=reason, rules=(LimitRule.CUSTOMERS,)))
    assert "--override customers --by NAME" in caught.value.next_step
    assert await office.state("north") is WaveState.DRAFT


async def test_a_scheduled_wave_starts_by_itself_when_its_time_has_come(office: Office):
    """Not before; a time that has passed is refused; its size is checked when it is scheduled."""
    await office.make("north", 1, 2)
    with pytest.raises(InputError, match="2026-03-02 07:00 UTC has passed"):
        await office.desk.schedule("north", START - timedelta(hours=1), EVA)
    office.limits = Limits(customers=1)
    with pytest.raises(WaveRefusedError, match="customers"):
        await office.desk.schedule("north", START + timedelta(hours=1), EVA)
    office.limits = Limits()
    wave = await office.desk.schedule("north", START + timedelta(hours=1), EVA)
    assert wave.starts_at == START + timedelta(hours=1)
    await office.desk.keep()
    assert await office.state("north") is WaveState.SCHEDULED
    office.clock.move(3_600)
    await office.desk.keep()
    assert await office.state("north") is WaveState.RUNNING
    assert await office.store.due_customers(office.clock.now(), 9) == ids(1, 2)


async def test_a_scheduled_wave_that_is_refused_at_its_time_is_a_draft_with_the_reason(office: Office):
    """The day became too short; whoever looks at the wave reads the numbers; others start all the same."""
    await office.make("north", *range(6))
    await office.make("south", 7)
    for name in ("north", "south"):
        await office.desk.schedule(name, START + timedelta(hours=1), EVA)
    office.rate = 10 / (12 * 60)
    office.clock.move(3_600)
    await office.desk.keep()
    north = await office.desk.find("north")
    assert (north.state, north.starts_at) == (WaveState.DRAFT, None)
    assert north.note.startswith("not started at its time: The wave cannot finish today: 18 subscription calls")
    assert await office.state("south") is WaveState.RUNNING


async def test_a_price_list_that_cannot_be_read_stops_the_wave_and_not_the_run(office: Office):
    """Invariant 8 for waves: the reason stands with the wave."""
    await office.make("north", 1)
    await office.desk.schedule("north", START + timedelta(hours=1), EVA)
    office.prices = InputError("price-list.csv: row 2, column currency: no.")
    office.clock.move(3_600)
    await office.desk.keep()
    assert "row 2, column currency" in (await office.desk.find("north")).note


async def test_a_wave_pauses_goes_on_and_ends_by_itself(office: Office):
    """Paused, nobody begins; resumed, they do; when all have moved it is finished and says when."""
    await office.make("north", 1, 2)
    await office.desk.start("north", EVA)
    await office.desk.pause("north", EVA)
    assert await office.store.held_counts() == {Held.PAUSED: 2, Held.NO_WAVE: 10}
    await office.desk.resume("north", EVA)
    await office.moved(1)
    await office.desk.keep()
    assert await office.state("north") is WaveState.RUNNING
    await office.moved(2)
    await office.desk.keep()
    north = await office.desk.find("north")
    assert (north.state, north.ended_at) == (WaveState.FINISHED, START)


async def test_pausing_before_its_time_makes_a_scheduled_wave_a_draft(office: Office):
    """It does not start by itself any more."""
    await office.make("north", 1)
    await office.desk.schedule("north", START + timedelta(hours=1), EVA)
    wave = await office.desk.pause("north", EVA)
    assert (wave.state, wave.starts_at) == (WaveState.DRAFT, None)


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("pause", "is draft: it cannot become paused, only scheduled, running, aborted"),
        ("resume", "is draft: it cannot become running"),
    ],
)
async def test_what_a_state_does_not_allow_is_refused_with_what_it_does(office: Office, deed: str, said: str):
    """The sentence names the state and the ways out."""
    await office.make("north", 1)
    with pytest.raises(InputError, match=said):
        await getattr(office.desk, deed)("north", EVA)


async def test_an_aborted_wave_never_starts_again_and_frees_its_customers(office: Office):
    """They may join another one."""
    await office.make("north", 1)
    await office.desk.abort("north", EVA)
    with pytest.raises(InputError, match="is aborted: it cannot become running or anything else any more"):
        await office.desk.start("north", EVA)
    await office.make("south", 1)
    await office.desk.start("south", EVA)
    assert await office.store.due_customers(START, 9) == ids(1)


async def test_aborting_at_once_counts_who_is_left_between_two_bills(office: Office):
    """Without it they are finished."""
    await office.make("north", 1, 2)
    await office.desk.start("north", EVA)
    step = await step_of(
        office.store, 1, Phase.CUTTING_OVER, counterparts=(counterpart(1),), deadline_at=START, due_at=START
    )
    await office.store.record_step(step, START)
    wave, stopped = await office.desk.abort("north", EVA, at_once=True)
    assert (wave.state, stopped) == (WaveState.ABORTED, 1)
    assert await office.store.due_customers(START, 9) == ()


async def test_a_running_wave_does_not_grow(office: Office):
    """Its size was checked; drafts grow and every wave shrinks."""
    await office.make("north", 1)
    assert (await office.desk.add("north", ids(2, 3), "Eva")).added == 2
    assert await office.desk.remove("north", ids(3)) == 1
    await office.desk.start("north", EVA)
    with pytest.raises(InputError, match="only drafts and scheduled waves take customers in"):
        await office.desk.add("north", ids(4), "Eva")


async def test_a_wave_that_grows_loses_its_overrides(office: Office):
    """Approved for two customers, it does not start with three: somebody has to answer for what it is now."""
    office.limits = Limits(customers=1)
    await office.make("north", 1, 2)
    answered = replace(EVA, rules=(LimitRule.CUSTOMERS,))
    await office.desk.schedule("north", START + timedelta(hours=1), answered)
    growth = await office.desk.add("north", ids(3), "Olof")
    assert (growth.added, growth.lapsed) == (1, (LimitRule.CUSTOMERS,))
    (event,) = await office.store.events(name="wave.grown")
    assert event.facts == {"wave": "north", "by": "Olof", "added": "1", "lapsed": "customers"}
    grown = await office.desk.find("north")
    assert (grown.state, grown.overrides) == (WaveState.SCHEDULED, ())
    assert grown.note == "it grew by 1: nobody answers for customers any more"
    office.clock.move(3_600)
    await office.desk.keep()
    north = await office.desk.find("north")
    assert north.state is WaveState.DRAFT
    assert "The wave has 3 customers; waves.max_customers allows 1." in north.note
    assert await office.store.due_customers(office.clock.now(), 9) == ()


async def test_a_draft_that_was_scheduled_before_loses_its_overrides_as_well(office: Office):
    """Paused before its time it is a draft that still has them."""
    office.limits = Limits(customers=1)
    await office.make("north", 1, 2)
    await office.desk.schedule("north", START + timedelta(hours=1), replace(EVA, rules=(LimitRule.CUSTOMERS,)))
    await office.desk.pause("north", EVA)
    await office.desk.add("north", ids(3), "Eva")
    with pytest.raises(WaveRefusedError, match="customers"):
        await office.desk.start("north", EVA)


async def test_adding_nobody_new_leaves_the_overrides_as_they_are(office: Office):
    """The wave is what somebody answered for."""
    office.limits = Limits(customers=1)
    await office.make("north", 1, 2)
    await office.desk.schedule("north", START + timedelta(hours=1), replace(EVA, rules=(LimitRule.CUSTOMERS,)))
    growth = await office.desk.add("north", ids(1, 2), "Eva")
    assert (growth.added, growth.lapsed) == (0, ())
    office.clock.move(3_600)
    await office.desk.keep()
    assert await office.state("north") is WaveState.RUNNING


async def test_the_keeper_knows_when_the_next_wave_can_begin(office: Office):
    """At its time; one whose time has passed when it looks the next time, so that nobody asks in vain."""
    keeper = WaveKeeper(office.desk)
    assert await keeper.next_start_at() is None
    for number, hours in ((1, 3), (2, 2)):
        await office.make(f"w{number}", number)
        await office.desk.schedule(f"w{number}", START + timedelta(hours=hours), EVA)
    await keeper.keep()
    assert await keeper.next_start_at() == START + timedelta(hours=2)
    office.clock.move(2 * 3_600 - 1)
    await keeper.keep()
    office.clock.move(2)
    await keeper.keep()
    assert await keeper.next_start_at() == START + timedelta(seconds=2 * 3_600 - 1) + KEPT_EVERY
    office.clock.move(KEPT_EVERY.total_seconds())
    await keeper.keep()
    assert await office.state("w2") is WaveState.RUNNING
    assert await keeper.next_start_at() == START + timedelta(hours=3)


async def test_the_keeper_looks_only_now_and_then(office: Office):
    """A run asks it before every look for due customers."""
    await office.make("north", 1)
    await office.desk.start("north", EVA)
    keeper = WaveKeeper(office.desk)
    await keeper.keep()
    await office.moved(1)
    await keeper.keep()
    assert await office.state("north") is WaveState.RUNNING
    office.clock.move(KEPT_EVERY.total_seconds())
    await keeper.keep()
    assert await office.state("north") is WaveState.FINISHED
