"""Commands about what exists: inventory and export."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.model import Tenant
from tenantfold.domain.records import Snapshot
from tenantfold.errors import ExitCode
from tenantfold.flow.inventory import InventoryTask, take


def inventory(
    *,
    keys: Annotated[list[str] | None, typer.Argument(help="Short names of tenants; all when none is given.")] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read tenants into numbered snapshots. Interrupted? Run it again: it goes on where it stopped."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        chosen = [program.tenant(key) for key in keys] if keys else list(program.tenants)
        chosen.sort(key=program.tenants.index)  # sources first: the target's catalogs follow their countries
        async with program.store.exclusive("inventory"):
            with renderer.progress() as report:
                taken = [(tenant, await take(_task(program, tenant), report)) for tenant in chosen]
        renderer.document([snapshot for _, snapshot in taken])
        _show(renderer, taken)
        return ExitCode.OK

    run_command(config_path, as_json, work)


def _task(program: Program, tenant: Tenant) -> InventoryTask:
    return InventoryTask(
        tenant=tenant,
        partner_center=program.centers[tenant.id],
        inventory=program.store,
        clock=program.clock,
        regions=program.regions,
        in_flight=program.settings.limits.in_flight,
    )


def _show(renderer: Renderer, taken: list[tuple[Tenant, Snapshot]]) -> None:
    rows = [
        (tenant.key, one.number, one.completed_at, one.customers, one.subscriptions, one.unread_customers)
        for tenant, one in taken
    ]
    headings = ("tenant", "snapshot", "completed", "customers", "subscriptions", "not read")
    renderer.table("Inventory", headings, rows, numbers=(1, 3, 4, 5))
    if any(one.unread_customers for _, one in taken):
        renderer.line("Customers that could not be read are blocked in the plan, with the reason.", style="yellow")
    renderer.hint("tenantfold plan")
