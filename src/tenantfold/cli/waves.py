"""Commands about waves: which customers begin together, when, and how many at most."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.customers import find_customer
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.admission import Bottleneck, eta_sentence
from tenantfold.domain.model import CustomerId, TenantId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import LimitRule, Wave, WaveRefusal
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.waves import Approval, WaveCheck
from tenantfold.listfiles import read_customer_list

FINISHED_ALL_THE_SAME = "Whoever has begun is finished all the same: nobody is left between two bills."
SHOWN = 10  # more names than this belong into a file

wave_app = typer.Typer(help="Customers that begin together: make waves, start, schedule, pause.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The wave's name.")]
CustomersOption = Annotated[Path | None, typer.Option("--customers", help="List of customers (CSV or XLSX).")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who decides; else your user name.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
OverrideOption = Annotated[
    list[LimitRule] | None,
    typer.Option("--override", help="A rule to override; needs --by and --reason. May be given several times."),
]


def decided(by: str | None, reason: str = "") -> Approval:
    """Who decides: the name given, else the user of this machine."""
    return Approval(by=by or getpass.getuser(), reason=reason)


def _answered(rules: Sequence[LimitRule] | None, by: str | None, reason: str) -> Approval:
    """An approval whose overrides rest on a name that was given; nobody answers for a rule by accident."""
    return Approval(by=by or "", reason=reason, rules=tuple(rules)) if rules else decided(by, reason)


@wave_app.command("new")
def new(  # noqa: PLR0913  # one argument an option
    *,
    name: NameArgument,
    customers: CustomersOption = None,
    country: Annotated[str, typer.Option("--country", help="Only customers of this country, such as SE.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many; who accepted is first.")] = None,
    remaining: Annotated[bool, typer.Option("--remaining", help="Everybody who is in no wave yet.")] = False,
    by: ByOption = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a wave, as a draft. From the first one on, customers begin only when their wave runs."""
    if customers is not None and (country or limit or remaining):
        raise typer.BadParameter("--customers names everybody; leave out --country, --limit and --remaining.")
    if customers is None and not (country or limit or remaining):
        raise typer.BadParameter("say who is in it: --customers FILE, --country SE, --limit 200 or --remaining.")

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        if customers is not None:
            ids, left_out = await chosen(program, customers)
        else:
            ids, left_out = await program.store.wave_candidates(country.upper(), limit), {}
        wave = await program.wave_desk().create(name, ids, decided(by).by)
        check = await program.wave_desk().check(wave)
        renderer.document({"wave": wave, "check": check, "left_out": left_out})
        renderer.line(f"Wave {name}: {check.size.customers} customer(s), {check.size.seats} licenses, a draft.")
        _show_left_out(renderer, left_out)
        _show_check(renderer, program, check)
        renderer.hint(f"tenantfold wave start {name}, or: tenantfold wave schedule {name} --at 2026-03-03T06:00Z")
        return ExitCode.OK

    run_command(config_path, as_json, work)


@wave_app.command("add")
def add(
    *,
    name: NameArgument,
    customers: Annotated[Path, typer.Option("--customers", help="List of customers (CSV or XLSX).")],
    by: ByOption = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add customers to a draft or scheduled wave; its overrides lapse. A running one cannot grow: it was approved."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        ids, left_out = await chosen(program, customers)
        growth = await program.wave_desk().add(name, ids, decided(by).by)
        renderer.document({"added": growth.added, "lapsed": growth.lapsed, "left_out": left_out})
        renderer.line(f"{growth.added} customer(s) added to wave {name}.")
        _show_lapsed(renderer, growth.lapsed)
        _show_left_out(renderer, left_out)
        return ExitCode.OK

    run_command(config_path, as_json, work)


@wave_app.command("remove")
def remove(
    *,
    name: NameArgument,
    customers: Annotated[Path, typer.Option("--customers", help="List of customers (CSV or XLSX).")],
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take customers out of a wave. Whoever has begun stays in it and is finished."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        left = await program.wave_desk().remove(name, await _listed(program, customers))
        renderer.document({"removed": left})
        renderer.line(f"{left} customer(s) taken out of wave {name}.")
        return ExitCode.OK

    run_command(config_path, as_json, work)


@wave_app.command("list")
def list_waves(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all waves: state, customers, how far they are."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        rows = await standings(program)
        renderer.document([row | {"wave": wave} for wave, row in rows])
        show_waves(renderer, rows)
        return ExitCode.OK

    run_command(config_path, as_json, work)


@wave_app.command("show")
def show(*, name: NameArgument, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one wave: size, how far it is, who answers for what, and whether it can finish today."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time()
        wave = await program.wave_desk().find(name)
        check = await program.wave_desk().check(wave)
        phases = (await program.store.wave_phases()).get(wave.id, {})
        renderer.document({"wave": wave, "check": check, "phases": phases})
        renderer.title(f"Wave {wave.name}: {wave.state.value}{f' ({wave.note})' if wave.note else ''}")
        renderer.table("Customers", ("phase", "count"), [(one.value, phases[one]) for one in phases], numbers=(1,))
        _show_check(renderer, program, check)
        rows = [(one.rule.value, one.by, one.reason, one.at) for one in wave.overrides]
        if rows:
            renderer.table("Overridden", ("rule", "by", "reason", "when"), rows)
        return ExitCode.OK

    run_command(config_path, as_json, work)


@wave_app.command("start")
def start(
    *,
    name: NameArgument,
    override: OverrideOption = None,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a wave, if it is small enough and can finish today; else say the numbers and how to override."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time(required=True)
        wave = await program.wave_desk().start(name, _answered(override, by, reason))
        renderer.document(wave)
        renderer.line(f"Wave {name} is running.")
        renderer.hint("tenantfold run")
        return ExitCode.OK

    run_command(config_path, as_json, work)


@wave_app.command("schedule")
def schedule(
    *,
    name: NameArgument,
    at: Annotated[str, typer.Option("--at", help="UTC time such as 2026-03-03T06:00Z.")],
    override: OverrideOption = None,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a wave start at a time, by whatever run or worker is at work then. It is checked again at that time."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        await program.follow_server_time(required=True)
        when = moment("--at", at)
        wave = await program.wave_desk().schedule(name, when, _answered(override, by, reason))
        renderer.document(wave)
        renderer.line(f"Wave {name} starts at {when:%Y-%m-%d %H:%M} UTC, or at the first run after that.")
        return ExitCode.OK

    run_command(config_path, as_json, work)


@wave_app.command("pause")
def pause(
    *,
    name: NameArgument,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin nobody of the wave any more. Whoever has begun is finished."""
    run_command(
        config_path, as_json, lambda program, renderer: pause_wave(program, renderer, name, decided(by, reason))
    )


@wave_app.command("resume")
def resume(
    *,
    name: NameArgument,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a paused wave go on."""
    run_command(
        config_path, as_json, lambda program, renderer: resume_wave(program, renderer, name, decided(by, reason))
    )


@wave_app.command("abort")
def abort(
    *,
    name: NameArgument,
    now: Annotated[bool, typer.Option("--now", help="Do not even finish whoever has begun (two bills!).")] = False,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a wave for good; its customers may join another. Whoever has begun is finished, unless --now."""
    approval = decided(by, reason)
    run_command(
        config_path, as_json, lambda program, renderer: abort_wave(program, renderer, name, approval, at_once=now)
    )


async def pause_wave(program: Program, renderer: Renderer, name: str, approval: Approval) -> ExitCode:
    """Pause a wave and say what that means for those who have begun."""
    await program.follow_server_time()
    wave = await program.wave_desk().pause(name, approval)
    begun = await _begun(program, wave)
    renderer.document({"wave": wave, "begun": begun})
    renderer.line(f"Wave {name} is {wave.state.value}: nobody of it begins. {begun} customer(s) have begun.")
    renderer.line(FINISHED_ALL_THE_SAME)
    renderer.hint("tenantfold run finishes them" if begun else f"tenantfold wave resume {name}")
    return ExitCode.OK


async def resume_wave(program: Program, renderer: Renderer, name: str, approval: Approval) -> ExitCode:
    """Let a paused wave go on."""
    await program.follow_server_time()
    wave = await program.wave_desk().resume(name, approval)
    renderer.document({"wave": wave})
    renderer.line(f"Wave {name} is running again.")
    renderer.hint("tenantfold run")
    return ExitCode.OK


async def abort_wave(program: Program, renderer: Renderer, name: str, approval: Approval, *, at_once: bool) -> ExitCode:
    """End a wave and say what that means for those who have begun."""
    await program.follow_server_time()
    wave, stopped = await program.wave_desk().abort(name, approval, at_once=at_once)
    begun = await _begun(program, wave)
    renderer.document({"wave": wave, "begun": begun, "stopped": stopped})
    renderer.line(f"Wave {name} is aborted: nobody of it begins. {begun} customer(s) have begun.")
    if stopped:
        renderer.line(
            f"{stopped} of them are stopped where they are: both sides may be billed. Finish each with: "
            "tenantfold resume --customer ID",
            style="yellow",
        )
    else:
        renderer.line(FINISHED_ALL_THE_SAME)
    return ExitCode.OK


async def _begun(program: Program, wave: Wave) -> int:
    phases = (await program.store.wave_phases()).get(wave.id, {})
    return sum(count for phase, count in phases.items() if phase.has_begun)


def moment(option: str, text: str) -> datetime:
    """A UTC time such as 2026-03-03T06:00Z. Raises InputError, also for a time without a zone."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputError(f"{option} is '{text}'; allowed is a time with its zone, such as 2026-03-03T06:00Z.")
    return at.astimezone(UTC)


async def chosen(program: Program, file: Path) -> tuple[tuple[CustomerId, ...], Mapping[str, str]]:
    """The customers of a list that can join a wave, and why the others cannot. InputError for unknown ones."""
    ids = await _listed(program, file)
    places = {one.customer_id: one for one in await program.store.places(ids)}
    left_out: dict[str, str] = {}
    for customer_id in ids:
        place = places.get(customer_id)
        if place is None:
            left_out[customer_id] = "it is not in the newest plan"
        elif place.disposition is not Disposition.MOVE or place.phase.is_final:
            left_out[customer_id] = f"the plan has nothing to move for it now ({place.phase.value})"
        elif place.in_open_wave:
            left_out[customer_id] = f"it is in wave {place.wave}"
    return tuple(one for one in ids if one not in left_out), left_out


async def _listed(program: Program, file: Path) -> tuple[CustomerId, ...]:
    """The customers a list names, in its order."""
    selection = read_customer_list(file, today=program.clock.now().date())
    found = [row.customer_id or (await find_customer(program, row.identity[1]))[0] for row in selection.rows]
    return tuple(dict.fromkeys(found))


async def standings(program: Program) -> list[tuple[Wave, dict[str, int]]]:
    """Every wave with its numbers of customers: all, moved, begun and not finished, not accepted yet."""
    phases = await program.store.wave_phases()
    rows = []
    for wave in await program.store.waves():
        counts = phases.get(wave.id, {})
        numbers = {
            "customers": sum(counts.values()),
            "moved": counts.get(Phase.MOVED, 0),
            "begun": sum(count for one, count in counts.items() if one.has_begun),
            "not_accepted": counts.get(Phase.PLANNED, 0) + counts.get(Phase.INVITED, 0),
        }
        rows.append((wave, numbers))
    return rows


def show_waves(renderer: Renderer, rows: Sequence[tuple[Wave, Mapping[str, int]]]) -> None:
    """The waves as a table."""
    lines = [(one.name, one.state.value, one.starts_at, *numbers.values(), one.note) for one, numbers in rows]
    headings = ("wave", "state", "starts", "customers", "moved", "begun", "not accepted", "note")
    renderer.table("Waves", headings, lines, numbers=(3, 4, 5, 6))


def _show_lapsed(renderer: Renderer, lapsed: Sequence[LimitRule]) -> None:
    if not lapsed:
        return
    rules = " ".join(f"--override {rule.value}" for rule in lapsed)
    renderer.line("The wave grew, so nobody answers for its overridden rules any more.", style="yellow")
    renderer.line(f"  to answer for it as it is now, start or schedule it again with: {rules}", style="yellow")


def _show_left_out(renderer: Renderer, left_out: Mapping[str, str]) -> None:
    for customer_id, reason in list(left_out.items())[:SHOWN]:
        renderer.line(f"left out: {customer_id}, {reason}", style="yellow")
    if len(left_out) > SHOWN:
        renderer.line(f"... and {len(left_out) - SHOWN} more left out", style="yellow")


def _show_check(renderer: Renderer, program: Program, check: WaveCheck) -> None:
    size = check.size
    money = ", ".join(f"{value:.2f} {currency}" for currency, value in check.amount.by_currency.items())
    rows = [
        ("customers left to move", size.customers),
        ("subscriptions", size.subscriptions),
        ("licenses", size.seats),
        ("countries", ", ".join(size.countries)),
        ("monthly amount", money or "not known"),
        ("offers without a price", len(check.amount.unpriced)),
    ]
    renderer.table("Size", ("", ""), rows)
    _show_today(renderer, check.bottleneck, check.refusals, {one.id: one.key for one in program.tenants})


def _show_today(
    renderer: Renderer, worst: Bottleneck | None, refusals: Sequence[WaveRefusal], keys: Mapping[TenantId, str]
) -> None:
    if worst is not None:
        renderer.line(eta_sentence(worst, keys))
    for one in refusals:
        renderer.line(f"{one.rule.value}: {one.detail}", style="yellow")
        renderer.line(f"  to answer for it: {one.override}")
    if worst is not None and not any(one.rule is LimitRule.TODAY for one in refusals):
        renderer.line("It can begin and finish today.")
