"""The pace of lifecycles (time room): a step is done at once, after it was read some times, or after some seconds.

The options hold the rules (``Options.pace``): the key is a step (``subscription.status``), a route
(``POST /v1/customers/{customer}/orders``), both with a space between (route first), or ``*``; the most exact one wins.
A part that begins a step calls ``begin`` and registers what is to happen at its end with ``on_done``; handlers say with
``show`` which unfinished things their answer shows. What waits is in the world, so a snapshot keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from partner_center_emulator import strict
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.requests import Call
from partner_center_emulator.state.behaviour import Pace, Waiting

ORDER_STATUS = "order.status"
SUBSCRIPTION_ID = "order.subscription_id"
SUBSCRIPTION_STATUS = "subscription.status"

Done = Callable[[Emulator, Waiting], None]

_AT_ONCE = Pace()
_done: dict[str, Done] = {}

behaviour(
    "pace",
    source="documented",
    page="commerce 0",
    note="`subscriptionId` may be missing from the answer to an order and appear later; a new subscription may be "
    "`pending` first, a new order too (switches, at once by default)",
)
behaviour(
    "pace",
    source="assumed",
    page="commerce 0",
    note="A subscription whose id the order does not show yet is in no list and 404 by its id",
)


def on_done(step: str) -> Callable[[Done], Done]:
    """Register what happens when a step is done; used as a decorator at the top level of a resource's module."""

    def register(done: Done) -> Done:
        _done[step] = done
        return done

    return register


def steps() -> tuple[str, ...]:
    """Return the names of every step that knows its end."""
    return tuple(sorted({*_done, SUBSCRIPTION_ID}))


def rule_for(emulator: Emulator, step: str, route: str = "") -> Pace:
    """Return the pace of a step begun by a route."""
    rules = emulator.options.pace
    for key in (f"{route} {step}", step, route, "*"):
        if key in rules:
            return rules[key]
    return _AT_ONCE


def begin(emulator: Emulator, step: str, subject_id: str, *, tenant_id: str, customer_id: str, route: str = "") -> bool:
    """Begin a step and return whether it takes time; False means that it is done already and nothing is kept.

    The caller puts its subject into the unfinished state when this is True.
    """
    rule = rule_for(emulator, step, route)
    waiting = Waiting(step=step, subject_id=subject_id, tenant_id=tenant_id, customer_id=customer_id)
    if rule.advance == "after_reads" and rule.reads > 0:
        waiting.reads_left = rule.reads
    elif rule.advance == "after_seconds" and rule.seconds > 0:
        waiting.due_at = emulator.clock.now() + timedelta(seconds=rule.seconds)
    else:
        return False
    emulator.world.behaviour.pace.waiting[_key(step, subject_id)] = waiting
    if waiting.due_at is not None:
        _arm(emulator, waiting, waiting.due_at)
    return True


def is_waiting(emulator: Emulator, step: str, subject_id: str) -> bool:
    """Whether a step of a subject is not done yet."""
    waiting = emulator.world.behaviour.pace.waiting
    return bool(waiting) and _key(step, subject_id) in waiting


def show(call: Call, step: str, subject_id: str) -> bool:
    """Return whether a step is not done yet, and note that this answer shows it so: it counts as one read of a GET."""
    if not is_waiting(call.emulator, step, subject_id):
        return False
    key = _key(step, subject_id)
    if key not in call.unfinished:
        call.unfinished = (*call.unfinished, key)
    return True


def settle(call: Call) -> None:
    """After an answer: count it as a read of everything unfinished it showed; what was read enough is done now.

    The client is told, as far as strictness goes, not to ask again at once.
    """
    if not call.unfinished or call.method != "GET":
        return
    strict.advise_poll(call)
    waiting = call.world.behaviour.pace.waiting
    for key in call.unfinished:
        found = waiting.get(key)
        if found is None or found.reads_left is None:
            continue
        found.reads_left -= 1
        if found.reads_left <= 0:
            _finish(call.emulator, key)


def rearm(emulator: Emulator) -> None:
    """Put the steps that wait for a time back on the clock."""
    for waiting in emulator.world.behaviour.pace.waiting.values():
        if waiting.due_at is not None:
            _arm(emulator, waiting, waiting.due_at)


def _arm(emulator: Emulator, waiting: Waiting, due_at: datetime) -> None:
    key = _key(waiting.step, waiting.subject_id)

    def finish_if_still_waiting() -> None:
        if emulator.world.behaviour.pace.waiting.get(key) is waiting:
            _finish(emulator, key)

    emulator.clock.at(due_at, f"pace {key}", finish_if_still_waiting)


def _finish(emulator: Emulator, key: str) -> None:
    waiting = emulator.world.behaviour.pace.waiting.pop(key)
    done = _done.get(waiting.step)
    if done is not None:
        done(emulator, waiting)


def _key(step: str, subject_id: str) -> str:
    return f"{step}/{subject_id.lower()}"
