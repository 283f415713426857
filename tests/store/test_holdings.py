"""Real images in the store: found by every field, edited, binned, put back, and kept in step with a folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from synth.errors import StoreError
from synth.origins import Box
from synth.store import Store
from synth.store.holding_records import Facets, Search
from synth.store.holdings import LIBRARY
from tests.holdings import added, begun, event, holding, image
from tests.sittings import at_once

IMAGES = (
    image("a", findings=("pneumonia", "nodule"), age=30, body_part="CHEST"),
    image("b", view="AP", sex="M", findings=("mass",), origin="100% real_set", note="Look at the ÄRZTE"),
    image("c", modality="CT", view="AXIAL", licence="CC BY 4.0", age=None, sex=None, findings=()),
)


def found(store: Store, **asked: Any) -> str:
    """The ids that fit, in the order of the page."""
    count, page = store.holdings.search(Search(**asked), 10)
    ids = "".join(one.image.id for one in page)
    assert count == len(page) and "".join(store.holdings.ids(Search(**asked))) == ids
    return ids


def keep(store: Store, *holdings: Any) -> None:
    """Bring pictures in by the way of an import."""
    import_id = begun(store)
    store.imports.claim("me", timedelta(minutes=1))
    assert store.imports.record(import_id, "me", [added("file", *holdings)], None, ()) is not None


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, "cba"),
        ({"finding": "nodule"}, "a"),
        ({"finding": "nod"}, ""),
        ({"modality": "CT"}, "c"),
        ({"view": "AP"}, "b"),
        ({"body_part": "CHEST"}, "a"),
        ({"sex": "F"}, "a"),
        ({"age_from": 30, "age_to": 49}, "a"),
        ({"age_from": 31}, "b"),
        ({"origin": "100% real_set"}, "b"),
        ({"licence": "CC BY 4.0"}, "c"),
        ({"import_id": "none"}, ""),
        ({"text": "100%"}, "b"),
        ({"text": "%"}, "b"),
        ({"text": "real_set"}, "b"),
        ({"text": "realXset"}, ""),
        ({"text": "_"}, "b"),
        ({"text": "\\"}, ""),
        ({"text": "/"}, ""),
        ({"text": "ärzte LOOK"}, "b"),
        ({"text": "nodule pneumonia"}, "a"),
        ({"text": "nodule mass"}, ""),
        ({"text": "' OR 1=1 --"}, ""),
        ({"removed": True}, ""),
    ],
)
def test_images_are_found_by_every_field(store: Store, asked: dict[str, Any], ids: str) -> None:
    store.holdings.register(IMAGES)
    assert found(store, **asked) == ids


def test_a_page_is_a_part_of_all_that_fit(store: Store) -> None:
    store.holdings.register([image(f"{number:03d}") for number in range(25)])
    count, page = store.holdings.search(Search(), 10, 20)
    assert (count, [one.image.id for one in page]) == (25, ["004", "003", "002", "001", "000"])
    assert store.holdings.search(Search(), 10, 900) == (25, ())


def test_what_the_filters_offer_is_what_there_is_without_the_bin(store: Store) -> None:
    store.holdings.register(IMAGES)
    keep(store, holding("d", flags=("face", "burnt_in"), findings=("edema",)))
    store.holdings.remove(["c"], ())
    assert store.holdings.facets() == Facets(
        findings=("edema", "mass", "nodule", "pneumonia"), modalities=("DX",), views=("AP", "PA"),
        body_parts=("CHEST",), sexes=("F", "M"), origins=("100% real_set", "Collection"), licences=("CC0 1.0",),
        flags=("burnt_in", "face"),
    )  # fmt: skip
    assert found(store, flag="face") == "d"


def test_an_image_comes_back_as_it_was_given(store: Store) -> None:
    given = image("a", boxes=(Box("nodule", 0.1, 0.2, 0.3, 0.4),), mask="f" * 64, attribution="Åsa 漢字", note="“so”")
    store.holdings.register([given])
    kept = store.holdings.holding("a")
    assert {name: getattr(kept.image, name) for name in given.__slots__} == {
        name: getattr(given, name) for name in given.__slots__
    }
    assert [one.image.id for one in store.holdings.holdings(["x", "a", "a"])] == ["a", "a"]


def test_the_bin_takes_and_gives_back_with_events(store: Store) -> None:
    store.holdings.register(IMAGES)
    store.holdings.remove(["a", "b"], [event("library.bin", "a"), event("library.bin", "b")])
    assert (found(store), found(store, removed=True)) == ("c", "ba")
    assert store.holdings.holding("a").image.removed
    store.holdings.restore(["a"], [event("library.restore", "a")])
    assert (found(store), found(store, removed=True)) == ("ca", "b")
    assert [one.action for one in store.events(9)] == ["library.restore", "library.bin", "library.bin"]


def test_more_images_than_a_statement_takes_go_into_the_bin(store: Store) -> None:
    store.holdings.register([image(f"{number:05d}") for number in range(200)])
    store.holdings.remove([f"{number:05d}" for number in range(70_000)], ())
    assert found(store) == ""


def test_an_edit_is_kept_with_its_event_and_is_found(store: Store) -> None:
    store.holdings.register(IMAGES)
    store.holdings.edit(replace(IMAGES[0], findings=("edema",), note="wet"), event("library.edit", "a"))
    assert (found(store, finding="edema"), found(store, text="wet"), found(store, finding="nodule")) == ("a", "a", "")
    assert store.events(1)[0].action == "library.edit"
    with pytest.raises(StoreError, match=r"^The library has no image 'z'\.$"):
        store.holdings.edit(image("z"), event())
    assert len(store.events(9)) == 1


def test_a_folder_that_is_listed_again_changes_nothing(store: Store) -> None:
    store.holdings.register(IMAGES)
    revision, _ = store.holdings.changes(0)
    store.holdings.register(IMAGES)
    assert store.holdings.changes(revision) == (revision, ())


def test_new_relabelled_and_gone_images_of_a_folder_are_followed(store: Store) -> None:
    store.holdings.register(IMAGES)
    revision, _ = store.holdings.changes(0)
    store.holdings.register([replace(IMAGES[0], age=31), IMAGES[1], image("d")])
    assert (found(store), found(store, age_to=31)) == ("dba", "a")
    _, changed = store.holdings.changes(revision)
    assert [(one.id, one.removed) for one in changed] == [("a", False), ("c", True), ("d", False)]


def test_images_of_a_folder_that_was_away_are_back_and_were_never_in_the_bin(store: Store) -> None:
    store.holdings.register(IMAGES)
    store.holdings.remove(["b"], ())
    store.holdings.register([])
    assert (found(store), found(store, removed=True)) == ("", "")
    store.holdings.register(IMAGES)
    assert (found(store), found(store, removed=True)) == ("ca", "b")


def test_what_a_person_edited_survives_the_folder(store: Store) -> None:
    store.holdings.register(IMAGES)
    store.holdings.edit(replace(IMAGES[0], age=77), event())
    for listed in (IMAGES, [], [replace(one, age=5) for one in IMAGES]):
        store.holdings.register(listed)
    assert [store.holdings.holding(name).image.age for name in "ab"] == [77, 5]


def test_kept_images_are_no_business_of_the_folder(store: Store) -> None:
    keep(store, holding("k"))
    store.holdings.register(IMAGES)
    store.holdings.register([])
    assert found(store) == "k"


def test_every_writer_counts_one_further(store: Store) -> None:
    store.holdings.register([image(f"{number:02d}") for number in range(40)])
    before, _ = store.holdings.changes(0)

    def edit(thread: int) -> None:
        for number in range(10):
            store.holdings.edit(image(f"{10 * thread + number:02d}", age=thread), event())

    at_once(edit, 4)
    revision, changed = store.holdings.changes(before)
    assert (LIBRARY, revision, len(changed)) == ("library", before + 40, 40)


def test_a_mask_comes_back_as_it_was_drawn(store: Store) -> None:
    mask = np.zeros((40, 30), bool)
    mask[3:9, 4:20] = True
    assert np.array_equal(store.picture(store.holdings.add_mask(mask)) > 0, mask)
