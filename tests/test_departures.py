"""Everything that leaves: its own mark in the pixels, its words, its signature, and a row of the audit trail."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from synth import keys
from synth.departures import Departures
from synth.dicom.decode import decode, display
from synth.dicom.synthetic import marked, why_synthetic_picture
from synth.errors import PolicyError
from synth.provenance import credentials, remark
from synth.provenance.credentials import DICOM, Standing
from synth.provenance.watermark import detect_aligned, embed
from synth.store import Store
from synth.types import Edit, GeneratedImage
from tests.phantoms import film

Make = Callable[..., GeneratedImage]


@pytest.fixture
def leaves(store: Store, tmp_path: Path) -> Departures:
    return Departures(store, tmp_path)


@pytest.fixture
def kept(store: Store, leaves: Departures, make_image: Make) -> GeneratedImage:
    """A film as the engine keeps it: marked."""
    image = make_image("film1", seed=5)
    image = replace(image, pixels=remark.drawn(image.request, film(256, 5), leaves.marks()[0]))
    store.add_image(image)
    return image


@pytest.fixture
def edited(store: Store, leaves: Departures, kept: GeneratedImage) -> GeneratedImage:
    """A lesion drawn into it, as the Edit page keeps it: not a pixel changed beside the lesion."""
    area = np.zeros((256, 256), bool)
    area[90:120, 150:190] = True
    pixels = kept.pixels.copy()
    pixels[area] = 190
    names = store.add_picture(kept.pixels), store.add_picture(np.uint8(255) * area.astype(np.uint8))
    request = replace(kept.request, seed=6, edit=Edit("add", names[0], "synthetic:film1", names[1]))
    provenance = replace(kept.provenance, request_digest=request.digest())
    image = replace(kept, id="edit1", pixels=pixels, request=request, provenance=provenance)
    store.add_image(image)
    return image


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def own(image: GeneratedImage, pixels: np.ndarray, leaves: Departures) -> bool:
    return detect_aligned(pixels, leaves.marks()[0]).payload == int(image.request.digest()[:16], 16)


def test_a_png_carries_all_four_layers(leaves: Departures, kept: GeneratedImage) -> None:
    data = leaves.png(kept, "ada")
    assert marked(read(data)) and own(kept, read(data), leaves)
    found = credentials.read(data, "image/png", leaves.roots())
    assert found is not None and found.standing is Standing.TRUSTED and found.by_model
    with Image.open(io.BytesIO(data)) as picture:
        text = dict(picture.text)  # type: ignore[attr-defined]
    assert "newscodes/digitalsourcetype/trainedAlgorithmicMedia" in text.pop("XML:com.adobe.xmp")
    assert (text["Title"], text["Comment"]) == (
        "SYNTHETIC",
        f"Request {kept.request.digest()}, seed 5, sampler {kept.request.sampler}",
    )
    assert why_synthetic_picture(data) == "its metadata say so"


def test_a_jpeg_carries_them_too(leaves: Departures, kept: GeneratedImage) -> None:
    data = leaves.jpeg(kept, "ada")
    assert marked(read(data)) and own(kept, read(data), leaves)
    found = credentials.read(data, "image/jpeg", leaves.roots())
    assert found is not None and found.standing is Standing.TRUSTED
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.getexif()[305] == "SynthRead, model tiny 1"
        assert b"trainedAlgorithmicMedia" in picture.info["xmp"]


def test_dicom_carries_the_mark_and_its_manifest_lies_beside_it(leaves: Departures, kept: GeneratedImage) -> None:
    data = leaves.dicom(kept, "ada")
    assert pydicom.dcmread(io.BytesIO(data)).SyntheticData == "YES"
    assert own(kept, display(decode(data, "film")), leaves)
    manifest = leaves.manifest(kept, "ada")
    found = credentials.read(data, DICOM, leaves.roots(), manifest)
    assert found is not None and found.standing is Standing.TRUSTED
    assert leaves.dicom(kept, "eve") == data


@pytest.mark.parametrize("make", ["png", "jpeg", "dicom"])
def test_an_edit_leaves_with_its_own_payload_though_its_base_has_one(
    make: str, leaves: Departures, edited: GeneratedImage
) -> None:
    data = getattr(leaves, make)(edited, "ada")
    assert own(edited, display(decode(data, "edit")), leaves)
    assert np.array_equal(leaves.leaving(edited).pixels, leaves.leaving(edited).pixels)


def test_an_edit_of_a_real_picture_leaves_marked(leaves: Departures, store: Store, make_image: Make) -> None:
    edit = Edit("variation", store.add_picture(film(256, 8)), "real:77aa", strength=0.5)
    image = replace(make_image("edit2", edit=edit), pixels=film(256, 9))
    data = leaves.png(image, "ada")
    assert own(image, read(data), leaves) and marked(read(data))
    assert b"compositeWithTrainedAlgorithmicMedia" in data


def test_images_that_were_made_before_there_was_a_mark_get_theirs_when_they_leave(
    leaves: Departures, make_image: Make
) -> None:
    old = replace(make_image("old"), pixels=film(256, 4))
    assert own(old, leaves.leaving(old).pixels, leaves)


def test_every_export_is_a_row_of_the_audit_trail(leaves: Departures, store: Store, kept: GeneratedImage) -> None:
    for make in (leaves.png, leaves.jpeg, leaves.dicom, leaves.manifest):
        make(kept, "ada")
    told = [(event.who, event.action, event.detail) for event in reversed(store.events(subject="film1"))]
    kinds = ("PNG", "JPEG", "DICOM", "C2PA manifest")
    assert told == [("ada", "export", {"format": kind}) for kind in kinds]


def test_a_payload_names_the_image_as_it_left(leaves: Departures, kept: GeneratedImage, edited: GeneratedImage) -> None:
    for image in (kept, edited):
        (found,) = leaves.with_payload(remark.payload_of(image.request))
        assert (found.id, own(found, found.pixels, leaves)) == (image.id, True)
    assert leaves.with_payload(1) == []


def test_what_may_be_pushed_carries_its_mark_provably(
    leaves: Departures, kept: GeneratedImage, make_image: Make
) -> None:
    assert np.array_equal(leaves.proven(kept).pixels, kept.pixels)
    with pytest.raises(PolicyError, match=r"^Image small is too small for the invisible mark; 256 x 128 px are needed"):
        leaves.proven(make_image("small"))
    black = replace(kept, id="black", pixels=np.zeros((256, 256), np.uint8))
    with pytest.raises(PolicyError, match=r"^The invisible mark of image black is not found in its pixels"):
        leaves.proven(black)


def test_keys_are_made_once_for_their_owner_only_and_retired_ones_stay_known(
    store: Store, tmp_path: Path, leaves: Departures, kept: GeneratedImage
) -> None:
    data = leaves.png(kept, "ada")
    secrets = sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".pem", ".key"))
    year = kept.provenance.created_at.year
    assert [name.replace(secrets[0][10:14], str(year)) for name in secrets] == [
        f"c2pa-leaf-{year}.pem",
        "c2pa-root.pem",
        "watermark.key",
    ]
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in secrets} == {0o600}
    (tmp_path / "watermark.key").rename(tmp_path / "watermark.1.key")
    (tmp_path / "c2pa-root.pem").rename(tmp_path / "c2pa-root.1.pem")
    after = Departures(store, tmp_path)
    assert len(after.marks()) == 2 and after.marks()[1] == leaves.marks()[1]
    assert after.roots().count(b"BEGIN CERTIFICATE") == 2 and b"PRIVATE" not in after.roots()
    found = credentials.read(data, "image/png", after.roots())
    assert found is not None and found.standing is Standing.TRUSTED
    assert own(kept, after.leaving(kept).pixels, after)  # under the key that is in use now
    assert keys.secret(tmp_path, keys.WATERMARK) != leaves.marks()[1]


def test_a_picture_that_carries_the_number_of_another_image_leaves_with_its_own(
    leaves: Departures, make_image: Make
) -> None:
    image = replace(make_image("again"), pixels=embed(film(256), 77, leaves.marks()[0]))
    assert own(image, leaves.leaving(image).pixels, leaves)
