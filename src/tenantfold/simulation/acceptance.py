"""When customers accept in a rehearsal (simulation room): who has accepted did; the others by a chosen manner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tenantfold.errors import InputError
from tenantfold.simulation.twin import Twin

ALLOWED = "at-once, by-hand, or spread: with a number of days or hours, such as spread:14d"
_SPREAD = re.compile(r"spread:(\d+(?:\.\d+)?)([dh])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """How customers that have not accepted yet behave. ``spread`` None: by hand, so nobody does by itself."""

    text: str
    spread: timedelta | None

    @classmethod
    def read(cls, text: str) -> Acceptance:
        """Read the option. Raises InputError with what is allowed."""
        wanted = text.strip().lower()
        match = _SPREAD.fullmatch(wanted)
        if match is not None:
            hours = float(match[1]) * (24 if match[2] == "d" else 1)
            return cls(text=wanted, spread=timedelta(hours=hours))
        if wanted in {"at-once", "by-hand"}:
            return cls(text=wanted, spread=timedelta(0) if wanted == "at-once" else None)
        raise InputError(f"--acceptance is '{text}'; allowed is {ALLOWED}.")


def schedule(twin: Twin, customers: Sequence[str], acceptance: Acceptance, seed: int) -> int:
    """Plan the acceptance of everybody here who is not the target's customer yet; returns how many will accept.

    The same seed gives every customer the same time. A customer outside of the target's region never succeeds: the
    emulator refuses it, as Microsoft would.
    """
    if acceptance.spread is None:
        return 0
    world, target = twin.world, twin.target
    waiting = [one for one in customers if one in world.customers and f"{target.id}/{one}" not in world.relationships]
    for customer_id in waiting:
        share = Random(f"acceptance/{seed}/{customer_id}").random()
        world.pending_acceptances[f"{target.id}/{customer_id}"] = world.started_at + acceptance.spread * share
    return len(waiting)
