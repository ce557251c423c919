"""Microsoft's support (world room): takes work in hand, needs hours for it, and sometimes does it wrong.

The seam for parts that hand work over: a part registers what happens when support is done with ``work(kind)`` and calls
``hand_over``. Delay and mistake are drawn from the world's seed and the hand-off's id, so a story repeats itself. The
part reads ``HandOff.mistake`` and does the wrong thing accordingly (``asks_back``, ``wrong_item``, ``partial``); after
the partner has answered or complained it calls ``again``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import msgspec

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.behaviour import HandOff

Work = Callable[[Emulator, HandOff], None]

_workers: dict[str, Work] = {}

behaviour(
    "actors: support",
    source="assumed",
    page="core 9",
    note="Support's delays (lognormal, 8 hours in the middle) and mistakes (none by default) are switches",
)


def work(kind: str) -> Callable[[Work], Work]:
    """Register what happens when support is done with a kind of work; a decorator at the top level of a module.

    Raises ValueError when the kind has a worker already.
    """

    def register(worker: Work) -> Work:
        if kind in _workers:
            raise ValueError(f"Two parts do the work {kind}.")
        _workers[kind] = worker
        return worker

    return register


def forget(kind: str) -> None:
    """Take a kind of work off the list; raises KeyError when nobody does it."""
    del _workers[kind]


def hand_over(emulator: Emulator, kind: str, subject_id: str, *, tenant_id: str, customer_id: str = "") -> HandOff:
    """Give work to support and return the hand-off with its due time; raises KeyError for a kind nobody registered."""
    if kind not in _workers:
        raise KeyError(kind)
    now = emulator.clock.now()
    hand_off = HandOff(
        id=emulator.next_id("hand-off"),
        kind=kind,
        subject_id=subject_id,
        tenant_id=tenant_id,
        customer_id=customer_id,
        handed_over_at=now,
        due_at=now,
    )
    emulator.world.behaviour.support.hand_offs[hand_off.id] = hand_off
    _plan(emulator, hand_off)
    emulator.record(
        "support.handed_over",
        tenant_id=tenant_id,
        customer_id=customer_id,
        subject_id=subject_id,
        after={"kind": kind, "due_at": hand_off.due_at.isoformat()},
    )
    return hand_off


def again(emulator: Emulator, hand_off: HandOff) -> HandOff:
    """Let support try once more, after the partner's answer or complaint; returns the same hand-off with a new time."""
    hand_off.attempt += 1
    hand_off.status = "open"
    _plan(emulator, hand_off)
    return hand_off


def withdraw(hand_off: HandOff) -> None:
    """Take work back; support does nothing more about it."""
    hand_off.status = "withdrawn"


def rearm(emulator: Emulator) -> None:
    """Put support's open work back on the clock."""
    for hand_off in emulator.world.behaviour.support.hand_offs.values():
        if hand_off.status == "open":
            _arm(emulator, hand_off)


def _plan(emulator: Emulator, hand_off: HandOff) -> None:
    manner = emulator.world.behaviour.support.manner
    chance = Random(f"{emulator.world.seed}/{hand_off.id}/{hand_off.attempt}")
    hours = manner.median_hours * chance.lognormvariate(0.0, manner.sigma)
    hand_off.due_at = emulator.clock.now() + timedelta(hours=hours)
    errs = bool(manner.mistakes) and chance.random() < manner.mistake_probability
    hand_off.mistake = chance.choice(manner.mistakes) if errs else ""
    _arm(emulator, hand_off)


def _arm(emulator: Emulator, hand_off: HandOff) -> None:
    planned = msgspec.structs.replace(hand_off)

    def work_if_still_planned() -> None:
        present = emulator.world.behaviour.support.hand_offs.get(hand_off.id)
        if present != planned:
            return
        hand_off.status = "done"
        emulator.record(
            "support.worked",
            tenant_id=hand_off.tenant_id,
            customer_id=hand_off.customer_id,
            subject_id=hand_off.subject_id,
            after={"kind": hand_off.kind, "mistake": hand_off.mistake, "attempt": hand_off.attempt},
        )
        _workers[hand_off.kind](emulator, hand_off)

    emulator.clock.at(hand_off.due_at, f"support {hand_off.id}", work_if_still_planned)
