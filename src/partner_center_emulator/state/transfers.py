"""State of moves between partners and between commerce generations (state room).

A ``Transfer`` is one request between two partner tenants for one customer, in the new or the legacy form (commerce
reference 4.1, 4.2); a ``Migration`` turns one legacy subscription into a new-commerce one (4.3). Ids are lower case.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

LineKind = Literal["subscription", "legacy_azure", "entitlement", "benefit"]
MigrationOutcome = Literal["Processing", "Completed", "Failed"]


class Fault(msgspec.Struct, kw_only=True):
    """Why a line failed: Partner Center's number and a sentence."""

    code: int
    description: str


class TransferLine(msgspec.Struct, kw_only=True):
    """One thing to be moved, as it was when it was put into the request (R-160)."""

    id: int
    subject_id: str  # subscription, Azure subscription, reservation or savings plan
    kind: LineKind
    offer_id: str
    friendly_name: str
    quantity: int
    billing_cycle: str
    status: str = ""  # empty until the request is answered
    entitlement_id: str | None = None
    partner_id_on_record: str | None = None
    add_on_lines: list[TransferLine] = []
    new_subscription_id: str | None = None
    order_id: str | None = None
    fault: Fault | None = None
    attempts: int = 0


class Transfer(msgspec.Struct, kw_only=True):
    """One request to move things of a customer from one partner tenant to another."""

    id: str
    is_legacy: bool
    transfer_type: int
    status: str
    customer_id: str
    source_tenant_id: str
    source_name: str
    target_tenant_id: str
    target_name: str
    created_at: datetime
    modified_at: datetime
    customer_email: str = ""
    customer_name: str = ""
    target_email: str = ""
    product_types: list[str] | None = None  # None: all
    partner_on_record: str | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None  # only the new form lapses
    submitted_at: datetime | None = None
    next_attempt_at: datetime | None = None
    submit_request_id: str = ""  # the source's call that made it happen; the truth ledger judges by it
    last_modified_user: str = ""
    lines: list[TransferLine] = []


class Stumble(msgspec.Struct, kw_only=True):
    """A seeded mishap: the next ``times`` attempts to move or migrate this thing fail with ``code``."""

    code: int = 900103
    times: int = 1
    suspends_source: bool = False  # migrations only: the failure leaves the source suspended for up to 72 hours


class MigrationEvent(msgspec.Struct, kw_only=True):
    """One entry in the history of a migration."""

    name: str
    status: str
    at: datetime


class AddOnMigration(msgspec.Struct, kw_only=True):
    """One add-on that goes along with its base; the wire shows them flat."""

    current_subscription_id: str
    catalog_item_id: str
    quantity: int
    term: str
    billing_cycle: str
    subscription_end: date
    full_term: bool = False
    new_subscription_id: str | None = None


class Migration(msgspec.Struct, kw_only=True):
    """One legacy subscription on its way into new commerce, at the same partner tenant."""

    id: str
    tenant_id: str
    customer_id: str
    current_subscription_id: str
    catalog_item_id: str
    quantity: int
    term: str  # ISO duration: P1M, P1Y, P3Y
    billing_cycle: str
    subscription_end: date
    started_at: datetime
    due_at: datetime
    full_term: bool = False
    custom_term_end: date | None = None
    external_reference: str = ""
    status: MigrationOutcome = "Processing"
    completed_at: datetime | None = None
    new_subscription_id: str | None = None
    new_order_id: str | None = None
    repair_at: datetime | None = None  # when Microsoft gives a failed migration's source back
    request_id: str = ""
    add_ons: list[AddOnMigration] = []
    events: list[MigrationEvent] = []


class MigrationSchedule(msgspec.Struct, kw_only=True):
    """A migration that is to begin on a day or at the renewal; ``wish`` is the body it was asked with."""

    id: str
    tenant_id: str
    customer_id: str
    current_subscription_id: str
    wish: dict[str, object]
    created_at: datetime
    modified_at: datetime
    target_date: date | None = None
    on_renewal: bool = False
    status: str = "Active"  # Active, Completed, Failed, Cancelled
    migration_id: str | None = None
    external_reference: str = ""


class TransferState(msgspec.Struct, kw_only=True):
    """Everything this area keeps; mappings are keyed by id and in order of creation."""

    transfers: dict[str, Transfer] = {}
    migrations: dict[str, Migration] = {}
    schedules: dict[str, MigrationSchedule] = {}
    stumbles: dict[str, Stumble] = {}  # key: id of the thing that is moved
    disabled_tenants: list[str] = []  # partner tenants that may not take part (900137)
