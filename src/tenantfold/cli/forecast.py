"""What status says about the newest rehearsal: how far the move is beside how far it was predicted to be."""

from __future__ import annotations

from datetime import timedelta

from tenantfold.bootstrap import Program
from tenantfold.cli.render import Renderer
from tenantfold.domain.plan import PlanRecord
from tenantfold.domain.prediction import Comparison
from tenantfold.reports.forecast import compare, newest_rehearsal
from tenantfold.reports.rehearsal_report import span


async def forecast(program: Program, plan: PlanRecord) -> Comparison | None:
    """Reality beside the newest rehearsal of this plan; None when nobody rehearsed it."""
    rehearsal = await newest_rehearsal(program.store, plan)
    if rehearsal is None:
        return None
    await program.follow_server_time()  # "by now" means Microsoft's now
    return await compare(program.store, plan, rehearsal, program.clock.now())


def show_forecast(renderer: Renderer, found: Comparison | None) -> None:
    """A table for people; nothing without a rehearsal."""
    if found is None:
        return
    rows = [
        ("customers moved by now", found.moved, found.moved_predicted),
        ("customers that stand still by now: failed, drifted, stranded, stale", found.failed, found.failed_predicted),
        ("cutovers that ended late: by now, and in the whole rehearsal", found.late, found.late_predicted),
        ("customers not moved: by now, and in the end of the rehearsal", found.unmoved, found.unmoved_predicted),
        ("calls of runs and workers by now", found.calls, found.calls_predicted),
    ]
    title = f"Beside the rehearsal of {found.rehearsed_at:%Y-%m-%d %H:%M} UTC"
    if found.delay_seconds:
        title += f" (the move began {span(timedelta(seconds=found.delay_seconds))} later than rehearsed)"
    renderer.table(title, ("", "actual", "predicted"), rows, numbers=(1, 2))
    if found.ends_at is not None:
        renderer.line(f"Expected last suspension: {found.ends_at:%Y-%m-%d %H:%M} UTC")
