"""Release states, reviews of radiologists, and protocols. Images that are there get the state of their checks."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TIME = sa.DateTime(timezone=True)
ID = sa.String(64)
MADE_OF = ("synthetic", "altered")  # kinds of origin that are images of ours


def upgrade() -> None:
    """Make the tables, and a state for each image."""
    states = _table(
        "image_states",
        sa.Column("image_id", ID, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("fit", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        *(sa.Column(name, ID, nullable=False) for name in ("origin", "protocol")),
        sa.UniqueConstraint("image_id", name="uq_image_states_image_id"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_image_states_image_id_images"),
    )
    for name in ("state", "origin", "protocol"):
        op.create_index(f"ix_image_states_{name}", "image_states", [name])
    _table(
        "reviews",
        sa.Column("image_id", ID, nullable=False),
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("reviewed_at", TIME, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("model_id", "revision", "said")),
        sa.Column("adjudicates", sa.Boolean, nullable=False),
        sa.UniqueConstraint("image_id", "reader", name="uq_reviews_image_id_reader"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_reviews_image_id_images"),
    )
    _protocols()
    _begin(states)


def _protocols() -> None:
    lists = ("modalities", "findings", "people_names", "group_names")
    _table(
        "protocols",
        sa.Column("id", ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("title", "board", "purpose", *lists)),
        *(sa.Column(name, TIME, nullable=False) for name in ("opened_at", "expires_at")),
        sa.Column("ended_at", TIME, nullable=True),
        sa.UniqueConstraint("id", name="uq_protocols_id"),
    )
    _table(
        "job_protocols",
        *(sa.Column(name, ID, nullable=False) for name in ("job_id", "protocol_id")),
        sa.UniqueConstraint("job_id", name="uq_job_protocols_job_id"),
        sa.ForeignKeyConstraint(["protocol_id"], ["protocols.id"], name="fk_job_protocols_protocol_id_protocols"),
    )


def _begin(states: sa.Table) -> None:
    """A state for each image that was made before there were states."""
    images = sa.table("images", *(sa.column(name) for name in ("seq", "id", "request", "quality")))
    connection = op.get_bind()
    for row in connection.execute(sa.select(images).order_by(images.c.seq)).all():
        checks = json.loads(row.quality)
        passed = bool(checks) and all(check["low"] <= check["value"] <= check["high"] for check in checks)
        kind, _, name = str((json.loads(row.request).get("edit") or {}).get("origin", "")).partition(":")
        written = {"image_id": row.id, "state": "checked" if passed else "draft", "reason": "", "protocol": ""}
        connection.execute(states.insert().values(written | {"origin": name if kind in MADE_OF else ""}))


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return op.create_table(
        name,
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("seq", name=f"pk_{name}"),
    )


def downgrade() -> None:
    """Back to the library; what was judged is lost."""
    for table in ("job_protocols", "protocols", "reviews", "image_states"):
        op.drop_table(table)
