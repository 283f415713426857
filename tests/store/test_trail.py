"""The audit trail in a database: only ever appended, whoever writes and whatever breaks, and every change is found.

`tests/servers/test_trail.py` runs the same tests on PostgreSQL.
"""

from __future__ import annotations

import ast
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from synth import heads
from synth.errors import StoreError
from synth.governance.audit import Tip, Verdict, sealed
from synth.governance.heads import Head
from synth.origins import AuditEvent
from synth.store import Store, migrations, trail
from synth.store.schema.versions import v0004_audit
from synth.store.trail import Sought
from synth.types import GeneratedImage, GenerationRequest, Job, JobState
from tests.governance.chains import KEYS, NOON, event, head_of
from tests.painting import until
from tests.sittings import at_once
from tests.store import writing

MakeImage = Callable[..., GeneratedImage]
REFUSED = r"The audit trail can only grow: its rows are neither changed nor deleted"
ROOT = Path(__file__).parents[2]


def verdict(store: Store, signed: tuple[Head, ...] = ()) -> Verdict:
    return heads.verified(store.trail, signed, KEYS)


def broken(store: Store, signed: tuple[Head, ...] = ()) -> tuple[int | None, str]:
    judged = verdict(store, signed)
    return judged.row, judged.problem


def fill(store: Store, rows: int) -> None:
    with store._database.writing() as session:
        trail.append(session, [event(number) for number in range(1, rows + 1)])


def written(store: Store) -> int:
    tip = store.trail.tip()
    assert tip is not None
    return tip.seq


def entries(store: Store) -> list[tuple[int, str]]:
    with store.trail.snapshot() as (_, rows):
        return [(entry.seq, entry.who) for entry in rows]


@contextmanager
def owner(urls: tuple[str, str]) -> Iterator[sa.Connection]:
    """A connection as the owner of the database has it."""
    engine = sa.create_engine(urls[0].replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def attacker(urls: tuple[str, str]) -> Iterator[Callable[[str], None]]:
    """Runs SQL as somebody who has taken the triggers away first."""
    with owner(urls) as connection:
        if connection.dialect.name == "postgresql":
            for table in ("events", "audit_tip"):
                connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        else:
            for name in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
        yield lambda sql: connection.execute(sa.text(sql)) and None


def test_a_database_from_before_the_chain_gets_one_with_its_rows_numbered_without_gaps(urls: tuple[str, str]) -> None:
    with owner(urls) as connection:
        command.upgrade(migrations._config(connection), "0003")
        for seq in (2, 3, 7):  # a rollback left gaps on PostgreSQL
            row = {"who": "Åsa", "action": "done", "subject": f"i{seq}", "reason": "", "detail": '{"caf\\u00e9":1}'}
            row |= {"seq": seq, "at": NOON.replace(microsecond=seq)}
            connection.execute(v0004_audit.EVENTS.insert().values(row))

    store = Store(*urls)
    store.add_event(event(9))

    assert verdict(store) == Verdict(5, 0)
    old, begun, new = store.trail.page(Sought(), 3, 2), *store.trail.page(Sought(), 2)[::-1]
    assert [entry.event() for entry in old[::-1]] == [
        AuditEvent(NOON.replace(microsecond=seq), "Åsa", "done", f"i{seq}", "", {"café": 1}) for seq in (2, 3, 7)
    ]
    assert (begun.who, begun.action, begun.detail) == ("synthread", "audit.begin", '{"rows_before": 3}')
    assert (new.seq, new.event()) == (5, event(9))
    store.close()


def test_the_migration_can_be_taken_back_and_made_again(urls: tuple[str, str]) -> None:
    first = Store(*urls)
    fill(first, 3)
    first.close()
    with owner(urls) as connection:
        command.downgrade(migrations._config(connection), "0003")
        connection.execute(sa.text("UPDATE events SET who = 'eve' WHERE seq = 2"))  # as before the chain

    again = Store(*urls)
    again.add_event(event(9))

    assert ([who for _, who in entries(again)][1:4], verdict(again)) == (
        ["eve", "Åsa 漢字", "synthread"],
        Verdict(5, 0),
    )
    again.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET who = 'nobody' WHERE seq = 2",
        "UPDATE events SET seq = 9 WHERE seq = 3",
        "DELETE FROM events WHERE seq = 3",
        "DELETE FROM events",
        "UPDATE audit_tip SET seq = 2",
        "UPDATE audit_tip SET hash = 'x'",
        "DELETE FROM audit_tip",
        "INSERT INTO audit_tip VALUES (2, 0, '')",
    ],
)
def test_the_database_refuses_to_change_or_delete_rows(store: Store, urls: tuple[str, str], sql: str) -> None:
    fill(store, 3)
    with pytest.raises(sa.exc.DBAPIError, match=REFUSED), owner(urls) as connection:
        connection.execute(sa.text(sql))
    assert verdict(store) == Verdict(3, 0)


def test_the_database_refuses_what_would_take_rows_away_unseen(store: Store, urls: tuple[str, str]) -> None:
    fill(store, 3)
    columns = "(seq, at, who, action, subject, reason, detail, previous, hash)"
    replaced = {
        "sqlite": [
            f"INSERT OR REPLACE INTO events {columns} SELECT seq, at, 'nobody', '', '', '', '', '', '' FROM events",
            "UPDATE OR REPLACE events SET seq = 1 WHERE seq = 2",
            "INSERT OR REPLACE INTO audit_tip VALUES (1, 2, 'x')",
        ],
        "postgresql": ["TRUNCATE events", "TRUNCATE audit_tip"],
    }
    for sql in replaced["sqlite" if urls[0].startswith("sqlite") else "postgresql"]:
        with pytest.raises(sa.exc.DBAPIError, match=REFUSED), owner(urls) as connection:
            connection.execute(sa.text(sql))
    assert verdict(store) == Verdict(3, 0)


def test_a_changed_row_is_found(store: Store, urls: tuple[str, str]) -> None:
    fill(store, 9)
    with attacker(urls) as run:
        run("UPDATE events SET who = 'nobody' WHERE seq = 4")
    assert broken(store) == (4, "Row 4 was changed after it was written.")


@pytest.mark.parametrize("column", ["at", "who", "action", "subject", "reason", "detail", "previous", "hash"])
def test_a_change_of_any_column_is_found(store: Store, urls: tuple[str, str], column: str) -> None:
    fill(store, 3)
    value = "'2026-05-04 12:00:02.000003'" if column == "at" else "'{}'"
    with attacker(urls) as run:
        run(f"UPDATE events SET {column} = {value} WHERE seq = 2")
    assert broken(store) == (2, "Row 2 was changed after it was written.")


def test_a_row_that_was_changed_and_hashed_anew_is_found(store: Store, urls: tuple[str, str]) -> None:
    fill(store, 9)
    with attacker(urls) as run:
        run(f"UPDATE events SET who = 'nobody', hash = '{'f' * 64}' WHERE seq = 4")
    assert broken(store) == (4, "Row 4 was changed after it was written.")


def test_a_deleted_row_is_found(store: Store, urls: tuple[str, str]) -> None:
    fill(store, 9)
    with attacker(urls) as run:
        run("DELETE FROM events WHERE seq = 4")
    assert broken(store) == (4, "Row 4 is missing before row 5.")


def test_a_deleted_last_row_is_found(store: Store, urls: tuple[str, str]) -> None:
    fill(store, 9)
    with attacker(urls) as run:
        run("DELETE FROM events WHERE seq = 9")
    assert broken(store) == (9, "The trail ends after row 8, but row 9 was written: the rows between were deleted.")


def test_a_deleted_last_row_with_the_tip_put_right_is_found_by_the_signed_head_alone(
    store: Store, urls: tuple[str, str]
) -> None:
    fill(store, 9)
    with store.trail.snapshot() as (_, rows):
        signed = [head_of(entry) for entry in rows]
    eighth, ninth = signed[7:]
    with attacker(urls) as run:
        run("DELETE FROM events WHERE seq = 9")
        run(f"UPDATE audit_tip SET seq = 8, hash = '{eighth.hash}'")
    assert broken(store) == (None, "")
    assert broken(store, (eighth,)) == (None, "")
    gone = f"The trail ends after row 8, but row 9 was signed at {ninth.at}: the rows between were deleted."
    assert broken(store, (eighth, ninth)) == (9, gone)


def test_a_swapped_pair_is_found(store: Store, urls: tuple[str, str]) -> None:
    fill(store, 9)
    with attacker(urls) as run:
        for old, new in ((4, 100), (7, 4), (100, 7)):
            run(f"UPDATE events SET seq = {new} WHERE seq = {old}")
    swapped = "Row 4 holds what was written as row 7: rows were swapped, put in or taken out."
    assert broken(store) == (4, swapped)


def test_a_row_that_was_put_in_past_the_tip_is_found_and_nothing_is_written_after_it(
    store: Store, urls: tuple[str, str]
) -> None:
    fill(store, 2)
    with owner(urls) as connection:
        columns = "at, who, action, subject, reason, detail, previous, hash"
        connection.execute(sa.text(f"INSERT INTO events SELECT 3, {columns} FROM events WHERE seq = 2"))
    with pytest.raises(StoreError):
        store.add_event(event(9))
    assert broken(store)[0] == 3


def test_without_its_tip_nothing_is_written(store: Store, urls: tuple[str, str], make_image: MakeImage) -> None:
    fill(store, 2)
    with attacker(urls) as run:
        run("DELETE FROM audit_tip")
    sentence = "The audit trail has lost the number and hash of its last row; nothing is done without it."
    with pytest.raises(StoreError) as refused:
        store.add_image(make_image("i1"), event(9))
    assert (str(refused.value), store.count_images(), len(store.events())) == (sentence, 0, 2)
    assert broken(store)[1].startswith("The database has lost")


def test_twenty_writers_at_once_leave_one_chain_without_a_gap(store: Store, urls: tuple[str, str]) -> None:
    processes = [writing.start(urls, f"process{number}", 4, 15) for number in range(3)]
    at_once(lambda thread: [store.add_event(event(100 * thread + number)) for number in range(15)], 8)
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert verdict(store) == Verdict(20 * 15, 0)
    written = Counter(who for _, who in entries(store))
    assert written == {"Åsa 漢字": 120, **{f"process{p}-{thread}": 15 for p in range(3) for thread in range(4)}}


def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_chain(store: Store, urls: tuple[str, str]) -> None:
    for life in range(3):
        before = written(store)
        process = writing.start(urls, f"life{life}", 2, 0)
        until(lambda before=before: written(store) > before + 20)  # type: ignore[misc]
        process.kill()
        process.wait()
        store.add_event(event(life))
    judged = verdict(store)
    assert judged == Verdict(judged.rows, 0)
    assert [seq for seq, _ in entries(store)] == list(range(1, judged.rows + 1))


def test_what_is_rolled_back_leaves_no_gap(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("i1", seed=1), event(1))
    for _ in range(3):
        with pytest.raises(StoreError):
            store.add_image(make_image("i1", seed=2), event(2))
    with pytest.raises(RuntimeError), store._database.writing() as session:
        trail.append(session, [event(3)])
        raise RuntimeError("the action failed after its event")
    store.add_event(event(4))
    assert (entries(store), verdict(store)) == ([(1, "Åsa 漢字"), (2, "Åsa 漢字")], Verdict(2, 0))


def test_events_of_one_transaction_follow_each_other(store: Store) -> None:
    jobs = [Job(f"j{number}", GenerationRequest(), "ada", JobState.QUEUED) for number in range(3)]
    store.add_jobs(jobs, "engine", [job.event("submit", NOON) for job in jobs])
    store.add_jobs([], "engine", [])
    assert [entry.subject for entry in store.trail.page(Sought(), 9)] == ["j2", "j1", "j0"]
    assert verdict(store) == Verdict(3, 0)


def test_rows_are_filtered_newest_first_and_paged(store: Store) -> None:
    for number, (who, action, subject, reason) in enumerate([
        ("ada", "submit", "i1", ""), ("ada", "done", "i1", ""), ("eve", "pacs.push", "i1", "for 100% of the course"),
        ("eve", "submit", "i2", ""),
    ]):  # fmt: skip
        at = NOON + timedelta(hours=number)
        store.add_event(AuditEvent(at, who, action, subject, reason, {"model": "tiny_1"}))

    def found(**asked: object) -> list[int]:
        sought = Sought(**asked)  # type: ignore[arg-type]
        rows = [entry.seq for entry in store.trail.page(sought, 99)]
        with store.trail.snapshot(sought) as (_, walked):
            assert [entry.seq for entry in walked] == rows[::-1]
        assert store.trail.count(sought) == len(rows)
        return rows

    assert (found(), found(who="ada"), found(action="submit")) == ([4, 3, 2, 1], [2, 1], [4, 1])
    assert (found(subject="i1", who="eve"), found(subject="i")) == ([3], [])
    assert found(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3)) == [3, 2]
    assert (found(text="100% COURSE"), found(text="tiny_1 i2"), found(text="_")) == ([3], [4], [4, 3, 2, 1])
    assert [entry.seq for entry in store.trail.page(Sought(), 2, 1)] == [3, 2]
    assert store.trail.names() == (["ada", "eve"], ["done", "pacs.push", "submit"])
    assert (store.trail.entry(3), store.trail.entry(5)) == (store.trail.page(Sought(action="pacs.push"), 1)[0], None)


def test_a_row_that_was_made_unreadable_is_shown_and_found(store: Store, urls: tuple[str, str]) -> None:
    fill(store, 3)
    with attacker(urls) as run:
        run("UPDATE events SET detail = 'not JSON' WHERE seq = 2")
    assert [entry.detail for entry in store.trail.page(Sought(), 1, 1)] == ["not JSON"]
    assert broken(store)[0] == 2


def test_a_snapshot_does_not_see_what_is_written_after_it_began(store: Store) -> None:
    fill(store, 5)
    with store.trail.snapshot() as (tip, rows):
        first = next(rows)
        store.add_event(event(6))
        assert [first.seq, *(entry.seq for entry in rows)] == [1, 2, 3, 4, 5]
    assert tip is not None and tip.seq == 5


def test_twenty_thousand_rows_are_verified_in_seconds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, 20_000)
    told: list[tuple[int, int]] = []
    began = time.perf_counter()
    judged = heads.verified(store.trail, (), KEYS, lambda done, total: told.append((done, total)))
    assert judged == Verdict(20_000, 0)
    assert time.perf_counter() - began < 10
    assert told == [(number, 20_000) for number in range(0, 20_000, heads.TOLD_EVERY)]


def test_nobody_but_the_trail_touches_its_rows() -> None:
    """Rows get in by `trail.append`; the modules that also name their table count and list, and write nothing."""
    touching = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "synth").rglob("*.py")
        if "schema" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id in ("EventRow", "TipRow"))
        or (isinstance(node, ast.Attribute) and node.attr in ("EventRow", "TipRow"))
        or (isinstance(node, ast.alias) and node.name in ("EventRow", "TipRow"))
    }
    readers = {"synth/store/figures.py", "synth/store/model_register.py"}
    assert touching == {"synth/store/trail.py", "synth/store/database.py"} | readers
    for path in readers:
        assert not re.search(
            r"[.\s(](session\.add|add_all|insert|update|delete)\(", (ROOT / path).read_text(encoding="utf-8")
        ), path


def test_an_append_is_what_the_chain_says(store: Store) -> None:
    fill(store, 2)
    before = store.trail.tip()
    assert before is not None
    store.add_event(event(7))
    assert store.trail.entry(3) == sealed(event(7), before)
    last = store.trail.entry(3)
    assert last is not None and store.trail.tip() == Tip(3, last.hash)
