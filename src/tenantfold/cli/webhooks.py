"""Commands of webhooks: listen, register, show, test."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.options import ConfigOption, JsonOption, on_interrupt, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.model import Tenant
from tenantfold.errors import ConfigError, ExitCode
from tenantfold.flow.webhooks import RegistrationTask, send_test
from tenantfold.flow.webhooks import register as register_tenant

webhooks_app = typer.Typer(help="Let Microsoft's events end a wait early.", no_args_is_help=True)

TenantOption = Annotated[str, typer.Option("--tenant", help="Only this tenant, by its key; else every one.")]


@webhooks_app.command()
def listen(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Take deliveries in on webhooks.port of this machine until stopped (Ctrl-C, SIGTERM). A proxy stands before it."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        from tenantfold.receiver import DeliveryServer, open_door  # noqa: PLC0415 - only this command pays for loading it

        receiver = program.receiver()
        if not program.settings.webhooks.url:
            renderer.line("webhooks.url is not set: whoever runs will not hear what is delivered.", style="yellow")
        await program.follow_server_time()
        server = DeliveryServer(receiver)

        def stop() -> None:
            server.should_exit = True

        on_interrupt(stop, renderer)
        with open_door(program.settings.webhooks.port) as door:
            renderer.line("Listening on http://{}:{} until stopped.".format(*door.getsockname()[:2]))
            await server.serve(sockets=[door])
        renderer.document({"deliveries": receiver.counts})
        renderer.table("Deliveries", ("what became of them", "count"), sorted(receiver.counts.items()), numbers=(1,))
        return ExitCode.OK

    run_command(config_path, as_json, work)


@webhooks_app.command()
def register(
    *,
    url: Annotated[str, typer.Option("--url", help="Where to deliver to; else webhooks.url.")] = "",
    tenant: TenantOption = "",
    replace: Annotated[bool, typer.Option("--replace", help="Give up another address registered before.")] = False,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register for the events we listen to, in every tenant: each has one registration."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        address = _address(program, url)
        done = [
            await register_tenant(
                RegistrationTask(
                    center=program.centers[one.id],
                    ledger=program.store,
                    clock=program.clock,
                    tenant_key=one.key,
                    url=address,
                    may_replace=replace,
                )
            )
            for one in _tenants(program, tenant)
        ]
        renderer.document(done)
        rows = [
            (one.tenant, "registered" if one.changed else "was registered", _list(one.registration.events))
            for one in done
        ]
        renderer.table("Webhooks", ("tenant", "what", "events"), rows)
        for one in done:
            if one.not_offered:
                renderer.line(f"{one.tenant}: Microsoft does not offer {_list(one.not_offered)}.", style="yellow")
        if not program.settings.webhooks.url:
            renderer.hint(f'Set webhooks.url to "{address}": without it whoever runs does not listen.')
        renderer.hint("tenantfold webhooks test")
        return ExitCode.OK

    run_command(config_path, as_json, work)


@webhooks_app.command()
def show(*, tenant: TenantOption = "", config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show what is registered in every tenant."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        found = [(one.key, await program.centers[one.id].webhook_registration()) for one in _tenants(program, tenant)]
        renderer.document([{"tenant": key, "registration": registration} for key, registration in found])
        rows = [
            (key, one.url if one else "nothing is registered", _list(one.events if one else ())) for key, one in found
        ]
        renderer.table("Webhooks", ("tenant", "address", "events"), rows)
        if any(registration is None for _, registration in found):
            renderer.hint("tenantfold webhooks register")
        return ExitCode.OK

    run_command(config_path, as_json, work)


@webhooks_app.command("test")
def try_out(*, tenant: TenantOption = "", config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Have Microsoft deliver a test event from every tenant and say how it went. Twice a minute at most."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        outcomes = [
            (one.key, await send_test(program.centers[one.id], program.clock)) for one in _tenants(program, tenant)
        ]
        renderer.document([{"tenant": key, "outcome": outcome} for key, outcome in outcomes])
        rows = [(key, one.status, _list(one.answers)) for key, one in outcomes]
        renderer.table("Test events", ("tenant", "Microsoft says", "our receiver answered"), rows)
        return ExitCode.OK if all(one.is_delivered for _, one in outcomes) else ExitCode.UNFINISHED

    run_command(config_path, as_json, work)


def _tenants(program: Program, key: str) -> tuple[Tenant, ...]:
    """The tenant of this key, or all of them. ConfigError for an unknown one."""
    return (program.tenant(key),) if key else program.tenants


def _address(program: Program, given: str) -> str:
    """Where to deliver to. ConfigError when nobody named an address."""
    address = given or program.settings.webhooks.url
    if not address:
        raise ConfigError(
            "Nobody said where Microsoft is to deliver events.",
            next_step="Set webhooks.url to the https address that your proxy passes on to webhooks.port.",
            setting="webhooks.url",
        )
    return address


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words)
