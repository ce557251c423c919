"""Store: schema 0005, delegated admin access: a journal of its own, and where each customer stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_IDENTIFIER = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("gdap_intent", "gdap_outcome")


def upgrade() -> None:
    """Add the three tables, and the triggers that keep the journal append-only."""
    op.create_table(
        "gdap_intent",
        sa.Column("seq", _SEQUENCE, nullable=False),
        sa.Column("key", _IDENTIFIER, nullable=False),
        sa.Column("customer_id", _IDENTIFIER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_gdap_intent"),
        sa.UniqueConstraint("key", name="uq_gdap_intent_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_gdap_intent_customer", "gdap_intent", ["customer_id", "seq"])
    op.create_table(
        "gdap_outcome",
        sa.Column("intent_key", _IDENTIFIER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("intent_key", name="pk_gdap_outcome"),
        sa.ForeignKeyConstraint(["intent_key"], ["gdap_intent.key"], name="fk_gdap_outcome_intent_key"),
    )
    op.create_table(
        "gdap_standing",
        sa.Column("customer_id", _IDENTIFIER, nullable=False),
        sa.Column("company_name", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name="pk_gdap_standing"),
    )
    for table in _APPEND_ONLY:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(  # the function is there since schema 0001
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
