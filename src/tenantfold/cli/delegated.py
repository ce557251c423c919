"""Delegated admin access in ``status``: counts and what to do next, only where the settings ask for it."""

from __future__ import annotations

from tenantfold.bootstrap import Program, plan_policy_of
from tenantfold.cli.render import Renderer
from tenantfold.domain.gdap_overview import GdapOverview
from tenantfold.domain.plan import PlanRecord


async def access_of(program: Program, plan: PlanRecord) -> GdapOverview | None:
    """How many customers stand where with delegated admin access; None where the settings do not ask for it."""
    if not plan_policy_of(program.settings).gdap_request:
        return None
    return await program.store.gdap_overview(plan.id)


def access_document(overview: GdapOverview | None) -> dict[str, object]:
    """The same for ``--json``; nothing where it is not asked for."""
    if overview is None:
        return {}
    return {"delegated_admin": {"conditions": overview.counts, "checked_at": overview.checked_at}}


def show_access(renderer: Renderer, overview: GdapOverview | None) -> None:
    """One row a condition, those that need somebody first."""
    if overview is None or not overview.counts:
        return
    rows = [(one.condition.value, one.customers, one.owner.value, one.next_action) for one in overview.counts]
    headings = ("condition", "customers", "who", "what to do")
    renderer.table("Delegated admin access", headings, rows, numbers=(1,))
    if overview.checked_at is not None:
        renderer.line(f"Delegated admin access as of {overview.checked_at:%Y-%m-%d %H:%M} UTC: tenantfold gdap check")
