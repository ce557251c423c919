"""A person who does what the program's task list says (simulation room): in the portal, and then confirms it.

The program never learns what was done but by what is confirmed and by what it reads itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from partner_center_emulator.actors import portal
from partner_center_emulator.errors import ApiError
from partner_center_emulator.subscriptions.models import change_in_portal
from partner_center_emulator.world import Subscription
from tenantfold.bootstrap import policy_of
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.errors import InputError, PlanMissingError, PlanNotApprovedError
from tenantfold.flow.evidence import Confirmation, confirm, to_do
from tenantfold.simulation.stage import SimulatedStore, Stage

_UNTIL_IT_SHOWS = 60.0  # what was bought, in the portal
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to do for one source subscription, and when it will be done."""

    customer_id: CustomerId
    subscription_id: SubscriptionId
    task: TaskKind
    done_at: datetime

    @property
    def key(self) -> tuple[SubscriptionId, TaskKind]:
        """What tells errands apart: nobody does the same thing twice."""
        return self.subscription_id, self.task


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows that something was done."""

    note: str = "done in the portal"
    target_id: SubscriptionId | None = None


@dataclass(slots=True)
class Person:
    """Does errands one after the other has come due; ``hours`` is how long one takes in the middle.

    A clock of the program, too: whoever types a confirmation in does it at the true time. ``never``: tasks that stay
    undone.
    """

    stage: Stage
    hours: float
    chance: Random
    errands: list[Errand] = field(default_factory=list)
    seen: set[tuple[SubscriptionId, TaskKind]] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    never: frozenset[TaskKind] = frozenset()

    def next_done_at(self) -> datetime | None:
        """When the next errand will be done, if any."""
        return min((one.done_at for one in self.errands), default=None)

    async def take_up(self) -> None:
        """Read the program's list and take up what is new on it."""
        async with SimulatedStore.open(self.stage.settings.database_url, inline=True) as store:
            wanted = await self._wanted(store)
        for customer_id, subscription_id, task in wanted:
            if (subscription_id, task) not in self.seen and task not in self.never:
                self.seen.add((subscription_id, task))
                takes = timedelta(hours=self.hours * self.chance.uniform(0.5, 1.5))
                self.errands.append(Errand(customer_id, subscription_id, task, self.stage.now() + takes))

    async def _wanted(self, store: SimulatedStore) -> list[tuple[CustomerId, SubscriptionId, TaskKind]]:
        """What ``tenantfold tasks`` shows; nothing while no plan is approved."""
        try:
            return [
                (one.customer_id, task.subscription_id, task.kind)
                async for one in to_do(store, self, policy_of(self.stage.settings))
                for task in one.tasks
            ]
        except (PlanMissingError, PlanNotApprovedError):
            return []

    async def confirm(self, note: Note) -> None:
        """Do what has come due and say so; what Microsoft or the program refuses is tried again tomorrow."""
        due = [one for one in self.errands if one.done_at <= self.stage.now()]
        self.errands = [one for one in self.errands if one not in due]
        for errand in due:
            try:
                await self._confirm(errand, await self._do(errand))
            except ApiError as error:
                note(f"The colleague cannot do {errand.task.value}: {error}")
                self.errands.append(replace(errand, done_at=self.stage.now() + timedelta(days=1)))
            except (InputError, PlanMissingError, PlanNotApprovedError) as error:
                note(f"The program does not take {errand.task.value} for {errand.subscription_id[:8]}: {error}")
                self.seen.discard(errand.key)  # it is taken up again if it is still on the list
            else:
                note(f"The colleague has done {errand.task.value} for {errand.subscription_id[:8]}.")

    async def _confirm(self, errand: Errand, shown: Shown) -> None:
        said = Confirmation(
            task=errand.task,
            by="Kari Nes",
            subscription_id=errand.subscription_id,
            note=shown.note,
            target_id=shown.target_id,
        )
        async with SimulatedStore.open(self.stage.settings.database_url, inline=True) as store:
            await confirm(store, self, policy_of(self.stage.settings), errand.customer_id, said)

    def now(self) -> datetime:
        """The clock on the wall."""
        return self.stage.now()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await self.stage.wait_until(self.stage.now() + timedelta(seconds=seconds))

    async def _do(self, errand: Errand) -> Shown:
        """Do it in the world; returns what shows it."""
        emulator = self.stage.emulator
        world = emulator.world
        held = world.subscriptions.get(errand.subscription_id)
        target = world.partner_tenants[self.stage.settings.target.tenant_id]
        if held is None:
            return Shown()
        match errand.task:
            case TaskKind.BOUGHT_AT_TARGET:
                order = portal.buy_alike(emulator, target, held)
                await self.sleep(_UNTIL_IT_SHOWS)
                found = next((one.subscription_id for one in order.lines if one.subscription_id), None)
                return Shown(target_id=SubscriptionId(found) if found else None)
            case TaskKind.ENDED_AT_SOURCE if held.status == "active":
                portal.end(emulator, held)
            case TaskKind.END_OF_TERM_CHOSEN if held.status == "active":
                portal.choose_end_of_term(emulator, held)
            case TaskKind.HANDED_OFF if held.status == "active":
                source = world.partner_tenants[held.tenant_id]
                return Shown(note=portal.hand_off(emulator, source, target, [held.id]).id)
            case TaskKind.TRANSFER_UNBLOCKED:
                portal.cancel_marketplace(emulator, held)
            case TaskKind.STATUS_SETTLED:
                change_in_portal(emulator, held.id, {"status": "active"})
            case TaskKind.OLD_ACCESS_REMOVED:
                self._remove_access(held)
            case _:
                return Shown()
        return Shown()

    def _remove_access(self, held: Subscription) -> None:
        for one in self.stage.world.azure.entitlements.values():
            if one.customer_id == held.customer_id:
                one.roles = [role for role in one.roles if role.tenant_id != held.tenant_id]
