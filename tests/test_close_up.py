"""Close-ups: small lesions are drawn magnified, large ones and other edits are not."""

from __future__ import annotations

import numpy as np
import pytest

from synth import prompts
from synth.close_up import closer, square
from synth.errors import RequestError
from synth.terms import EDIT_GUIDANCE, FILM_CLOSE_UP_GUIDANCE, NODULE_GUIDANCE
from synth.types import Edit, Finding, GenerationRequest, Modality, View


def disc(y: int, x: int, radius: int) -> np.ndarray:
    rows, columns = np.ogrid[:256, :256]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def asked(code: str, modality: Modality = Modality.CT, mode: str = "add") -> GenerationRequest:
    edit = Edit(mode, "0" * 64, "upload:a", "1" * 64)
    view = View.AXIAL if modality == Modality.CT else View.PA
    return GenerationRequest(modality, view, findings=(Finding(code),), guidance=EDIT_GUIDANCE, edit=edit)


@pytest.mark.parametrize(
    ("area", "modality", "expected"),
    [
        (disc(100, 120, 8), Modality.CT, (68, 88, 64)),
        (disc(100, 120, 8), Modality.DX, (36, 56, 128)),
        (disc(100, 120, 30), Modality.CT, (36, 56, 128)),
        (disc(5, 250, 8), Modality.CT, (0, 192, 64)),
        (disc(100, 120, 60), Modality.CT, None),
        (disc(100, 120, 8), Modality.MR, None),
        (np.zeros((256, 256), bool), Modality.CT, None),
    ],
)
def test_the_square_holds_a_small_area_in_its_middle(
    area: np.ndarray, modality: Modality, expected: tuple[int, int, int] | None
) -> None:
    assert square(area, modality) == expected


def test_a_course_is_drawn_in_one_close_up_that_holds_its_largest_stage() -> None:
    stages = closer([asked("nodule")] * 2, [disc(100, 120, 4), disc(100, 120, 30)])
    squares = {request.edit.close_up for request in stages if request.edit}
    assert squares == {(36, 56, 128)}
    large = closer([asked("nodule")] * 2, [disc(100, 120, 4), disc(100, 120, 60)])
    assert all(request.edit and request.edit.close_up is None for request in large)


def test_only_nodules_on_ct_are_captioned_as_magnified_slices_are() -> None:
    lesion = disc(100, 120, 8)
    (nodule,) = closer([asked("nodule")], [lesion])
    assert prompts.render(nodule).startswith("magnified crop, chest ct")
    assert prompts.render_unasked(nodule).startswith("magnified crop, chest ct")
    assert nodule.guidance == NODULE_GUIDANCE
    for other in (asked("consolidation"), asked("nodule", Modality.DX)):
        (near,) = closer([other], [lesion])
        assert near.edit is not None and near.edit.close_up is not None
        expected = EDIT_GUIDANCE if other.modality == Modality.CT else FILM_CLOSE_UP_GUIDANCE
        assert "magnified" not in prompts.render(near) and near.guidance == expected


def test_what_adds_nothing_keeps_its_size() -> None:
    removed = asked("nodule", mode="remove")
    assert closer([removed], [disc(100, 120, 8)]) == (removed,)
    assert closer([removed], []) == (removed,)


def test_a_close_up_outlives_the_store_and_a_wrong_one_is_refused() -> None:
    (near,) = closer([asked("nodule")], [disc(100, 120, 8)])
    assert GenerationRequest.from_json(near.canonical_json()) == near
    with pytest.raises(RequestError, match="close-up"):
        Edit("remove", "0" * 64, "upload:a", "1" * 64, close_up=(0, 0, 64))
    with pytest.raises(RequestError, match="close-up"):
        Edit("add", "0" * 64, "upload:a", "1" * 64, close_up=(-1, 0, 64))
