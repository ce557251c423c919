"""Use case 7: read one partner tenant into a numbered snapshot. Resumable; every page; nothing is deleted.

fetch (Partner Center) -> keep (ledger) page by page, so an interrupted read goes on where it stopped (R-10, R-228).
What planning needs beside the subscriptions is looked up with them (``flow.looking_up``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tenantfold.domain.facts import LegacySoftware, TenantFacts
from tenantfold.domain.model import Customer, CustomerId, Subscription, Tenant, TenantRole
from tenantfold.domain.reads import PartnerIdentity, Read
from tenantfold.domain.records import Snapshot
from tenantfold.domain.regions import RegionMap
from tenantfold.errors import ConfigError, RefusedError, UnexpectedAnswerError, leading_error
from tenantfold.flow.looking_up import UNREADABLE, look_up, look_up_at_target, or_unknown
from tenantfold.flow.partner_center import PartnerCenter
from tenantfold.flow.ports import Clock, Inventory
from tenantfold.flow.progress import Reporter

BATCH = 50  # customers read at a time and kept together; so many may be read again after a crash


@dataclass(frozen=True, slots=True)
class _Found:
    """One customer that was read, all of it."""

    customer: Read[Customer]
    subscriptions: Sequence[Read[Subscription]]
    facts: TenantFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryTask:
    """One tenant to read, and with what. ``legacy_software``: who of legacy licenses alone is asked for software."""

    tenant: Tenant
    partner_center: PartnerCenter
    inventory: Inventory
    clock: Clock
    regions: RegionMap
    in_flight: int = 16
    legacy_software: LegacySoftware = LegacySoftware.NO


async def take(task: InventoryTask, report: Reporter) -> Snapshot:
    """Read a whole tenant; continue an unfinished snapshot. Raises the errors of Partner Center when it cannot go on.

    A customer that cannot be read is kept as not read, with the reason (invariant 9), and does not stop the others.
    """
    identity = await task.partner_center.identity()
    check_identity(task.tenant, identity)
    await task.inventory.save_tenant(tenant_with_facts(task.tenant, identity))
    snapshot = await task.inventory.open_snapshot(task.tenant.id, task.clock.now())
    await _read_customer_list(task, snapshot, report)
    await _read_customers(task, snapshot, report)
    if task.tenant.role is TenantRole.TARGET:
        await _read_catalogs(task, snapshot, report)
    return await task.inventory.complete_snapshot(snapshot, task.clock.now())


def check_identity(tenant: Tenant, identity: PartnerIdentity) -> None:
    """The token must belong to the tenant the settings name. Raises ConfigError: reading the wrong book is no joke."""
    if identity.tenant_id != tenant.id:
        raise ConfigError(
            f"The sign-in of tenant '{tenant.key}' belongs to {identity.company_name} ({identity.tenant_id}), but the "
            f"settings say tenant_id {tenant.id}.",
            next_step=f"Correct tenant_id or the sign-in of '{tenant.key}' in the settings.",
        )


def tenant_with_facts(tenant: Tenant, identity: PartnerIdentity) -> Tenant:
    """The tenant of the settings, completed by what Partner Center says about it."""
    return Tenant(
        id=tenant.id,
        key=tenant.key,
        role=tenant.role,
        name=identity.company_name,
        country=identity.country,
        currency=identity.currency,
        partner_id=identity.partner_id,
    )


async def _read_customer_list(task: InventoryTask, snapshot: Snapshot, report: Reporter) -> None:
    if snapshot.customers_listed:
        return
    listed = snapshot.customers
    link = snapshot.next_link
    followed: set[str] = set()
    started_again = False
    while True:
        try:
            page = await task.partner_center.customer_page(link)
        except RefusedError:
            if link is None or started_again:
                raise
            link = None  # a continuation lapses after a while: start the list again, once; pages are idempotent
            started_again = True
            followed.clear()
            continue
        await task.inventory.save_customer_page(snapshot, page.items, page.next_link)
        listed += len(page.items)
        report.update(f"{task.tenant.key}: customers listed", listed, None)
        link = page.next_link
        if link is None:
            return
        if link in followed:
            raise UnexpectedAnswerError(f"The customer list of tenant '{task.tenant.key}' leads in a circle.")
        followed.add(link)


async def _read_customers(task: InventoryTask, snapshot: Snapshot, report: Reporter) -> None:
    label = f"{task.tenant.key}: customers read"
    done = 0
    slots = asyncio.Semaphore(task.in_flight)
    is_target = task.tenant.role is TenantRole.TARGET
    while batch := await task.inventory.customers_to_read(snapshot, BATCH):
        asked = await (task.inventory.active_at_sources(batch) if is_target else _to_ask(task, batch))
        found: list[_Found] = []
        try:
            async with asyncio.TaskGroup() as group:
                for customer_id in batch:
                    group.create_task(_read_customer(task, snapshot, customer_id, slots, found, asked))
        except ExceptionGroup as failed:
            raise leading_error(failed) from None  # what stops the inventory arrives as itself
        finally:  # whatever ends it: what was read is not read again
            await _keep(task, snapshot, found)
        done += len(batch)
        report.update(label, done, None)


async def _to_ask(task: InventoryTask, batch: Sequence[CustomerId]) -> frozenset[CustomerId]:
    """Who of a source is asked for perpetual software whatever it holds (R-151)."""
    match task.legacy_software:
        case LegacySoftware.NO:
            return frozenset()
        case LegacySoftware.PLANNED:
            return await task.inventory.planned_to_move(batch)
        case LegacySoftware.EVERYBODY:
            return frozenset(batch)


async def _keep(task: InventoryTask, snapshot: Snapshot, found: Sequence[_Found]) -> None:
    """Facts first: a customer counts as read when its own row says so."""
    facts = [one.facts for one in found if one.facts is not None]
    if facts:
        await task.inventory.save_facts(snapshot, facts)
    await task.inventory.save_customers(snapshot, [(one.customer, one.subscriptions) for one in found])


async def _read_customer(
    task: InventoryTask,
    snapshot: Snapshot,
    customer_id: CustomerId,
    slots: asyncio.Semaphore,
    found: list[_Found],
    asked: frozenset[CustomerId],
) -> None:
    async with slots:
        try:
            customer = await task.partner_center.customer(customer_id)
            subscriptions = await task.partner_center.subscriptions(customer_id)
        except UNREADABLE as error:
            await task.inventory.save_unread_customer(snapshot, customer_id, error.message)
            return
        facts = None
        if task.tenant.role is TenantRole.SOURCE:
            held = [read.value for read in subscriptions]
            asks = customer_id in asked
            facts = await look_up(task.partner_center, task.tenant.id, customer_id, held, asks_software=asks)
        elif customer_id in asked:  # nothing is ordered for who holds nothing active at a source
            facts = await look_up_at_target(task.partner_center, task.tenant.id, customer_id)
        found.append(_Found(customer, subscriptions, facts))


async def _read_catalogs(task: InventoryTask, snapshot: Snapshot, report: Reporter) -> None:
    """The catalogs of every country the source customers live in and the target may sell to (R-27, R-83)."""
    target_country = (await task.inventory.tenants())[-1].country
    countries = [
        country
        for country in await task.inventory.source_countries()
        if task.regions.same_region(country, target_country)
    ]
    await _read_missing_catalogs(task, snapshot, countries, report)
    licensed = [country for country in await task.inventory.license_countries() if country in countries]
    await _read_missing_skus(task, snapshot, licensed, report)


async def _read_missing_skus(
    task: InventoryTask, snapshot: Snapshot, countries: Sequence[str], report: Reporter
) -> None:
    """What licenses can be bought as in new commerce, legacy ones too (R-121); else the rules say "not verified"."""
    for done, country in enumerate(countries, start=1):
        if country not in snapshot.sku_countries:
            skus = await or_unknown(task.partner_center.skus(country))
            if skus is not None:
                await task.inventory.save_skus(snapshot, country, skus)
        report.update(f"{task.tenant.key}: new-commerce catalogs read", done, len(countries))


async def _read_missing_catalogs(
    task: InventoryTask, snapshot: Snapshot, countries: Sequence[str], report: Reporter
) -> None:
    for done, country in enumerate(countries, start=1):
        if country not in snapshot.offer_countries:
            offers = await task.partner_center.offers(country)
            await task.inventory.save_offers(snapshot, country, offers)
        report.update(f"{task.tenant.key}: catalogs read", done, len(countries))
