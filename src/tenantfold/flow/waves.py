"""Use cases of waves: make one, check it, start, schedule, pause, resume, abort; and what keeps them going."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from tenantfold.domain.admission import (
    Bottleneck,
    Rates,
    bottleneck_of,
    can_finish_today,
    cannot_finish,
    demand_of,
)
from tenantfold.domain.model import CustomerId, TenantId
from tenantfold.domain.policy import Policy
from tenantfold.domain.prices import Price
from tenantfold.domain.records import Event
from tenantfold.domain.waves import (
    Amount,
    Growth,
    Held,
    Hold,
    LimitRule,
    Limits,
    Override,
    Wave,
    WaveRefusal,
    WaveSize,
    WaveState,
    amount_of,
    override_command,
    too_large,
)
from tenantfold.errors import ConflictError, InputError, WaveRefusedError
from tenantfold.flow.ports import Clock, Waves

log = structlog.get_logger()

KEPT_EVERY = timedelta(seconds=15)  # how often a run looks for waves to start or to finish


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveCheck:
    """What a wave holds and needs, and everything that speaks against starting it now."""

    size: WaveSize
    amount: Amount
    bottleneck: Bottleneck | None
    refusals: tuple[WaveRefusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who answers for a change of a wave, and why; ``rules`` are overridden by it."""

    by: str
    reason: str = ""
    rules: tuple[LimitRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveDesk:
    """The tools of the use cases. ``prices`` is asked only where the amount is limited or shown."""

    waves: Waves
    clock: Clock
    policy: Policy
    limits: Limits
    rates: Callable[[], Awaitable[Rates]]
    target_id: TenantId
    prices: Callable[[], Sequence[Price]]
    keys: Mapping[TenantId, str]

    async def create(self, name: str, customer_ids: Sequence[CustomerId], by: str) -> Wave:
        """Make a draft of these customers. InputError when the name is taken or nobody is in it."""
        if not customer_ids:
            raise InputError(
                f"Nobody can be put into wave {name}: no customer to move fits and is in no other wave.",
                next_step="See who is where with: tenantfold wave list",
            )
        if await self.waves.wave(name) is not None:
            raise InputError(f"There is a wave {name} already.", next_step=f"Look at it: tenantfold wave show {name}")
        now = self.clock.now()
        event = Event(at=now, customer_id=None, name="wave.created", facts={"wave": name, "by": by})
        return await self.waves.create_wave(Wave(name=name, created_at=now), customer_ids, event)

    async def find(self, name: str) -> Wave:
        """The wave of this name. InputError with the nearest name when there is none."""
        wave = await self.waves.wave(name)
        if wave is not None:
            return wave
        near = difflib.get_close_matches(name, [one.name for one in await self.waves.waves()], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise InputError(f"There is no wave {name}.{hint}", next_step="See them all with: tenantfold wave list")

    async def add(self, name: str, customer_ids: Sequence[CustomerId], by: str) -> Growth:
        """Add customers to a wave that has not begun. InputError for a running one: its size was checked.

        Whoever answered for a rule answered for the wave as it was: overrides lapse when it grows.
        """
        wave = await self.find(name)
        if wave.state not in {WaveState.DRAFT, WaveState.SCHEDULED}:
            raise InputError(
                f"Wave {name} is {wave.state.value}: only drafts and scheduled waves take customers in.",
                next_step="Make another: tenantfold wave new",
            )
        event = Event(at=self.clock.now(), customer_id=None, name="wave.grown", facts={"wave": name, "by": by})
        return await self.waves.grow_wave(wave.id, wave.state, customer_ids, event)

    async def remove(self, name: str, customer_ids: Sequence[CustomerId]) -> int:
        """Take customers that have not begun out of a wave; returns how many left."""
        return await self.waves.leave_wave((await self.find(name)).id, customer_ids)

    async def check(self, wave: Wave) -> WaveCheck:
        """How big the wave is, and whether it is too large or cannot finish today. Overrides are not looked at."""
        size, prices = await self.waves.wave_size(wave.id), self.prices()
        load, begun = await self.waves.wave_load(wave.id), await self.waves.open_load()
        demand, open_demand = demand_of(load, self.target_id), demand_of(begun, self.target_id)
        now, rates = self.clock.now(), await self.rates()
        day = can_finish_today(demand, load.customers, open_demand, rates, now, self.policy)
        return WaveCheck(
            size=size,
            amount=amount_of(size, prices),
            bottleneck=bottleneck_of(demand, rates),
            refusals=too_large(wave.name, size, self.limits, prices)
            + ((cannot_finish(wave.name, day, self.keys),) if day else ()),
        )

    async def start(self, name: str, approval: Approval) -> Wave:
        """Let the wave's customers begin. WaveRefusedError names every rule, its numbers and the override."""
        wave = self._with_overrides(await self.find(name), approval)
        self._allow(wave, WaveState.RUNNING)
        check = await self.check(wave)
        self._refuse(wave, check, check.refusals)
        return await self._change(wave, WaveState.RUNNING, approval, started_at=self.clock.now(), starts_at=None)

    async def schedule(self, name: str, at: datetime, approval: Approval) -> Wave:
        """Let the wave begin at a time. Its size is checked now and then; whether the day is long enough, only then."""
        if at <= self.clock.now():
            raise InputError(
                f"{at:%Y-%m-%d %H:%M} UTC has passed.", next_step=f"Begin now with: tenantfold wave start {name}"
            )
        wave = self._with_overrides(await self.find(name), approval)
        self._allow(wave, WaveState.SCHEDULED)
        check = await self.check(wave)
        self._refuse(wave, check, [one for one in check.refusals if one.rule is not LimitRule.TODAY])
        return await self._change(wave, WaveState.SCHEDULED, approval, starts_at=at, note="")

    async def pause(self, name: str, approval: Approval) -> Wave:
        """Begin nobody of the wave any more; whoever has begun is finished. A scheduled wave is a draft again."""
        wave = await self.find(name)
        if wave.state is WaveState.SCHEDULED:
            return await self._change(wave, WaveState.DRAFT, approval, starts_at=None, note="paused before its time")
        return await self._change(wave, WaveState.PAUSED, approval)

    async def resume(self, name: str, approval: Approval) -> Wave:
        """Let a paused wave go on. InputError when it is not paused."""
        wave = await self.find(name)
        if wave.state is not WaveState.PAUSED:
            raise _illegal(wave, WaveState.RUNNING)
        return await self._change(wave, WaveState.RUNNING, approval)

    async def abort(self, name: str, approval: Approval, *, at_once: bool = False) -> tuple[Wave, int]:
        """End the wave. Whoever has begun is finished, unless ``at_once``: then their number comes back, too."""
        wave, now = await self.find(name), self.clock.now()
        if not at_once:
            return await self._change(wave, WaveState.ABORTED, approval, ended_at=now), 0
        after, event = self._changed(wave, WaveState.ABORTED, approval, ended_at=now)
        hold = Hold(kind=Held.STOPPED, by=approval.by, reason=approval.reason, at=now)
        return after, await self.waves.stop_wave(wave.state, after, event, hold)

    async def keep(self) -> None:
        """Start scheduled waves whose time has come, and finish those with nobody left to move."""
        for wave in await self.waves.ended_waves():
            await self._by_itself(wave, WaveState.FINISHED, ended_at=self.clock.now())
        for wave in await self.waves.waves(WaveState.SCHEDULED):
            if wave.starts_at is not None and wave.starts_at <= self.clock.now():
                await self._start_by_itself(wave)

    async def _start_by_itself(self, wave: Wave) -> None:
        try:
            refusals = [one for one in (await self.check(wave)).refusals if not wave.overrides_rule(one.rule)]
            against = " ".join(one.detail for one in refusals)
        except InputError as error:  # a price list that cannot be read stops this wave and not the run
            against = error.message
        if not against:
            await self._by_itself(wave, WaveState.RUNNING, started_at=self.clock.now(), starts_at=None)
            return
        await self._by_itself(wave, WaveState.DRAFT, starts_at=None, note=f"not started at its time: {against}")

    async def _by_itself(self, wave: Wave, state: WaveState, **fields: object) -> None:
        try:
            await self._change(wave, state, Approval(by="tenantfold"), **fields)
        except ConflictError:
            log.info("wave.moved_meanwhile", wave=wave.name)  # another worker, or a person, was first

    def _with_overrides(self, wave: Wave, approval: Approval) -> Wave:
        if not approval.rules:
            return wave
        if not approval.by.strip() or not approval.reason.strip():
            raise InputError(
                "An override needs an approval: --by says who answers for it, and --reason why.",
                next_step=override_command(wave.name, approval.rules[0]),
            )
        now = self.clock.now()
        new = (Override(rule=rule, by=approval.by, reason=approval.reason, at=now) for rule in approval.rules)
        return replace(wave, overrides=wave.overrides + tuple(new))

    def _refuse(self, wave: Wave, check: WaveCheck, refusals: Sequence[WaveRefusal]) -> None:
        """Raise for everything nobody answers for."""
        left = [one for one in refusals if not wave.overrides_rule(one.rule)]
        if not left:
            return
        lines = "\n".join(f"- {one.rule.value}: {one.detail}" for one in left)
        rules = " ".join(f"--override {one.rule.value}" for one in left)
        command = left[0].override.replace(f"--override {left[0].rule.value}", rules)
        raise WaveRefusedError(
            f"Wave {wave.name} may not start:\n{lines}",
            next_step=f"Make it smaller or begin earlier in the day (UTC); or answer for it: {command}",
            wave=wave.name,
            customers=check.size.customers,
            refusals=left,
            override=command,
        )

    def _allow(self, wave: Wave, state: WaveState) -> None:
        if not wave.state.may_become(state):
            raise _illegal(wave, state)

    async def _change(self, wave: Wave, state: WaveState, approval: Approval, **fields: object) -> Wave:
        """Compare-and-set with an event."""
        after, event = self._changed(wave, state, approval, **fields)
        return await self.waves.change_wave(wave.state, after, event)

    def _changed(self, wave: Wave, state: WaveState, approval: Approval, **fields: object) -> tuple[Wave, Event]:
        """The wave as it will be, and an event that says who, why and which rules were overridden."""
        self._allow(wave, state)
        after = replace(wave, state=state, **fields)  # type: ignore[arg-type]  # the callers above name the fields
        facts = {"wave": wave.name, "before": wave.state.value, "by": approval.by, "reason": approval.reason}
        facts |= {"overridden": " ".join(rule.value for rule in approval.rules)} if approval.rules else {}
        facts |= {"note": after.note} if after.note else {}
        event = Event(at=self.clock.now(), customer_id=None, name=f"wave.{state.value}", facts=facts)
        log.info(event.name, **facts)
        return after, event


class WaveKeeper:
    """Keeps waves going while a run or a worker is at work; asks the ledger only every few seconds."""

    def __init__(self, desk: WaveDesk) -> None:
        self._desk = desk
        self._kept_at: datetime | None = None

    async def keep(self) -> None:
        """Start and finish waves, if the last look was a while ago."""
        now = self._desk.clock.now()
        if self._kept_at is not None and timedelta(0) <= now - self._kept_at < KEPT_EVERY:
            return
        self._kept_at = now
        await self._desk.keep()

    async def next_start_at(self) -> datetime | None:
        """When the next scheduled wave can begin here: at its time, at the earliest when this looks again."""
        starts_at = await self._desk.waves.next_start_at()
        if starts_at is None or self._kept_at is None:
            return starts_at
        return max(starts_at, self._kept_at + KEPT_EVERY)


def _illegal(wave: Wave, state: WaveState) -> InputError:
    legal = ", ".join(one.value for one in WaveState if wave.state.may_become(one))
    ways = f", only {legal}" if legal else " or anything else any more"
    return InputError(
        f"Wave {wave.name} is {wave.state.value}: it cannot become {state.value}{ways}.",
        next_step=f"Look at it: tenantfold wave show {wave.name}",
        wave=wave.name,
        state=wave.state.value,
    )
