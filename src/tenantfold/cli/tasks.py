"""Commands about what only a person can do: the list, and confirming that something is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tenantfold.bootstrap import Program, policy_of
from tenantfold.cli.customers import find_customer
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.domain.tasks import Task
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.approval import approved_plan
from tenantfold.flow.evidence import Confirmation, ToDo, confirm, task_named, to_do
from tenantfold.reports.access_list import BLIND, access_rows
from tenantfold.reports.access_list import TABLE as ACCESS_TABLE
from tenantfold.reports.workbook import write_table

SHOWN = 100  # more rows than this belong into a file
EVERYBODY = "all"
ACCESS_LIST = Path("access-checklist.csv")

_ACCESS = frozenset({TaskKind.ACCESS_LISTED, TaskKind.OLD_ACCESS_REMOVED, TaskKind.NEW_ACCESS_ADDED})

tasks_app = typer.Typer(help="What only a person can do: see it, confirm it.", invoke_without_command=True)

TaskOption = Annotated[str | None, typer.Option("--task", help="Only this task, such as handed_off.")]


@tasks_app.callback()
def tasks(
    context: typer.Context,
    *,
    customer: Annotated[
        str | None, typer.Option("--customer", help="Only this customer: id, domain or company name.")
    ] = None,
    task: TaskOption = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what persons have to do for the customers of the approved plan, and what they need to know for it."""
    if context.invoked_subcommand is not None:
        return

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        only = (await find_customer(program, customer))[0] if customer else None
        kind = task_named(task) if task else None
        waiting = [one async for one in _open(program, only, kind)]
        renderer.document({"tasks": [task_row(one.company_name, each) for one in waiting for each in one.tasks]})
        _show(renderer, waiting)
        return ExitCode.OK

    run_command(config_path, as_json, work)


async def _open(program: Program, only: CustomerId | None, kind: TaskKind | None) -> AsyncIterator[ToDo]:
    """The open tasks of one customer or of all, of one kind or of all."""
    async for one in to_do(program.store, program.clock, policy_of(program.settings)):
        wanted = tuple(task for task in one.tasks if kind is None or task.kind is kind)
        if wanted and only in {None, one.customer_id}:
            yield replace(one, tasks=wanted)


def task_row(company_name: str, task: Task) -> dict[str, str]:
    """A task as ``--json`` shows it."""
    return {
        "customer_id": task.customer_id,
        "customer": company_name,
        "subscription_id": task.subscription_id,
        "subscription": task.offer_name,
        "task": task.kind.value,
        "when": task.stage.value,
        "what": task.sentence,
        "rule": task.rule,
        "who": task.owner.value,
    }


def show_tasks(renderer: Renderer, title: str, found: Sequence[tuple[str, Task]]) -> None:
    """A table of tasks with what each kind means below it: each sentence once, not in every row."""
    rows = [
        (name, f"{task.offer_name} ({task.subscription_id})", task.kind.value, task.stage.value, task.owner.value)
        for name, task in found[:SHOWN]
    ]
    renderer.table(title, ("customer", "subscription", "task", "when", "who"), rows)
    if len(found) > SHOWN:
        renderer.line(f"... and {len(found) - SHOWN} more: tenantfold tasks --json")
    for kind, sentence, rule in dict.fromkeys((task.kind, task.sentence, task.rule) for _, task in found[:SHOWN]):
        renderer.line(f"{kind.value}: {sentence} [{rule}]")


def _show(renderer: Renderer, found: Sequence[ToDo]) -> None:
    if not found:
        renderer.line("Nobody has to do anything.")
        return
    show_tasks(renderer, "What persons must do", [(one.company_name, task) for one in found for task in one.tasks])
    if any(task.kind in _ACCESS for one in found for task in one.tasks):
        renderer.line(f"Azure access, subscription by subscription: tenantfold tasks access. {BLIND}")
    first = found[0].tasks[0]
    renderer.hint(f'tenantfold tasks done {first.customer_id} {first.kind.value} --note "..." --by "your name"')


@tasks_app.command("access")
def access(
    *,
    to: Annotated[
        Path, typer.Option("--to", help="The file, ending in .csv or .xlsx.", show_default=True)
    ] = ACCESS_LIST,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write who may get into Azure before and after the move, one row an Azure subscription, with what is ticked."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        plan = await approved_plan(program.store)
        known = {tenant.id: tenant for tenant in (*program.tenants, *await program.store.tenants())}
        rows = await write_table(ACCESS_TABLE, access_rows(program.store, plan.id, known), to)
        renderer.document({"file": to, "rows": rows, "note": BLIND})
        renderer.line(f"{rows} Azure subscription(s) written to {to}.")
        renderer.line(BLIND)
        if rows:
            renderer.hint('tenantfold tasks done CUSTOMER old_access_removed --by "your name"')
        return ExitCode.OK

    run_command(config_path, as_json, work)


@tasks_app.command("done")
def done(  # noqa: PLR0913  # one argument an option
    *,
    customer: Annotated[str, typer.Argument(help="Customer id, domain or company name; or all: whoever waits for it.")],
    task: Annotated[str, typer.Argument(help="The task, as tenantfold tasks names it.")],
    by: Annotated[str, typer.Option("--by", help="Who answers for it; kept with the confirmation.")],
    subscription: Annotated[
        str | None, typer.Option("--subscription", help="The source subscription; else every one the task is open for.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What was done, such as the number of a service request.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="A document that shows it: its name and SHA-256 are kept, it is not.")
    ] = None,
    target_id: Annotated[
        str | None, typer.Option("--target-id", help="The subscription that was bought at the target.")
    ] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Confirm that something is done. The next run compares it with what it reads, and goes on."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        said = Confirmation(
            task=task_named(task),
            by=by,
            subscription_id=SubscriptionId(subscription.strip().lower()) if subscription else None,
            note=note,
            file=file,
            target_id=SubscriptionId(target_id.strip().lower()) if target_id else None,
        )
        kept = [
            one for each in await _customers(program, customer, said) for one in await _confirm(program, each, said)
        ]
        renderer.document({"confirmed": kept})
        _say(renderer, kept)
        return ExitCode.OK

    run_command(config_path, as_json, work)


async def _customers(program: Program, text: str, said: Confirmation) -> list[CustomerId]:
    """Who a confirmation is for. Raises InputError."""
    if text != EVERYBODY:
        return [(await find_customer(program, text))[0]]
    if said.subscription_id is not None or said.target_id is not None:
        raise InputError("A subscription belongs to one customer.", next_step=f"Name the customer instead of {text}.")
    found = [one.customer_id async for one in _open(program, None, said.task)]
    if not found:
        raise InputError(f"Nobody waits for {said.task.value}.", next_step="See what is open: tenantfold tasks")
    return found


async def _confirm(program: Program, customer_id: CustomerId, said: Confirmation) -> tuple[Evidence, ...]:
    return await confirm(program.store, program.clock, policy_of(program.settings), customer_id, said)


def _say(renderer: Renderer, kept: Sequence[Evidence]) -> None:
    customers = len({one.customer_id for one in kept})
    renderer.line(
        f"{kept[0].task.value} confirmed by {kept[0].by} for {len(kept)} subscription(s) of {customers} customer(s)."
    )
    if kept[0].sha256:
        renderer.line(f"{kept[0].file}: SHA-256 {kept[0].sha256}. Keep the file; only this is kept here.")
    renderer.hint("tenantfold run")
