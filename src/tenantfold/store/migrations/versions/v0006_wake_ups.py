"""Store: schema 0006, what webhooks asked for: the way from the receiver to whoever runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels: str | None = None
depends_on: str | None = None

_IDENTIFIER = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table of wake-ups."""
    op.create_table(
        "wake_up",
        sa.Column("subject", _IDENTIFIER, nullable=False),
        sa.Column("rings", sa.Boolean(), nullable=False),
        sa.Column("woken_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("subject", name="pk_wake_up"),
    )
