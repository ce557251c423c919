"""Store: schema 0004, what the inventory looks up beside the subscriptions, and the new-commerce SKUs of a country."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels: str | None = None
depends_on: str | None = None

_IDENTIFIER = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables of facts and of SKUs, and the index by which is found what other routes have begun."""
    op.create_table(
        "snapshot_fact",
        sa.Column("snapshot_id", _SEQUENCE, nullable=False),
        sa.Column("customer_id", _IDENTIFIER, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "customer_id", name="pk_snapshot_fact"),
        sa.ForeignKeyConstraint(
            ["snapshot_id", "customer_id"],
            ["snapshot_customer.snapshot_id", "snapshot_customer.customer_id"],
            name="fk_snapshot_fact_snapshot_id_customer_id",
        ),
    )
    op.create_table(
        "snapshot_sku_catalog",
        sa.Column("snapshot_id", _SEQUENCE, nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "country", name="pk_snapshot_sku_catalog"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name="fk_snapshot_sku_catalog_snapshot_id"),
    )
    op.create_table(
        "snapshot_sku",
        sa.Column("snapshot_id", _SEQUENCE, nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("sku_id", _IDENTIFIER, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "country", "sku_id", name="pk_snapshot_sku"),
        sa.ForeignKeyConstraint(
            ["snapshot_id", "country"],
            ["snapshot_sku_catalog.snapshot_id", "snapshot_sku_catalog.country"],
            name="fk_snapshot_sku_snapshot_id_country",
        ),
    )
    op.create_index(
        "ix_intent_begun",
        "intent",
        ["seq"],
        sqlite_where=sa.text("kind IN ('submit_transfer', 'open_service_request', 'stop_renewal')"),
        postgresql_where=sa.text("kind IN ('submit_transfer', 'open_service_request', 'stop_renewal')"),
    )
