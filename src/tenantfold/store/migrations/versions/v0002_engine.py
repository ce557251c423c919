"""Store: schema 0002, the engine: waves and holds, withdrawn counterparts, shared rates, workers, rehearsals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels: str | None = None
depends_on: str | None = None

_IDENTIFIER = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what the engine keeps; every customer known so far belongs to no wave and is not held."""
    op.create_table(
        "wave",
        sa.Column("id", _SEQUENCE, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("starts_at", _TIME),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wave"),
        sa.UniqueConstraint("name", name="uq_wave_name"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("progress") as batch:
        batch.add_column(sa.Column("alarmed_at", _TIME))
        batch.add_column(sa.Column("wave_id", _SEQUENCE))
        batch.add_column(sa.Column("held", sa.String(), nullable=False, server_default=""))
        batch.create_foreign_key("fk_progress_wave_id", "wave", ["wave_id"], ["id"])
    with op.batch_alter_table("progress") as batch:
        batch.alter_column("held", existing_type=sa.String(), existing_nullable=False, server_default=None)
    op.create_index("ix_progress_wave", "progress", ["wave_id", "customer_id"])
    _create_holds()
    op.add_column("counterpart", sa.Column("withdrawn_at", _TIME))
    _create_rates_and_workers()
    op.create_table(
        "rehearsal",
        sa.Column("id", _SEQUENCE, nullable=False),
        sa.Column("plan_id", _SEQUENCE, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rehearsal"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name="fk_rehearsal_plan_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rehearsal_plan", "rehearsal", ["plan_id", "id"])


def _create_holds() -> None:
    """Who is held, and the two orders in which those that are not held are asked for."""
    op.create_table(
        "hold",
        sa.Column("customer_id", _IDENTIFIER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name="pk_hold"),
    )
    free = sa.text("due_at IS NOT NULL AND held = ''")
    op.create_index(
        "ix_progress_queue",
        "progress",
        ["wave_id", "customer_id", "due_at"],
        sqlite_where=free,
        postgresql_where=free,
    )
    op.drop_index("ix_progress_next_due", "progress")
    op.create_index("ix_progress_next_due", "progress", ["due_at"], sqlite_where=free, postgresql_where=free)


def _create_rates_and_workers() -> None:
    op.create_table(
        "rate",
        sa.Column("tenant_id", _IDENTIFIER, nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("per_minute", sa.Float(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", _TIME, nullable=False),
        sa.Column("not_before", _TIME),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("throttled", sa.BigInteger(), nullable=False),
        sa.Column("measured_per_minute", sa.Float(), nullable=False),
        sa.Column("measured_at", _TIME, nullable=False),
        sa.Column("rested_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "resource", name="pk_rate"),
    )
    op.create_table(
        "worker",
        sa.Column("id", _IDENTIFIER, nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("program", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("driven", sa.BigInteger(), nullable=False),
        sa.Column("queue_worker_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )
