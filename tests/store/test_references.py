"""References of drift: frozen once there are enough pictures, renewed for a reason, and charted from there on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from synth.errors import StoreError
from synth.governance.drift import BATCH, IMAGES, distances
from synth.store import Store, references
from synth.types import GeneratedImage

AT = datetime(2026, 5, 4, tzinfo=UTC)
KIND = ("tiny", "1", "DX")
Make = Callable[..., GeneratedImage]


def drawn(store: Store, make_image: Make, numbers: range, offset: float = 0.0, embedder: str = "e") -> None:
    """Images with vectors around one direction."""
    vectors = {}
    for number in numbers:
        store.add_image(make_image(f"i{number:05d}", side_px=4))
        vector = np.random.default_rng(number).normal(0, 0.1, 8) + np.array([1.0, offset, 0, 0, 0, 0, 0, 0])
        vectors[f"synthetic:i{number:05d}"] = vector.astype(np.float32)
    store.holdings.add_vectors(embedder, vectors)


def test_the_first_hundred_images_become_the_reference_once(store: Store, make_image: Make) -> None:
    drawn(store, make_image, range(IMAGES - 1))
    assert (store.references.freeze(KIND, "e", AT), store.references.newest(KIND)) == (None, None)
    assert store.references.collected(KIND) == IMAGES - 1
    drawn(store, make_image, range(IMAGES - 1, IMAGES + 5))
    made = store.references.freeze(KIND, "e", AT)
    kept = store.references.newest(KIND)
    assert made is not None and kept is not None
    for field in fields(made):
        assert np.array_equal(getattr(kept, field.name), getattr(made, field.name)), field.name
    assert (made.modality, made.count, made.made_by, made.made_at) == ("DX", IMAGES, "synthread", AT)
    assert store.references.freeze(KIND, "e", AT) is None
    event = store.events()[0]
    assert (event.action, event.subject, event.detail["images"]) == ("reference.made", made.id, IMAGES)
    assert store.references.chart(made).images == 5


def test_an_embedder_of_another_version_starts_anew(store: Store, make_image: Make) -> None:
    drawn(store, make_image, range(IMAGES))
    store.references.freeze(KIND, "e", AT)
    assert store.references.freeze(KIND, "other", AT) is None
    drawn(store, make_image, range(IMAGES, 2 * IMAGES), embedder="other")
    again = store.references.freeze(KIND, "other", AT)
    assert again is not None and store.references.newest(KIND) is not None
    assert store.references.newest(KIND).embedder == "other"  # type: ignore[union-attr]


def test_a_renewed_reference_is_of_the_latest_images(store: Store, make_image: Make) -> None:
    with pytest.raises(StoreError, match=r"^There are 0 images to compare with; a reference needs 100\.$"):
        store.references.renew(KIND, "ada", "The prompts changed.", AT)
    drawn(store, make_image, range(IMAGES))
    first = store.references.freeze(KIND, "e", AT)
    drawn(store, make_image, range(IMAGES, 2 * IMAGES + 3), offset=0.5)
    assert first is not None and store.references.chart(first).slow
    renewed = store.references.renew(KIND, "ada", "The prompts changed.", AT)
    assert (renewed.made_by, renewed.reason, store.references.chart(renewed).images) == (
        "ada",
        "The prompts changed.",
        0,
    )
    assert renewed.centre[1] == pytest.approx(0.5, abs=0.05)
    assert store.events()[0].who == "ada"


def test_a_chart_shows_the_latest_batches_with_the_same_images_however_many_follow(
    store: Store, make_image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "BATCHES", 4)
    drawn(store, make_image, range(IMAGES))
    reference = store.references.freeze(KIND, "e", AT)
    assert reference is not None
    drawn(store, make_image, range(IMAGES, IMAGES + 5 * BATCH + 4))
    charted = store.references.chart(reference)
    assert (len(charted.points), charted.images) == (4, 4 * BATCH + 4)
    _, names, table = store.holdings.vectors("e", "synthetic")
    second = [names.index(f"i{number:05d}") for number in range(IMAGES + BATCH, IMAGES + 2 * BATCH)]
    apart = distances(table[second].astype(np.float32), reference.centre)
    assert charted.points[0].value == pytest.approx(float(apart.mean()))


def test_only_new_pictures_of_the_model_that_drew_last_are_looked_at(store: Store, make_image: Make) -> None:
    assert (store.references.kinds(), store.references.collected(KIND)) == ((), 0)
    old = make_image("old")
    store.add_image(replace(old, provenance=replace(old.provenance, model_revision="0")))
    for name in ("a", "b", "c"):
        store.add_image(make_image(name))
    assert store.references.kinds() == (KIND,)
    store.holdings.add_vectors("e", {"synthetic:b": np.ones(8, np.float32)})
    unseen = store.references.unseen(KIND, "e", 0, 9)
    assert list(unseen) == ["a", "c"]
    assert list(store.references.unseen(KIND, "e", unseen["a"], 9)) == ["c"]
    assert list(store.references.unseen(KIND, "e", 0, 1)) == ["a"]
