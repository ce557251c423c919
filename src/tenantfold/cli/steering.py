"""Commands that steer a move under way: pause, resume, abort, retry-failed, of one customer, a wave or everybody."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.customers import find_customer
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.cli.waves import (
    FINISHED_ALL_THE_SAME,
    ByOption,
    ReasonOption,
    abort_wave,
    decided,
    pause_wave,
    resume_wave,
)
from tenantfold.domain.model import CustomerId
from tenantfold.domain.waves import Held
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow import steering
from tenantfold.flow.waves import Approval

CustomerOption = Annotated[str | None, typer.Option("--customer", help="One customer: id, domain or company name.")]
WaveOption = Annotated[str | None, typer.Option("--wave", help="All customers of this wave.")]
AllOption = Annotated[bool, typer.Option("--all", help="Everybody.")]


def pause(
    *,
    customer: CustomerOption = None,
    wave: WaveOption = None,
    everybody: AllOption = False,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin nothing new for a customer, a wave or everybody. Whoever has begun is finished: never between two bills."""
    approval = decided(by, reason)

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        _one_of(customer, wave, everybody)
        if wave is not None:
            return await pause_wave(program, renderer, wave, approval)
        return await _hold(program, renderer, customer, Held.PAUSED, approval)

    run_command(config_path, as_json, work)


def abort(  # noqa: PLR0913  # one argument an option
    *,
    customer: CustomerOption = None,
    wave: WaveOption = None,
    everybody: AllOption = False,
    now: Annotated[bool, typer.Option("--now", help="Do not even finish whoever has begun (two bills!).")] = False,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a customer, a wave or everybody out of the move. Whoever has begun is finished, unless --now."""
    approval = decided(by, reason)

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        _one_of(customer, wave, everybody)
        if wave is not None:
            return await abort_wave(program, renderer, wave, approval, at_once=now)
        return await _hold(program, renderer, customer, Held.STOPPED if now else Held.ABORTED, approval)

    run_command(config_path, as_json, work)


def resume(
    *,
    customer: CustomerOption = None,
    wave: WaveOption = None,
    everybody: AllOption = False,
    by: ByOption = None,
    reason: ReasonOption = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a pause or an abort back: of a customer, a (paused) wave, or what was said for everybody."""
    approval = decided(by, reason)

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        _one_of(customer, wave, everybody)
        if wave is not None:
            return await resume_wave(program, renderer, wave, approval)
        return await _lift(program, renderer, customer, approval)

    run_command(config_path, as_json, work)


def retry_failed(
    *,
    customer: CustomerOption = None,
    wave: WaveOption = None,
    everybody: AllOption = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make failed, drifted and stranded customers due again. Their reason is looked at anew; nothing is forced."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        _one_of(customer, wave, everybody)
        await program.follow_server_time()
        of_customer = (await find_customer(program, customer))[0] if customer is not None else None
        of_wave = await program.wave_desk().find(wave) if wave is not None else None
        count = await steering.retry(program.store, program.store, program.clock, of_customer, of_wave)
        renderer.document({"due": count})
        renderer.line(f"{count} customer(s) are due again.")
        renderer.hint("tenantfold run" if count else "tenantfold status")
        return ExitCode.OK

    run_command(config_path, as_json, work)


def _one_of(customer: str | None, wave: str | None, everybody: bool) -> None:  # noqa: FBT001  # passed on from Typer
    if [customer is not None, wave is not None, everybody].count(True) != 1:
        raise InputError("Say whom: exactly one of --customer X, --wave NAME and --all.")


async def _whom(program: Program, customer: str | None) -> tuple[CustomerId | None, str]:
    """The customer (None: everybody) and what to call it. The server's time is known from here on."""
    await program.follow_server_time()
    return (None, "Everybody") if customer is None else await find_customer(program, customer)


async def _hold(program: Program, renderer: Renderer, customer: str | None, kind: Held, approval: Approval) -> ExitCode:
    customer_id, name = await _whom(program, customer)
    count = await steering.hold(program.store, program.clock, customer_id, kind, approval)
    renderer.document({"customer_id": customer_id, "held": kind, "customers": count})
    renderer.line(f"{name}: {kind.value}. {count} customer(s) do not begin.")
    if kind is Held.STOPPED:
        renderer.line("Whoever has begun stays where it is: both sides may be billed until it goes on.", style="yellow")
    else:
        renderer.line(FINISHED_ALL_THE_SAME)
    renderer.hint(f"To go on: tenantfold resume {f'--customer {customer_id}' if customer_id else '--all'}")
    return ExitCode.OK


async def _lift(program: Program, renderer: Renderer, customer: str | None, approval: Approval) -> ExitCode:
    customer_id, name = await _whom(program, customer)
    lifted = await steering.lift(program.store, program.clock, customer_id, approval)
    still = await program.store.held(customer_id) if customer_id else Held.NOTHING
    renderer.document({"customer_id": customer_id, "lifted": lifted, "held": still})
    renderer.line(f"{name}: {'goes on' if lifted else 'was not held by itself'}.")
    if still is not Held.NOTHING:
        renderer.line(f"It still does not begin ({still.value}): see tenantfold wave list.", style="yellow")
    renderer.hint("tenantfold run")
    return ExitCode.OK
