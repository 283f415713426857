"""`python -m synth.audit verify` as an auditor runs it: one answer, an exit code, and nothing is changed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from synth import audit
from synth.governance.audit import Verdict
from synth.heads import Heads
from synth.store import Store
from tests.governance.chains import event

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose trail has four rows, the first three under a signed head."""
    monkeypatch.setenv("SYNTH_HOME", str(tmp_path))
    for number in (1, 2, 3):
        store.add_event(event(number))
    Heads(store.trail, tmp_path, tmp_path / "audit-heads.jsonl", 1_000).close()
    store.add_event(event(4))
    yield tmp_path


def contents(home: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in home.iterdir() if path.is_file() and not path.name.endswith("-shm")
    }


def test_a_whole_trail_ends_with_0_and_nothing_is_changed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(home)
    assert audit.main(["verify"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "Valid: all 4 rows are as they were written."
    assert second.startswith("1 signed heads; the last that fits is of row 3, signed at 2")
    assert third == "Rows after 3 are protected by the chain and the database's own tip alone."
    assert contents(home) == before


def test_a_database_that_no_server_has_open_stays_as_it_is(home: Path, store: Store) -> None:
    store.close()
    before = contents(home)
    assert sorted(before) == ["audit-heads.jsonl", "audit.key", "audit.pub", "synth.db"]
    assert audit.main(["verify"]) == 0
    assert contents(home) == before | {"synth.db-wal": b""}  # SQLite's own bookkeeping, which the next server clears


def test_a_broken_trail_ends_with_1_and_names_the_row(home: Path, store: Store) -> None:
    engine = sa.create_engine(f"sqlite:///{home / 'synth.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER events_no_update"))
        connection.execute(sa.text("UPDATE events SET who = 'nobody' WHERE seq = 2"))
    engine.dispose()
    command = [sys.executable, "-m", "synth.audit", "verify", "--database", f"sqlite:///{home / 'synth.db'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "Row 2 was changed after it was written.",
        "1 rows were read until that was found.",
        "1 signed heads; none of them covers these rows: the chain and the database's own tip alone protect them.",
    ]


def test_heads_and_key_can_lie_elsewhere(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, new in (("audit-heads.jsonl", "copy.jsonl"), ("audit.pub", "copy.pub")):
        (home / name).rename(home / new)
    assert audit.main(["verify", "--heads", str(home / "copy.jsonl")]) == 1
    assert "known is none" in capsys.readouterr().out
    assert audit.main(["verify", "--heads", str(home / "copy.jsonl"), "--key", str(home / "copy.pub")]) == 0
    assert audit.main(["verify", "--heads", str(home / "nowhere")]) == 1
    assert capsys.readouterr().err == f"There is no file {home / 'nowhere'} of heads.\n"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["verify", "--database", f"sqlite:///{tmp_path / 'no.db'}"]) == 1
    assert (capsys.readouterr().err, [*tmp_path.iterdir()]) == (f"There is no database {tmp_path / 'no.db'}.\n", [])


def test_a_database_without_a_chain_is_not_migrated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "old & new #1 100%.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY)")
    before = path.read_bytes()
    assert audit.main(["verify", "--database", f"sqlite:///{path}"]) == 1
    assert capsys.readouterr().err == "The database has no audit trail with a chain; start SynthRead on it once.\n"
    assert path.read_bytes() == before


def test_lines_that_cannot_be_read_are_told() -> None:
    assert audit.sentences(Verdict(2, 0), 3)[-1] == (
        "3 lines of the heads cannot be read, as a power cut may leave them."
    )
