"""The digest of its request beside each image: by its first bits, those of the invisible mark, the image is found."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

IMAGES = sa.table(
    "images", sa.column("seq", sa.Integer), sa.column("provenance", sa.Text), sa.column("request_digest", sa.String)
)


def upgrade() -> None:
    """Add the column, filled from the provenance of the images that are there."""
    # The default stays: without it SQLite would have to make the table anew, to which jobs point.
    op.add_column("images", sa.Column("request_digest", sa.String(64), nullable=False, server_default=""))
    connection = op.get_bind()
    for seq, provenance in connection.execute(sa.select(IMAGES.c.seq, IMAGES.c.provenance)).all():
        digest = json.loads(provenance)["request_digest"]
        connection.execute(sa.update(IMAGES).where(IMAGES.c.seq == seq).values(request_digest=digest))
    op.create_index("ix_images_request_digest", "images", ["request_digest"])


def downgrade() -> None:
    """Drop the column again."""
    op.drop_index("ix_images_request_digest", "images")
    op.drop_column("images", "request_digest")
