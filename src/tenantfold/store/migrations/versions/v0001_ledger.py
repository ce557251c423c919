"""Store: schema 0001, the first ledger: snapshots, plans, journal and progress."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

_IDENTIFIER = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("intent", "outcome", "event")


def upgrade() -> None:
    """Create everything, then the triggers that keep the journal append-only."""
    _create_snapshots()
    _create_snapshot_details()
    _create_plans()
    _create_plan_details()
    _create_progress()
    _create_journal()
    if op.get_bind().dialect.name == "sqlite":
        _guard_journal_on_sqlite()
    else:
        _guard_journal_on_postgresql()


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _word(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _id(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, _IDENTIFIER, nullable=nullable) for name in names]


def _number(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _time(*names: str, nullable: bool = True) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _sequence(name: str) -> sa.Column[Any]:
    return sa.Column(name, _SEQUENCE, nullable=False)


def _primary_key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _foreign_key(table: str, columns: list[str], other: str, other_columns: list[str]) -> sa.ForeignKeyConstraint:
    targets = [f"{other}.{column}" for column in other_columns]
    return sa.ForeignKeyConstraint(columns, targets, name=f"fk_{table}_{'_'.join(columns)}")


def _create_snapshots() -> None:
    op.create_table("tenant", *_id("id"), *_word("key", "role"), *_text("value"), _primary_key("tenant", "id"))
    op.create_table(
        "snapshot",
        _sequence("id"),
        *_id("tenant_id"),
        *_number("number"),
        *_time("started_at", nullable=False),
        *_time("completed_at"),
        sa.Column("customers_listed", sa.Boolean(), nullable=False),
        sa.Column("next_link", sa.Text()),
        *_number("customers", "subscriptions", "unread_customers"),
        _primary_key("snapshot", "id"),
        _foreign_key("snapshot", ["tenant_id"], "tenant", ["id"]),
        sa.UniqueConstraint("tenant_id", "number", name="uq_snapshot_tenant_id_number"),
    )
    op.create_table(
        "snapshot_customer",
        _sequence("snapshot_id"),
        *_id("customer_id"),
        *_word("state"),
        *_text("reason"),
        *_word("company_name", "domain", "country"),
        *_text("search_text", "value"),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        _primary_key("snapshot_customer", "snapshot_id", "customer_id"),
        _foreign_key("snapshot_customer", ["snapshot_id"], "snapshot", ["id"]),
    )
    op.create_index(
        "ix_snapshot_customer_to_read",
        "snapshot_customer",
        ["snapshot_id", "customer_id"],
        sqlite_where=sa.text("state = 'listed'"),
        postgresql_where=sa.text("state = 'listed'"),
    )


def _create_snapshot_details() -> None:
    op.create_table(
        "snapshot_subscription",
        _sequence("snapshot_id"),
        *_id("customer_id", "id", "offer_id"),
        sa.Column("license_count", sa.BigInteger(), nullable=False),
        *_word("wire_status"),
        *_text("value"),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        _primary_key("snapshot_subscription", "snapshot_id", "customer_id", "id"),
        _foreign_key(
            "snapshot_subscription",
            ["snapshot_id", "customer_id"],
            "snapshot_customer",
            ["snapshot_id", "customer_id"],
        ),
    )
    op.create_index(
        "ix_snapshot_subscription_parity",
        "snapshot_subscription",
        ["customer_id", "offer_id", "snapshot_id", "wire_status", "license_count"],
    )
    op.create_table(
        "snapshot_catalog",
        _sequence("snapshot_id"),
        *_word("country"),
        _primary_key("snapshot_catalog", "snapshot_id", "country"),
        _foreign_key("snapshot_catalog", ["snapshot_id"], "snapshot", ["id"]),
    )
    op.create_table(
        "snapshot_offer",
        _sequence("snapshot_id"),
        *_word("country"),
        *_id("offer_id"),
        *_text("value"),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        _primary_key("snapshot_offer", "snapshot_id", "country", "offer_id"),
        _foreign_key("snapshot_offer", ["snapshot_id", "country"], "snapshot_catalog", ["snapshot_id", "country"]),
    )


def _create_plans() -> None:
    op.create_table(
        "plan",
        _sequence("id"),
        sa.Column("complete", sa.Boolean(), nullable=False),
        *_text("header"),
        *_word("checksum"),
        *_time("created_at", nullable=False),
        *_time("approved_at"),
        *_word("approved_by"),
        *_number("customers", "to_move", "blocked"),
        _primary_key("plan", "id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "plan_customer",
        _sequence("plan_id"),
        *_id("customer_id"),
        *_word("disposition", "company_name", "country"),
        *_number("items", "moving_items"),
        *_text("findings"),
        *_word("code"),
        *_text("detail"),
        *_word("owner"),
        *_text("next_action", "value"),
        _primary_key("plan_customer", "plan_id", "customer_id"),
        _foreign_key("plan_customer", ["plan_id"], "plan", ["id"]),
    )
    op.create_index("ix_plan_customer_disposition", "plan_customer", ["plan_id", "disposition", "customer_id"])


def _create_plan_details() -> None:
    op.create_table(
        "plan_item",
        _sequence("plan_id"),
        *_id("customer_id", "subscription_id", "tenant_id", "offer_id"),
        *_word("offer_name", "friendly_name"),
        sa.Column("license_count", sa.BigInteger(), nullable=False),
        *_word("billing_cycle", "wire_status", "route"),
        *_id("target_offer_id", nullable=True),
        *_word("target_offer_name"),
        *_id("target_id", "parent_id", nullable=True),
        *_text("findings"),
        _primary_key("plan_item", "plan_id", "customer_id", "subscription_id"),
        _foreign_key("plan_item", ["plan_id", "customer_id"], "plan_customer", ["plan_id", "customer_id"]),
    )


def _create_progress() -> None:
    op.create_table(
        "invitation",
        *_id("customer_id"),
        *_text("url", "written_to"),
        *_time("at", nullable=False),
        _primary_key("invitation", "customer_id"),
    )
    op.create_table(
        "progress",
        *_id("customer_id"),
        _sequence("plan_id"),
        *_word("disposition", "phase", "code"),
        *_text("detail"),
        *_word("owner"),
        *_text("next_action"),
        *_time("accepted_at", "due_at", "deadline_at"),
        *_number("version"),
        _primary_key("progress", "customer_id"),
        _foreign_key("progress", ["plan_id"], "plan", ["id"]),
    )
    op.create_index("ix_progress_phase", "progress", ["plan_id", "phase"])
    for name, columns in (("due", ["deadline_at", "customer_id", "due_at"]), ("next_due", ["due_at"])):
        op.create_index(
            f"ix_progress_{name}",
            "progress",
            columns,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
    op.create_table(
        "run_holder",
        *_word("name"),
        *_number("pid"),
        *_word("host"),
        _primary_key("run_holder", "name"),
    )


def _create_journal() -> None:
    op.create_table(
        "intent",
        _sequence("seq"),
        *_id("key"),
        _sequence("plan_id"),
        *_id("customer_id", "tenant_id"),
        *_word("kind"),
        *_time("at", nullable=False),
        *_text("value"),
        _primary_key("intent", "seq"),
        _foreign_key("intent", ["plan_id"], "plan", ["id"]),
        sa.UniqueConstraint("key", name="uq_intent_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_intent_customer", "intent", ["customer_id", "seq"])
    op.create_table(
        "outcome",
        *_id("intent_key"),
        *_word("kind"),
        *_time("at", nullable=False),
        *_text("value"),
        _primary_key("outcome", "intent_key"),
        _foreign_key("outcome", ["intent_key"], "intent", ["key"]),
    )
    op.create_table(
        "counterpart",
        *_id("source_id"),
        *_id("target_id", nullable=True),
        *_id("customer_id", "order_id"),
        *_word("origin"),
        sa.Column("cutover_on", sa.Date()),
        *_time("verified_at", "suspended_at"),
        _primary_key("counterpart", "source_id"),
        sa.UniqueConstraint("target_id", name="uq_counterpart_target_id"),
    )
    op.create_index("ix_counterpart_customer", "counterpart", ["customer_id"])
    op.create_table(
        "event",
        _sequence("seq"),
        *_time("at", nullable=False),
        *_id("customer_id", nullable=True),
        *_word("name"),
        *_text("facts"),
        _primary_key("event", "seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_customer", "event", ["customer_id", "seq"])


def _guard_journal_on_sqlite() -> None:
    for table in _APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guard_journal_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
