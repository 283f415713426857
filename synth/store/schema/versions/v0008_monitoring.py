"""Monitoring: what is counted of each image, when a job was asked for, and the references of drift."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TIME = sa.DateTime(timezone=True)
ID = sa.String(64)
AT_ONCE = 1000  # rows

IMAGES = sa.table(
    "images",
    sa.column("seq", sa.Integer),
    sa.column("created_at", TIME),
    *(sa.column(name, sa.Text) for name in ("id", "requested_by", "request", "provenance", "quality")),
)
FACTS = sa.table(
    "image_facts",
    sa.column("at", TIME),
    sa.column("drawn", sa.Double),
    sa.column("checks", sa.Integer),
    *(sa.column(name, sa.Text) for name in ("image_id", "who", "model", "revision", "modality", "mode", "failed")),
)


def upgrade() -> None:
    """Make the tables and fill in what the images of before tell; nobody measured how long they waited."""
    op.add_column("jobs", sa.Column("asked_at", TIME, nullable=True))
    op.create_index("ix_events_action_at", "events", ["action", "at"])
    _table(
        "image_facts",
        sa.Column("image_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("who", "model", "revision", "failed")),
        *(sa.Column(name, sa.String(16), nullable=False) for name in ("modality", "mode")),
        sa.Column("waited", sa.Double, nullable=True),
        sa.Column("drawn", sa.Double, nullable=False),
        sa.Column("checks", sa.Integer, nullable=False),
        sa.UniqueConstraint("image_id", name="uq_image_facts_image_id"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_image_facts_image_id_images"),
    )
    op.create_index("ix_image_facts_at", "image_facts", ["at"])
    parts = ["model", "revision", "mode", "modality"]
    op.create_index("ix_image_facts_model_revision_mode_modality", "image_facts", parts)
    _table(
        "drift_references",
        *(sa.Column(name, ID, nullable=False) for name in ("id", "embedder")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("model", "revision", "made_by", "reason")),
        sa.Column("modality", sa.String(16), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("count", "last_fact")),
        sa.Column("centre", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("mean", "sd")),
        sa.UniqueConstraint("id", name="uq_drift_references_id"),
    )
    parts.remove("mode")
    op.create_index("ix_drift_references_model_revision_modality", "drift_references", parts)
    _fill(op.get_bind())


def downgrade() -> None:
    """Back to a store that counts nothing; references of drift are lost."""
    for table in ("drift_references", "image_facts"):
        op.drop_table(table)
    op.drop_index("ix_events_action_at", "events")
    op.drop_column("jobs", "asked_at")


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("seq", name=f"pk_{name}"),
    )


def _fill(connection: sa.Connection) -> None:
    query, after = sa.select(IMAGES).order_by(IMAGES.c.seq).limit(AT_ONCE), -1
    while rows := connection.execute(query.where(IMAGES.c.seq > after)).all():
        connection.execute(FACTS.insert(), [_fact(row) for row in rows])
        after = rows[-1].seq


def _fact(row: sa.Row[Any]) -> dict[str, Any]:
    request, made, checks = json.loads(row.request), json.loads(row.provenance), json.loads(row.quality)
    failed = [check["name"] for check in checks if not check["low"] <= check["value"] <= check["high"]]
    return {
        "image_id": row.id,
        "at": row.created_at,
        "who": row.requested_by,
        "model": made["model_id"],
        "revision": made["model_revision"],
        "modality": request["modality"],
        "mode": (request.get("edit") or {}).get("mode", ""),
        "drawn": made["seconds"],
        "checks": len(checks),
        "failed": f"|{'|'.join(failed)}|" if failed else "",
    }
