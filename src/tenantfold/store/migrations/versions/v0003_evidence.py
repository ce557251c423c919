"""Store: schema 0003, what persons confirmed: rows that can be added and nothing else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels: str | None = None
depends_on: str | None = None

_IDENTIFIER = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table of evidence and the triggers that keep it append-only."""
    op.create_table(
        "evidence",
        sa.Column("seq", _SEQUENCE, nullable=False),
        sa.Column("customer_id", _IDENTIFIER, nullable=False),
        sa.Column("subscription_id", _IDENTIFIER, nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_evidence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_evidence_customer", "evidence", ["customer_id", "seq"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER evidence_refuses_{change.lower()} BEFORE {change} ON evidence "
                "BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END"
            )
        return
    op.execute(  # the function is there since schema 0001
        "CREATE TRIGGER evidence_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
