"""Commands that come first: init, config show, doctor, tenants."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from tenantfold import config
from tenantfold.bootstrap import Program, gdap_terms_of, open_program, plan_policy_of
from tenantfold.cli.options import ConfigOption, JsonOption, guarded, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.records import Snapshot
from tenantfold.errors import ConfigError, ExitCode
from tenantfold.flow.doctor import Check, Verdict, examine
from tenantfold.prepare import prepare_database, prepare_folder

config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


def init(
    *,
    folder: Annotated[Path, typer.Argument(help="Where the consolidation's files go.")] = Path(),
    name: Annotated[str, typer.Option("--name", help="Name of the consolidation.")] = "consolidation",
    emulator: Annotated[
        str | None, typer.Option("--emulator", help="Address of a running emulator: settings for its tenants.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a settings file and create (or upgrade) the ledger database. Never overwrites settings."""
    renderer = Renderer(as_json=as_json)

    def work() -> ExitCode:
        file, is_new = prepare_folder(folder, name=name, emulator=emulator)
        prepared = prepare_database(file) if emulator or not is_new else ""
        renderer.document({"settings": file, "written": is_new, "database": prepared})
        renderer.line(f"{'Wrote' if is_new else 'Kept'} {file}.")
        if prepared:
            renderer.line(f"The ledger database is ready: {prepared}")
            renderer.hint("tenantfold doctor")
        else:
            renderer.hint("Fill in the tenants and where their secrets are, then run tenantfold init again.")
        return ExitCode.OK

    raise typer.Exit(guarded(renderer, work))


@config_app.command("show")
def config_show(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show every setting, its value and where it was read. Secrets are shown as references only."""
    renderer = Renderer(as_json=as_json)

    def work() -> ExitCode:
        rows = config.origins(config.load(config_path))
        renderer.document(rows)
        renderer.table("Settings", ("setting", "value", "read from"), [(r.name, r.shown_value, r.origin) for r in rows])
        return ExitCode.OK

    raise typer.Exit(guarded(renderer, work))


def doctor(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check settings, sign-in, roles, clock and reach of every tenant; say what is missing and how to get it."""
    renderer = Renderer(as_json=as_json)

    def work() -> ExitCode:
        checks = asyncio.run(_examine(config_path))
        renderer.document(checks)
        rows = [(check.verdict.value, check.subject, check.detail, check.next_step) for check in checks]
        renderer.table("", ("", "what", "found", "what to do"), rows)
        if any(check.verdict is Verdict.FAILED for check in checks):
            return ExitCode.NOT_READY
        renderer.hint("tenantfold inventory")
        return ExitCode.OK

    raise typer.Exit(guarded(renderer, work))


async def _examine(config_path: Path | None) -> list[Check]:
    settings = config.load(config_path)
    async with open_program(settings) as program:
        warnings = [program.resolver.warning(reference) for reference in settings.secret_refs()]
        checks = [
            Check(Verdict.GOOD, "settings", str(settings.file)),
            Check(Verdict.GOOD, "ledger database", settings.database_url),
            *(
                Check(Verdict.WARNING, "secrets", text, "Make the file readable by its owner only.")
                for text in warnings
                if text
            ),
        ]
        checks += delegated_admin(settings)
        return checks + await examine(
            program.tenants, program.centers, program.regions, program.clock, program.billing_models
        )


def delegated_admin(settings: config.Settings) -> list[Check]:
    """Whether delegated admin access can be requested, where that is wanted; never more than a warning (R-107)."""
    if not plan_policy_of(settings).gdap_request:
        return []
    subject = "delegated admin access"
    try:
        terms = gdap_terms_of(settings)
    except ConfigError as error:
        return [Check(Verdict.WARNING, subject, error.message, error.next_step)]
    if not terms.groups:
        return [Check(Verdict.WARNING, subject, "no group would have access (R-106)", "Set gdap.groups.")]
    return [Check(Verdict.GOOD, subject, f"{len(terms.roles)} role(s) for {len(terms.groups)} group(s)")]


def tenants(*, config_path: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the partner tenants and how fresh their inventory is."""
    run_command(config_path, as_json, _tenants)


async def _tenants(program: Program, renderer: Renderer) -> ExitCode:
    known = {tenant.id: tenant for tenant in await program.store.tenants()}
    found = [
        (known.get(tenant.id, tenant), await program.store.newest_snapshot(tenant.id)) for tenant in program.tenants
    ]
    renderer.document([{"tenant": tenant, "snapshot": snapshot} for tenant, snapshot in found])
    headings = ("key", "role", "company", "country", "currency", "snapshot", "read", "customers", "subscriptions")
    rows = [
        (tenant.key, tenant.role, tenant.name, tenant.country, tenant.currency, *_freshness(snapshot))
        for tenant, snapshot in found
    ]
    renderer.table("Partner tenants", headings, rows, numbers=(5, 7, 8))
    return ExitCode.OK


def _freshness(snapshot: Snapshot | None) -> tuple[object, ...]:
    """Number, age and size of a tenant's newest snapshot."""
    if snapshot is None:
        return ("", "never read", "", "")
    age = snapshot.completed_at or f"half-written since {snapshot.started_at:%Y-%m-%d %H:%M} UTC"
    return (snapshot.number, age, snapshot.customers, snapshot.subscriptions)
