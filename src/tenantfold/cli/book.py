"""Commands about what exists: inventory and export."""

from __future__ import annotations

from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.facts import LegacySoftware
from tenantfold.domain.model import Sku, Tenant
from tenantfold.domain.records import Snapshot
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.inventory import InventoryTask, take


def inventory(
    *,
    keys: Annotated[list[str] | None, typer.Argument(help="Short names of tenants; all when none is given.")] = None,
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read tenants into numbered snapshots. Interrupted? Run it again: it goes on where it stopped."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        chosen = [program.tenant(key) for key in keys] if keys else list(program.tenants)
        chosen.sort(key=program.tenants.index)  # sources first: the target's catalogs follow their countries
        async with program.store.exclusive("inventory"):
            with renderer.progress() as report:
                taken = [(tenant, await take(_task(program, tenant), report)) for tenant in chosen]
        renderer.document([snapshot for _, snapshot in taken])
        _show(renderer, taken)
        return ExitCode.OK

    run_command(config_path, as_json, work)


def catalog(
    *,
    country: Annotated[str, typer.Argument(help="Two letters, such as SE.")],
    search: Annotated[str, typer.Option("--search", help="Only what has this text in its name.")] = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what the target tenant can sell in a country, as its newest inventory saw it (for the offer mapping)."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        snapshot = await program.store.newest_snapshot(program.target.id)
        offers = await program.store.catalog(snapshot, country.upper()) if snapshot else {}
        if not offers:
            known = ", ".join(snapshot.offer_countries) if snapshot else ""
            raise InputError(
                f"The target's inventory holds no catalog for '{country}'{f'; it has {known}' if known else ''}.",
                next_step="Catalogs are read for the countries of the source customers: run tenantfold inventory.",
            )
        found = [one for one in offers.values() if one.is_available and search.casefold() in one.name.casefold()]
        found.sort(key=lambda one: one.name)
        skus = await _skus(program, snapshot, country.upper(), search)
        renderer.document([*found, *skus])
        rows = [
            (one.id, one.name, "add-on" if one.is_add_on else "", one.minimum_quantity, one.maximum_quantity)
            for one in found
        ]
        headings = ("offer id", "offer", "", "from", "to licenses")
        renderer.table(f"Sold in {country.upper()}", headings, rows, numbers=(3, 4))
        _show_skus(renderer, skus, is_read=snapshot is not None and country.upper() in snapshot.sku_countries)
        return ExitCode.OK

    run_command(config_path, as_json, work)


async def _skus(program: Program, snapshot: Snapshot | None, country: str, search: str) -> list[Sku]:
    """The new-commerce products that are sold and have this text in their title, by title."""
    found = await program.store.skus(snapshot, country) if snapshot else {}
    named = [one for one in found.values() if one.is_sold and search.casefold() in one.title.casefold()]
    return sorted(named, key=lambda one: one.title)


def _show_skus(renderer: Renderer, skus: list[Sku], *, is_read: bool) -> None:
    """What a row of the offer mapping names as ``PRODUCT:SKU``, and for which terms and billing plans."""
    if not is_read:
        renderer.line("Not verified: the new-commerce catalog of this country was not read.")
        return
    rows = [
        (one.id, one.title, ", ".join(f"{term.duration} {term.billing_cycle}" for term in one.terms)) for one in skus
    ]
    renderer.table("New commerce", ("PRODUCT:SKU", "product", "term and billing plan"), rows)


def _task(program: Program, tenant: Tenant) -> InventoryTask:
    return InventoryTask(
        tenant=tenant,
        partner_center=program.centers[tenant.id],
        inventory=program.store,
        clock=program.clock,
        regions=program.regions,
        in_flight=program.settings.limits.in_flight,
        legacy_software=LegacySoftware(program.settings.policy.legacy_software),
    )


def _show(renderer: Renderer, taken: list[tuple[Tenant, Snapshot]]) -> None:
    rows = [
        (tenant.key, one.number, one.completed_at, one.customers, one.subscriptions, one.unread_customers)
        for tenant, one in taken
    ]
    headings = ("tenant", "snapshot", "completed", "customers", "subscriptions", "not read")
    renderer.table("Inventory", headings, rows, numbers=(1, 3, 4, 5))
    if any(one.unread_customers for _, one in taken):
        renderer.line("Customers that could not be read are blocked in the plan, with the reason.", style="yellow")
    renderer.hint("tenantfold plan")
