"""How the waves stand, who is held and why, and when everything that is left will be done: a part of status and run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tenantfold.bootstrap import Program
from tenantfold.cli.render import Renderer
from tenantfold.cli.waves import show_waves, standings
from tenantfold.domain.admission import Bottleneck, bottleneck_of, demand_of, eta_sentence, eta_words
from tenantfold.domain.model import CustomerId, TenantId
from tenantfold.domain.waves import HELD_BECAUSE, HELD_NEXT, Held, Wave

ETA_EVERY_SECONDS = 60.0


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
    worst = await slowest(program)
    return Outlook(
        waves=tuple(await standings(program)),
        held=await program.store.held_counts(),
        bottleneck=worst,
        eta=eta_sentence(worst, _keys(program)) if worst else "",
    )


async def slowest(program: Program) -> Bottleneck | None:
    """What takes longest of everything that is left to do; None when no more calls are needed."""
    left = demand_of(await program.store.load_left(), program.target.id)
    return bottleneck_of(left, await program.rates())


def _keys(program: Program) -> Mapping[TenantId, str]:
    return {tenant.id: tenant.key for tenant in program.tenants}


async def eta_line(program: Program) -> str:
    """How long the rest takes and what slows it down, as a sentence; "" when nothing is left."""
    worst = await slowest(program)
    return eta_sentence(worst, _keys(program)) if worst else ""


@asynccontextmanager
async def eta_shown(program: Program, renderer: Renderer) -> AsyncIterator[None]:
    """Keep the same in short words beside the progress while the block runs; nothing where nobody sees progress."""
    if not renderer.shows_progress:
        yield
        return
    task = asyncio.create_task(_keep_eta(program, renderer))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_eta(program: Program, renderer: Renderer) -> None:
    while True:
        worst = await slowest(program)
        renderer.note(eta_words(worst, _keys(program)) if worst else "")
        await program.clock.sleep(ETA_EVERY_SECONDS)


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
