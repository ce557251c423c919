"""The window in which delegated admin access is asked for (simulation room), and the customers who get the letters.

The commands are the product's own use cases, put together as ``tenantfold gdap`` does; they run beside whatever runs. A
customer approves by the link of its letter, so who gets none never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from partner_center_emulator.app import create_app
from partner_center_emulator.errors import ApiError
from partner_center_emulator.graph import gdap
from partner_center_emulator.state.gdap import GdapRelationship
from tenantfold.bootstrap import Program, gdap_terms_of
from tenantfold.domain.gdap import GdapCase, GdapStanding
from tenantfold.domain.model import CustomerId
from tenantfold.errors import StoreError
from tenantfold.flow.gdap import GdapTools, check, request
from tenantfold.flow.progress import Silent
from tenantfold.settings import GdapSettings
from tenantfold.simulation.gdap_script import Ask, GdapCommand, GdapScript
from tenantfold.simulation.network import Network
from tenantfold.simulation.stage import Stage
from tenantfold.simulation.steering_script import When
from tenantfold.simulation.window import Ending, Window

ROLES = ("Service support administrator", "License administrator")
GROUPS = (
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301: Service support administrator",
    "7c9e6679-7425-40de-944b-e07fc1f90ae7: Service support administrator, License administrator",
)
BY_HAND = "made by a colleague"
_PLACE = 1  # of the window
_LAST = (Ask.REQUEST, Ask.ACCESS, Ask.ACCESS, Ask.ACCESS)
_BETWEEN = timedelta(hours=1)  # two of the last: longer than everything takes to settle


class GdapWindow:
    """Types the commands of ``script`` for customers ``ids`` (number -> id); ``note`` tells the story."""

    def __init__(
        self, stage: Stage, script: GdapScript, ids: Mapping[int, CustomerId], note: Callable[[str], None]
    ) -> None:
        self.script = script
        self.ids = ids
        self.window = Window(stage, _PLACE, note, Network(create_app(stage.emulator), f"gdap/{stage.options.seed}"))
        self.misdirected: list[str] = []
        self._stage = stage
        self._note = note
        self._numbers = {customer_id: number for number, customer_id in ids.items()}
        self._approving: set[str] = set()
        self._typed: set[int] = set()
        self._boundaries = 0
        for number in sorted(script.by_hand):
            self._make_by_hand(number)

    # --- when --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Wait for the time of every command that has one."""
        for command in self.script.commands:
            if command.when is When.CLOCK:
                self.window.later(self._by_the_clock(command))

    def at_boundary(self) -> None:
        """A run passes a journal boundary, and goes on while a command begins beside it."""
        self._boundaries += 1
        for place, command in enumerate(self.script.commands):
            if command.when is When.BOUNDARY and command.moment <= self._boundaries and place not in self._typed:
                self._typed.add(place)
                self.window.at_once(self._type(command))

    async def finish(self) -> None:
        """Nothing goes wrong any more: ask once more, and look until everything that time brings has come."""
        self.window.stop_waiting()
        await self.window.quiet()
        for ask in _LAST:
            await self._type(GdapCommand(ask=ask, when=When.DESK, moment=0))
            await self._stage.wait_until(self._stage.now() + _BETWEEN)

    async def _by_the_clock(self, command: GdapCommand) -> None:
        await self._stage.wait_until(self._stage.world.started_at + timedelta(seconds=command.moment))
        await self.window.beside(self._type(command))

    async def _type(self, command: GdapCommand) -> None:
        ending = await self.window.command(command.ask.value, lambda one: self._work(one, command.ask), command.death)
        if ending is Ending.KILLED and command.death is not None:
            self.window.later(self._once_more(command, command.death.down_seconds))

    async def _once_more(self, command: GdapCommand, seconds: float) -> None:
        await self._stage.wait_until(self._stage.now() + timedelta(seconds=seconds))
        await self.window.beside(self._type(replace(command, death=None)))

    # --- what --------------------------------------------------------------------------------------------------------

    async def _work(self, program: Program, ask: Ask) -> None:
        """As ``tenantfold gdap`` does; the window is the lock that lets one of them work at a time."""
        tools = GdapTools(
            consolidation=program.settings.consolidation,
            ledger=program.store,
            target=program.centers[program.target.id],
            clock=program.clock,
            terms=gdap_terms_of(program.settings),
            settling_seconds=program.settings.policy.settling_seconds,
            write_letter=self._deliver,
            in_flight=program.settings.limits.in_flight,
            again=ask is Ask.AGAIN,
        )
        if ask.is_request:
            summary = await request(tools, Silent(), renews=ask is Ask.RENEW)
        else:
            summary = await check(tools, Silent(), rereads=ask is Ask.ACCESS)
        found = ", ".join(f"{count} {condition.value}" for condition, count in sorted(summary.conditions.items()))
        self._note(f"{ask.value} says: {found or 'nobody'}; errors: {'; '.join(summary.errors.values()) or 'none'}.")

    # --- the customers -----------------------------------------------------------------------------------------------

    def _deliver(self, case: GdapCase, standing: GdapStanding) -> str:
        """A letter arrives at once; its customer approves later, or never."""
        relationship_id = standing.relationship_id
        if case.wish is None or relationship_id is None:
            raise StoreError(f"The ledger does not hold what customer {case.customer_id} was asked for.")
        number = self._numbers[case.customer_id]
        if relationship_id not in self._approving and number in self.script.approves:
            self._approving.add(relationship_id)
            self.window.later(self._approve(number, relationship_id))
        return f"{case.customer_id}.txt"

    async def _approve(self, number: int, relationship_id: str) -> None:
        emulator, customer = self._stage.emulator, self._stage.world.customers[self.ids[number]]
        await self._wait(self.script.approves[number])
        relationship = self._stage.world.gdap.relationships.get(relationship_id)
        if relationship is None or relationship.customer_id != customer.id:
            self.misdirected.append(f"{customer.company_name} got a link that is not its own.")
            return
        try:
            gdap.approve(emulator, relationship, customer)
        except ApiError as error:
            self._note(f"{customer.company_name} comes too late with its link: {error}")
            return
        self._note(f"{customer.company_name} approves delegated admin access.")
        if number in self.script.ends:
            await self._wait(self.script.ends[number])
            self._end(customer.company_name, relationship)

    def _end(self, name: str, relationship: GdapRelationship) -> None:
        if relationship.status == "active":
            gdap.request(self._stage.emulator, relationship, "terminate")
            self._note(f"Somebody ends the delegated admin access to {name}.")

    async def _wait(self, seconds: float) -> None:
        await self._stage.wait_until(self._stage.now() + timedelta(seconds=seconds))

    def _make_by_hand(self, number: int) -> None:
        emulator, customer = self._stage.emulator, self._stage.world.customers[self.ids[number]]
        now = emulator.clock.now()
        made = GdapRelationship(
            id=emulator.next_id("gdap"),
            tenant_id=self._stage.settings.target.tenant_id,
            display_name=f"{BY_HAND} {number}",
            duration="P730D",
            roles=["88d8e3e3-8f55-4a1e-953a-9b9898b8876b"],
            status="created",
            created_at=now,
            modified_at=now,
        )
        gdap.activate_at_once(emulator, made, customer)


def settings_of(script: GdapScript) -> GdapSettings:
    """The terms that the partner asks for."""
    return GdapSettings(roles=ROLES, groups=GROUPS[: script.groups])
