"""The Verify page, run without a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from synth.governance.roles import Role, User
from synth.provenance import remark
from synth.types import GeneratedImage
from synth.ui import house, session
from tests.phantoms import film, png

Make = Callable[..., GeneratedImage]


@pytest.fixture
def verify(app: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Opens the page and drops files, (name, content) each."""

    def drop(*files: tuple[str, bytes]) -> AppTest:
        page = app().switch_page("pages/verify.py").run()
        page.file_uploader(key="verify_files").set_value([(*file, "application/octet-stream") for file in files])
        return page.run()

    return drop


@pytest.fixture
def kept(app: Callable[..., AppTest], make_image: Make) -> GeneratedImage:
    image = make_image("film1", user="ada", seed=5)
    image = replace(image, pixels=remark.drawn(image.request, film(256, 5), house.departures().marks()[0]))
    house.store().add_image(image)
    return image


def said(page: AppTest) -> str:
    assert not page.exception and not page.error
    return "\n".join(text.value for text in page.markdown).replace("\\", "")


def test_our_png_is_told_at_once_with_its_layers_and_its_audit_entry(
    verify: Callable[..., AppTest], kept: GeneratedImage
) -> None:
    page = verify(("film.png", house.departures().png(kept, "ada")))
    assert "Synthetic, made here" in said(page)
    assert page.expander[0].label == "Audit trail of image film1"
    layers, events = (table.value for table in page.table)
    assert list(layers["Layer"]) == ["Visible mark", "Header and text", "Signed manifest (C2PA)", "Invisible mark"]
    assert list(layers["Found"]) == ["yes"] * 4
    assert [list(events[name]) for name in ("Who", "What", "Detail")] == [["ada"], ["export"], ["format PNG"]]


def test_a_dicom_file_is_checked_with_the_manifest_beside_it(
    verify: Callable[..., AppTest], kept: GeneratedImage
) -> None:
    leaves = house.departures()
    data, manifest = leaves.dicom(kept, "ada"), leaves.manifest(kept, "ada")
    page = verify(("a.dcm", data), ("a.dcm.c2pa", manifest))
    assert list(page.table[0].value["Found"]) == ["yes"] * 4
    alone = verify(("a.dcm.c2pa", manifest))
    assert not alone.table and any("proves nothing alone" in caption.value for caption in alone.caption)


def test_somebody_else_sees_the_verdict_but_not_the_entry(
    verify: Callable[..., AppTest], kept: GeneratedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "person", lambda: User("eve", frozenset({Role.TRAINEE})))
    page = verify(("film.png", house.departures().png(kept, "ada")))
    assert "Synthetic, made here" in said(page)
    assert [one.label for one in page.expander] == ["For other readers of C2PA"]
    assert len(page.table) == 1 and any("those who read the trail" in caption.value for caption in page.caption)


def test_a_real_film_and_a_text_are_told_in_one_go(verify: Callable[..., AppTest]) -> None:
    page = verify(("film.png", png(film(256))), ("no*te.png", b"just a text"))
    assert "That proves nothing: marks can be removed" in said(page)
    assert "Not readable**: no*te.png is no PNG, JPEG, WebP, TIFF, DICOM or PDF" in said(page)


def test_two_files_of_one_image_are_told_each(verify: Callable[..., AppTest], kept: GeneratedImage) -> None:
    leaves = house.departures()
    page = verify(("film.png", leaves.png(kept, "ada")), ("film.jpg", leaves.jpeg(kept, "ada")))
    assert said(page).count("Synthetic, made here") == 2


def test_too_many_files_are_one_sentence(verify: Callable[..., AppTest]) -> None:
    page = verify(*((f"{number}.png", b"text") for number in range(9)))
    assert [error.value for error in page.error] == ["9 files were dropped; at most 8 are examined at once."]
