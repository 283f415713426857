"""Pixels on disk: lossless, named by content, whole or not there."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth.errors import StoreError
from synth.store.blobs import Blobs, decode_png, encode_png
from tests.small_disk import SmallDisk

sides = st.integers(1, 20)
pictures = st.tuples(sides, sides).flatmap(lambda hw: arrays(np.uint8, hw) | arrays(np.uint16, hw))


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> type[SmallDisk]:
    monkeypatch.setattr(SmallDisk, "room", 2)
    return SmallDisk


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@settings(max_examples=100, deadline=None)
@given(pixels=pictures)
def test_png_keeps_every_grey_level_of_eight_and_sixteen_bits(pixels: np.ndarray) -> None:
    back = decode_png(encode_png(pixels))

    assert back.dtype == pixels.dtype
    np.testing.assert_array_equal(back, pixels)


def test_a_blob_is_named_by_its_sha256_and_kept_once(tmp_path: Path) -> None:
    blobs = Blobs(f"file://{tmp_path}")

    digests = [blobs.put(b"film"), blobs.put(b"film")]

    digest = hashlib.sha256(b"film").hexdigest()
    assert digests == [digest, digest]
    assert files_below(tmp_path) == [tmp_path / digest[:2] / f"{digest}.png"]
    assert blobs.get(digest) == b"film"


def test_any_fsspec_place_will_do() -> None:
    url = f"memory://{uuid.uuid4().hex}"

    digest = Blobs(url).put(b"film")

    assert Blobs(url).get(digest) == b"film"


def test_a_damaged_blob_is_refused_and_mended_by_storing_it_again(tmp_path: Path) -> None:
    blobs = Blobs(f"file://{tmp_path}")
    digest = blobs.put(b"film")
    (file,) = files_below(tmp_path)
    file.write_bytes(b"fil")

    with pytest.raises(StoreError) as caught:
        blobs.get(digest)
    blobs.put(b"film")

    assert str(caught.value) == f"The picture file {digest[:12]} is damaged: its sha256 is not its name."
    assert blobs.get(digest) == b"film"


def test_a_missing_blob_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^The picture file 000000000000 is missing from the store\.$"):
        Blobs(f"file://{tmp_path}").get("0" * 64)


def test_a_full_disk_leaves_nothing_half_written_and_recovers(tmp_path: Path, small_disk: type[SmallDisk]) -> None:
    blobs = Blobs(f"smalldisk://{tmp_path}")

    with pytest.raises(StoreError) as caught:
        blobs.put(b"film")
    left = files_below(tmp_path)
    small_disk.room = 100
    digest = blobs.put(b"film")

    assert str(caught.value) == "The disk is full: the image could not be stored; free some space and ask for it again."
    assert left == []
    assert blobs.get(digest) == b"film"


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"a file where the folder should be")

    with pytest.raises(StoreError, match=r"^The image could not be stored: .*\.$"):
        Blobs(f"file://{tmp_path / 'blobs'}").put(b"film")


def test_an_unknown_place_is_one_sentence() -> None:
    with pytest.raises(StoreError, match=r"^Images cannot be kept under nowhere://: Protocol not known: nowhere\.$"):
        Blobs("nowhere://bucket")
