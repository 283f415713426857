"""The library: real images, their vectors, and imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)
ID = sa.String(64)


def upgrade() -> None:
    """Make the tables of the library."""
    op.create_table(
        "counters",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    _real_images()
    _table(
        "image_vectors",
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("source", "version", name="uq_image_vectors_source_version"),
    )
    _imports()


def _real_images() -> None:
    texts = ("path", "body_part", "findings", "origin", "licence", "attribution", "note", "boxes", "patient")
    marks = ("thumbnail", "mask", "study_uid", "series_uid", "instance_uid", "original", "import_id")
    _table(
        "real_images",
        sa.Column("id", ID, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("changed", "frame", "rows", "columns")),
        *(sa.Column(name, sa.Text, nullable=False) for name in (*texts, "flags", "words")),
        *(sa.Column(name, ID, nullable=False) for name in marks),
        *(sa.Column(name, sa.Integer, nullable=True) for name in ("age", "series_number", "instance_number")),
        sa.Column("kept", sa.String(80), nullable=False),
        sa.Column("pixel_hash", ID, nullable=True),
        sa.Column("modality", sa.String(16), nullable=False),
        sa.Column("view", sa.String(32), nullable=True),
        sa.Column("sex", sa.String(1), nullable=True),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("edited", "listed")),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        sa.UniqueConstraint("id", name="uq_real_images_id"),
        sa.UniqueConstraint("pixel_hash", name="uq_real_images_pixel_hash"),
    )
    for name in ("changed", "kept", "study_uid", "original", "import_id"):
        op.create_index(f"ix_real_images_{name}", "real_images", [name])


def _imports() -> None:
    _table(
        "imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("import_order", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", ID, nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("total", sa.Integer, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.UniqueConstraint("id", name="uq_imports_id"),
    )
    op.create_index("ix_imports_state", "imports", ["state"])
    _table(
        "import_files",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("pictures", sa.Integer, nullable=False),
        sa.UniqueConstraint("import_id", "name", name="uq_import_files_import_id_name"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_files_import_id_imports"),
    )
    op.create_index("ix_import_files_import_id_outcome", "import_files", ["import_id", "outcome"])


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("seq", name=f"pk_{name}"),
    )


def downgrade() -> None:
    """Back to the reading room; what was imported is lost."""
    for table in ("import_files", "imports", "image_vectors", "real_images", "counters"):
        op.drop_table(table)
