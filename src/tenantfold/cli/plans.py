"""Commands about the plan: plan, show, approve."""

from __future__ import annotations

import getpass
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from tenantfold.bootstrap import Program, plan_policy_of
from tenantfold.cli.customers import find_customer
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.reasons import routes_document, show_reasons, weighed_routes
from tenantfold.cli.render import Renderer
from tenantfold.domain.explanation import standing_of
from tenantfold.domain.findings import Finding, Severity
from tenantfold.domain.model import Route
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanItem, PlanRecord
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.approval import approve as approve_plan
from tenantfold.flow.approval import newest_plan
from tenantfold.flow.planning import PlanTask, make
from tenantfold.listfiles import read_customer_list, read_offer_mapping

_ABOUT = {
    Route.RECREATE: "ordered again, verified, suspended at the source the same day",
    Route.TRANSFER: "moved by a transfer between the two tenants",
    Route.AZURE_TRANSFER: "moved with their Azure plan",
    Route.AZURE_SUPPORT: "handed off to Microsoft",
    Route.EXPIRE_AND_REBUY: "end with their term, and are bought again",
    Route.MANUAL: "are settled by a person, with evidence",
    Route.KEEP: "stay where they are",
    Route.SKIP: "are over, or moved already",
}
MANY = 8  # more equal findings than this are one row

show_app = typer.Typer(help="Look at the plan or at one customer.", no_args_is_help=True)


def plan(
    *,
    customers: Annotated[
        Path | None, typer.Option("--customers", help="List of customers to move (CSV or XLSX); all when left out.")
    ] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build the plan from the newest snapshots. Nothing is changed at Microsoft; approve its checksum to run it."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        today = program.clock.now().date()
        task = PlanTask(
            consolidation=program.settings.consolidation,
            tenants=program.tenants,
            inventory=program.store,
            ledger=program.store,
            clock=program.clock,
            regions=program.regions,
            mapping=read_offer_mapping(program.settings.files.offer_mapping),
            selection=read_customer_list(customers, today=today) if customers else None,
            policy=plan_policy_of(program.settings),
            cloud=program.settings.cloud.name,
            billing_models=program.billing_models,
        )
        with renderer.progress() as report:
            record = await make(task, report)
        await _show_plan(program, renderer, record)
        return ExitCode.OK

    run_command(config_path, as_json, work)


@show_app.command("plan")
def show_plan(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the newest plan: totals, blocked customers with reasons, what an approver should look at."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await _show_plan(program, renderer, await newest_plan(program.store))
        return ExitCode.OK

    run_command(config_path, as_json, work)


async def _show_plan(program: Program, renderer: Renderer, record: PlanRecord) -> None:
    totals: Counter[str] = Counter()
    routes: Counter[str] = Counter()
    blocked: list[PlanCustomer] = []
    to_look_at: list[tuple[str, Finding]] = []
    notes: list[tuple[str, Finding]] = []
    async for customer in program.store.plan_customers(record.id):
        totals[customer.disposition] += 1
        moving = (
            [item for item in customer.items if item.is_carried_out] if customer.disposition is Disposition.MOVE else []
        )
        totals["subscriptions"] += len(moving)
        totals["licenses"] += sum(item.license_count for item in moving)
        for item in customer.items:
            routes[item.route] += 1
        if customer.disposition is Disposition.BLOCKED:
            blocked.append(customer)
        to_look_at += [
            (customer.company_name, finding)
            for finding in customer.all_findings()
            if finding.severity is Severity.WARNING and customer.disposition is Disposition.MOVE
        ]
        notes += [
            (customer.company_name, finding)
            for finding in customer.all_findings()
            if finding.severity is Severity.NOTE and finding.needs_somebody
        ]
    document = {"plan": record, "totals": totals, "routes": routes, "blocked": blocked}
    renderer.document({**document, "warnings": to_look_at, "notes": notes})
    _print_totals(renderer, record, totals, routes)
    _print_findings(renderer, record, blocked, to_look_at + notes)


def _print_totals(renderer: Renderer, record: PlanRecord, totals: Counter[str], routes: Counter[str]) -> None:
    renderer.title(f"Plan {record.id}, checksum {record.checksum[:12]}")
    rows = [
        ("customers to move", totals[Disposition.MOVE]),
        ("  their subscriptions", totals["subscriptions"]),
        ("  their licenses", totals["licenses"]),
        ("customers blocked", totals[Disposition.BLOCKED]),
        ("customers with nothing to move", totals[Disposition.NOTHING_TO_MOVE]),
        ("customers moved already", totals[Disposition.MOVED]),
    ]
    renderer.table("", ("", "count"), rows, numbers=(1,))
    by_route = [(route.value, routes[route], _ABOUT[route]) for route in Route if routes[route]]
    renderer.table("Subscriptions by route", ("route", "count", "what happens to them"), by_route, numbers=(1,))


def _print_findings(
    renderer: Renderer, record: PlanRecord, blocked: list[PlanCustomer], to_look_at: list[tuple[str, Finding]]
) -> None:
    if blocked:
        rows_blocked = [
            _row(one.company_name, finding) for one in blocked for finding in _first_of_each(one.blockers())
        ]
        renderer.table("Blocked (they stay in the plan)", _HEADINGS, rows_blocked)
    if to_look_at:
        renderer.table("Worth a look before approval", _HEADINGS, _warned(to_look_at))
    if blocked or to_look_at:
        renderer.hint("tenantfold export findings --to findings.xlsx")
    if record.approved_at is None:
        renderer.hint(f"tenantfold approve {record.checksum[:12]}")
    else:
        renderer.line(f"Approved by {record.approved_by} at {record.approved_at:%Y-%m-%d %H:%M} UTC.")


def _warned(to_look_at: list[tuple[str, Finding]]) -> list[tuple[object, ...]]:
    """One row a finding; one that is found many times is one row with their number."""
    by_code: dict[tuple[str, str], list[tuple[str, Finding]]] = defaultdict(list)
    for name, found in to_look_at:
        by_code[found.code, found.rule].append((name, found))
    rows: list[tuple[object, ...]] = []
    for group in by_code.values():
        if len(group) > MANY:
            days = [one.estimated_on for _, one in group if one.estimated_on is not None]
            first = replace(group[0][1], estimated_on=min(days, default=None))
            rows.append(_row(f"{len(group)} times", first))
        else:
            rows += [_row(name, one) for name, one in group]
    return rows


_HEADINGS = ("customer", "severity", "what, and rule", "found", "who: what to do", "day")


def _row(name: str, one: Finding) -> tuple[object, ...]:
    """One finding; of several the first one, with the earliest day."""
    about, how = f"{one.code.value} [{one.rule}]", f"{one.owner.value}: {one.next_action}"
    return name, one.severity.value, about, one.detail, how, one.estimated_on


def _first_of_each(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a code: a customer with fifty equal reasons needs one line."""
    return list({finding.code: finding for finding in reversed(list(findings))}.values())


@show_app.command("customer")
def show_customer(
    *,
    customer: Annotated[str, typer.Argument(help="Customer id, domain or company name.")],
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one customer: every subscription, its route, its counterpart and how far it is."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        customer_id, name = await find_customer(program, customer)
        case = await program.store.case(customer_id)
        if case is None:
            raise InputError(f"{name} is not in the newest plan.", next_step="Run: tenantfold plan")
        weighed = await weighed_routes(program, case)
        renderer.document({**asdict(case), "routes": routes_document(weighed)})
        counterparts = {one.source_id: one for one in case.counterparts}
        keys = {tenant.id: tenant.key for tenant in program.tenants}
        rows = [
            (
                keys[item.tenant_id],
                _offer(item),
                item.license_count,
                item.billing_cycle,
                item.wire_status,
                item.route,
                standing_of(item, counterparts.get(item.subscription_id)),
            )
            for item in case.customer.items
        ]
        headings = ("tenant", "subscription", "licenses", "billing", "status when planned", "route", "how far")
        renderer.title(f"{name} ({customer_id}), {case.customer.country}: {case.progress.phase.value}")
        renderer.table("", headings, rows, numbers=(2,))
        show_reasons(renderer, weighed)
        renderer.hint(f"tenantfold explain {customer_id}")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def _offer(item: PlanItem) -> str:
    """The offer, and what it becomes at the target where that is another one."""
    other = item.target_offer_id is not None and item.target_offer_id != item.offer_id
    return f"{'+ ' if item.is_add_on else ''}{item.offer_name}{f' -> {item.target_offer_name}' if other else ''}"


def approve(
    *,
    checksum: Annotated[str, typer.Argument(help="The plan's checksum, at least its first 8 digits.")],
    by: Annotated[str | None, typer.Option("--by", help="Who approves; else your user name.")] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve the newest plan. Only an approved plan runs."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        name = by or getpass.getuser()
        before = await newest_plan(program.store)
        record = await approve_plan(program.store, program.store, program.clock, checksum=checksum, approved_by=name)
        renderer.document(record)
        already = "was approved already" if before.approved_at else "is approved"
        renderer.line(f"Plan {record.checksum[:12]} {already} by {record.approved_by}.")
        renderer.hint("tenantfold invite")
        return ExitCode.OK

    run_command(config_path, as_json, work)
