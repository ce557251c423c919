"""Use cases of steering a move under way: hold one customer or everybody, let go on, make failed ones due again.

Waves are steered by ``flow.waves``. Both end in ``held`` of the rows, which dispatchers and the gate read.
"""

from __future__ import annotations

from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Held, Hold, Wave
from tenantfold.flow.ports import Clock, Ledger, Waves
from tenantfold.flow.waves import Approval

RETRIED = (Phase.FAILED, Phase.DRIFTED, Phase.STRANDED)


async def hold(waves: Waves, clock: Clock, customer_id: CustomerId | None, kind: Held, approval: Approval) -> int:
    """Hold one customer, or everybody (None), until that is lifted; returns how many are held so. StoreError."""
    now = clock.now()
    facts = {"by": approval.by, "reason": approval.reason}
    event = Event(at=now, customer_id=customer_id, name=f"steering.{kind.value}", facts=facts)
    return await waves.hold(customer_id, Hold(kind=kind, by=approval.by, reason=approval.reason, at=now), event)


async def lift(waves: Waves, clock: Clock, customer_id: CustomerId | None, approval: Approval) -> bool:
    """Take back what was said of one customer, or for everybody (None). False: nothing was said. StoreError."""
    facts = {"by": approval.by, "reason": approval.reason}
    event = Event(at=clock.now(), customer_id=customer_id, name="steering.resumed", facts=facts)
    return await waves.lift(customer_id, event)


async def retry(
    waves: Waves, ledger: Ledger, clock: Clock, customer_id: CustomerId | None = None, wave: Wave | None = None
) -> int:
    """Make failed, drifted and stranded customers due again: one, those of a wave, or all. Returns how many.

    Their reason is looked at anew; nothing is forced. StoreError.
    """
    now = clock.now()
    count = await waves.retry(RETRIED, now, customer_id=customer_id, wave_id=wave.id if wave else None)
    await ledger.add_event("steering.retried", now, customer_id, wave=wave.name if wave else "", customers=str(count))
    return count
