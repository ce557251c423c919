"""The days that must not be missed: the command ``calendar``, and the part of ``status`` that names the next ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.last_days import NEEDED, LastDay
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.last_days import days_not_to_miss

NAMED = 5  # in status; the command has them all
SHOWN = 100  # more rows than this belong into a file
_COLUMNS = ("day (UTC)", "customer", "subscription", "licenses", "what must have happened")


def calendar(
    *,
    days: Annotated[
        int | None, typer.Option("--days", help="Only the days up to so many days from now, and those missed.")
    ] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the UTC days that must not be missed: when terms end that are bought again, and what is needed by then."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        if days is not None and days < 0:
            raise InputError(f"--days is {days}; allowed is 0 or more.")
        today, found = await next_days(program)
        shown = [one for one in found if days is None or (one.on - today).days <= days]
        renderer.document({"today": today, "days": [day_row(one, today) for one in shown]})
        _show(renderer, shown, today, more=len(found) - len(shown))
        return ExitCode.OK

    run_command(config_path, as_json, work)


async def next_days(program: Program) -> tuple[date, tuple[LastDay, ...]]:
    """Today, and the days that must not be missed. Microsoft's time is asked for only where there is such a day."""
    found = await days_not_to_miss(program.store)
    if found:
        await program.follow_server_time()
    return program.clock.now().date(), found


def day_row(day: LastDay, today: date) -> dict[str, object]:
    """A day as ``--json`` shows it."""
    guide = NEEDED[day.kind]
    return {
        "on": day.on,
        "kind": day.kind.value,
        "customer_id": day.customer_id,
        "customer": day.company_name,
        "subscription_id": day.subscription_id,
        "subscription": day.offer_name,
        "license_count": day.license_count,
        "missed": day.is_missed(today),
        "what": guide.sentence,
        "rule": guide.rule,
        "who": guide.owner.value,
    }


def show_next_days(renderer: Renderer, found: Sequence[LastDay], today: date) -> None:
    """Print the next days for ``status``; nothing where there is none."""
    if not found:
        return
    _warn_of_missed(renderer, found, today)
    _table(renderer, found[:NAMED], today)
    if len(found) > NAMED:
        renderer.line(f"... and {len(found) - NAMED} more: tenantfold calendar")


def _show(renderer: Renderer, found: Sequence[LastDay], today: date, *, more: int) -> None:
    if found:
        _warn_of_missed(renderer, found, today)
        _table(renderer, found[:SHOWN], today)
        if len(found) > SHOWN:
            renderer.line(f"... and {len(found) - SHOWN} more: tenantfold calendar --json")
        for kind in dict.fromkeys(day.kind for day in found[:SHOWN]):
            renderer.line(f"{kind.value}: {NEEDED[kind].sentence} [{NEEDED[kind].rule}]")
    else:
        renderer.line("There is no day that must not be missed.")
    if more:
        renderer.line(f"Later: {more} more.")


def _warn_of_missed(renderer: Renderer, found: Sequence[LastDay], today: date) -> None:
    missed = sum(one.is_missed(today) for one in found)
    if missed:
        renderer.line(
            f"MISSED: {missed} day(s) are over and what they were for has not happened. Run at once: tenantfold run",
            style="bold red",
        )


def _table(renderer: Renderer, found: Sequence[LastDay], today: date) -> None:
    rows = [
        (
            f"{one.on}{' MISSED' if one.is_missed(today) else ''}",
            one.company_name,
            f"{one.offer_name} ({one.subscription_id})",
            one.license_count,
            one.kind.value,
        )
        for one in found
    ]
    renderer.table("Days that must not be missed", _COLUMNS, rows, numbers=(3,))
