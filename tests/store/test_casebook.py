"""Case sets and studies in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from synth.errors import StoreError
from synth.reading.answers import Shape, Task
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.reading.studies import Protocol, Seat
from synth.store import Store
from synth.types import Finding, GenerationRequest, Severity, Side, View
from tests.sittings import NOON, at_once, study

REQUEST = GenerationRequest(view=View.AP, findings=(Finding("edema", Side.LEFT, None, Severity.MILD),), note="Öd 漢字")
RECIPE = Recipe(REQUEST, ((0.1, 0.2), (1.0, 0.0), (0.5, 0.75)), Finding("nodule"), 2**32 - 1)
ENTRIES = (
    Entry("e1", RECIPE, history="Cough.", teaching="Look twice."),
    Entry("e2", real="library/7", standing=Standing.APPROVED),
    Entry("e3", Recipe(GenerationRequest()), "", Standing.FAILED, "j1", "j2", problem="The model is not there."),
)
SET = CaseSet("set-1", "ABCDEF", "Lungs, first week", "Åsa", ENTRIES, open=True)


def entries(store: Store, set_id: str = "set-1") -> tuple[Entry, ...]:
    return store.casebook.case_set(set_id).entries


def test_a_set_comes_back_whole(store: Store) -> None:
    store.casebook.add_set(SET)
    assert store.casebook.case_set("set-1") == SET
    assert store.casebook.set_of_code("ABCDEF") == SET
    assert SET.approved == (ENTRIES[1],)


def test_sets_are_listed_the_latest_first_and_by_owner(store: Store) -> None:
    empty = CaseSet("set-2", "GHIJKL", "Empty", "Bob")
    store.casebook.add_set(SET)
    store.casebook.add_set(empty)
    assert store.casebook.sets() == [empty, SET]
    assert store.casebook.sets("Åsa") == [SET]
    assert store.casebook.sets("nobody") == []


@pytest.mark.parametrize("again", [replace(SET, code="GHIJKL", entries=()), replace(SET, id="set-2", entries=())])
def test_an_id_or_a_code_is_given_once(store: Store, again: CaseSet) -> None:
    store.casebook.add_set(SET)
    with pytest.raises(StoreError, match=r"^[A-Z][^\n]*\.$"):
        store.casebook.add_set(again)
    assert store.casebook.sets() == [SET]


def test_a_set_whose_entry_is_already_kept_is_not_half_kept(store: Store) -> None:
    store.casebook.add_set(SET)
    with pytest.raises(StoreError, match=r"^[A-Z][^\n]*\.$"):
        store.casebook.add_set(CaseSet("set-2", "GHIJKL", "Other", "Bob", (Entry("e9", RECIPE), ENTRIES[0])))
    assert store.casebook.sets() == [SET]


def test_a_code_opens_a_set_only_while_it_is_open(store: Store) -> None:
    store.casebook.add_set(SET)
    store.casebook.rename_set("set-1", "Lungs, second week", False)
    assert store.casebook.case_set("set-1") == replace(SET, title="Lungs, second week", open=False)
    with pytest.raises(StoreError) as caught:
        store.casebook.set_of_code("ABCDEF")
    assert str(caught.value) == ("There is no open case set with the code 'ABCDEF'; check it with whoever sent it.")


def test_entries_are_added_at_the_end_and_taken_out(store: Store) -> None:
    store.casebook.add_set(SET)
    more = Entry("e4", RECIPE)
    store.casebook.remove_entry("e3")
    store.casebook.add_entries("set-1", [more, ENTRIES[2]])
    store.casebook.remove_entry("e1")
    store.casebook.remove_entry("e1")
    assert entries(store) == (ENTRIES[1], more, ENTRIES[2])


def test_entries_are_put_in_order_and_those_not_named_follow_as_they_were(store: Store) -> None:
    other = CaseSet("set-2", "GHIJKL", "Other", "Bob", (Entry("e8", RECIPE), Entry("e9", RECIPE)))
    store.casebook.add_set(SET)
    store.casebook.add_set(other)
    store.casebook.order_entries("set-1", ["e3", "e9", "nobody", "e3"])
    assert entries(store) == (ENTRIES[2], ENTRIES[0], ENTRIES[1])
    assert entries(store, "set-2") == other.entries
    store.casebook.add_entries("set-1", [Entry("e4", RECIPE)])
    assert [entry.id for entry in entries(store)] == ["e3", "e1", "e2", "e4"]


def test_waiting_entries_are_those_of_all_sets_the_oldest_first(store: Store) -> None:
    late = Entry("e9", RECIPE)
    store.casebook.add_set(
        CaseSet("set-0", "GHIJKL", "Other", "Bob", (Entry("e0", RECIPE, standing=Standing.REFUSED),))
    )
    store.casebook.add_set(SET)
    store.casebook.add_entries("set-0", [late])
    assert store.casebook.waiting_entries() == [ENTRIES[0], late]


def test_an_entry_is_changed_only_as_it_was_seen(store: Store) -> None:
    store.casebook.add_set(SET)
    drawn = replace(ENTRIES[0], standing=Standing.PROPOSED, job="j7", base_job="j6", history="Fever.")
    assert store.casebook.change_entry(ENTRIES[0], drawn) is True
    assert store.casebook.change_entry(ENTRIES[0], replace(drawn, job="j8")) is False
    assert entries(store)[0] == drawn


def test_words_written_meanwhile_are_not_written_over(store: Store) -> None:
    store.casebook.add_set(SET)
    assert store.casebook.change_entry(ENTRIES[0], replace(ENTRIES[0], teaching="By the teacher.")) is True
    assert store.casebook.change_entry(ENTRIES[0], replace(ENTRIES[0], job="j7")) is False
    assert entries(store)[0].teaching == "By the teacher."


def test_an_entry_that_was_taken_out_is_not_changed(store: Store) -> None:
    store.casebook.add_set(SET)
    store.casebook.remove_entry("e1")
    assert store.casebook.change_entry(ENTRIES[0], replace(ENTRIES[0], job="j7")) is False


def test_of_many_who_change_an_entry_one_is_first(store: Store) -> None:
    store.casebook.add_set(SET)
    won: dict[int, bool] = {}

    def change(number: int) -> None:
        won[number] = store.casebook.change_entry(ENTRIES[0], replace(ENTRIES[0], job=f"j{number}"))

    at_once(change, 10)

    (winner,) = [number for number, first in won.items() if first]
    assert entries(store)[0].job == f"j{winner}"


def test_entries_added_by_many_at_once_are_all_there_in_an_order_that_stays(store: Store) -> None:
    store.casebook.add_set(SET)

    def add(number: int) -> None:
        store.casebook.add_entries("set-1", [Entry(f"{number}-{part}", RECIPE) for part in range(3)])

    at_once(add, 8)

    ids = [entry.id for entry in entries(store)]
    assert ids[:3] == ["e1", "e2", "e3"]
    assert sorted(ids[3:]) == sorted(f"{number}-{part}" for number in range(8) for part in range(3))
    assert all(ids[place : place + 3] == [f"{ids[place][0]}-{part}" for part in range(3)] for place in range(3, 27, 3))


def test_a_study_comes_back_whole(store: Store) -> None:
    asked = {"phases": 2, "washout_days": 14, "clues": "Look at the letters. 漢字", "opinion": True, "shuffled": False}
    made = study(tasks=(Task.WHERE, Task.REPORT), shape=Shape.OUTLINE, sets=("set-1", "set-2"), **asked)
    taken = replace(made, seats=(replace(made.seats[0], name="Bee", consented_at=NOON), made.seats[1]), locked_at=NOON)
    store.casebook.add_study(taken)
    assert store.casebook.study("study-1") == taken
    assert isinstance(taken.protocol, Protocol)


def test_studies_are_listed_the_latest_first_and_by_owner(store: Store) -> None:
    first, second = study(), replace(study("other"), owner="Bob")
    store.casebook.add_study(first)
    store.casebook.add_study(second)
    assert store.casebook.studies() == [second, first]
    assert store.casebook.studies("Bob") == [second]


def test_an_invitation_opens_its_study_and_its_seat(store: Store) -> None:
    store.casebook.add_study(study())
    opened, seat = store.casebook.study_of_code(study().seats[1].code)
    assert (opened, seat) == (study(), study().seats[1])
    assert seat.reader == "Reader 2"


def test_a_seat_is_taken_once(store: Store) -> None:
    made = study()
    store.casebook.add_study(made)
    code = made.seats[0].code
    store.casebook.take_seat(code, "Bee", NOON)
    store.casebook.take_seat(code, "Wasp", NOON + timedelta(days=1))
    assert store.casebook.study("study-1").seats == (Seat(1, code, "Bee", NOON), made.seats[1])


def test_a_study_that_is_locked_keeps_its_time(store: Store) -> None:
    store.casebook.add_study(study())
    store.casebook.lock_study("study-1", NOON)
    store.casebook.lock_study("study-1", NOON + timedelta(days=1))
    assert store.casebook.study("study-1").locked_at == NOON


NO_SET, NO_STUDY = "There is no case set 'nobody'.", "There is no study 'nobody'."
NO_SEAT = "There is no invitation 'nobody'; check it with whoever sent it."


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda book: book.case_set("nobody"), NO_SET),
        (lambda book: book.rename_set("nobody", "A title", True), NO_SET),
        (lambda book: book.add_entries("nobody", [Entry("e1", RECIPE)]), NO_SET),
        (lambda book: book.order_entries("nobody", ["e1"]), NO_SET),
        (lambda book: book.study("nobody"), NO_STUDY),
        (lambda book: book.lock_study("nobody", NOON), NO_STUDY),
        (lambda book: book.study_of_code("nobody"), NO_SEAT),
        (lambda book: book.take_seat("nobody", "Bee", NOON), NO_SEAT),
    ],
    ids=[
        "case_set", "rename_set", "add_entries", "order_entries", "study", "lock_study", "study_of_code", "take_seat"
    ],
)  # fmt: skip
def test_what_is_not_kept_is_named_in_one_sentence(store: Store, ask: Callable[..., object], sentence: str) -> None:
    with pytest.raises(StoreError) as caught:
        ask(store.casebook)
    assert str(caught.value) == sentence
