"""The command line's table of contents: every command, in the order of the job."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tenantfold import __version__
from tenantfold.cli import (
    book,
    gdap,
    handoff,
    last_days,
    mapping,
    moving,
    plans,
    rehearse,
    reporting,
    setup,
    steering,
    stranded,
    tasks,
    waves,
    webhooks,
    worker,
)
from tenantfold.cli.options import guarded
from tenantfold.cli.render import Renderer
from tenantfold.collecting import collect_seldom
from tenantfold.errors import ExitCode

app = typer.Typer(
    name="tenantfold",
    help="Fold several CSP partner tenants into one: plan, approve, execute, prove.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001  # Typer calls it so
    if wanted:
        Renderer(as_json=False).line(__version__)
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Fold several CSP partner tenants into one: plan, approve, execute, prove."""


app.command("init")(setup.init)
app.add_typer(setup.config_app, name="config")
app.command("doctor")(setup.doctor)
app.command("tenants")(setup.tenants)
app.command("inventory")(book.inventory)
app.command("export")(reporting.export)
app.command("catalog")(book.catalog)
app.command("plan")(plans.plan)
app.command("mapping")(mapping.mapping)
app.add_typer(plans.show_app, name="show")
app.command("rehearse")(rehearse.rehearse)
app.command("approve")(plans.approve)
app.command("invite")(moving.invite)
app.add_typer(gdap.gdap_app, name="gdap")
app.command("run")(moving.run)
app.command("worker")(worker.worker)
app.command("workers")(worker.workers)
app.command("job")(worker.job)
app.command("jobs")(worker.jobs)
app.add_typer(webhooks.webhooks_app, name="webhooks")
app.command("status")(moving.status)
app.command("calendar")(last_days.calendar)
app.add_typer(waves.wave_app, name="wave")
app.command("pause")(steering.pause)
app.command("resume")(steering.resume)
app.command("abort")(steering.abort)
app.command("retry-failed")(steering.retry_failed)
app.command("explain")(moving.explain)
app.add_typer(tasks.tasks_app, name="tasks")
app.command("handoff")(handoff.handoff)
app.command("stranded")(stranded.stranded)
app.command("report")(reporting.report)


def main() -> None:
    """Run the command line; an error of ours outside any command still becomes one sentence."""
    collect_seldom()
    as_json = "--json" in sys.argv

    def work() -> ExitCode:
        code = app(standalone_mode=True)
        return ExitCode(code or 0)

    sys.exit(guarded(Renderer(as_json=as_json), work))
