"""The reading room: case sets, studies, sittings, answers, and what readers know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True)
ID = sa.String(64)
CODE = sa.String(16)


def upgrade() -> None:
    """Make the tables of the reading room."""
    _sets()
    _studies()
    _sessions()
    _knowledge()


def _sets() -> None:
    _table(
        "case_sets",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", CODE, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.UniqueConstraint("id", name="uq_case_sets_id"),
        sa.UniqueConstraint("code", name="uq_case_sets_code"),
    )
    op.create_index("ix_case_sets_owner", "case_sets", ["owner"])
    _table(
        "case_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("set_id", ID, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("recipe", sa.Text, nullable=True),
        sa.Column("real", ID, nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("job", ID, nullable=False),
        sa.Column("base_job", ID, nullable=False),
        sa.Column("history", sa.Text, nullable=False),
        sa.Column("teaching", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.UniqueConstraint("id", name="uq_case_entries_id"),
        sa.ForeignKeyConstraint(
            ["set_id"], ["case_sets.id"], name="fk_case_entries_set_id_case_sets", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_case_entries_set_id_position", "case_entries", ["set_id", "position"])
    op.create_index("ix_case_entries_standing", "case_entries", ["standing"])


def _studies() -> None:
    _table(
        "studies",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("protocol", sa.Text, nullable=False),
        sa.Column("locked_at", TIME, nullable=True),
        sa.UniqueConstraint("id", name="uq_studies_id"),
    )
    op.create_index("ix_studies_owner", "studies", ["owner"])
    _table(
        "study_seats",
        sa.Column("study_id", ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("code", CODE, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("consented_at", TIME, nullable=True),
        sa.UniqueConstraint("study_id", "number", name="uq_study_seats_study_id_number"),
        sa.UniqueConstraint("code", name="uq_study_seats_code"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_study_seats_study_id_studies"),
    )


def _sessions() -> None:
    _table(
        "reading_sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("source", ID, nullable=False),
        sa.Column("study_id", ID, nullable=True),
        sa.Column("phase", sa.Integer, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.UniqueConstraint("id", name="uq_reading_sessions_id"),
        sa.UniqueConstraint("study_id", "reader", "phase", name="uq_reading_sessions_study_id_reader_phase"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_reading_sessions_study_id_studies"),
    )
    op.create_index("ix_reading_sessions_reader", "reading_sessions", ["reader"])
    op.create_index("ix_reading_sessions_source", "reading_sessions", ["source"])
    _of_a_session(
        "reading_items",
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("history", sa.Text, nullable=False),
        sa.Column("teaching", sa.Text, nullable=False),
        sa.Column("void", sa.Boolean, nullable=False),
    )
    _of_a_session(
        "reading_answers",
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("answered_at", TIME, nullable=False),
        sa.Column("opinion", sa.Text, nullable=False),
        sa.Column("revised", sa.Text, nullable=True),
        sa.Column("revised_grade", sa.Text, nullable=True),
    )


def _knowledge() -> None:
    _table(
        "reader_skills",
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.UniqueConstraint("reader", "scope", "code", name="uq_reader_skills_reader_scope_code"),
    )
    _table(
        "case_difficulties",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.UniqueConstraint("case_id", "task", name="uq_case_difficulties_case_id_task"),
    )


def _of_a_session(name: str, *columns: sa.Column[object]) -> None:
    _table(
        name,
        sa.Column("session_id", ID, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        *columns,
        sa.UniqueConstraint("session_id", "position", name=f"uq_{name}_session_id_position"),
        sa.ForeignKeyConstraint(["session_id"], ["reading_sessions.id"], name=f"fk_{name}_session_id_reading_sessions"),
    )


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("seq", name=f"pk_{name}"),
    )


def downgrade() -> None:
    """Back to images, jobs and events; what was read is lost."""
    for table in (
        "case_difficulties", "reader_skills", "reading_answers", "reading_items", "reading_sessions", "study_seats",
        "studies", "case_entries", "case_sets",
    ):  # fmt: skip
        op.drop_table(table)
