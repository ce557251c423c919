"""Reality beside the prediction (reports room): how far the move is, and how far the newest rehearsal said it would be.

The rehearsal began at one time, the real move perhaps later: predicted times are moved by that delay, so that a late
start does not look like a slow run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tenantfold.domain.plan import PlanRecord
from tenantfold.domain.prediction import TROUBLED, Comparison
from tenantfold.domain.states import Phase
from tenantfold.store import Store
from tenantfold.store.rehearsals import Rehearsals, StoredRehearsal
from tenantfold.store.tally import Tally


async def newest_rehearsal(store: Store, plan: PlanRecord) -> StoredRehearsal | None:
    """The newest prediction for a plan, if somebody rehearsed it."""
    return await Rehearsals(store.database).newest(plan.id)


async def compare(store: Store, plan: PlanRecord, rehearsal: StoredRehearsal, now: datetime) -> Comparison:
    """How the real move of this plan stands beside a rehearsal of it, at ``now``. Before the move began: all zero."""
    prediction = rehearsal.prediction
    begun_at = await Rehearsals(store.database).begun_at(plan.id)
    delay = timedelta(0)
    if begun_at is not None and prediction.begun_at is not None:
        delay = max(delay, begun_at - prediction.begun_at)
    has_begun = begun_at is not None and now >= begun_at
    there, phases, tally = now - delay, await store.phase_counts(), Tally(store.database)
    before = prediction.timeline[0].phases.get(Phase.MOVED, 0) if prediction.timeline else 0
    return Comparison(
        rehearsed_at=rehearsal.at,
        at=now,
        moved=phases.get(Phase.MOVED, 0),
        moved_predicted=before + (prediction.moved_by(there) if has_begun else 0),
        calls=(await tally.calls(prediction.begins_at)).total(),
        calls_predicted=prediction.calls_by(there) if has_begun else 0,
        late=await tally.late_cases(prediction.begins_at),
        late_predicted=prediction.late_cases,
        failed=sum(count for phase, count in phases.items() if phase.value in TROUBLED),
        failed_predicted=prediction.troubled_by(there) if has_begun else 0,
        unmoved=sum(count for phase, count in phases.items() if not phase.is_final),
        unmoved_predicted=len(prediction.unmoved) + prediction.unmoved_left_out,
        ends_at=prediction.ends_at + delay if prediction.ends_at else None,
        delay_seconds=delay.total_seconds(),
    )
