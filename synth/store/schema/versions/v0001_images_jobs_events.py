"""Images, jobs and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Types are written out: a migration must not change when tables.py does.
TIME = sa.DateTime(timezone=True)
ID = sa.String(64)


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "images",
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("provenance", sa.Text, nullable=False),
        sa.Column("quality", sa.Text, nullable=False),
        sa.Column("blob", ID, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_images"),
        sa.UniqueConstraint("id", name="uq_images_id"),
    )
    op.create_index("ix_images_requested_by_seq", "images", ["requested_by", "seq"])
    op.create_table(
        "jobs",
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", ID, nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("image_id", ID, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_jobs"),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_jobs_image_id_images"),
    )
    op.create_index("ix_jobs_state_seen_at", "jobs", ["state", "seen_at"])
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    op.create_index("ix_events_at", "events", ["at"])


def downgrade() -> None:
    """Back to an empty database."""
    for table in ("events", "jobs", "images"):
        op.drop_table(table)
