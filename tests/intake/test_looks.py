"""Look-alikes: which images of the library are nearest, and whether one is so near that it may be a copy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from synth.errors import ModelError, StoreError
from synth.imaging import png_bytes, resize
from synth.intake import looks as module
from synth.intake.looks import Looks
from synth.library.folders import Library
from synth.store import Search, Store, references
from synth.types import GeneratedImage, Modality
from tests.phantoms import film

SIDE = 8


class Blocks:
    """An embedder that anybody can follow: the picture at 8 x 8 px, without its mean, at length 1."""

    id = "blocks"

    def __call__(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        small = [resize(picture.astype(np.float32), SIDE)[:SIDE, :SIDE].ravel() for picture in pictures]
        flat = np.stack([row - row.mean() for row in small])
        return (flat / np.linalg.norm(flat, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def library(tmp_path: Path, store: Store) -> Library:
    """Six films, two slices-to-be and a file that is gone."""
    folder = tmp_path / "films"
    folder.mkdir()
    rows = ["file,modality,findings"]
    for seed in range(6):
        (folder / f"{seed}.png").write_bytes(png_bytes(film(64, seed, effusion=seed % 2 == 1), {}))
        rows.append(f"{seed}.png,DX,{'Effusion' if seed % 2 else 'No Finding'}")
    (folder / "ct.png").write_bytes(png_bytes(film(64, 0), {}))
    (folder / "gone.png").write_bytes(png_bytes(film(64, 9), {}))
    (folder / "metadata.csv").write_text("\n".join([*rows, "ct.png,CT,", "gone.png,DX,"]))
    listed = Library(folder, store.holdings)
    (folder / "gone.png").unlink()
    return listed


@pytest.fixture
def looks(store: Store, library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks]:
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    opened = Looks(store, library, Blocks)
    until = time.monotonic() + 30
    while len(store.holdings.without_vector("blocks", 99)) > 1 and time.monotonic() < until:
        time.sleep(0.02)
    yield opened
    opened.close()


def named(library: Library, path: str) -> str:
    return next(image.id for image in library.images if image.path == path)


def paths(library: Library, ids: Sequence[str]) -> list[str]:
    return [image.path for name in ids for image in library.images if image.id == name]


def test_every_readable_image_is_looked_at_once(store: Store, looks: Looks) -> None:
    left = store.holdings.without_vector("blocks", 99)
    assert [image.path for image in left] == ["gone.png"]
    assert len(store.holdings.without_vector("another", 99)) == 8


def test_the_nearest_of_an_image_is_not_itself_but_its_twin(library: Library, looks: Looks) -> None:
    alike = looks.like_real(named(library, "0.png"), 3)
    assert paths(library, [near.id for near in alike.found])[0] == "ct.png"
    assert alike.found[0].distance == pytest.approx(0, abs=1e-3)
    assert (alike.seen, alike.missing) == (6, 1)
    assert alike.nearer_than is None and not alike.may_be_copy  # too few to say what is usual


def test_a_search_says_among_which_images(library: Library, looks: Looks) -> None:
    among = Search(finding="pleural_effusion")
    alike = looks.like_real(named(library, "0.png"), 9, among)
    assert sorted(paths(library, [near.id for near in alike.found])) == ["1.png", "3.png", "5.png"]


def test_real_neighbours_of_a_synthetic_image_are_of_its_modality(
    store: Store, library: Library, looks: Looks, make_image: Callable[..., GeneratedImage]
) -> None:
    image = replace(make_image("i1", modality=Modality.CT), pixels=film(64, 3, effusion=True))
    store.add_image(image)
    assert paths(library, [near.id for near in looks.like_synthetic("i1", 3).found]) == ["ct.png"]
    store.add_image(replace(make_image("i2"), pixels=film(64, 3, effusion=True)))
    assert paths(library, [looks.like_synthetic("i2", 3).found[0].id]) == ["3.png"]
    assert set(store.holdings.vectors_of("blocks", ["synthetic:i1", "synthetic:i2"])) == {
        "synthetic:i1",
        "synthetic:i2",
    }


def test_new_synthetic_pictures_are_looked_at_until_a_reference_of_drift_is_made(
    store: Store,
    looks: Looks,
    make_image: Callable[..., GeneratedImage],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(references, "IMAGES", 4)
    before = {*tmp_path.glob("blobs/**/*.png")}
    store.add_image(make_image("gone"))
    for file in {*tmp_path.glob("blobs/**/*.png")} - before:
        file.unlink()
    for seed in range(4):
        store.add_image(replace(make_image(f"i{seed}"), pixels=film(64, seed)))
    kind, until = ("tiny", "1", "DX"), time.monotonic() + 30
    looks.wake()
    while store.references.newest(kind) is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    made = store.references.newest(kind)
    assert made is not None and (made.count, made.embedder, made.made_by) == (4, "blocks", "synthread")
    assert not store.holdings.vectors_of("blocks", ["synthetic:gone"])


def test_an_image_in_the_bin_is_nobodys_neighbour(store: Store, library: Library, looks: Looks) -> None:
    store.holdings.remove([named(library, "ct.png")], [])
    library.refresh()
    alike = looks.like_real(named(library, "0.png"), 9)
    assert "ct.png" not in paths(library, [near.id for near in alike.found]) and alike.seen == 5


def test_an_unknown_image_and_a_missing_reader_are_one_sentence(store: Store, library: Library, looks: Looks) -> None:
    with pytest.raises(StoreError, match=r"^The library has no image 'nobody'\.$"):
        looks.like_real("nobody", 3)

    def missing() -> Blocks:
        raise ModelError("The reader is not there.")

    without = Looks(store, library, missing)
    with pytest.raises(ModelError, match=r"^The reader is not there\.$"):
        without.like_real(named(library, "0.png"), 3)
    without.close()
