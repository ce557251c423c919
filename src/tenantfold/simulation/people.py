"""A person who does what the program's task list says (simulation room): in the portal, and then confirms it.

The program never learns what was done but by what is confirmed and by what it reads itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from partner_center_emulator.actors import portal
from partner_center_emulator.errors import ApiError
from partner_center_emulator.subscriptions.models import change_in_portal
from partner_center_emulator.world import Subscription
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.machine import unfinished
from tenantfold.domain.model import CustomerId, Route, SubscriptionId
from tenantfold.domain.states import Phase
from tenantfold.simulation.stage import SimulatedStore, Stage

_UNTIL_IT_SHOWS = 60.0  # what was bought, in the portal
_WAITS_FOR_PERSON = frozenset({Phase.BY_HAND, Phase.HANDED_OFF, Phase.RUNNING_OUT})
_GUIDE: Mapping[Route, tuple[TaskKind, ...]] = {
    Route.MANUAL: (TaskKind.BOUGHT_AT_TARGET, TaskKind.ENDED_AT_SOURCE),
    Route.AZURE_SUPPORT: (TaskKind.HANDED_OFF,),
    Route.EXPIRE_AND_REBUY: (TaskKind.END_OF_TERM_CHOSEN,),
}
Task = tuple[CustomerId, SubscriptionId, TaskKind]
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


@dataclass(slots=True)
class Person:
    """Does errands one after the other has come due; ``hours`` is how long one takes in the middle."""

    stage: Stage
    hours: float
    chance: Random
    errands: list[Errand] = field(default_factory=list)
    seen: set[tuple[SubscriptionId, TaskKind]] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    def next_done_at(self) -> datetime | None:
        """When the next errand will be done, if any."""
        return min((one.done_at for one in self.errands), default=None)

    async def take_up(self) -> None:
        """Read the program's list and take up what is new on it."""
        async with SimulatedStore.open(self.stage.settings.database_url, inline=True) as store:
            wanted = await open_tasks(store, self.stage.world.customers)
        for customer_id, subscription_id, task in wanted:
            if (subscription_id, task) not in self.seen:
                self.seen.add((subscription_id, task))
                takes = timedelta(hours=self.hours * self.chance.uniform(0.5, 1.5))
                self.errands.append(Errand(customer_id, subscription_id, task, self.stage.now() + takes))

    async def confirm(self, note: Note) -> None:
        """Do what has come due. What Microsoft refuses is tried again tomorrow."""
        due = [one for one in self.errands if one.done_at <= self.stage.now()]
        self.errands = [one for one in self.errands if one not in due]
        for errand in due:
            try:
                await self._do(errand)
            except ApiError as error:
                note(f"The colleague cannot do {errand.task.value}: {error}")
                again = self.stage.now() + timedelta(days=1)
                self.errands.append(Errand(errand.customer_id, errand.subscription_id, errand.task, again))
            else:
                note(f"The colleague has done {errand.task.value} for {errand.subscription_id[:8]}.")

    async def _do(self, errand: Errand) -> SubscriptionId | None:
        """Do it in the world; returns the target subscription that came of it."""
        emulator = self.stage.emulator
        world = emulator.world
        held = world.subscriptions.get(errand.subscription_id)
        target = world.partner_tenants[self.stage.settings.target.tenant_id]
        if held is None:
            return None
        match errand.task:
            case TaskKind.BOUGHT_AT_TARGET:
                order = portal.buy_alike(emulator, target, held)
                await self.stage.wait_until(self.stage.now() + timedelta(seconds=_UNTIL_IT_SHOWS))
                return next(
                    (SubscriptionId(line.subscription_id) for line in order.lines if line.subscription_id), None
                )
            case TaskKind.ENDED_AT_SOURCE if held.status == "active":
                portal.end(emulator, held)
            case TaskKind.END_OF_TERM_CHOSEN if held.status == "active":
                portal.choose_end_of_term(emulator, held)
            case TaskKind.HANDED_OFF if held.status == "active":
                portal.hand_off(emulator, world.partner_tenants[held.tenant_id], target, [held.id])
            case TaskKind.STATUS_SETTLED:
                change_in_portal(emulator, held.id, {"status": "active"})
            case TaskKind.OLD_ACCESS_REMOVED:
                self._remove_access(held)
            case _:
                return None
        return None

    def _remove_access(self, held: Subscription) -> None:
        for one in self.stage.world.azure.entitlements.values():
            if one.customer_id == held.customer_id:
                one.roles = [role for role in one.roles if role.tenant_id != held.tenant_id]


async def open_tasks(store: SimulatedStore, customers: Iterable[str]) -> list[Task]:
    """What the program leaves to a person, by the route of each item that is not done."""
    found: list[Task] = []
    for customer_id in map(CustomerId, customers):
        case = await store.case(customer_id)
        if case is None or case.progress.phase not in _WAITS_FOR_PERSON:
            continue
        for item in unfinished(case, frozenset(_GUIDE)):
            found += [(customer_id, item.subscription_id, task) for task in _GUIDE[item.route]]
    return found
