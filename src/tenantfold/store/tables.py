"""Store: the schema of the ledger, the same on SQLite and PostgreSQL.

Three groups of tables: snapshots (what was read), plans (what was decided), journal and progress (what was done).
Domain values are kept whole as JSON in ``value`` columns; columns beside it exist only where a query needs them.
Changing a table here needs a new migration in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps it without offset, in a text whose order is the order of time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times (ValueError): guessing a zone could move a cutover to another day (R-192)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time without zone: {value.isoformat()}")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every time back as aware UTC, whatever zone the server speaks."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Ids are compared byte by byte: keyset pages and plan checksums need one order on every machine and locale.
IDENTIFIER = String().with_variant(String(collation="C"), "postgresql")
SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER counts by itself on SQLite

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- snapshots ------------------------------------------------------------------------------------------------------

tenant = Table(
    "tenant",
    metadata,
    Column("id", IDENTIFIER, primary_key=True),
    Column("key", String, nullable=False),
    Column("role", String, nullable=False),
    Column("value", Text, nullable=False),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", SEQUENCE, primary_key=True),
    Column("tenant_id", IDENTIFIER, ForeignKey("tenant.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("completed_at", UtcTime),
    Column("customers_listed", Boolean, nullable=False),
    Column("next_link", Text),
    # frozen when the snapshot is completed; counted on demand before
    Column("customers", Integer, nullable=False),
    Column("subscriptions", Integer, nullable=False),
    Column("unread_customers", Integer, nullable=False),
    UniqueConstraint("tenant_id", "number"),
)

snapshot_customer = Table(
    "snapshot_customer",
    metadata,
    Column("snapshot_id", SEQUENCE, ForeignKey("snapshot.id"), primary_key=True),
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("state", String, nullable=False),  # listed, read, unread
    Column("reason", Text, nullable=False),  # why it could not be read
    Column("company_name", String, nullable=False),
    Column("domain", String, nullable=False),
    Column("country", String, nullable=False),
    Column("search_text", Text, nullable=False),  # folded by Python: SQLite folds only ASCII
    Column("value", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
Index(
    "ix_snapshot_customer_to_read",
    snapshot_customer.c.snapshot_id,
    snapshot_customer.c.customer_id,
    sqlite_where=text("state = 'listed'"),
    postgresql_where=text("state = 'listed'"),
)

snapshot_subscription = Table(
    "snapshot_subscription",
    metadata,
    Column("snapshot_id", SEQUENCE, primary_key=True),
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("id", IDENTIFIER, primary_key=True),
    Column("offer_id", IDENTIFIER, nullable=False),
    Column("license_count", BigInteger, nullable=False),
    Column("wire_status", String, nullable=False),
    Column("value", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["snapshot_id", "customer_id"], ["snapshot_customer.snapshot_id", "snapshot_customer.customer_id"]
    ),
    # parity is one pass over this index (DESIGN 5): the group comes in order and no row is touched
    Index("ix_snapshot_subscription_parity", "customer_id", "offer_id", "snapshot_id", "wire_status", "license_count"),
)

snapshot_catalog = Table(
    "snapshot_catalog",
    metadata,
    Column("snapshot_id", SEQUENCE, ForeignKey("snapshot.id"), primary_key=True),
    Column("country", String, primary_key=True),
)

snapshot_offer = Table(
    "snapshot_offer",
    metadata,
    Column("snapshot_id", SEQUENCE, primary_key=True),
    Column("country", String, primary_key=True),
    Column("offer_id", IDENTIFIER, primary_key=True),
    Column("value", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    ForeignKeyConstraint(["snapshot_id", "country"], ["snapshot_catalog.snapshot_id", "snapshot_catalog.country"]),
)

snapshot_fact = Table(
    "snapshot_fact",
    metadata,
    Column("snapshot_id", SEQUENCE, primary_key=True),
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("value", Text, nullable=False),  # what was looked up beside the customer's subscriptions
    ForeignKeyConstraint(
        ["snapshot_id", "customer_id"], ["snapshot_customer.snapshot_id", "snapshot_customer.customer_id"]
    ),
)

snapshot_sku_catalog = Table(
    "snapshot_sku_catalog",
    metadata,
    Column("snapshot_id", SEQUENCE, ForeignKey("snapshot.id"), primary_key=True),
    Column("country", String, primary_key=True),
)

snapshot_sku = Table(
    "snapshot_sku",
    metadata,
    Column("snapshot_id", SEQUENCE, primary_key=True),
    Column("country", String, primary_key=True),
    Column("sku_id", IDENTIFIER, primary_key=True),
    Column("value", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["snapshot_id", "country"], ["snapshot_sku_catalog.snapshot_id", "snapshot_sku_catalog.country"]
    ),
)

# --- plans ----------------------------------------------------------------------------------------------------------

plan = Table(
    "plan",
    metadata,
    Column("id", SEQUENCE, primary_key=True),
    Column("complete", Boolean, nullable=False),  # false: being written, or left half-written; nobody sees it
    Column("header", Text, nullable=False),
    Column("checksum", String, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("approved_at", UtcTime),
    Column("approved_by", String, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("to_move", Integer, nullable=False),
    Column("blocked", Integer, nullable=False),
    sqlite_autoincrement=True,  # the number of a half-written plan is never used again
)

plan_customer = Table(
    "plan_customer",
    metadata,
    Column("plan_id", SEQUENCE, ForeignKey("plan.id"), primary_key=True),
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("disposition", String, nullable=False),
    Column("company_name", String, nullable=False),
    Column("country", String, nullable=False),
    Column("items", Integer, nullable=False),
    Column("moving_items", Integer, nullable=False),
    Column("findings", Text, nullable=False),  # codes of the customer's own findings
    # what its progress says until somebody acts: the first blocker, or nothing
    Column("code", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("owner", String, nullable=False),
    Column("next_action", Text, nullable=False),
    Column("value", Text, nullable=False),
    Index("ix_plan_customer_disposition", "plan_id", "disposition", "customer_id"),
)

plan_item = Table(
    "plan_item",
    metadata,
    Column("plan_id", SEQUENCE, primary_key=True),
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("subscription_id", IDENTIFIER, primary_key=True),
    Column("tenant_id", IDENTIFIER, nullable=False),
    Column("offer_id", IDENTIFIER, nullable=False),
    Column("offer_name", String, nullable=False),
    Column("friendly_name", String, nullable=False),
    Column("license_count", BigInteger, nullable=False),
    Column("billing_cycle", String, nullable=False),
    Column("wire_status", String, nullable=False),
    Column("route", String, nullable=False),
    Column("target_offer_id", IDENTIFIER),
    Column("target_offer_name", String, nullable=False),
    Column("target_id", IDENTIFIER),
    Column("parent_id", IDENTIFIER),
    Column("findings", Text, nullable=False),  # codes of the item's findings
    ForeignKeyConstraint(["plan_id", "customer_id"], ["plan_customer.plan_id", "plan_customer.customer_id"]),
)

# --- journal and progress -------------------------------------------------------------------------------------------

invitation = Table(
    "invitation",
    metadata,
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("url", Text, nullable=False),
    Column("written_to", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

wave = Table(
    "wave",
    metadata,
    Column("id", SEQUENCE, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("starts_at", UtcTime),
    Column("value", Text, nullable=False),
    sqlite_autoincrement=True,
)

progress = Table(
    "progress",
    metadata,
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("plan_id", SEQUENCE, ForeignKey("plan.id"), nullable=False),  # the newest plan this customer is in
    Column("disposition", String, nullable=False),  # and what that plan means for it
    Column("phase", String, nullable=False),
    Column("code", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("owner", String, nullable=False),
    Column("next_action", Text, nullable=False),
    Column("accepted_at", UtcTime),
    Column("due_at", UtcTime),
    Column("deadline_at", UtcTime),
    Column("alarmed_at", UtcTime),
    Column("version", Integer, nullable=False),
    Column("wave_id", SEQUENCE, ForeignKey("wave.id")),
    Column("held", String, nullable=False),  # why nothing is begun (domain.waves.Held); "" once it has begun
    # counters: a GROUP BY over this index reads 100,000 entries in milliseconds; rows of counters would be hot spots
    Index("ix_progress_phase", "plan_id", "phase"),
)
Index("ix_progress_wave", progress.c.wave_id, progress.c.customer_id)
# who may begin, wave by wave: each wave's queue in its order, without those that are held
Index(
    "ix_progress_queue",
    progress.c.wave_id,
    progress.c.customer_id,
    progress.c.due_at,
    sqlite_where=text("due_at IS NOT NULL AND held = ''"),
    postgresql_where=text("due_at IS NOT NULL AND held = ''"),
)
# two orders of the same few rows: who is due first by deadline, and when the next one becomes due
Index(
    "ix_progress_due",
    progress.c.deadline_at,
    progress.c.customer_id,
    progress.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)
Index(
    "ix_progress_next_due",
    progress.c.due_at,
    sqlite_where=text("due_at IS NOT NULL AND held = ''"),
    postgresql_where=text("due_at IS NOT NULL AND held = ''"),
)

hold = Table(
    "hold",
    metadata,
    Column("customer_id", IDENTIFIER, primary_key=True),  # empty: everybody
    Column("kind", String, nullable=False),  # paused, aborted, stopped
    Column("value", Text, nullable=False),
)

intent = Table(
    "intent",
    metadata,
    Column("seq", SEQUENCE, primary_key=True),
    Column("key", IDENTIFIER, nullable=False, unique=True),
    Column("plan_id", SEQUENCE, ForeignKey("plan.id"), nullable=False),
    Column("customer_id", IDENTIFIER, nullable=False),
    Column("tenant_id", IDENTIFIER, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),
    Index("ix_intent_customer", "customer_id", "seq"),
    Index(
        "ix_intent_begun",
        "seq",
        sqlite_where=text("kind IN ('submit_transfer', 'open_service_request', 'stop_renewal')"),
        postgresql_where=text("kind IN ('submit_transfer', 'open_service_request', 'stop_renewal')"),
    ),
    sqlite_autoincrement=True,
)

outcome = Table(
    "outcome",
    metadata,
    Column("intent_key", IDENTIFIER, ForeignKey("intent.key"), primary_key=True),  # at most one per intent
    Column("kind", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),
)

counterpart = Table(
    "counterpart",
    metadata,
    Column("source_id", IDENTIFIER, primary_key=True),  # invariant 2: one target per source ...
    Column("target_id", IDENTIFIER, unique=True),  # ... and one source per target
    Column("customer_id", IDENTIFIER, nullable=False),
    Column("order_id", IDENTIFIER, nullable=False),
    Column("origin", String, nullable=False),
    Column("cutover_on", Date),
    Column("verified_at", UtcTime),
    Column("suspended_at", UtcTime),
    Column("withdrawn_at", UtcTime),  # the target was suspended again, to be reactivated on another day
    Index("ix_counterpart_customer", "customer_id"),
)

event = Table(
    "event",
    metadata,
    Column("seq", SEQUENCE, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("customer_id", IDENTIFIER),
    Column("name", String, nullable=False),
    Column("facts", Text, nullable=False),
    Index("ix_event_customer", "customer_id", "seq"),
    sqlite_autoincrement=True,
)

evidence = Table(
    "evidence",
    metadata,
    Column("seq", SEQUENCE, primary_key=True),
    Column("customer_id", IDENTIFIER, nullable=False),
    Column("subscription_id", IDENTIFIER, nullable=False),
    Column("task", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),
    Index("ix_evidence_customer", "customer_id", "seq"),
    sqlite_autoincrement=True,
)

# --- delegated admin access: a journal of its own, which no machine of a route reads ---------------------------------

gdap_intent = Table(
    "gdap_intent",
    metadata,
    Column("seq", SEQUENCE, primary_key=True),
    Column("key", IDENTIFIER, nullable=False, unique=True),
    Column("customer_id", IDENTIFIER, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),
    Index("ix_gdap_intent_customer", "customer_id", "seq"),
    sqlite_autoincrement=True,
)

gdap_outcome = Table(
    "gdap_outcome",
    metadata,
    Column("intent_key", IDENTIFIER, ForeignKey("gdap_intent.key"), primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),
)

gdap_standing = Table(
    "gdap_standing",
    metadata,
    Column("customer_id", IDENTIFIER, primary_key=True),
    Column("company_name", String, nullable=False),
    Column("condition", String, nullable=False),
    Column("checked_at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),
)

# --- the engine -----------------------------------------------------------------------------------------------------

rate = Table(  # one bucket per partner tenant and resource, shared by all workers
    "rate",
    metadata,
    Column("tenant_id", IDENTIFIER, primary_key=True),
    Column("resource", String, primary_key=True),
    Column("per_minute", Float, nullable=False),  # learned: how fast we may call
    Column("tokens", Float, nullable=False),
    Column("filled_at", UtcTime, nullable=False),
    Column("not_before", UtcTime),  # Retry-After
    Column("changed_at", UtcTime, nullable=False),  # when per_minute was last learned
    Column("granted", BigInteger, nullable=False),
    Column("throttled", BigInteger, nullable=False),
    Column("measured_per_minute", Float, nullable=False),  # what really left, smoothed
    Column("measured_at", UtcTime, nullable=False),
    Column("rested_at", UtcTime, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", IDENTIFIER, primary_key=True),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("program", String, nullable=False),  # version of tenantfold
    Column("state", String, nullable=False),  # running, stopping, stopped, lost
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("driven", BigInteger, nullable=False),
    Column("queue_worker_id", BigInteger),  # what the job queue calls it; PostgreSQL only
)

wake_up = Table(  # what a webhook made due earlier: a customer, or (empty) the look at who accepted
    "wake_up",
    metadata,
    Column("subject", IDENTIFIER, primary_key=True),
    Column("rings", Boolean, nullable=False),  # asked for, and nobody has answered yet
    Column("woken_at", UtcTime),
)

rehearsal = Table(
    "rehearsal",
    metadata,
    Column("id", SEQUENCE, primary_key=True),
    Column("plan_id", SEQUENCE, ForeignKey("plan.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("value", Text, nullable=False),  # the prediction
    Index("ix_rehearsal_plan", "plan_id", "id"),
    sqlite_autoincrement=True,
)

run_holder = Table(
    "run_holder",
    metadata,
    Column("name", String, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("host", String, nullable=False),
)
