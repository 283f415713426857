"""What a person writes about a real image is checked field by field, and nothing else of the image is touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from synth.errors import RequestError
from synth.library.editing import changed, checked
from synth.types import Box, RealImage
from tests.holdings import image

FILM = image("a", findings=("pneumonia",))


def test_texts_are_stripped_and_codes_are_in_capitals() -> None:
    wanted = replace(FILM, modality=" ct ", view="axial", body_part="chest ", findings=(), note=" so ", licence="  x ")
    kept = checked(wanted, FILM)
    assert (kept.modality, kept.view, kept.body_part, kept.note, kept.licence) == ("CT", "AXIAL", "CHEST", "so", "x")
    assert checked(replace(FILM, view="  "), FILM).view is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"modality": "  "}, "The modality is missing; DX, CT, MR and PT are usual ones."),
        ({"modality": "X" * 17}, "The modality has 17 letters; at most 16 are kept."),
        ({"view": "V" * 33}, "The view has 33 letters; at most 32 are kept."),
        ({"sex": "X"}, "The sex is 'X'; it must be F, M or unknown."),
        ({"age": 121}, "The age is 121 years; it must lie between 0 and 120."),
        ({"age": -1}, "The age is no whole number of years; it must lie between 0 and 120."),
        ({"findings": ("normal", "mass")}, "An image cannot be normal and show mass; take one away."),
        ({"findings": ("glioma",)}, "DX images do not show glioma in the vocabulary; take it away."),
        ({"findings": ("nonsense",)}, "DX images do not show nonsense in the vocabulary; take it away."),
        ({"modality": "MR"}, "MR images do not show pneumonia in the vocabulary; take it away."),
        ({"boxes": (Box("", 0, 0, 1, 1),)}, "Box 1 has no finding of the vocabulary; choose one."),
        ({"boxes": (Box("mass", 0, 0, 0, 1),)}, "Box 1 has no extent; width and height must be above 0 %."),
        (
            {"boxes": (Box("mass", 0, 0, 1, 1), Box("mass", 0.6, 0, 0.5, 1))},
            "Box 2 leaves the picture; left + width and top + height must be 100 % at most.",
        ),
        ({"boxes": (Box("mass", 0, 0, 1, 1),) * 65}, "There are 65 boxes; at most 64 are kept."),
    ],
)
def test_a_wrong_field_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        checked(replace(FILM, **changes), FILM)
    assert str(caught.value) == sentence


def test_words_that_a_folder_gave_an_image_may_stay() -> None:
    before: RealImage = image("a", modality="MR", findings=("strange", "pneumonia"))
    assert checked(replace(before, note="x"), before).findings == ("strange", "pneumonia")
    with pytest.raises(RequestError, match="pneumonia"):
        checked(replace(before, modality="PT"), before)


def test_the_fields_that_changed_are_named() -> None:
    assert changed(FILM, replace(FILM, age=3, boxes=(Box("mass", 0, 0, 1, 1),))) == ("age", "boxes")
    assert changed(FILM, FILM) == ()
