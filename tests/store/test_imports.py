"""Imports in the store: one process at a time, every file once, all of a batch or nothing of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from synth.errors import StoreError
from synth.store import Store
from synth.store.holding_records import ImportState, Outcome, Search
from tests.holdings import added, begun, event, holding, refused
from tests.sittings import at_once

NEVER, AT_ONCE = timedelta(days=1), timedelta(seconds=-1)


def images(store: Store) -> int:
    return store.holdings.search(Search(), 1)[0]


def test_an_import_is_claimed_recorded_and_ended(store: Store) -> None:
    name = begun(store)
    assert store.imports.get(name).state is ImportState.WAITING
    claimed = store.imports.claim("me", NEVER)
    assert claimed is not None and (claimed.id, claimed.state) == (name, ImportState.RUNNING)
    store.imports.record(name, "me", [added("a"), refused("b")], 9, [event("library.add", name)])
    now = store.imports.get(name)
    assert (now.total, now.done, now.counts) == (9, 2, {Outcome.ADDED: 1, Outcome.REFUSED: 1})
    assert store.imports.end(name, "me", ImportState.DONE, "", event("library.import.done", name))
    ended = store.imports.get(name)
    assert ended.state is ImportState.DONE and ended.ended_at is not None
    assert [one.action for one in store.events(9)] == ["library.import.done", "library.add", "library.import"]
    assert store.imports.claim("me", AT_ONCE) is None


def test_of_many_who_claim_one_import_one_gets_it(store: Store) -> None:
    begun(store)
    got: list[str] = []

    def claim(thread: int) -> None:
        if store.imports.claim(f"owner-{thread}", NEVER):
            got.append(f"owner-{thread}")

    at_once(claim, 8)
    assert len(got) == 1


def test_imports_are_taken_in_turn(store: Store) -> None:
    first, second = begun(store), begun(store)
    claimed = [store.imports.claim(owner, NEVER) for owner in ("me", "you", "they")]
    assert [one and one.id for one in claimed] == [first, second, None]


def test_who_falls_silent_loses_the_import_and_records_nothing_more(store: Store) -> None:
    name = begun(store)
    store.imports.claim("me", NEVER)
    assert store.imports.claim("you", NEVER) is None
    assert store.imports.claim("you", AT_ONCE) is not None
    assert store.imports.record(name, "me", [added("a")], None, [event()]) is None
    assert not store.imports.end(name, "me", ImportState.DONE, "", event())
    assert (images(store), store.imports.get(name).done, len(store.events(9))) == (0, 0, 1)
    assert store.imports.record(name, "you", [added("a")], None, ()) is not None
    assert images(store) == 1


def test_what_is_released_is_free_at_once(store: Store) -> None:
    begun(store)
    store.imports.claim("me", NEVER)
    store.imports.release("me")
    assert store.imports.claim("you", NEVER) is not None


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    name = begun(store)
    store.imports.claim("me", NEVER)
    broken = added("b", holding("b", findings=(object(),)))  # no text: the row cannot be made
    with pytest.raises((StoreError, TypeError, AttributeError)):
        store.imports.record(name, "me", [added("a"), broken], 2, [event()])
    assert (images(store), store.imports.get(name).done, len(store.events(9))) == (0, 0, 1)


def test_the_same_picture_comes_in_once_also_from_the_bin(store: Store) -> None:
    name = begun(store)
    store.imports.claim("me", NEVER)
    twice = [added("a"), added("b", holding("b", "pixels of a")), added("c", holding("c"), holding("d", "pixels of a"))]
    seen = store.imports.record(name, "me", twice, None, ())
    assert [(one.outcome, one.pictures) for one in seen or ()] == [
        (Outcome.ADDED, 1),
        (Outcome.DUPLICATE, 0),
        (Outcome.ADDED, 1),
    ]
    store.holdings.remove(["a"], ())
    again = store.imports.record(name, "me", [added("e", holding("e", "pixels of a"))], None, ())
    assert [one.outcome for one in again or ()] == [Outcome.DUPLICATE]
    assert store.holdings.ids(Search(import_id=name)) == ("c",)


def test_a_file_is_through_once(store: Store) -> None:
    name = begun(store)
    store.imports.claim("me", NEVER)
    for _ in range(2):
        store.imports.record(name, "me", [refused("a"), refused("b")], 2, ())
    assert store.imports.get(name).done == 2
    assert store.imports.through(name) == {"a", "b"}


def test_a_stopped_import_goes_on_where_it_was(store: Store) -> None:
    name = begun(store)
    store.imports.claim("me", NEVER)
    store.imports.record(name, "me", [refused("a")], 3, ())
    store.imports.stop(name, event("library.import.stop", name))
    assert store.imports.record(name, "me", [refused("b")], 3, ()) is None
    assert store.imports.claim("me", AT_ONCE) is None
    store.imports.resume(name, event("library.import.resume", name))
    assert store.imports.get(name).ended_at is None
    claimed = store.imports.claim("you", NEVER)
    assert claimed is not None and (claimed.id, claimed.total, store.imports.through(name)) == (name, 3, {"a"})


def test_what_has_ended_is_neither_stopped_nor_resumed(store: Store) -> None:
    name = begun(store)
    store.imports.claim("me", NEVER)
    store.imports.end(name, "me", ImportState.DONE, "", event())
    store.imports.stop(name, event("stop"))
    store.imports.resume(name, event("resume"))
    assert store.imports.get(name).state is ImportState.DONE
    assert {one.action for one in store.events(9)} == {"library.import", "library.test"}


def test_the_report_is_read_page_by_page_and_by_outcome(store: Store) -> None:
    name = begun(store)
    store.imports.claim("me", NEVER)
    store.imports.record(name, "me", [refused(f"{number}") for number in range(7)] + [added("x")], 8, ())
    assert [one.name for one in store.imports.report(name, Outcome.REFUSED, 3, 5)] == ["5", "6"]
    assert [one.name for one in store.imports.report(name, None, 3, 6)] == ["6", "x"]
    assert store.imports.report(name, Outcome.REFUSED, 1)[0].reason == "0 is no image."


def test_the_latest_imports_come_first(store: Store) -> None:
    names = [begun(store) for _ in range(3)]
    assert [one.id for one in store.imports.latest(2)] == names[:0:-1]
    with pytest.raises(StoreError, match=r"^There is no import 'x'\.$"):
        store.imports.get("x")
