"""The chain of the audit trail: whatever is done to one row is found, and the first broken row is named."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.governance.audit import GENESIS, Entry, Tip, Verdict, canonical, digest, sealed, utc, verify
from synth.governance.heads import Head
from synth.origins import AuditEvent
from synth.store.schema.versions import v0004_audit
from tests.governance.chains import KEYS, NOON, chain, event, head_of, tip_of, trail

ROWS = 12
TRAIL = trail(ROWS)
HEADS = [head_of(TRAIL[3]), head_of(TRAIL[8])]
END = tip_of(TRAIL)


def judged(entries: list[Entry], tip: Tip | None = END, heads: list[Head] | None = None) -> tuple[int | None, str]:
    verdict = verify(iter(entries), tip, HEADS if heads is None else heads, KEYS)
    assert verdict.valid is (verdict.problem == "")
    return verdict.row, verdict.problem


def relinked(entries: list[Entry]) -> list[Entry]:
    """The same events, numbered and hashed anew: what somebody does who knows how the chain is made."""
    return chain([entry.event() for entry in entries])


def test_a_whole_trail_is_valid_with_its_heads_and_without() -> None:
    assert verify(iter(TRAIL), END, HEADS, KEYS) == Verdict(ROWS, 2, HEADS[1])
    assert verify(iter(TRAIL), END, [], {}) == Verdict(ROWS, 0)
    assert verify(iter([]), Tip(0, GENESIS), [], {}) == Verdict(0, 0)


def test_a_hash_is_that_of_the_canonical_json_written_by_hand() -> None:
    entry = sealed(AuditEvent(NOON, "Åsa", "done", "i1", 'a "b"\t\x01', {"seed": 7}), Tip(0, GENESIS))
    written = (
        '{"action":"done","at":"2026-05-04T12:00:00.000000Z","detail":"{\\"seed\\":7}",'
        f'"previous":"{GENESIS}","reason":"a \\"b\\"\\t\\u0001","seq":1,"subject":"i1","who":"Åsa"}}'
    )
    assert entry.hash == hashlib.sha256(written.encode()).hexdigest()


def test_a_time_is_hashed_in_utc_with_microseconds() -> None:
    there = datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2)))
    assert (utc(there), utc(NOON)) == ("2026-01-01T23:00:00.000000Z", "2026-05-04T12:00:00.000000Z")
    with pytest.raises(ValueError, match="has no time zone"):
        utc(datetime(2026, 1, 2))


def test_an_event_comes_back_from_its_row() -> None:
    assert [entry.event() for entry in TRAIL] == [event(number) for number in range(1, ROWS + 1)]
    assert (TRAIL[4].known("seed"), TRAIL[4].known("device")) == ("5", "")
    assert replace(TRAIL[4], detail="{").known("seed") == ""


def test_a_detail_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        sealed(AuditEvent(NOON, "ada", "done", "i1", "", {"value": float("nan")}), Tip(0, GENESIS))


rows = st.integers(1, ROWS)
fields = st.sampled_from(["at", "who", "action", "subject", "reason", "detail", "previous", "hash"])


@given(rows, fields, st.text(max_size=4))
def test_any_changed_field_of_any_row_is_found_in_that_row(seq: int, field: str, text: str) -> None:
    old = TRAIL[seq - 1]
    if getattr(old, field) == text:
        return
    entries = [*TRAIL[: seq - 1], replace(old, **{field: text}), *TRAIL[seq:]]
    assert judged(entries, heads=[]) == (seq, f"Row {seq} was changed after it was written.")


@given(rows, st.text(max_size=4))
def test_a_row_that_was_changed_and_hashed_anew_is_named_itself(seq: int, who: str) -> None:
    changed = replace(TRAIL[seq - 1], who=who)
    changed = replace(changed, hash=digest(changed))
    row, problem = judged([*TRAIL[: seq - 1], changed, *TRAIL[seq:]], heads=[])
    assert (row, problem.partition(":")[0]) == (seq, f"Row {seq} was changed and hashed anew")


@given(rows)
def test_a_row_that_was_hung_elsewhere_and_hashed_anew_is_named_itself(seq: int) -> None:
    changed = replace(TRAIL[seq - 1], previous="f" * 64)
    changed = replace(changed, hash=digest(changed))
    row, problem = judged([*TRAIL[: seq - 1], changed, *TRAIL[seq:]], heads=[])
    assert (row, problem.partition(":")[0]) == (seq, f"Row {seq} was changed and hashed anew")


@given(st.integers(1, ROWS - 1))
def test_a_deleted_row_is_named(seq: int) -> None:
    missing = (seq, f"Row {seq} is missing before row {seq + 1}.")
    assert judged([*TRAIL[: seq - 1], *TRAIL[seq:]], heads=[]) == missing


@given(st.integers(1, ROWS - 1))
def test_a_deleted_row_whose_number_was_taken_by_the_next_is_named(seq: int) -> None:
    closed = [*TRAIL[: seq - 1], *(replace(entry, seq=entry.seq - 1) for entry in TRAIL[seq:])]
    assert judged(closed, heads=[]) == (
        seq, f"Row {seq} holds what was written as row {seq + 1}: rows were swapped, put in or taken out.",
    )  # fmt: skip


@given(st.lists(rows, min_size=2, max_size=2, unique=True).map(sorted))
def test_any_swapped_pair_is_named_by_its_first_row(pair: list[int]) -> None:
    first, second = pair
    entries = [*TRAIL]
    entries[first - 1], entries[second - 1] = (
        replace(TRAIL[second - 1], seq=first), replace(TRAIL[first - 1], seq=second),
    )  # fmt: skip
    assert judged(entries, heads=[]) == (
        first, f"Row {first} holds what was written as row {second}: rows were swapped, put in or taken out.",
    )  # fmt: skip


@given(rows)
def test_rows_in_another_order_are_found(seq: int) -> None:
    entries = [*TRAIL[:seq], TRAIL[0], *TRAIL[seq:]]
    assert judged(entries, heads=[]) == (1, f"Row 1 comes after row {seq}: the rows are out of order.")


@given(st.integers(1, ROWS))
def test_a_row_that_was_put_in_is_named(seq: int) -> None:
    put_in = sealed(event(99), tip_of(TRAIL[: seq - 1]))
    later = [replace(entry, seq=entry.seq + 1) for entry in TRAIL[seq - 1 :]]
    assert judged([*TRAIL[: seq - 1], put_in, *later], heads=[])[0] == seq


@given(st.lists(rows, min_size=2, max_size=2, unique=True).map(sorted))
def test_a_row_that_was_written_over_with_an_earlier_one_is_named(pair: list[int]) -> None:
    first, second = pair
    entries = [*TRAIL[: second - 1], replace(TRAIL[first - 1], seq=second), *TRAIL[second:]]
    assert judged(entries, heads=[]) == (second, f"Row {second} is a copy of row {first}.")


@given(st.integers(0, ROWS - 1))
def test_a_trail_that_was_cut_off_is_found_by_the_tip_of_the_database(left: int) -> None:
    assert judged(TRAIL[:left], heads=[]) == (
        left + 1,
        f"The trail ends after row {left}, but row {ROWS} was written: the rows between were deleted.",
    )


@given(st.integers(0, 8))
def test_a_trail_that_was_cut_off_with_its_tip_is_found_by_a_signed_head(left: int) -> None:
    cut = TRAIL[:left]
    assert judged(cut, tip_of(cut), heads=[]) == (None, "")
    seq, at = (4 if left < 4 else 9), HEADS[0].at
    assert judged(cut, tip_of(cut)) == (
        left + 1,
        f"The trail ends after row {left}, but row {seq} was signed at {at}: the rows between were deleted.",
    )


@given(st.integers(1, 9))
def test_a_trail_that_was_written_anew_from_a_row_on_is_found_by_a_signed_head(seq: int) -> None:
    anew = relinked([*TRAIL[: seq - 1], replace(TRAIL[seq - 1], who="nobody"), *TRAIL[seq:]])
    assert judged(anew, tip_of(anew), heads=[]) == (None, "")
    head, since = (4, 1) if seq <= 4 else (9, 5)
    at = HEADS[0].at
    assert judged(anew, tip_of(anew)) == (
        head,
        f"Row {head} is not the one that was signed at {at}: one of the rows {since} to {head} was written anew.",
    )


def test_what_no_head_covers_can_be_written_anew_by_the_owner_of_the_database() -> None:
    anew = relinked([*TRAIL[:10], replace(TRAIL[10], who="nobody"), *TRAIL[11:]])
    assert judged(anew, tip_of(anew)) == (None, "")


def test_rows_past_the_tip_were_not_written_by_this_program() -> None:
    added = [*TRAIL, sealed(event(99), END)]
    assert judged(added) == (13, "Row 13 was not written by this program: it knows of 12 rows.")


def test_a_lost_tip_is_told() -> None:
    assert judged(TRAIL, None) == (
        None, "The database has lost the number and hash of its last row; restore them from a copy.",
    )  # fmt: skip


@pytest.mark.parametrize("change", [{"seq": 5}, {"hash": "0" * 64}, {"at": "2027"}, {"signature": "zz"}])
def test_a_changed_head_is_found(change: dict[str, Any]) -> None:
    head = replace(HEADS[0], **change)
    wrong = f"The signature of the head of row {head.seq} is not right: the head was changed."
    assert judged(TRAIL, heads=[head]) == (head.seq, wrong)


def test_a_head_of_another_key_is_found() -> None:
    head = replace(HEADS[0], key="another")
    known = next(iter(KEYS))
    assert judged(TRAIL, heads=[head]) == (
        4, f"The head of row 4 is signed with the key another; known is {known}.",
    )  # fmt: skip


def test_a_head_that_nobody_signed_does_not_make_a_trail_look_cut_off() -> None:
    forged = replace(HEADS[1], seq=500)
    assert judged(TRAIL, heads=[forged]) == (
        500, "The signature of the head of row 500 is not right: the head was changed.",
    )  # fmt: skip


texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
details = st.dictionaries(texts, st.integers() | texts | st.booleans(), max_size=3)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1))


@given(moments, st.lists(texts, min_size=4, max_size=4), details)
def test_the_migration_chains_as_the_program_does(at: datetime, words: list[str], detail: dict[str, Any]) -> None:
    entry = sealed(AuditEvent(at.replace(tzinfo=UTC), *words, detail), Tip(41, "a" * 64))
    names = ("who", "action", "subject", "reason", "detail")
    row: dict[str, Any] = {name: getattr(entry, name) for name in names}
    linked = {"seq": 42, "previous": "a" * 64, "hash": entry.hash}
    for stored in (at, at.replace(tzinfo=UTC)):  # SQLite keeps no time zone
        assert v0004_audit.link(row | {"at": stored}, {"seq": 41, "hash": "a" * 64}) == linked


@given(st.dictionaries(st.sampled_from(["a", "b", "seq"]), texts | st.integers(-(2**53), 2**53)))
def test_canonical_json_reads_back_and_depends_on_no_order(members: dict[str, Any]) -> None:
    assert json.loads(canonical(members)) == members
    assert canonical(members) == canonical(dict(reversed(members.items())))
