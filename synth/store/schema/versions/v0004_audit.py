"""The audit trail becomes a chain of hashes, and the database refuses to change it.

Rows that were there before are numbered without gaps and chained as they stand: whether one had been changed until now,
nobody can tell. A last row, "audit.begin", says how many they are and when that was.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.String(64)
AT_ONCE = 1000  # rows
REFUSAL = "The audit trail can only grow: its rows are neither changed nor deleted."

EVENTS = sa.table(
    "events",
    sa.column("seq", sa.Integer),
    sa.column("at", sa.DateTime(timezone=True)),
    *(sa.column(name, sa.Text) for name in ("who", "action", "subject", "reason", "detail", "previous", "hash")),
)
OLD = sa.select(*(EVENTS.c[name] for name in ("seq", "at", "who", "action", "subject", "reason", "detail")))
TIP = sa.table("audit_tip", sa.column("id", sa.Integer), sa.column("seq", sa.Integer), sa.column("hash", sa.Text))

# INSERT OR REPLACE deletes rows without a word to the triggers of DELETE, so those of INSERT refuse it.
SQLITE = [
    f"CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for name, what in {
        "events_no_update": "UPDATE ON events",
        "events_no_delete": "DELETE ON events",
        "events_no_replace": "INSERT ON events WHEN NEW.seq <= (SELECT seq FROM audit_tip)",
        "audit_tip_grows": "UPDATE ON audit_tip WHEN NEW.id <> OLD.id OR NEW.seq <= OLD.seq",
        "audit_tip_no_delete": "DELETE ON audit_tip",
        "audit_tip_no_replace": "INSERT ON audit_tip",
    }.items()
]

POSTGRESQL = f"""
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$;
CREATE TRIGGER events_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_tip_only_one BEFORE INSERT OR DELETE OR TRUNCATE ON audit_tip
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_tip_grows BEFORE UPDATE ON audit_tip
FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.seq <= OLD.seq) EXECUTE FUNCTION audit_refuse();
"""


def upgrade() -> None:
    """Number and chain what is there, keep the tip beside it, then make the triggers."""
    connection = op.get_bind()
    for name in ("previous", "hash"):
        op.add_column("events", sa.Column(name, ID, nullable=False, server_default=""))
    op.create_index("ix_events_subject", "events", ["subject"])
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        for name in ("previous", "hash", "seq"):
            op.alter_column("events", name, server_default=None)
        op.execute("DROP SEQUENCE events_seq_seq")  # a rollback would leave a gap
    op.create_table(
        "audit_tip",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_tip"),
    )
    connection.execute(TIP.insert().values(id=1, **_chain(connection)))
    if postgresql:
        op.execute(POSTGRESQL)
    else:
        for trigger in SQLITE:
            op.execute(trigger)


def downgrade() -> None:
    """Back to a trail that anybody who may write to the database can change."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER events_only_grow ON events")
        op.execute("CREATE SEQUENCE events_seq_seq OWNED BY events.seq")
        op.execute("SELECT setval('events_seq_seq', (SELECT max(seq) FROM events))")
        op.execute("ALTER TABLE events ALTER COLUMN seq SET DEFAULT nextval('events_seq_seq')")
    else:
        for name in ("update", "delete", "replace"):
            op.execute(f"DROP TRIGGER events_no_{name}")
    op.drop_table("audit_tip")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse()")
    op.drop_index("ix_events_subject", "events")
    op.drop_column("events", "previous")
    op.drop_column("events", "hash")


def _chain(connection: sa.Connection) -> dict[str, Any]:
    """Number and chain the rows in their order; the number and hash of the last one."""
    changed = EVENTS.update().where(EVENTS.c.seq == sa.bindparam("old"))
    tip, at = {"seq": 0, "hash": "0" * 64}, -1
    while rows := connection.execute(OLD.where(EVENTS.c.seq > at).order_by(EVENTS.c.seq).limit(AT_ONCE)).all():
        links = []
        for row in rows:
            tip = link(dict(row._mapping), tip)
            links.append(tip | {"old": row.seq})
        at = rows[-1].seq
        connection.execute(changed.values({name: sa.bindparam(name) for name in ("seq", "previous", "hash")}), links)
    tip = {name: tip[name] for name in ("seq", "hash")}
    return _begun(connection, tip) if tip["seq"] else tip


def _begun(connection: sa.Connection, tip: dict[str, Any]) -> dict[str, Any]:
    row = {
        "at": datetime.now(UTC), "who": "synthread", "action": "audit.begin", "subject": "", "reason": "",
        "detail": json.dumps({"rows_before": tip["seq"]}),
    }  # fmt: skip
    linked = link(row, tip)
    connection.execute(EVENTS.insert().values(row | linked))
    return {name: linked[name] for name in ("seq", "hash")}


def link(row: dict[str, Any], tip: dict[str, Any]) -> dict[str, Any]:
    """Number, previous hash and hash of the row that follows `tip`: what `synth.governance.audit` makes of it.

    Its own copy, since a migration must not change when the program does.
    """
    at = row["at"] if row["at"].tzinfo is None else row["at"].astimezone(UTC).replace(tzinfo=None)  # SQLite: naive UTC
    members = {name: row[name] for name in ("who", "action", "subject", "reason", "detail")}
    members |= {"at": at.isoformat(timespec="microseconds") + "Z", "seq": tip["seq"] + 1, "previous": tip["hash"]}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {"seq": members["seq"], "previous": members["previous"], "hash": digest}
