"""The command rehearse: the plan carried out against a twin of the inventory, in virtual time, without Microsoft."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantfold import __version__
from tenantfold.bootstrap import Program
from tenantfold.cli.moving import duration
from tenantfold.cli.options import ConfigOption, JsonOption, on_interrupt, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.prediction import Prediction
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.reconciler import StopSign
from tenantfold.reports.rehearsal_report import (
    RehearsalPage,
    bottleneck,
    checks,
    routes,
    summary,
    write_rehearsal,
)

if TYPE_CHECKING:
    from tenantfold.simulation.rehearsal import Script

PAGE = "rehearsal.html"
SHOWN = 20  # customers that stay behind; the page names all of them


def rehearse(  # noqa: PLR0913  # one argument an option
    *,
    draft: Annotated[bool, typer.Option("--draft", help="Rehearse a plan that nobody approved.")] = False,
    acceptance: Annotated[
        str,
        typer.Option(
            "--acceptance",
            help="When those accept who have not yet: at-once, spread:14d (within so many days), by-hand (never).",
        ),
    ] = "spread:14d",
    latency: Annotated[str, typer.Option("--latency", help="How long a call takes, median.")] = "0.4s",
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A fault plan (TOML) for the twin: what goes wrong at Microsoft.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same prediction.")] = 1,
    start_at: Annotated[
        str, typer.Option("--start-at", help="When the run begins, such as 2026-03-02T08:00; else now (UTC).")
    ] = "",
    to: Annotated[Path | None, typer.Option("--to", help="Folder for the page; else the settings' one.")] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry out the plan against a twin of the last inventory, and say what would happen. Nothing reaches Microsoft.

    Exit code 0 means: no twin, gap, difference, double billing or late case, and everybody moved or explained; else 6.
    """
    seconds = duration("--latency", latency).total_seconds()
    begins_at = _time(start_at)

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        from tenantfold.simulation.acceptance import Acceptance  # noqa: PLC0415 - the emulator is large to load
        from tenantfold.simulation.rehearsal import Script, read_faults  # noqa: PLC0415 - only this command pays for it

        script = Script(
            acceptance=Acceptance.read(acceptance),
            latency_seconds=seconds,
            seed=seed,
            faults=read_faults(faults) if faults else None,
            faults_name=faults.name if faults else "",
            draft=draft,
            starts_at=begins_at,
        )
        prediction = await _played(program, renderer, script)
        if prediction is None:
            renderer.line("Stopped. Nothing was kept.", style="yellow")
            return ExitCode.INTERRUPTED
        file = _write(program, prediction, to or program.settings.files.reports)
        renderer.document({"prediction": prediction, "page": file, "good": prediction.is_good})
        _show(renderer, prediction, file)
        return ExitCode.OK if prediction.is_good else ExitCode.UNFINISHED

    run_command(config_path, as_json, work)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--start-at is '{text}'; allowed is a time such as 2026-03-02T08:00.") from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


async def _played(program: Program, renderer: Renderer, script: Script) -> Prediction | None:
    """Rehearse in a thread and keep the prediction; None when somebody stopped it, and then nothing is kept."""
    from tenantfold.simulation.rehearsal import keep, play, prepared  # noqa: PLC0415 - see rehearse

    stop = StopSign()

    def raise_sign() -> None:
        stop.raised = True

    on_interrupt(raise_sign, renderer)
    now = program.clock.now()
    with renderer.progress() as report:
        async with prepared(program.store, program.settings, program.tenants, now, script, report) as rehearsal:
            try:
                prediction = await asyncio.to_thread(play, rehearsal, report, stop)
            except asyncio.CancelledError:
                raise_sign()  # the second Ctrl-C: the thread ends as well
                raise
    if stop.raised:
        return None
    await keep(program.store, prediction, program.clock.now())
    return prediction


def _write(program: Program, prediction: Prediction, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / PAGE
    page = RehearsalPage(
        prediction=prediction,
        consolidation=program.settings.consolidation,
        program=f"tenantfold {__version__}",
        made_at=program.clock.now(),
    )
    write_rehearsal(page, file)
    return file


def _show(renderer: Renderer, prediction: Prediction, file: Path) -> None:
    renderer.title(summary(prediction))
    rows = [
        ("begins", prediction.begins_at),
        ("last suspension", prediction.ends_at or "none"),
        ("nothing left to wait for", prediction.over_at),
        ("calls", prediction.total_calls),
        ("of which throttled", prediction.truth.throttled),
        ("what takes time", bottleneck(prediction)),
    ]
    renderer.table("Time and calls", ("", "predicted"), rows)
    days = [(one.on, one.customers_moved, one.subscriptions_suspended, one.calls) for one in prediction.days[:SHOWN]]
    renderer.table("Days", ("day", "customers moved", "subscriptions suspended", "calls"), days, numbers=(1, 2, 3))
    by_route = [(route, whole) for route, _, whole in routes(prediction)]
    renderer.table("Calls by route", ("route", "calls"), by_route, numbers=(1,))
    held = [(one.label, one.found, one.meaning if one.found else "") for one in checks(prediction)]
    renderer.table("What must hold", ("", "found", "what it means"), held, numbers=(1,))
    behind = [
        (one.company_name, one.phase, one.owner, one.reason, one.next_action) for one in prediction.unmoved[:SHOWN]
    ]
    if behind:
        headings = ("customer", "phase", "who", "why", "what to do")
        renderer.table(f"Who stays behind ({_behind(prediction)})", headings, behind)
    renderer.line("Not rehearsed yet: invoices, credits and everything else about money after the last suspension.")
    renderer.line(f"Written: {file}")
    renderer.hint("tenantfold status" if not prediction.conditions.is_draft else "tenantfold approve")


def _behind(prediction: Prediction) -> str:
    count = len(prediction.unmoved) + prediction.unmoved_left_out
    return f"{min(SHOWN, count)} of {count}" if count > SHOWN else str(count)
