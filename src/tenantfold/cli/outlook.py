"""How the waves stand, who is held and why, and when everything that is left will be done: a part of status and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenantfold.bootstrap import Program
from tenantfold.cli.render import Renderer
from tenantfold.cli.waves import show_waves, standings
from tenantfold.domain.admission import Bottleneck, bottleneck_of, demand_of, eta_sentence
from tenantfold.domain.model import CustomerId
from tenantfold.domain.waves import HELD_BECAUSE, HELD_NEXT, Held, Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Waves with their numbers, customers still to move by why they are held, and what slows the rest down."""

    waves: tuple[tuple[Wave, Mapping[str, int]], ...]
    held: Mapping[Held, int]
    bottleneck: Bottleneck | None
    eta: str

    def document(self) -> Mapping[str, object]:
        """The same as an object for JSON."""
        waves = [{**numbers, "wave": wave} for wave, numbers in self.waves]
        held = {one.value: count for one, count in self.held.items() if one is not Held.NOTHING}
        return {"waves": waves, "held": held, "bottleneck": self.bottleneck, "eta": self.eta}


async def outlook_of(program: Program) -> Outlook:
    """Look at the ledger only."""
    left = demand_of(await program.store.load_left(), program.target.id)
    worst = bottleneck_of(left, await program.rates())
    keys = {tenant.id: tenant.key for tenant in program.tenants}
    return Outlook(
        waves=tuple(await standings(program)),
        held=await program.store.held_counts(),
        bottleneck=worst,
        eta=eta_sentence(worst, keys) if worst else "",
    )


def show_outlook(renderer: Renderer, outlook: Outlook) -> None:
    """Print waves, holds and the time that is left; nothing where there is nothing to say."""
    if outlook.waves:
        show_waves(renderer, outlook.waves)
    show_held(renderer, outlook.held)
    if outlook.eta:
        renderer.line(outlook.eta)


def show_held(renderer: Renderer, held: Mapping[Held, int]) -> None:
    """Print why customers that are to move do not begin."""
    rows = [
        (one.value, held[one], HELD_BECAUSE[one], HELD_NEXT[one])
        for one in Held
        if one is not Held.NOTHING and held.get(one)
    ]
    if rows:
        renderer.table("Held: not begun", ("held", "customers", "why", "what to do"), rows, numbers=(1,))


async def show_hold(program: Program, renderer: Renderer, customer_id: CustomerId) -> None:
    """Print why one customer does not begin, and who said so; nothing when it may."""
    held = await program.store.held(customer_id)
    if held is Held.NOTHING:
        return
    hold = await program.store.hold_of(customer_id) or await program.store.hold_of(None)
    said = f" By {hold.by}, {hold.at:%Y-%m-%d %H:%M} UTC{f': {hold.reason}' if hold.reason else ''}." if hold else ""
    renderer.line(f"  Held: {HELD_BECAUSE[held]}{said} {HELD_NEXT[held]}", style="yellow")


def nobody_was_driven(renderer: Renderer, held: Mapping[Held, int]) -> None:
    """After a run that drove nobody: say so when everybody who is to move is held."""
    count = sum(number for one, number in held.items() if one is not Held.NOTHING)
    if count and not held.get(Held.NOTHING):
        renderer.line(f"Nobody was driven: all {count} customer(s) that are to move are held.", style="yellow")
