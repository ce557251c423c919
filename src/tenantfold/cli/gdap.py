"""Commands of delegated admin access (GDAP): request it, look what became of it, list where everybody stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tenantfold.bootstrap import Program, cloud_of, gdap_terms_of
from tenantfold.cli.customers import find_customer
from tenantfold.cli.options import ConfigOption, JsonOption, on_interrupt, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.gdap import GdapCase, GdapCondition, GdapStanding, GdapTerms, approval_link
from tenantfold.domain.gdap_roles import role_name
from tenantfold.domain.messages import delegated_admin_text
from tenantfold.errors import ExitCode, InputError, StoreError
from tenantfold.flow.gdap import GdapSummary, GdapTools, every_case
from tenantfold.flow.gdap import check as check_all
from tenantfold.flow.gdap import request as request_all
from tenantfold.flow.run import StopSign
from tenantfold.reports.letters import write_letter

SHOWN = 50  # more rows than this belong into a file
FOLDER = "delegated-admin"  # below the folder of the invitations: same names, other letters
_WAITING = frozenset({GdapCondition.SETTLING, GdapCondition.WAITS_FOR_MICROSOFT, GdapCondition.NEEDS_PERSON})

gdap_app = typer.Typer(
    help="Delegated admin access (GDAP) of the target to customers: optional, beside the move, never in its way.",
    no_args_is_help=True,
)


@gdap_app.command("request")
def request(
    *,
    customer: Annotated[
        str | None, typer.Option("--customer", help="Only this customer: id, domain or company name.")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Ask once more where the relationship is over: a new link, a new letter.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Write letters once more that were written before.")] = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Request delegated admin access to the customers that are to move, and write each a letter with its own link."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        terms = gdap_terms_of(program.settings)
        only = (await find_customer(program, customer))[0] if customer else None
        tools = await _tools(program, renderer, terms, again=again)
        async with program.store.exclusive("gdap"):
            with renderer.progress() as report:
                summary = await request_all(tools, report, only=only, renews=renew)
        if only is not None and not (summary.customers or summary.errors or summary.interrupted):
            raise InputError(
                f"'{customer}' is not to move by the approved plan, so nothing is requested.",
                next_step="See why: tenantfold explain, with the customer's name",
            )
        _show(program, renderer, summary)
        return _exit_code(summary, _WAITING)

    run_command(config_path, as_json, work)


@gdap_app.command("check")
def check(
    *,
    access: Annotated[
        bool, typer.Option("--access", help="Read the groups' access again where it was found active before.")
    ] = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look what became of every request, and give the groups access where the customer approved."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        tools = await _tools(program, renderer, gdap_terms_of(program.settings), again=False)
        async with program.store.exclusive("gdap"):
            with renderer.progress() as report:
                summary = await check_all(tools, report, rereads=access)
        _show(program, renderer, summary)
        return _exit_code(summary, _WAITING | {GdapCondition.WAITS_FOR_CUSTOMER})

    run_command(config_path, as_json, work)


@gdap_app.command("list")
def list_access(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List who has delegated admin access, who waits and for whom, as the last check saw it. Calls nothing."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        summary = GdapSummary(customers=[case async for case in every_case(program.store)])
        _show(program, renderer, summary)
        return ExitCode.OK

    run_command(config_path, as_json, work)


async def _tools(program: Program, renderer: Renderer, terms: GdapTerms, *, again: bool) -> GdapTools:
    """What a pass works with; letters are signed with the target's name as the inventory saw it."""
    stop = StopSign()

    def raise_sign() -> None:
        stop.raised = True

    on_interrupt(raise_sign, renderer)
    names = {tenant.id: tenant.name for tenant in (*program.tenants, *await program.store.tenants())}
    partner, center = names[program.target.id], cloud_of(program.settings).admin_center
    folder = program.settings.files.invitations / FOLDER

    def write(case: GdapCase, standing: GdapStanding) -> str:
        return _write_letter(folder, case, standing, partner, center)

    return GdapTools(
        consolidation=program.settings.consolidation,
        ledger=program.store,
        target=program.centers[program.target.id],
        clock=program.clock,
        terms=terms,
        settling_seconds=program.settings.policy.settling_seconds,
        write_letter=write,
        stopping=stop,
        in_flight=program.settings.limits.in_flight,
        again=again,
    )


def _write_letter(folder: Path, case: GdapCase, standing: GdapStanding, partner: str, admin_center: str) -> str:
    """The letter to a customer that is to approve: what it was really asked for, whatever the settings say now."""
    wish = case.wish
    if wish is None or standing.relationship_id is None:
        raise StoreError(f"The ledger does not hold what customer {case.customer_id} was asked for.")
    link = approval_link(admin_center, standing.relationship_id)
    roles = [role_name(role) for role in wish.roles]
    text = delegated_admin_text(case.company_name, partner, link, roles, wish.duration_days, standing.due_at)
    return write_letter(folder, case, text)


def _exit_code(summary: GdapSummary, waiting: frozenset[GdapCondition]) -> ExitCode:
    if summary.interrupted:
        return ExitCode.INTERRUPTED
    unfinished = summary.errors or any(summary.conditions.get(one) for one in waiting)
    return ExitCode.UNFINISHED if unfinished else ExitCode.OK


def _row(program: Program, case: GdapCase) -> dict[str, object]:
    """One customer as ``--json`` shows it."""
    standing = case.standing
    if standing is None:
        return {"customer_id": case.customer_id, "customer": case.company_name}
    waits = standing.condition is GdapCondition.WAITS_FOR_CUSTOMER and standing.relationship_id is not None
    center = cloud_of(program.settings).admin_center
    link = approval_link(center, standing.relationship_id) if waits and standing.relationship_id else ""
    return {
        "customer_id": case.customer_id,
        "customer": case.company_name,
        "condition": standing.condition.value,
        "code": standing.code,
        "why": standing.detail,
        "owner": standing.owner.value,
        "next_action": standing.next_action,
        "relationship_id": standing.relationship_id,
        "link": link,
        "due_at": standing.due_at,
        "ends_at": standing.ends_at,
        "groups": [group.group_id for group in standing.verified],
        "letter": standing.letter,
        "checked_at": case.checked_at,
    }


def _show(program: Program, renderer: Renderer, summary: GdapSummary) -> None:
    rows = [_row(program, case) for case in summary.customers]
    conditions = {
        condition: summary.conditions[condition] for condition in GdapCondition if condition in summary.conditions
    }
    renderer.document(
        {"customers": rows, "conditions": conditions, "letters": summary.letters, "errors": summary.errors}
    )
    if not rows and not summary.errors:
        renderer.line("Delegated admin access was requested of nobody.")
        renderer.hint("tenantfold gdap request")
        return
    renderer.table("Delegated admin access", ("condition", "count"), list(conditions.items()), numbers=(1,))
    _show_customers(renderer, summary.customers)
    for customer_id, message in list(summary.errors.items())[:10]:
        renderer.line(f"{customer_id}: {message}", style="yellow")
    if summary.letters:
        renderer.line(f"{len(summary.letters)} letter(s) written, the first to {summary.letters[0]}.")
        renderer.hint(
            "Send them; each link is for its own customer only. Then, from time to time: tenantfold gdap check"
        )
    if summary.interrupted:
        renderer.hint("Stopped. Run it again to continue.")


def _show_customers(renderer: Renderer, customers: Sequence[GdapCase]) -> None:
    shown = [
        (
            case.company_name,
            one.condition.value,
            one.owner.value,
            one.detail,
            one.next_action,
            one.due_at or one.ends_at,
        )
        for case in customers
        if (one := case.standing) is not None
    ]
    headings = ("customer", "condition", "who", "why", "what to do", "until")
    renderer.table("Customers", headings, shown[:SHOWN])
    if len(shown) > SHOWN:
        renderer.line(f"... and {len(shown) - SHOWN} more: tenantfold gdap list --json")
