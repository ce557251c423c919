"""Command about offers that are no longer sold: propose what to order instead."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.proposals import Proposal
from tenantfold.errors import ExitCode
from tenantfold.flow.proposals import Replacement, propose_replacements
from tenantfold.listfiles import read_offer_mapping
from tenantfold.reports.mapping_table import TABLE, mapping_rows
from tenantfold.reports.workbook import write_table


def mapping(
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="The mapping file (CSV or XLSX); else files.offer_mapping.")
    ] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose replacements for offers that are no longer sold. Rows that are there stay; new ones await a name."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        file = to or program.settings.files.offer_mapping
        known = read_offer_mapping(file)
        there = {one.source_offer_id for one in known}
        found = await propose_replacements(program.store, program.store, program.target.id)
        missing = [one for one in found if one.wanted.offer_id not in there]
        added = [one.proposals[0].as_mapping() for one in missing if one.proposals]
        if added:
            await write_table(TABLE, mapping_rows((*known, *added)), file)
        renderer.document({"file": file, "added": added, "replacements": missing})
        _show(renderer, missing)
        if added:
            renderer.line(
                f"{len(added)} row(s) added to {file}, without a name: none is used before somebody signs it."
            )
            renderer.hint("Check each row, fill in approved_by, then: tenantfold plan")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def _show(renderer: Renderer, missing: list[Replacement]) -> None:
    if not missing:
        renderer.line("Every offer of the newest plan is sold, or has a row in the mapping.")
        return
    rows = [
        (
            one.wanted.name if position == 0 else "",
            one.customers if position == 0 else "",
            _name(proposal) if proposal else "nothing like it is sold there",
            proposal.why if proposal else f"look yourself: tenantfold catalog {min(one.wanted.countries)}",
        )
        for one in missing
        for position, proposal in enumerate(one.proposals or (None,))
    ]
    headings = ("no longer sold", "customers", "could become (the first is written)", "why")
    renderer.table("Proposals: each is another offer, so licenses must be assigned again (R-119)", headings, rows)
    not_read = sorted({country for one in missing for country in one.not_read})
    if not_read:
        renderer.line(
            f"Not verified: the new-commerce catalog was not read for {', '.join(not_read)}; what is sold there is not "
            "known and not proposed. Run tenantfold inventory again."
        )


def _name(proposal: Proposal) -> str:
    """What it is called, and for new commerce the term and billing plan it would be bought for."""
    sold_as = proposal.sold_as
    return f"{proposal.name} ({sold_as.duration}, {sold_as.billing_cycle})" if sold_as else proposal.name
