"""Writing and finding audit records (core reference 9.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.wire import Json, pascal
from partner_center_emulator.world import AuditRecord, Customer, World

KEPT_DAYS = 90
DEFAULT_DAYS = 30
_TICKS_AT_1970 = 621_355_968_000_000_000  # ticks of 100 ns from year 1

behaviour(
    "GET /v1/auditrecords",
    source="documented",
    page="core 9.3",
    note="Last 30 days by default, a start before 90 "
    "days is 400; one filter: CompanyName substring, CustomerId or ResourceType equals",
)
behaviour(
    "GET /v1/auditrecords",
    source="assumed",
    page="core 6.2",
    note="The acceptance of a relationship has the "
    "operation type reseller_relationship_accepted_by_customer; oldest record first",
)
behaviour(
    "GET /auditactivity/v1/auditrecords/{record}",
    source="documented",
    page="core 9.3",
    note="One record by id",
)
behaviour(
    "GET /auditactivity/v1/auditrecords/{record}",
    source="assumed",
    page="core 9.3",
    note="An id that is not the tenant's own is 404 1000",
)


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written down: the operation, on what, by whom, and the new value."""

    operation_type: str
    resource_type: str
    user_principal_name: str = ""
    application_id: str = ""
    new_value: Json = {}
    customized_data: tuple[tuple[str, str], ...] = ()
    status: str = "succeeded"


class AuditIndex:
    """Positions of each partner tenant's records; obtained with ``emulator.derived(AuditIndex)``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._positions: dict[str, list[int]] = {}
        self._read = 0

    def positions(self, tenant_id: str) -> list[int]:
        """Return where in ``world.audit`` the tenant's records stand, oldest first."""
        records = self._world.audit
        for position in range(self._read, len(records)):
            self._positions.setdefault(records[position].tenant_id, []).append(position)
        self._read = len(records)
        return self._positions.get(tenant_id, [])


def write(emulator: Emulator, tenant_id: str, customer: Customer, activity: Activity) -> AuditRecord:
    """Append one record to the tenant's activity log and return it."""
    now = emulator.clock.now()
    ticks = _TICKS_AT_1970 + int(now.timestamp() * 10_000_000)
    number = len(emulator.world.audit)
    operation = activity.operation_type.replace("_", "")
    record = AuditRecord(
        id=f"{tenant_id}_{customer.id}_{number}_{operation}_{ticks}",
        tenant_id=tenant_id,
        customer_id=customer.id,
        customer_name=customer.company_name,
        user_principal_name=activity.user_principal_name,
        application_id=activity.application_id,
        resource_type=activity.resource_type,
        resource_new_value=msgspec.json.encode(pascal(activity.new_value)).decode(),
        operation_type=activity.operation_type,
        operation_date=now,
        operation_status=activity.status,
        customized_data=list(activity.customized_data),
    )
    emulator.world.audit.append(record)
    return record


def find(emulator: Emulator, tenant_id: str, start: datetime, end: datetime, name: str, value: str) -> list[int]:
    """Return the positions of the tenant's records from ``start`` up to and including ``end`` that pass the filter.

    ``name`` is "" or a filter field in lower case. Raises 400 code 2000 for a start older than 90 days.
    """
    now = emulator.clock.now()
    if start < now - timedelta(days=KEPT_DAYS + 1):
        raise refusal(2000, "The start date must not be more than 90 days in the past.")
    oldest = now - timedelta(days=KEPT_DAYS)
    records = emulator.world.audit
    return [
        position
        for position in emulator.derived(AuditIndex).positions(tenant_id)
        if max(start, oldest) <= records[position].operation_date <= end and _passes(records[position], name, value)
    ]


def _passes(record: AuditRecord, name: str, value: str) -> bool:
    wanted = value.casefold()
    if name == "companyname":
        return wanted in record.customer_name.casefold()
    if name == "customerid":
        return wanted == record.customer_id
    if name == "resourcetype":
        return wanted.replace("_", "") == record.resource_type.replace("_", "")
    return True


def read_day(text: str) -> datetime:
    """Return the moment in ``text``: a date, an ISO time, or the older month-first form; raises 400 code 2000."""
    for form in ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refusal(2000, f"The date {text} cannot be read.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
