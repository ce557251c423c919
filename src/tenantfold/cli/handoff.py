"""Command that writes what Microsoft's support is given to move usage-based Azure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.errors import ExitCode
from tenantfold.flow.approval import approved_plan
from tenantfold.reports.handoff import NotReady, Package, collect, write_package

SHOWN = 20  # customers left out that are named


def handoff(
    *,
    to: Annotated[Path, typer.Option("--to", help="Folder for the files, one folder a source tenant below it.")],
    again: Annotated[bool, typer.Option("--again", help="Write those once more that were handed off before.")] = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what Microsoft's support needs to move usage-based Azure: names, subscriptions, form data, a mail."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        plan = await approved_plan(program.store)
        found = await collect(program.store, plan.id, again=again)
        known = {tenant.id: tenant for tenant in (*program.tenants, *await program.store.tenants())}
        target = known[program.target.id]
        written = [
            await write_package(to, known[tenant.id], target, found.ready[tenant.id])
            for tenant in program.sources
            if tenant.id in found.ready
        ]
        renderer.document({"packages": written, "left_out": found.left_out})
        _show(renderer, written, found.left_out)
        return ExitCode.OK

    run_command(config_path, as_json, work)


def _show(renderer: Renderer, written: Sequence[Package], left_out: Sequence[NotReady]) -> None:
    if not written:
        renderer.line("Nothing is ready to be handed off.")
    for one in written:
        renderer.title(f"{one.tenant}: {one.subscriptions} subscription(s) of {one.companies} customer(s)")
        for file in one.files:
            renderer.line(f"  {file}")
    if left_out:
        rows = [(one.company_name, one.why) for one in left_out[:SHOWN]]
        renderer.table("Left out", ("customer", "why"), rows)
        if len(left_out) > SHOWN:
            renderer.line(f"... and {len(left_out) - SHOWN} more")
    if written:
        renderer.hint("Check them, add contacts and signatures, and send them as the source partner.")
        renderer.hint("Who may get in before and after: tenantfold tasks access --to access-checklist.csv")
        renderer.hint('Then: tenantfold tasks done CUSTOMER handed_off --note "number of the request" --by "your name"')
