"""What other parts of the emulator ask the fault plan (fault room): order lines and webhooks."""

from __future__ import annotations

from contextvars import ContextVar
from fnmatch import fnmatchcase

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import draws
from partner_center_emulator.state.behaviour import Fault

# the faults that hit the call being handled: models know no calls, only what happens to them
striking: ContextVar[tuple[Fault, ...]] = ContextVar("striking", default=())


def line_fails(index: int) -> bool:
    """Whether line number ``index`` (from 0, in the order of the body) of the order being placed fails."""
    return any(fault.kind == "failed_line" and fault.line == index for fault in striking.get())


def webhook_deliveries(emulator: Emulator, event: str, tenant_id: str, customer_id: str = "") -> tuple[float, ...]:
    """Return after how many seconds each delivery of one webhook event leaves: ``(0.0,)`` when nothing is wrong.

    More entries are duplicates, none is a lost event. Asked once per event by whoever sends webhooks.
    """
    deliveries = [0.0]
    for fault in emulator.world.behaviour.faults.plan.faults:
        if fault.kind not in {"duplicate_webhook", "late_webhook", "lost_webhook"} or not fault.enabled:
            continue
        if not fnmatchcase(event, fault.event) or not draws.is_meant(emulator, fault, tenant_id, customer_id):
            continue
        if not draws.fires(emulator, fault):
            continue
        if fault.kind == "lost_webhook":
            return ()
        seconds = draws.delay(emulator, fault)
        if fault.kind == "late_webhook":
            deliveries = [at + seconds for at in deliveries]
        else:
            deliveries += [deliveries[0] + seconds * copy for copy in range(1, fault.copies)]
    return tuple(deliveries)
