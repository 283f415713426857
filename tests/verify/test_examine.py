"""Verdicts on files as people have them: as they left, resaved, altered, imitated, of others, of nobody, and broken."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from synth.departures import Departures
from synth.imaging import mark, png_bytes
from synth.provenance import certificates, credentials, remark
from synth.store import Store
from synth.types import GeneratedImage
from synth.verify import Answer, Proofs, Verdict, examine
from tests.phantoms import dicom_bytes, film, png

STRANGER = Proofs((b"another key for tests",), b"")
Examine = Callable[..., Verdict]


@pytest.fixture
def leaves(store: Store, tmp_path: Path) -> Departures:
    return Departures(store, tmp_path)


@pytest.fixture
def ours(store: Store, leaves: Departures, make_image: Callable[..., GeneratedImage]) -> GeneratedImage:
    image = make_image("film1", seed=5)
    image = replace(image, pixels=remark.drawn(image.request, film(256, 5), leaves.marks()[0]))
    store.add_image(image)
    return image


@pytest.fixture
def verdict(leaves: Departures) -> Examine:
    def examined(data: bytes, beside: bytes | None = None, name: str = "a file") -> Verdict:
        return examine(data, name, Proofs(leaves.marks(), leaves.roots()), leaves.with_payload, beside)

    return examined


def saved(pixels: npt.NDArray[np.uint8], kind: str = "PNG", **how: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **how)
    return buffer.getvalue()


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def found(verdict: Verdict) -> list[bool]:
    """Visible, header, manifest, invisible."""
    return [layer.found for layer in verdict.layers]


def test_what_left_as_png_or_jpeg_is_ours_by_every_layer(
    verdict: Examine, leaves: Departures, ours: GeneratedImage
) -> None:
    for data in (leaves.png(ours, "ada"), leaves.jpeg(ours, "ada")):
        one = verdict(data)
        assert (one.answer, found(one), [image.id for image in one.images]) == (Answer.OURS, [True] * 4, ["film1"])
        assert one.sentence == "It was drawn by this installation, and shows what left it."


def test_what_left_as_dicom_is_ours_with_and_without_its_manifest(
    verdict: Examine, leaves: Departures, ours: GeneratedImage
) -> None:
    data, manifest = leaves.dicom(ours, "ada"), leaves.manifest(ours, "ada")
    assert (verdict(data).answer, found(verdict(data))) == (Answer.OURS, [True, True, False, True])
    assert (verdict(data, manifest).answer, found(verdict(data, manifest))) == (Answer.OURS, [True] * 4)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
def test_a_resaved_screenshot_is_ours_by_its_pixels_alone(
    kind: str, verdict: Examine, leaves: Departures, ours: GeneratedImage
) -> None:
    picture = Image.open(io.BytesIO(leaves.png(ours, "ada"))).convert("RGB").resize((410, 410))
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=70)
    one = verdict(buffer.getvalue())
    assert (one.answer, found(one)) == (Answer.OURS, [True, False, False, True])


def test_a_lesion_painted_into_our_picture_is_told_with_its_place(
    verdict: Examine, leaves: Departures, ours: GeneratedImage
) -> None:
    y, x = np.mgrid[:256, :256]
    painted = pixels(leaves.png(ours, "ada")) + 40 * np.exp(-((y - 77) ** 2 + (x - 180) ** 2) / 200)
    one = verdict(saved(np.clip(painted, 0, 255).astype(np.uint8)))
    assert one.answer is Answer.ALTERED and one.ours
    assert "70% from the left and 30% from the top" in one.sentence


def test_a_file_whose_text_was_changed_after_it_was_signed_is_altered(
    verdict: Examine, leaves: Departures, ours: GeneratedImage
) -> None:
    data = leaves.png(ours, "ada")
    at = data.index(b"tEXtDisclaimer")
    size = struct.unpack(">I", data[at - 4 : at])[0]
    chunk = data[at : at + 4 + size].replace(b"never diagnosis", b"and diagnoses  ")
    changed = data[:at] + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[at + 8 + size :]
    one = verdict(changed)
    assert one.answer is Answer.ALTERED
    assert one.sentence.startswith("It was signed here, but the file was changed after that")


def test_a_cropped_picture_is_ours_and_not_compared(verdict: Examine, leaves: Departures, ours: GeneratedImage) -> None:
    one = verdict(saved(pixels(leaves.png(ours, "ada"))[8:-8, 8:-8]))
    assert (one.answer, one.change) == (Answer.OURS, None)
    assert "not compared pixel by pixel" in one.sentence


def test_an_edit_out_of_a_real_picture_says_so(verdict: Examine, leaves: Departures, ours: GeneratedImage) -> None:
    from synth.types import Edit

    store = leaves._store
    edit = Edit("variation", store.add_picture(film(256, 8)), "real:77aa", strength=0.5)
    request = replace(ours.request, edit=edit)
    image = replace(ours, id="edit1", pixels=film(256, 9), request=request)
    store.add_image(image)
    one = verdict(leaves.png(image, "ada"))
    assert (one.answer, one.sentence) == (
        Answer.OURS,
        "It was made out of another picture by this installation, and shows what left it.",
    )


def test_our_file_in_another_house_is_marked_but_not_provably_theirs(leaves: Departures, ours: GeneratedImage) -> None:
    one = examine(leaves.png(ours, "ada"), "x", STRANGER, lambda payload: ())
    assert (one.answer, found(one), one.ours) == (Answer.OTHERS, [True, True, True, False], False)
    assert one.credential is not None and not one.credential.known


@pytest.mark.parametrize(
    "data",
    [
        png_bytes(film(256), {"SyntheticData": "YES"}),
        saved(np.asarray(mark(film(256)))),
        dicom_bytes(film(256), Manufacturer="SynthRead"),
        saved(film(256), "JPEG", xmp=b"<DigitalSourceType>compositeWithTrainedAlgorithmicMedia"),
    ],
    ids=["text", "burnt in", "dicom", "xmp"],
)
def test_words_alone_prove_nothing_of_us(verdict: Examine, data: bytes) -> None:
    one = verdict(data)
    assert (one.answer, sum(found(one))) == (Answer.OTHERS, 1)
    assert "no proof of this installation" in one.sentence


def test_a_signed_manifest_of_another_generator_is_told(
    verdict: Examine, make_image: Callable[..., GeneratedImage]
) -> None:
    now = datetime.now(UTC)
    leaf = certificates.new_leaf(certificates.new_root(now, 3), now, 4)
    one = verdict(credentials.signed(png(film(256)), "image/png", make_image("x"), None, leaf))
    assert (one.answer, one.sentence.partition(",")[0]) == (
        Answer.OTHERS,
        "A signed manifest says that a model made it",
    )


@pytest.mark.parametrize("data", [png(film(300, 3)), dicom_bytes(film(256)), png(film(300)[:50, :50])])
def test_nothing_found_proves_nothing(verdict: Examine, data: bytes) -> None:
    one = verdict(data)
    assert (one.answer, found(one), one.ours) == (Answer.NOTHING, [False] * 4, False)
    assert "That proves nothing" in one.sentence


def pdf(*pictures: bytes) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for picture in pictures:
        canvas.drawString(100, 780, "A case report")
        canvas.drawImage(ImageReader(io.BytesIO(picture)), 80, 200, 400, 400)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_a_pdf_is_ours_where_one_of_its_pictures_is(verdict: Examine, leaves: Departures, ours: GeneratedImage) -> None:
    one = verdict(pdf(png(film(300, 3)), leaves.jpeg(ours, "ada")))
    assert one.picture is not None
    assert (one.answer, one.searched, one.picture.where) == (Answer.OURS, 2, "page 2")


def bomb(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, kind, **({"compression": "group4"} if kind == "TIFF" else {}))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty."),
        (b"just a text\n" * 50, "the file is no PNG, JPEG, WebP, TIFF, DICOM or PDF"),
        (png(film(64))[:300], "cannot be read to its end"),
        (b"\0" * 128 + b"DICM" + b"junk" * 9, "the file"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(40), "is damaged"),
        (b"II*\0" + bytes(100), "is damaged"),
        (pdf(png(film(64)))[:700], "is a damaged PDF"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 9, "is a damaged PDF"),
        (pdf(), "holds no picture"),
        (bytes(65 * 2**20), "has 65 MiB; at most 64 are examined"),
        (bomb("PNG"), "900 megapixels"),
        (bomb("TIFF"), "has too many pixels"),
    ],
    ids=["empty", "text", "cut", "dicom", "webp", "tiff", "cut pdf", "pdf", "no picture", "large", "bomb", "tiff bomb"],
)
def test_what_cannot_be_read_is_one_sentence(verdict: Examine, data: bytes, says: str) -> None:
    one = verdict(data, name="the file")
    assert (one.answer, one.layers, one.picture) == (Answer.UNREADABLE, (), None)
    assert says in one.sentence and one.sentence.endswith(".") and "\n" not in one.sentence


def test_hostile_files_never_end_in_a_traceback(verdict: Examine, leaves: Departures, ours: GeneratedImage) -> None:
    rng = np.random.default_rng(0)
    made = (leaves.png(ours, "ada"), leaves.jpeg(ours, "ada"), leaves.dicom(ours, "ada"), pdf(png(film(80))))
    for data in made:
        for _ in range(12):
            spoilt = bytearray(data)
            for at in rng.integers(0, len(data), 20):
                spoilt[at] = rng.integers(256)
            assert examine(bytes(spoilt), "x", Proofs((), leaves.roots()), lambda payload: ()).sentence.endswith(".")
