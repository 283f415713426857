"""Manifests, read back by c2pa itself: trusted with our root, valid without it, invalid after one changed byte."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import c2pa
import numpy as np
import pytest
from cryptography import x509
from PIL import Image

from synth.errors import RequestError, StoreError
from synth.imaging import png_bytes
from synth.provenance import certificates, credentials
from synth.provenance.credentials import DICOM, Credential, Standing
from synth.types import Base, Edit, GeneratedImage
from tests.phantoms import dicom_bytes, film

NOW = datetime.now(UTC)  # c2pa compares certificates with the clock
ROOT = certificates.new_root(NOW, 41)
LEAF = certificates.new_leaf(ROOT, NOW, 42)
ROOTS = certificates.parts(ROOT)[1]
MIMES = {"PNG": "image/png", "JPEG": "image/jpeg"}
Make = Callable[..., GeneratedImage]


@pytest.fixture
def image(make_image: Make) -> GeneratedImage:
    return make_image("i1", seed=3, note="a prompt that stays here")


@pytest.fixture
def altered(image: GeneratedImage) -> GeneratedImage:
    return replace(image, request=replace(image.request, edit=Edit("variation", "b" * 64, "real:77aa")))


def file(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(film(256)).save(buffer, kind)
    return buffer.getvalue()


def independent(data: bytes, mime: str, roots: bytes, beside: bytes | None = None) -> dict[str, object]:
    """What c2pa's own reader says, without a line of ours between."""
    settings = {"trust": {"user_anchors": roots.decode()}} if roots else {}
    manifest = () if beside is None else (beside,)
    with c2pa.Reader(
        mime, io.BytesIO(data), *manifest, context=c2pa.Context(settings=c2pa.Settings.from_dict(settings))
    ) as reader:
        told: dict[str, object] = json.loads(reader.json())
    return told


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_signed_files_are_trusted_with_our_root_valid_without_and_invalid_once_changed(
    kind: str, image: GeneratedImage
) -> None:
    data = credentials.signed(file(kind), MIMES[kind], image, None, LEAF)
    spoilt = bytearray(data)
    spoilt[-200] ^= 1
    states = [
        independent(data, MIMES[kind], ROOTS)["validation_state"],
        independent(data, MIMES[kind], b"")["validation_state"],
        independent(bytes(spoilt), MIMES[kind], ROOTS)["validation_state"],
    ]
    assert states == ["Trusted", "Valid", "Invalid"]
    pixels = [np.asarray(Image.open(io.BytesIO(one))) for one in (file(kind), data)]
    assert np.array_equal(*pixels)


def test_a_dicom_file_has_a_manifest_beside_it_that_fits_its_bytes_alone(image: GeneratedImage) -> None:
    data = dicom_bytes(film(256))
    manifest = credentials.detached(data, image, None, LEAF)
    assert independent(data, DICOM, ROOTS, manifest)["validation_state"] == "Trusted"
    known = Credential(Standing.TRUSTED, "SynthRead", "SynthRead 0.1.0", True, True, image.request.digest()[:16])
    assert credentials.read(data, DICOM, ROOTS, manifest) == known
    other = credentials.read(data[:-1] + b"\x01", DICOM, ROOTS, manifest)
    assert other == replace(known, standing=Standing.INVALID, problems=("assertion.dataHash.mismatch",))


def test_the_reader_tells_ours_from_those_of_others_and_from_none(image: GeneratedImage) -> None:
    data = credentials.signed(file("PNG"), "image/png", image, None, LEAF)
    ours = Credential(Standing.TRUSTED, "SynthRead", "SynthRead 0.1.0", True, True, image.request.digest()[:16])
    stranger = replace(ours, standing=Standing.VALID, known=False, problems=("signingCredential.untrusted",))
    others = certificates.parts(certificates.new_root(NOW, 7))[1]
    assert credentials.read(data, "image/png", ROOTS + others) == ours
    assert credentials.read(data, "image/png", others) == credentials.read(data, "image/png", b"") == stranger
    assert credentials.read(file("PNG"), "image/png", ROOTS) is None
    assert credentials.read(b"\x89PNG no more", "image/png", ROOTS) is None
    resaved = png_bytes(np.asarray(Image.open(io.BytesIO(data))), {})
    assert credentials.read(resaved, "image/png", ROOTS) is None


def test_a_drawn_image_was_created_by_a_trained_model_and_nothing_of_the_prompt_is_said(image: GeneratedImage) -> None:
    data = credentials.signed(file("PNG"), "image/png", image, None, LEAF)
    told = independent(data, "image/png", ROOTS)
    manifest = told["manifests"][told["active_manifest"]]  # type: ignore[index]
    labels = {one["label"]: one["data"] for one in manifest["assertions"]}
    assert labels["c2pa.actions.v2"]["actions"] == [
        {
            "action": "c2pa.created",
            "when": "2026-05-04T03:02:01Z",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            "softwareAgent": {
                "name": "SynthRead model tiny",
                "version": "1",
                "org.synthread.request": image.request.digest()[:16],
            },
        }
    ]
    assert {entry["use"] for entry in labels["cawg.training-mining"]["entries"].values()} == {"notAllowed"}
    assert "ingredients" not in manifest or manifest["ingredients"] == []
    assert b"a prompt that stays here" not in data


def test_an_edit_of_a_real_picture_names_it_as_its_ingredient_and_no_more(altered: GeneratedImage) -> None:
    data = credentials.signed(file("PNG"), "image/png", altered, Base(film(256)), LEAF)
    told = independent(data, "image/png", ROOTS)
    manifest = told["manifests"][told["active_manifest"]]  # type: ignore[index]
    actions = next(one["data"]["actions"] for one in manifest["assertions"] if one["label"] == "c2pa.actions.v2")
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    (base,) = manifest["ingredients"]
    assert (base["title"], base["instance_id"], base["relationship"]) == (
        "Base picture",
        "org.synthread:real:77aa",
        "parentOf",
    )
    assert told["validation_state"] == "Trusted"
    found = credentials.read(data, "image/png", ROOTS)
    assert found is not None and found.by_model


def test_what_is_no_picture_is_not_signed(image: GeneratedImage) -> None:
    with pytest.raises(RequestError, match=r"^The file could not be signed"):
        credentials.signed(b"no picture", "image/png", image, None, LEAF)


def test_the_leaf_stands_under_the_root_for_ten_years_and_never_longer_than_it() -> None:
    leaf, root = x509.load_pem_x509_certificates(certificates.parts(LEAF)[1])
    leaf.verify_directly_issued_by(root)
    assert (leaf.serial_number, root.serial_number) == (42, 41)
    assert leaf.not_valid_after_utc == (NOW + timedelta(days=3650)).replace(microsecond=0)
    late = certificates.new_leaf(ROOT, NOW + timedelta(days=29 * 365), 43)
    assert x509.load_pem_x509_certificate(certificates.parts(late)[1]).not_valid_after_utc == root.not_valid_after_utc


def test_spoilt_certificates_are_told() -> None:
    with pytest.raises(StoreError, match="cannot be read; restore them from a copy"):
        certificates.new_leaf(b"nothing", NOW, 1)
