"""How the wire shows migrations, their events and schedules (wire room, commerce reference 4.3)."""

from __future__ import annotations

from partner_center_emulator.state.transfers import AddOnMigration, Migration, MigrationSchedule
from partner_center_emulator.wire import Json, attributes, wire_date, wire_time, without_nulls


def wire_migration(migration: Migration) -> Json:
    """Return one NewCommerceMigration; add-ons are flat."""
    return without_nulls(
        {
            "id": migration.id,
            "startedTime": wire_time(migration.started_at),
            "completedTime": wire_time(migration.completed_at) if migration.completed_at else None,
            "currentSubscriptionId": migration.current_subscription_id,
            "status": migration.status,
            "customerTenantId": migration.customer_id,
            "catalogItemId": migration.catalog_item_id,
            "newCommerceSubscriptionId": migration.new_subscription_id,
            "newCommerceOrderId": migration.new_order_id,
            "subscriptionEndDate": wire_date(migration.subscription_end),
            "customTermEndDate": wire_date(migration.custom_term_end) if migration.custom_term_end else None,
            "quantity": migration.quantity,
            "termDuration": migration.term,
            "billingCycle": migration.billing_cycle.title(),
            "purchaseFullTerm": migration.full_term,
            "externalReferenceId": migration.external_reference or None,
            "addOnMigrations": [_wire_add_on(migration, add_on) for add_on in migration.add_ons],
            "attributes": attributes("NewCommerceMigration"),
        }
    )


def wire_events(migration: Migration) -> list[Json]:
    """Return what happened to a migration, oldest first."""
    return [
        without_nulls(
            {
                "migrationId": migration.id,
                "name": event.name,
                "status": event.status,
                "createdTime": wire_time(event.at),
                "currentSubscriptionId": migration.current_subscription_id,
                "newCommerceSubscriptionId": migration.new_subscription_id,
                "attributes": attributes("NewCommerceMigrationEvent"),
            }
        )
        for event in migration.events
    ]


def wire_schedule(schedule: MigrationSchedule) -> Json:
    """Return one NewCommerceMigrationSchedule."""
    wish = {name: value for name, value in schedule.wish.items() if name != "addOnMigrations"}
    return without_nulls(
        {
            "id": schedule.id,
            "customerTenantId": schedule.customer_id,
            **wish,
            "currentSubscriptionId": schedule.current_subscription_id,
            "status": schedule.status,
            "createdTime": wire_time(schedule.created_at),
            "lastModifiedTime": wire_time(schedule.modified_at),
            "targetDate": wire_date(schedule.target_date) if schedule.target_date else None,
            "migrateOnRenewal": schedule.on_renewal,
            "newCommerceMigrationId": schedule.migration_id,
            "addOnMigrationSchedules": schedule.wish.get("addOnMigrations", []),
            "attributes": attributes("NewCommerceMigrationSchedule"),
        }
    )


def _wire_add_on(migration: Migration, add_on: AddOnMigration) -> Json:
    return without_nulls(
        {
            "currentSubscriptionId": add_on.current_subscription_id,
            "status": migration.status,
            "catalogItemId": add_on.catalog_item_id,
            "newCommerceSubscriptionId": add_on.new_subscription_id,
            "subscriptionEndDate": wire_date(add_on.subscription_end),
            "quantity": add_on.quantity,
            "termDuration": add_on.term,
            "billingCycle": add_on.billing_cycle.title(),
            "purchaseFullTerm": add_on.full_term,
        }
    )
