"""The library on a real PostgreSQL: searches, counters and claims of several writers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from synth.store import Store
from synth.store.holding_records import Search
from tests.holdings import added, begun, event, holding, image
from tests.sittings import at_once

pytestmark = pytest.mark.server

NEVER = timedelta(days=1)
IMAGES = [image("a", findings=("nodule",)), image("b", origin="100% real_set"), image("c", age=None)]


def test_text_and_words_are_found_and_the_folder_is_followed(store: Store) -> None:
    store.holdings.register(IMAGES)
    store.holdings.edit(replace(IMAGES[0], note="ÄRZTE"), event())
    store.holdings.register([*IMAGES[:2], image("d")])
    asked = (Search(), Search(text="%"), Search(text="ärzte nodule"), Search(finding="nodule"), Search(age_from=50))
    assert ["".join(store.holdings.ids(one)) for one in asked] == ["dba", "b", "a", "a", "dba"]
    store.holdings.register(IMAGES)
    assert store.holdings.ids(Search(removed=True)) == ()
    assert store.holdings.facets().origins == ("100% real_set", "Collection")


def test_every_writer_counts_one_further_and_none_is_missed(store: Store) -> None:
    store.holdings.register([image(f"{number:02d}") for number in range(40)])
    before, _ = store.holdings.changes(0)

    def edit(thread: int) -> None:
        for number in range(10):
            store.holdings.edit(image(f"{10 * thread + number:02d}", age=thread), event())

    at_once(edit, 4)
    revision, changed = store.holdings.changes(before)
    assert (revision, len(changed)) == (before + 40, 40)


def test_of_many_who_claim_one_import_one_gets_it(store: Store) -> None:
    begun(store)
    got: list[int] = []

    def claim(thread: int) -> None:
        if store.imports.claim(f"owner-{thread}", NEVER):
            got.append(thread)

    at_once(claim, 6)
    assert len(got) == 1


def test_two_imports_at_once_take_the_same_picture_once(store: Store) -> None:
    names = [begun(store), begun(store)]
    for owner in ("0", "1"):
        store.imports.claim(owner, NEVER)

    def record(thread: int) -> None:
        for number in range(20):
            file = added(f"{number}", holding(f"{thread}-{number}", f"pixels {number}"))
            store.imports.record(names[thread], str(thread), [file], 20, ())

    at_once(record, 2)
    assert store.holdings.search(Search(), 1)[0] == 20
    assert sum(store.imports.get(name).done for name in names) == 40
