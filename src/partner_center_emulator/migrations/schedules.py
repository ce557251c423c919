"""Migrations that begin later (model room, commerce reference 4.3): on a day, or when the legacy term renews."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.migrations import wish as wishes
from partner_center_emulator.state.transfers import MigrationSchedule
from partner_center_emulator.subscriptions.months import midnight_after
from partner_center_emulator.wire import Json, field, text_field
from partner_center_emulator.world import Subscription


def create(emulator: Emulator, tenant_id: str, customer_id: str, members: Mapping[str, object]) -> MigrationSchedule:
    """Schedule a migration; raises 404 code 20003, 400 with 900215 or 900216, or 2000 for a bad or missing date."""
    row = _find_source(emulator, tenant_id, customer_id, text_field(members, "currentSubscriptionId"))
    if row.status != "active":
        raise refusal(900215, row.id)
    open_ones = emulator.world.transfers.schedules.values()
    if any(known.status == "Active" and known.current_subscription_id == row.id for known in open_ones):
        raise refusal(900216, row.id)
    target_date, on_renewal = _read_when(emulator, row, members)
    now = emulator.clock.now()
    schedule = MigrationSchedule(
        id=emulator.next_id("migration schedule"),
        tenant_id=tenant_id,
        customer_id=customer_id,
        current_subscription_id=row.id,
        wish=body_of(members),
        created_at=now,
        modified_at=now,
        target_date=target_date,
        on_renewal=on_renewal,
        external_reference=text_field(members, "externalReferenceId"),
    )
    emulator.world.transfers.schedules[schedule.id] = schedule
    arm(emulator, schedule)
    return schedule


def update(emulator: Emulator, schedule: MigrationSchedule, members: Mapping[str, object]) -> None:
    """Replace what is scheduled; raises 400 code 2000 unless it is still open, or for another subscription."""
    _check_open(schedule)
    claimed = text_field(members, "currentSubscriptionId").lower()
    if claimed not in ("", schedule.current_subscription_id):
        raise refusal(2000, "A schedule cannot be given to another subscription.")
    row = emulator.world.subscriptions[schedule.current_subscription_id]
    schedule.target_date, schedule.on_renewal = _read_when(emulator, row, members)
    schedule.wish = {**body_of(members), "currentSubscriptionId": row.id}
    schedule.modified_at = emulator.clock.now()
    arm(emulator, schedule)


def cancel(emulator: Emulator, schedule: MigrationSchedule) -> None:
    """Cancel an open schedule; raises 400 code 2000 if it is not open any more."""
    _check_open(schedule)
    schedule.status = "Cancelled"
    schedule.modified_at = emulator.clock.now()


def find(emulator: Emulator, tenant_id: str, customer_id: str, schedule_id: str) -> MigrationSchedule:
    """Return one schedule of this partner tenant and customer; raises 404 code 900224."""
    found = emulator.world.transfers.schedules.get(schedule_id.lower())
    if found is None or (found.tenant_id, found.customer_id) != (tenant_id, customer_id):
        raise refusal(900224, schedule_id, status=404)
    return found


def search(
    emulator: Emulator, tenant_id: str, *, customer_id: str = "", subscription_id: str = "", reference: str = ""
) -> list[MigrationSchedule]:
    """Return the tenant's schedules that match every given id, oldest first."""
    return [
        row
        for row in emulator.world.transfers.schedules.values()
        if row.tenant_id == tenant_id
        and customer_id.lower() in ("", row.customer_id)
        and subscription_id.lower() in ("", row.current_subscription_id)
        and reference in ("", row.external_reference)
    ]


def body_of(members: Mapping[str, object]) -> Json:
    """Return the members of a schedule's body that a migration understands, in their one spelling."""
    names = ("currentSubscriptionId", "quantity", "termDuration", "billingCycle", "purchaseFullTerm")
    found: Json = {
        name: value
        for name in (*names, "customTermEndDate", "externalReferenceId")
        if (value := field(members, name)) is not None
    }
    add_ons = field(members, "addOnMigrationSchedules") or field(members, "addOnMigrations")
    return {**found, "addOnMigrations": add_ons} if add_ons else found


def arm(emulator: Emulator, schedule: MigrationSchedule) -> None:
    """Put the day of an open schedule on the clock."""
    if schedule.status != "Active":
        return
    planned = (schedule.target_date, schedule.on_renewal)

    def begin() -> None:
        if schedule.status == "Active" and (schedule.target_date, schedule.on_renewal) == planned:
            _begin(emulator, schedule)

    emulator.clock.at(_due(emulator, schedule), f"scheduled migration: {schedule.id}", begin)


def _due(emulator: Emulator, schedule: MigrationSchedule) -> datetime:
    if schedule.on_renewal or schedule.target_date is None:
        row = emulator.world.subscriptions[schedule.current_subscription_id]
        # a minute after the renewal, when the legacy term has begun anew
        return midnight_after(row.commitment_end) + timedelta(minutes=1)
    return datetime.combine(schedule.target_date, time(), tzinfo=UTC)


def _begin(emulator: Emulator, schedule: MigrationSchedule) -> None:
    from partner_center_emulator.migrations import models  # noqa: PLC0415 - models arms the schedules

    wish = {**schedule.wish, "purchaseFullTerm": True} if schedule.on_renewal else schedule.wish
    schedule.modified_at = emulator.clock.now()
    try:
        migration = models.create(emulator, schedule.tenant_id, schedule.customer_id, wish, "")
    except ApiError as error:
        schedule.status = "Failed"
        emulator.record(
            "migration_schedule.failed",
            tenant_id=schedule.tenant_id,
            customer_id=schedule.customer_id,
            subject_id=schedule.id,
            after={"code": error.code, "current_subscription_id": schedule.current_subscription_id},
        )
        return
    schedule.status, schedule.migration_id = "Completed", migration.id


def _read_when(emulator: Emulator, row: Subscription, members: Mapping[str, object]) -> tuple[date | None, bool]:
    on_renewal = field(members, "migrateOnRenewal") is True
    day = wishes.read_day(field(members, "targetDate"))
    if on_renewal is (day is not None):
        raise refusal(2000, "A schedule needs either a targetDate or migrateOnRenewal.")
    if day is not None and not emulator.clock.now().date() < day <= row.commitment_end:
        raise refusal(2000, "The targetDate must lie after today and inside the present term.")
    return day, on_renewal


def _find_source(emulator: Emulator, tenant_id: str, customer_id: str, subscription_id: str) -> Subscription:
    found = emulator.world.subscriptions.get(subscription_id.lower())
    if found is None or (found.tenant_id, found.customer_id) != (tenant_id, customer_id) or found.moved_to:
        raise refusal(20003, subscription_id)
    return found


def _check_open(schedule: MigrationSchedule) -> None:
    if schedule.status != "Active":
        raise refusal(2000, f"The schedule already is {schedule.status}.")
