"""A mixed scenario played to its end (simulation room): weeks of an operator's visits, and people who do their part.

After the days of trouble the operator comes by whenever the program says that something is due, until nothing waits
for time or for a person any more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random

import msgspec

from partner_center_emulator.actors import portal
from partner_center_emulator.emulator import Options
from partner_center_emulator.errors import ApiError
from partner_center_emulator.state.transfers import Transfer
from tenantfold.domain.evidence import TaskKind
from tenantfold.flow.last_days import days_not_to_miss
from tenantfold.settings import GdapSettings, PolicySettings
from tenantfold.simulation import mixed_cast
from tenantfold.simulation.gdap_window import GdapWindow, settings_of
from tenantfold.simulation.mixed_scenario import Mishap, MixedScenario, MixedScript
from tenantfold.simulation.network import OnWrite
from tenantfold.simulation.people import Person
from tenantfold.simulation.stage import SimulatedStore, Stage, StageOptions
from tenantfold.simulation.webhook_post import WebhookPost
from tenantfold.simulation.webhook_post import settings_of as settings_of_webhooks
from tenantfold.simulation.window import Window
from tenantfold.simulation.world import Simulation, wave_settings

REST = timedelta(hours=6)  # between two visits of the operator when nothing goes wrong any more
LONGEST_REST = timedelta(days=5)
MORNING = time(9)  # when the operator sits down on a day that must not be missed
_LISTENING = 8  # as many turns of the loop may a run take that hears of events
_ANSWERS = frozenset({Mishap.REJECTED, Mishap.CANCELED})


class MixedSimulation(Simulation):
    """Plays one mixed scenario in ``folder``. Made and awaited inside ``loop.run``."""

    casting = mixed_cast

    def __init__(self, scenario: MixedScenario, folder: Path, stage: Stage | None = None) -> None:
        self.mixed = scenario
        self._given = stage
        super().__init__(scenario, folder)
        never = frozenset[TaskKind]() if scenario.people.unblocks else frozenset({TaskKind.TRANSFER_UNBLOCKED})
        chance = Random(f"person/{scenario.seed}")
        self.person = Person(self.stage, scenario.people.task_hours, chance, never=never)
        self._answered: set[str] = set()
        mixed_cast.begin_mishaps(self.stage.emulator, scenario)
        self.gdap = self._gdap_window()
        self.post = self._webhook_post()

    def _stage(self, folder: Path) -> Stage:
        return self._given or Stage(mixed_cast.build(self.mixed), folder, options_of(self.mixed))

    def _gdap_window(self) -> GdapWindow | None:
        """Who asks for delegated admin access, where a scenario says so."""
        if self.mixed.gdap is None:
            return None
        return GdapWindow(self.stage, self.mixed.gdap, self._ids(), self._note)

    def _webhook_post(self) -> WebhookPost | None:
        """Who brings events, where a scenario says so."""
        script = self.mixed.webhooks
        if script is None:
            return None
        self.stage.settings = replace(self.stage.settings, webhooks=settings_of_webhooks(script, self.stage))
        return WebhookPost(self.stage, script, self._ids(), self._note)

    async def play(self) -> None:
        """From the first look until nothing waits for time or for a person; see ``Simulation.play``."""
        if self.gdap is not None:
            self.gdap.begin()
        if self.post is not None:
            self.post.begin()
        await super().play()
        await self._play_on()
        if self.gdap is not None:
            await self.gdap.finish()

    @property
    def windows(self) -> tuple[Window, ...]:
        """Those beside the runs."""
        return (*super().windows, *(one.window for one in (self.gdap, self.post) if one is not None))

    @property
    def _wait_seconds(self) -> float:
        waits = self.post.script.wait_seconds if self.post is not None and not self._is_over else 0.0
        return max(super()._wait_seconds, waits)

    @property
    def _most_turns(self) -> int:
        """Whoever listens for hours turns more often."""
        return super()._most_turns * (_LISTENING if self.post is not None else 1)

    def _end_of_trouble(self) -> None:
        super()._end_of_trouble()
        if self.post is not None:
            self.post.end()

    @property
    def _is_watched(self) -> bool:
        return self.gdap is not None or super()._is_watched

    async def _at_boundary(self) -> None:
        if self.gdap is not None:
            self.gdap.at_boundary()
        await super()._at_boundary()

    async def _play_on(self) -> None:
        """Come by for weeks, as long as anything is to be expected."""
        while self.stage.now() < self.mixed.over_at:
            rest = await self._rest()
            if rest is None:
                break
            await self.stage.wait_until(rest)
            await self._visit()

    async def _until(self, when: datetime) -> None:
        """Let the time pass, but come by on the days that ``tenantfold calendar`` says must not be missed."""
        while (day := await self._next_last_day()) is not None and day < when:
            await self.stage.wait_until(day)
            await self._visit()
        await self.stage.wait_until(when)

    async def _next_last_day(self) -> datetime | None:
        async with SimulatedStore.open(self.stage.settings.database_url, inline=True) as store:
            days = {one.on for one in await days_not_to_miss(store)}
        mornings = (datetime.combine(day, MORNING, UTC) for day in days)
        return min((one for one in mornings if one > self.stage.now()), default=None)

    async def _visit(self) -> None:
        """As ever; before it the operator types in what people have done meanwhile, after it people get their tasks."""
        await self.person.confirm(self._note)
        self.stage.sign_in_again()
        await super()._visit()
        await self.person.take_up()

    async def _rest(self) -> datetime | None:
        """When the operator comes by again; None when nothing more will happen by itself."""
        now = self.stage.now()
        store = SimulatedStore.open(self.stage.settings.database_url, inline=True)
        try:
            due = await store.next_due_at()
        finally:
            await store.close()
        events = [one for one in (due, self.person.next_done_at(), self._next_acceptance()) if one is not None]
        if not events and not self._plan_wanted:
            return None
        soonest = min(events, default=now)
        return self._by_day(min(max(soonest, now + REST), now + LONGEST_REST))

    def _next_acceptance(self) -> datetime | None:
        return min(self.stage.world.pending_acceptances.values(), default=None)

    def _by_day(self, when: datetime) -> datetime:
        """In the evening nobody begins a cutover: the operator comes the next morning then."""
        latest = self.scenario.stop_starting_at.hour - 1
        return when if when.hour < latest else (when + timedelta(days=1)).replace(hour=7, minute=30)

    # --- somebody in a portal ----------------------------------------------------------------------------------------

    def _watched(self, boundary: OnWrite) -> OnWrite:
        """Somebody may be quicker than the program: a request is rejected or canceled as soon as it is there."""
        quick = [one for one in self.mixed.customers if isinstance(one, MixedScript) and one.mishap in _ANSWERS]

        async def watch(name: str) -> None:
            if name == "POST is answered":
                for script in quick:
                    self._answer(script)
            await boundary(name)

        return watch if quick else boundary

    def _answer(self, script: MixedScript) -> None:
        name = mixed_cast.name_of(script)
        transfer = self._pending(mixed_cast.customer_of(self.stage.world, script).id)
        if transfer is None or name in self._answered:
            return
        rejects = script.mishap is Mishap.REJECTED
        try:
            portal.answer_transfer(self.stage.emulator, transfer, rejects=rejects)
        except ApiError as error:
            self._note(f"{name}: somebody could not answer a transfer: {error}")
            return
        self._answered.add(name)
        self.record.portal[script.number] = self.stage.now()
        self._note(f"{name}: somebody {'rejects' if rejects else 'cancels'} its transfer in the portal.")

    def _pending(self, customer_id: str) -> Transfer | None:
        found = self.stage.world.transfers.transfers.values()
        return next((one for one in found if one.customer_id == customer_id and one.status == "Pending"), None)


def options_of(scenario: MixedScenario) -> StageOptions:
    """The stage of a mixed scenario."""
    members = {
        "pace": scenario.paces,
        "transfer_seconds": scenario.transfer_seconds,
        "service_request_create": scenario.people.opens_requests,
        **_webhook_options(scenario),
        "gdap_step_seconds": scenario.gdap.step_seconds if scenario.gdap is not None else 0.0,
        **scenario.options,
    }
    return StageOptions(
        seed=scenario.seed,
        emulator=msgspec.convert(members, Options),
        laptop_ahead=timedelta(seconds=scenario.laptop_ahead),
        sources=mixed_cast.source_keys(scenario),
        policy=policy_settings(scenario),
        waves=wave_settings(scenario),
        gdap=settings_of(scenario.gdap) if scenario.gdap is not None else GdapSettings(),
        cloud=scenario.cloud,
    )


def _webhook_options(scenario: MixedScenario) -> dict[str, object]:
    """How Microsoft delivers."""
    given = scenario.webhooks
    if given is None:
        return {}
    return {"webhook_duplicates": given.doubled, "subscription_updated_delay_seconds": given.updated_seconds}


def policy_settings(scenario: MixedScenario) -> PolicySettings:
    """What the partner has decided."""
    return PolicySettings(
        stop_starting_at=scenario.stop_starting_at,
        late_case=scenario.late_case,
        us_government="move",
        # there are no agreements to attest in the government's cloud
        agreement_source="customer" if scenario.cloud == "us_government" else "list",
        partial_customers=scenario.partial_customers,
        buys_azure_plan="yes" if scenario.buys_azure_plan else "no",
        cleans_azure_default="yes" if scenario.cleans_azure_default else "no",
        gdap_request="yes" if scenario.gdap is not None else "no",
        opens_service_requests="yes" if scenario.people.opens_requests else "no",
    )
