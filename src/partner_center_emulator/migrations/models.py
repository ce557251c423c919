"""Behaviour of migrations (model room, commerce reference 4.3): one legacy bundle becomes new commerce, or stays.

The new subscriptions come first, then the legacy ones are suspended (a switch makes it the other way round). A failure
may leave the legacy ones suspended; then Microsoft gives them back within 72 hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.migrations import schedules
from partner_center_emulator.migrations.wish import Wish, read_wishes
from partner_center_emulator.products.prices import price_of
from partner_center_emulator.state.catalog import Plan
from partner_center_emulator.state.transfers import AddOnMigration, Migration, MigrationEvent
from partner_center_emulator.subscriptions import lapse
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.transfers.placing import fresh_terms, put_subscription
from partner_center_emulator.wire import text_field
from partner_center_emulator.world import Subscription

REPAIR_HOURS = 72.0

Part = Migration | AddOnMigration


def create(
    emulator: Emulator, tenant_id: str, customer_id: str, members: Mapping[str, object], request_id: str
) -> Migration:
    """Begin a migration and return it as Processing; raises what ``wish.read_wishes`` raises."""
    base, *add_ons = read_wishes(emulator, tenant_id, customer_id, members)
    now = emulator.clock.now()
    migration = Migration(
        id=emulator.next_id("migration"),
        tenant_id=tenant_id,
        customer_id=customer_id,
        current_subscription_id=base.subscription.id,
        catalog_item_id=base.catalog_item_id,
        quantity=base.quantity,
        term=base.plan.duration,
        billing_cycle=base.plan.billing_cycle,
        subscription_end=base.ends,
        custom_term_end=base.custom_term_end,
        full_term=base.full_term,
        started_at=now,
        due_at=now + timedelta(seconds=emulator.options.migration_seconds),
        external_reference=text_field(members, "externalReferenceId"),
        request_id=request_id,
        add_ons=[_add_on(wish) for wish in add_ons],
        events=[MigrationEvent(name="MigrationStarted", status="Completed", at=now)],
    )
    emulator.world.transfers.migrations[migration.id] = migration
    _record(emulator, migration, "migration.created")
    if emulator.options.migration_suspends == "start":
        _suspend_sources(emulator, migration)
    arm(emulator, migration)
    return migration


def find(emulator: Emulator, tenant_id: str, customer_id: str, migration_id: str) -> Migration:
    """Return one migration of this partner tenant and customer; raises 404 code 900224."""
    found = emulator.world.transfers.migrations.get(migration_id.lower())
    if found is None or (found.tenant_id, found.customer_id) != (tenant_id, customer_id):
        raise refusal(900224, migration_id, status=404)
    return found


def search(
    emulator: Emulator, tenant_id: str, *, customer_id: str = "", subscription_id: str = "", reference: str = ""
) -> list[Migration]:
    """Return the tenant's migrations that match every given id, oldest first."""
    return [
        row
        for row in emulator.world.transfers.migrations.values()
        if row.tenant_id == tenant_id
        and customer_id.lower() in ("", row.customer_id)
        and subscription_id.lower() in ("", row.current_subscription_id)
        and reference in ("", row.external_reference)
    ]


def arm(emulator: Emulator, migration: Migration) -> None:
    """Put the end of a running migration, or the repair of a failed one, on the clock."""
    if migration.status == "Processing":

        def finish() -> None:
            if migration.status == "Processing":
                _finish(emulator, migration)

        emulator.clock.at(migration.due_at, f"migration: {migration.id}", finish)
    elif migration.repair_at is not None:

        def repair() -> None:
            if migration.repair_at is not None:
                _repair(emulator, migration)

        emulator.clock.at(migration.repair_at, f"migration repaired: {migration.id}", repair)


def rearm(emulator: Emulator) -> None:
    """Put running migrations, repairs and schedules back on the clock."""
    for migration in emulator.world.transfers.migrations.values():
        arm(emulator, migration)
    for schedule in emulator.world.transfers.schedules.values():
        schedules.arm(emulator, schedule)


def _finish(emulator: Emulator, migration: Migration) -> None:
    now = emulator.clock.now()
    ids = [part.current_subscription_id for part in _parts(migration)]
    stumbles = [stumble for key in ids if (stumble := emulator.world.transfers.stumbles.get(key)) and stumble.times > 0]
    migration.completed_at = now
    if stumbles:  # the whole bundle fails together
        stumbles[0].times -= 1
        if stumbles[0].suspends_source:
            _suspend_sources(emulator, migration)
        _fail(emulator, migration)
        return
    for part in _parts(migration):
        _provision(emulator, migration, part)
    for name in ("NewCommerceSubscriptionCreated", "NewCommerceSubscriptionProvisioned", "MigrationCompleted"):
        migration.events.append(MigrationEvent(name=name, status="Completed", at=now))
    _suspend_sources(emulator, migration)
    migration.status = "Completed"
    _record(emulator, migration, "migration.completed")


def _fail(emulator: Emulator, migration: Migration) -> None:
    migration.status = "Failed"
    migration.events.append(MigrationEvent(name="MigrationCompleted", status="Failed", at=emulator.clock.now()))
    sources = [emulator.world.subscriptions[part.current_subscription_id] for part in _parts(migration)]
    if any(source.status == "suspended" for source in sources):
        migration.repair_at = emulator.clock.now() + timedelta(hours=REPAIR_HOURS)
        arm(emulator, migration)
    _record(emulator, migration, "migration.failed")


def _repair(emulator: Emulator, migration: Migration) -> None:
    migration.repair_at = None
    for part in _parts(migration):
        source = emulator.world.subscriptions[part.current_subscription_id]
        if source.status == "suspended":
            change(emulator, source, "", status="active")
    _record(emulator, migration, "migration.rolled_back")


def _provision(emulator: Emulator, migration: Migration, part: Part) -> None:
    old = emulator.world.subscriptions[part.current_subscription_id]
    tenant = emulator.world.partner_tenants[migration.tenant_id]
    now = emulator.clock.now()
    new = Subscription(
        id=emulator.next_id("subscription"),
        tenant_id=old.tenant_id,
        customer_id=old.customer_id,
        offer_id=part.catalog_item_id,
        offer_name=old.offer_name,
        friendly_name=old.friendly_name,
        quantity=part.quantity,
        status="active",
        order_id=emulator.next_id("order"),
        created_at=now,
        effective_start=now.date(),
        commitment_end=part.subscription_end,
        billing_cycle=part.billing_cycle,
        partner_id_on_record=old.partner_id_on_record,
    )
    plan = _plan(emulator, part)
    price = str(price_of(plan, tenant.currency).unit_price)
    terms = fresh_terms(new, tenant.currency, part.term, price, migrated_from=old.id)
    terms.custom_term_end = None if part.full_term else part.subscription_end
    put_subscription(emulator, new, migration.request_id, terms, "migration")
    part.new_subscription_id = new.id
    if isinstance(part, Migration):
        part.new_order_id = new.order_id


def _plan(emulator: Emulator, part: Part) -> Plan:
    product_id, sku_id, _ = part.catalog_item_id.split(":")
    skus = emulator.world.commerce.products[product_id].skus
    plans = next(sku.plans for sku in skus if sku.id == sku_id)
    return next(plan for plan in plans if (plan.duration, plan.billing_cycle) == (part.term, part.billing_cycle))


def _suspend_sources(emulator: Emulator, migration: Migration) -> None:
    for part in _parts(migration):
        source = emulator.world.subscriptions[part.current_subscription_id]
        if source.status == "active":
            change(emulator, source, migration.request_id, status="suspended")
            lapse.arm(emulator, source)


def _parts(migration: Migration) -> Iterator[Part]:
    yield migration
    yield from migration.add_ons


def _add_on(wish: Wish) -> AddOnMigration:
    return AddOnMigration(
        current_subscription_id=wish.subscription.id,
        catalog_item_id=wish.catalog_item_id,
        quantity=wish.quantity,
        term=wish.plan.duration,
        billing_cycle=wish.plan.billing_cycle,
        subscription_end=wish.ends,
        full_term=wish.full_term,
    )


def _record(emulator: Emulator, migration: Migration, what: str) -> None:
    emulator.record(
        what,
        tenant_id=migration.tenant_id,
        customer_id=migration.customer_id,
        subject_id=migration.id,
        request_id=migration.request_id if what == "migration.created" else "",
        after={
            "status": migration.status,
            "current_subscription_id": migration.current_subscription_id,
            "new_subscription_id": migration.new_subscription_id,
        },
    )
