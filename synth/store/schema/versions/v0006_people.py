"""Accounts: who may sign in, who is signed in, and which passwords were tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True)
ID = sa.String(64)


def upgrade() -> None:
    """Make the tables of those who sign in."""
    op.create_table(
        "accounts",
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("name", ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("display", "roles", "member_of", "password", "totp")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("must_change", "disabled")),
        sa.Column("totp_period", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        *(sa.Column(name, TIME, nullable=True) for name in ("locked_until", "seen_at")),
        sa.PrimaryKeyConstraint("seq", name="pk_accounts"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("token", ID, nullable=False),
        sa.Column("account", ID, nullable=False),
        *(sa.Column(name, TIME, nullable=False) for name in ("began_at", "seen_at")),
        sa.PrimaryKeyConstraint("seq", name="pk_sign_ins"),
        sa.UniqueConstraint("token", name="uq_sign_ins_token"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_sign_ins_account_accounts"),
    )
    op.create_index("ix_sign_ins_account", "sign_ins", ["account"])
    op.create_table(
        "sign_in_tries",
        sa.Column("seq", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("address", ID, nullable=False),
        sa.Column("tried_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_sign_in_tries"),
    )
    for name in ("address", "tried_at"):
        op.create_index(f"ix_sign_in_tries_{name}", "sign_in_tries", [name])


def downgrade() -> None:
    """Nobody signs in any more; the accounts are lost."""
    for table in ("sign_in_tries", "sign_ins", "accounts"):
        op.drop_table(table)
