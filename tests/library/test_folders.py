import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth.errors import DicomError
from synth.imaging import fit_square, png_bytes, window_level
from synth.library.folders import Library
from synth.store import Store
from synth.types import RealImage
from tests.phantoms import axial_slice, dicom_bytes, film, make_library


def library_of(folder: Path, metadata: str, **files: bytes) -> Library:
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    (folder / "metadata.csv").write_text(metadata, encoding="utf-8")
    return Library(folder)


def facts(image: RealImage) -> tuple[object, ...]:
    return (image.path, image.modality, image.view, image.sex, image.age, image.findings, image.origin, image.licence)


def png(level: int = 9) -> bytes:
    return png_bytes(np.full((64, 64), level, np.uint8), {})


def test_a_folder_with_metadata_is_listed_with_its_labels(tmp_path: Path) -> None:
    library = Library(make_library(tmp_path / "phantoms"))
    assert (library.problem, len(library.images)) == (None, 12)
    assert [facts(image) for image in (library.images[3], library.images[-1])] == [
        ("film-03.jpg", "DX", "AP", "M", 41, ("pleural_effusion",), "analytic phantom", ""),
        ("slice-01.dcm", "CT", "AXIAL", "M", 58, ("normal",), "analytic phantom", ""),
    ]


def test_ids_stay_and_tell_nothing_of_the_file(tmp_path: Path) -> None:
    make_library(tmp_path)
    first, again = Library(tmp_path).images, Library(tmp_path).images
    assert [image.id for image in first] == [image.id for image in again]
    assert len({image.id for image in first}) == 12
    assert all(len(image.id) == 16 and "film" not in image.id for image in first)


def test_only_the_file_column_is_required(tmp_path: Path) -> None:
    library = library_of(tmp_path, "file\na.png\n", a_png=png())
    assert [facts(image) for image in library.images] == [("a.png", "", None, None, None, (), "", "")]
    assert library.problem is None


def test_a_short_row_and_a_byte_order_mark_are_tolerated(tmp_path: Path) -> None:
    library = library_of(tmp_path, "\ufefffile,modality,age\na.png,DX\n", a_png=png())
    assert [facts(image)[:5] for image in library.images] == [("a.png", "DX", None, None, None)]


def test_without_metadata_images_are_listed_without_labels(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.png").write_bytes(png())
    (tmp_path / "a.JPG").write_bytes(png())
    (tmp_path / "notes.txt").write_text("no image")
    library = Library(tmp_path)
    assert [facts(image) for image in library.images] == [
        ("a.JPG", "", None, None, None, (), "", ""),
        ("deep/b.png", "", None, None, None, (), "", ""),
    ]
    assert library.problem == f"{tmp_path} has no metadata.csv, so its 2 images have no labels and are shown last."


@pytest.mark.parametrize("there", [True, False])
def test_without_images_the_problem_says_how_to_get_some(there: bool, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    if there:
        folder.mkdir()
    library = Library(folder)
    assert library.images == ()
    assert library.problem == (
        "There are no real images yet: import some on the page Real images, from files, a PACS or an open collection, "
        "or put PNG, JPEG or DICOM files and a metadata.csv (file,modality,view,sex,age,findings) into "
        f"{folder}, or set SYNTH_LIBRARY to such a folder."
    )


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        (b"", "metadata.csv of the library has no column 'file'; its first line must name the columns."),
        (
            b"path,view\na.png,PA\n",
            "metadata.csv of the library has no column 'file'; its first line must name the columns.",
        ),
        (b"file,view\na.png,\xff\xfe\n", "metadata.csv of the library cannot be read as UTF-8 CSV"),
        (b'file\n"' + b"x" * 200_000, "metadata.csv of the library cannot be read as UTF-8 CSV"),
        (b"file,view\n", "metadata.csv of the library names no images: import some"),
        (b"file\na.png\nb.png\n", "metadata.csv names 2 files that the library folder does not hold: a.png, b.png."),
    ],
)
def test_bad_metadata_is_one_sentence(metadata: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_bytes(metadata)
    library = Library(tmp_path)
    assert library.images == ()
    assert library.problem is not None and library.problem.startswith(problem) and library.problem.endswith(".")


def test_no_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "library", tmp_path / "secret.png"
    inside.mkdir()
    outside.write_bytes(png())
    (inside / "a.png").write_bytes(png())
    (inside / "link.png").symlink_to(outside)
    (inside / "loop.png").symlink_to(inside / "loop.png")
    paths = ["a.png", "../secret.png", str(outside), "link.png", "loop.png", ".", "a\x00.png"]
    library = library_of(inside, "file\n" + "\n".join(paths) + "\n")
    assert [image.path for image in library.images] == ["a.png"]
    assert library.problem == (
        "metadata.csv names 6 files that the library folder does not hold: "
        f"../secret.png, {outside}, link.png and 3 more."
    )
    (inside / "metadata.csv").unlink()
    assert [image.path for image in Library(inside).images] == ["a.png"]


def test_a_file_swapped_for_a_link_later_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "library", tmp_path / "secret.png"
    inside.mkdir()
    outside.write_bytes(png())
    library = library_of(inside, "file\na.png\n", a_png=png())
    (inside / "a.png").unlink()
    (inside / "a.png").symlink_to(outside)
    with pytest.raises(DicomError, match=r"a\.png is not in the library folder any more, or leads out of it"):
        library.pixels(library.images[0].id, 64)


def test_ct_is_shown_in_the_lung_window_and_films_as_they_are(tmp_path: Path) -> None:
    tall = film(64)[:, :48]
    library = library_of(
        tmp_path,
        "file,modality\na.dcm,CT\nb.png,DX\n",
        a_dcm=dicom_bytes(axial_slice(64), WindowCenter=40, WindowWidth=400),
        b_png=png_bytes(tall, {}),
    )
    shown = {image.path: library.pixels(image.id, 64) for image in library.images}
    assert np.array_equal(shown["a.dcm"], window_level(axial_slice(64), -600, 1500))
    assert np.array_equal(shown["b.png"], fit_square(tall, 64))


def test_spacing_is_that_of_the_picture_at_its_size(tmp_path: Path) -> None:
    (tmp_path / "wide.dcm").write_bytes(dicom_bytes(np.zeros((100, 200), np.int16), PixelSpacing=[0.5, 0.25]))
    Image.fromarray(film(64)).save(tmp_path / "film.png")
    library = Library(tmp_path)
    assert {image.path: library.spacing_mm(image.id, 400) for image in library.images} == {
        "wide.dcm": (0.25, 0.125),
        "film.png": None,
    }


def test_pixels_are_read_once_and_cannot_be_changed(tmp_path: Path) -> None:
    library = library_of(tmp_path, "file\na.png\n", a_png=png())
    first = library.pixels(library.images[0].id, 64)
    (tmp_path / "a.png").unlink()
    assert library.pixels(library.images[0].id, 64) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_a_corrupt_image_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    library = library_of(tmp_path, "file\na.png\nb.png\nc.png\n", a_png=png()[:60], b_png=png(7), c_png=png(8))
    shown, sentences = library.readable(library.images, 1, 64)
    assert [(image.path, int(pixels[0, 0])) for image, pixels in shown] == [("b.png", 7)]
    assert sentences == ["a.png is damaged: it begins as a PNG but cannot be read to its end."]


def test_a_synthetic_image_is_never_shown_as_real(tmp_path: Path) -> None:
    library = library_of(tmp_path, "file\na.png\n", a_png=png_bytes(film(64), {"SyntheticData": "YES"}))
    with pytest.raises(DicomError, match=r"a\.png says of itself that it is synthetic; the library holds real images"):
        library.pixels(library.images[0].id, 64)


def test_an_unknown_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomError, match=r"The library has no image 'x'\."):
        Library(tmp_path).pixels("x", 64)


@pytest.mark.skipif("SYNTH_TEST_LIBRARY" not in os.environ, reason="SYNTH_TEST_LIBRARY names no folder of real images")
def test_every_real_image_is_shown() -> None:
    library = Library(Path(os.environ["SYNTH_TEST_LIBRARY"]))
    assert library.problem is None and len(library.images) > 0
    shown, sentences = library.readable(library.images, len(library.images), 128)
    assert (len(shown), sentences) == (len(library.images), [])
    assert all(pixels.shape == (128, 128) and pixels.std() > 10 for _, pixels in shown)
    assert {image.modality for image, _ in shown} <= {"DX", "CT", "MR", "PT"}
    assert all(image.view in (None, "PA", "AP", "AXIAL", "LATERAL") for image, _ in shown)


def test_jpeg_in_the_library_is_close_to_what_was_saved(tmp_path: Path) -> None:
    Image.fromarray(film(128)).save(tmp_path / "a.jpg", quality=95)
    library = Library(tmp_path)
    assert np.abs(library.pixels(library.images[0].id, 128).astype(int) - film(128)).mean() < 2


def test_an_image_in_the_bin_is_listed_nowhere_but_can_be_looked_at(tmp_path: Path, store: Store) -> None:
    library = Library(make_library(tmp_path / "films", 64), store.holdings)
    name = library.images[0].id
    store.holdings.remove([name], ())
    library.refresh()
    assert name not in [image.id for image in library.images] and library.image(name) is None
    assert library.pixels(name, 64).shape == (64, 64)
