"""Commands of the move itself: invite, run, status, explain."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from tenantfold.bootstrap import Program, policy_of
from tenantfold.cli.customers import every_standing, find_customer
from tenantfold.cli.delegated import access_document, access_of, show_access
from tenantfold.cli.forecast import forecast, show_forecast
from tenantfold.cli.last_days import day_row, next_days, show_next_days
from tenantfold.cli.options import ConfigOption, JsonOption, on_interrupt, run_command
from tenantfold.cli.outlook import eta_shown, nobody_was_driven, outlook_of, show_held, show_hold, show_outlook
from tenantfold.cli.reasons import facts_line, routes_document, short_ids, show_reasons, weighed_routes
from tenantfold.cli.render import Renderer
from tenantfold.cli.tasks import show_tasks
from tenantfold.dispatch.local import local_run
from tenantfold.domain.explanation import explain as explain_case
from tenantfold.domain.explanation import next_step, why
from tenantfold.domain.records import RUN_FINISHED, Standing
from tenantfold.domain.states import Phase
from tenantfold.domain.tasks import open_tasks
from tenantfold.domain.waves import HELD_BECAUSE, HELD_NEXT, Held
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.approval import newest_plan
from tenantfold.flow.call_log import CallLog
from tenantfold.flow.relationships import InviteTask
from tenantfold.flow.relationships import invite as write_invitations
from tenantfold.flow.run import RunOptions, RunSummary, StopSign
from tenantfold.flow.waves import WaveKeeper
from tenantfold.reports.letters import write_letter

ALARMS_NAMED = 10
SHOWN = 50  # more rows than this belong into a file
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def invite(
    *,
    again: Annotated[bool, typer.Option("--again", help="Write those once more that were written before.")] = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an invitation for every customer of the approved plan. Send the files; the link is the target's own."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        folder = program.settings.files.invitations
        identity = await program.centers[program.target.id].identity()
        task = InviteTask(
            ledger=program.store,
            target=program.centers[program.target.id],
            partner_name=identity.company_name,
            clock=program.clock,
            write=lambda customer, text: write_letter(folder, customer, text),
            again=again,
            billing_model=program.billing_models[program.target.id],
        )
        async with program.store.exclusive("invite"):
            with renderer.progress() as report:
                invited = await write_invitations(task, report)
        renderer.document(invited)
        if invited.left:
            rows = [(one.company_name, one.detail, one.next_action) for one in invited.left]
            renderer.table("Not invited: no link is right for them", ("customer", "why", "what to do"), rows)
        if invited.written:
            renderer.line(f"{len(invited.written)} invitation(s) written to {folder}.")
            renderer.hint("Send them, then: tenantfold run")
        elif not invited.left:
            renderer.line("Nobody is left to invite; --again writes those of before once more.")
            renderer.hint("tenantfold run")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def run(
    *,
    wait: Annotated[
        str, typer.Option("--wait", help="Wait for acceptances and scheduled waves this long, such as 8h.")
    ] = "0s",
    poll: Annotated[str, typer.Option("--poll", help="How often to look for acceptances meanwhile.")] = "60s",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry out the approved plan as far as it goes now. Ctrl-C and run again continues; nothing is done twice."""
    waiting, polling = duration("--wait", wait), duration("--poll", poll).total_seconds()

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        stop = StopSign()

        def raise_sign() -> None:
            stop.raised = True

        on_interrupt(raise_sign, renderer)
        await program.follow_server_time(required=True)  # due times and waves rest on it
        async with program.store.exclusive("run"):
            with renderer.progress() as report:
                calls = CallLog(program.store, program.clock, program.calls)
                async with calls.kept(), eta_shown(program, renderer):
                    options = _run_options(program, waiting, polling)
                    summary = await local_run(program.cutover(), options, report, stop).go()
            await program.wave_desk().keep()
            await program.store.add_event(RUN_FINISHED, program.clock.now())
        held = await program.store.held_counts()
        renderer.document({"summary": summary, "calls": program.calls, "held": held})
        _show_summary(renderer, summary)
        show_held(renderer, held)
        if not summary.driven:
            nobody_was_driven(renderer, held)
        return _exit_code(summary)

    run_command(config_path, as_json, work)


def _run_options(program: Program, wait: timedelta, poll_seconds: float) -> RunOptions:
    waves = WaveKeeper(program.wave_desk())
    return RunOptions(
        in_flight=program.settings.limits.in_flight,
        wait=wait,
        poll_seconds=poll_seconds,
        before_look=waves.keep,
        next_start_at=waves.next_start_at,
        before_poll=program.follow_server_time,
        doorbell=program.doorbell(),
    )


def duration(option: str, text: str) -> timedelta:
    """A duration such as 90s, 30m, 8h or 2d. Raises InputError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{option} is '{text}'; allowed is a number with s, m, h or d, such as 30m.")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def _exit_code(summary: RunSummary) -> ExitCode:
    if summary.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.UNFINISHED if summary.unfinished else ExitCode.OK


def _show_summary(renderer: Renderer, summary: RunSummary) -> None:
    rows = [(phase.value, summary.phases[phase]) for phase in Phase if summary.phases.get(phase)]
    renderer.table("Customers", ("phase", "count"), rows, numbers=(1,))
    for customer_id, message in list(summary.errors.items())[:10]:
        renderer.line(f"{customer_id}: {message}", style="yellow")
    if summary.interrupted:
        renderer.hint("Stopped. Run it again to continue: tenantfold run")
    elif summary.unfinished:
        renderer.hint(f"{summary.unfinished} customer(s) wait for somebody: tenantfold status")
    else:
        renderer.hint("tenantfold report")


def status(
    *,
    everybody: Annotated[bool, typer.Option("--all", help="List customers that are finished as well.")] = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far everybody is, and who must act next."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        plan = await newest_plan(program.store)
        phases = await program.store.phase_counts()
        customers = [_row(one) async for one in every_standing(program, unfinished_only=not everybody)]
        outlook = await outlook_of(program)
        beside = await forecast(program, plan)
        today, days = await next_days(program)
        access = await access_of(program, plan)
        renderer.document(
            {
                "plan": plan,
                "phases": phases,
                "customers": customers,
                "last_days": [day_row(one, today) for one in days],
                "rehearsal": beside,
                **outlook.document(),
                **access_document(access),
            }
        )
        rows = [(phase.value, phases[phase]) for phase in Phase if phases.get(phase)]
        approved = f"approved by {plan.approved_by}" if plan.approved_at else "not approved"
        renderer.title(f"Plan {plan.checksum[:12]}, {approved}")
        renderer.table("Customers", ("phase", "count"), rows, numbers=(1,))
        _show_alarms(renderer, customers)
        show_next_days(renderer, days, today)
        show_outlook(renderer, outlook)
        show_forecast(renderer, beside)
        show_access(renderer, access)
        _show_customers(renderer, customers)
        return ExitCode.OK

    run_command(config_path, as_json, work)


def _row(standing: Standing) -> dict[str, str]:
    owner, next_action = next_step(standing.progress)
    reason = why(standing.company_name, standing.progress)
    if standing.held is not Held.NOTHING and not standing.progress.phase.is_final:
        reason, next_action = f"{reason} Held: {HELD_BECAUSE[standing.held]}", HELD_NEXT[standing.held]
    return {
        "customer_id": standing.progress.customer_id,
        "customer": standing.company_name,
        "phase": standing.progress.phase.value,
        "code": standing.progress.code,
        "owner": owner.value,
        "why": reason,
        "next_action": next_action,
        "held": standing.held.value,
        "alarmed_at": f"{standing.progress.alarmed_at:%Y-%m-%d %H:%M} UTC" if standing.progress.alarmed_at else "",
    }


def _show_alarms(renderer: Renderer, customers: list[dict[str, str]]) -> None:
    """Cutovers that did not end on their UTC day: both sides may be billed until somebody sees to them."""
    late = [f"{one['customer']} (since {one['alarmed_at']})" for one in customers if one["alarmed_at"]]
    if late:
        more = f" and {len(late) - ALARMS_NAMED} more" if len(late) > ALARMS_NAMED else ""
        named = ", ".join(late[:ALARMS_NAMED])
        renderer.line(f"ALARM: {len(late)} cutover(s) did not end on their UTC day: {named}{more}.", style="bold red")


def _show_customers(renderer: Renderer, customers: list[dict[str, str]]) -> None:
    if not customers:
        renderer.hint("tenantfold report")
        return
    columns = ("customer", "phase", "owner", "why", "next_action")
    shown = [tuple(one[column] for column in columns) for one in customers[:SHOWN]]
    renderer.table("Who must act", ("customer", "phase", "who", "why", "what to do"), shown)
    if len(customers) > SHOWN:
        renderer.line(f"... and {len(customers) - SHOWN} more: tenantfold export results --to results.xlsx")


def explain(
    *,
    customer: Annotated[str, typer.Argument(help="Customer id, domain or company name.")],
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain why a customer is where it is, who must act next, and what happened so far."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        customer_id, name = await find_customer(program, customer)
        case = await program.store.case(customer_id)
        if case is None:
            raise InputError(
                f"{name} is not in the newest plan.",
                next_step="Put it on the list of customers to move and run: tenantfold plan",
            )
        await program.follow_server_time()
        explanation = explain_case(case)
        waiting = open_tasks(case, policy_of(program.settings), program.clock.now().date())
        events = await program.store.events(customer_id)
        weighed = await weighed_routes(program, case)
        document = {"customer_id": customer_id, "explanation": explanation, "events": events, "tasks": waiting}
        renderer.document({**document, "routes": routes_document(weighed)})
        renderer.title(explanation.standing)
        await show_hold(program, renderer, customer_id)
        for reason in explanation.reasons:
            renderer.line(f"  {short_ids(reason)}")
        renderer.line(f"Next: {explanation.owner.value}. {explanation.next_action}")
        if waiting:
            show_tasks(renderer, "What a person must do", [(name, task) for task in waiting])
        show_reasons(renderer, weighed)
        rows = [(event.at, event.name, facts_line(event.facts)) for event in events]
        if rows:
            renderer.table("What happened (newest first)", ("when", "what", "facts"), rows)
        return ExitCode.OK

    run_command(config_path, as_json, work)
