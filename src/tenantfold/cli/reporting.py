"""Commands that write files for people: export and report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tenantfold import __version__
from tenantfold.bootstrap import Program, approval_center_of
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.errors import ExitCode
from tenantfold.flow.last_days import days_not_to_miss
from tenantfold.reports.delegated_admin import access_part
from tenantfold.reports.gather import gather
from tenantfold.reports.html_report import write_html
from tenantfold.reports.move_list import MOVE_LIST, move_list_rows
from tenantfold.reports.move_list import TABLE as MOVE_TABLE
from tenantfold.reports.sheets import all_sheets, sheet
from tenantfold.reports.tables import TABLES, table_named
from tenantfold.reports.workbook import write_table, write_tables


def export(
    *,
    what: Annotated[str, typer.Argument(help=f"What to write: {', '.join(TABLES)}, or list (for plan --customers).")],
    to: Annotated[Path, typer.Option("--to", help="The file, ending in .xlsx or .csv.")],
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a list to an Excel or CSV file. Cells that look like formulas are kept as text."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        if what == MOVE_LIST:
            rows = await write_table(MOVE_TABLE, move_list_rows(program.store), to)
        else:
            rows = await write_table(*sheet(program.store, table_named(what), await program.newest_weighing()), to)
        renderer.document({"file": to, "rows": rows})
        renderer.line(f"{rows} row(s) written to {to}.")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def report(
    *,
    to: Annotated[Path | None, typer.Option("--to", help="Folder for the report; else the settings' one.")] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report: one HTML file for people, one workbook for finance. Reads the ledger only."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        folder = to or program.settings.files.reports
        folder.mkdir(parents=True, exist_ok=True)
        page, workbook = folder / "report.html", folder / "report.xlsx"
        data = await gather(
            program.store,
            consolidation=program.settings.consolidation,
            program=f"tenantfold {__version__}",
            tenants=program.tenants,
            made_at=program.clock.now(),
        )
        center = approval_center_of(program.settings)
        data = replace(data, last_days=await days_not_to_miss(program.store))
        if center is not None:
            data = replace(data, access=await access_part(program.store, center))
        write_html(data, page)
        await write_tables(all_sheets(program.store, await program.newest_weighing(), center), workbook)
        renderer.document({"page": page, "workbook": workbook})
        renderer.line(f"Written: {page} and {workbook}")
        return ExitCode.OK

    run_command(config_path, as_json, work)
