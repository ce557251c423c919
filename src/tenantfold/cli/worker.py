"""Commands of the workers: worker, workers, job, jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tenantfold import fleet
from tenantfold.bootstrap import Program
from tenantfold.cli.options import ConfigOption, JsonOption, on_interrupt, run_command
from tenantfold.cli.outlook import eta_line, eta_shown
from tenantfold.cli.render import Renderer
from tenantfold.errors import ExitCode
from tenantfold.flow.reconciler import StopSign


def worker(
    *,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, max=256, help="Customers at once; else workers.concurrency.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name in the list of workers; else host and process.")] = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move customers of the approved plan until stopped (Ctrl-C, SIGTERM). PostgreSQL: any number; SQLite: one."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        stop = StopSign()

        def raise_sign() -> None:
            stop.raised = True

        on_interrupt(raise_sign, renderer)
        called = name or fleet.default_name()
        renderer.line(f"Worker {called} works until it is stopped.")
        with renderer.progress() as report:
            async with eta_shown(program, renderer):
                driven = await fleet.serve(program, name=called, concurrency=concurrency, stop=stop, report=report)
        renderer.document({"worker": called, "driven": driven})
        renderer.line(f"Worker {called} stopped after {driven} drive(s).")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def workers(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the workers: what each does, when it was last seen, how many drives it made."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        found = await fleet.workers(program)
        renderer.document(found)
        rows = [
            (one.id, one.state.value, _ago(one.silent_seconds), one.driven, one.host, one.pid, one.program)
            for one in found
        ]
        headings = ("worker", "state", "seen", "drives", "host", "process", "version")
        renderer.table("Workers", headings, rows, numbers=(3, 5))
        eta = await eta_line(program) if found else ""
        if eta:
            renderer.line(eta)
        if not found:
            renderer.hint("tenantfold worker")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def job(
    *,
    kind: Annotated[str, typer.Argument(help="inventory, export (a workbook of all lists) or remind (invitations).")],
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand long work to whichever worker is free. PostgreSQL only."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        is_new = await fleet.office(program).submit(kind)
        renderer.document({"job": kind, "queued": is_new})
        renderer.line(f"The job '{kind}' {'is queued' if is_new else 'was queued before and still waits'}.")
        renderer.hint("tenantfold jobs")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def jobs(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List what the workers have before them and how the latest jobs ended. PostgreSQL only."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        lines = await fleet.office(program).lines()
        renderer.document(lines)
        rows = [(one.kind, one.state, one.count, one.at, one.result) for one in lines]
        renderer.table("Jobs", ("what", "state", "count", "when", "result"), rows, numbers=(2,))
        return ExitCode.OK

    run_command(config_path, as_json, work)


def _ago(seconds: float) -> str:
    return f"{timedelta(seconds=round(seconds))} ago"
