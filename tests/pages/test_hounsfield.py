"""CT in HU: on the Real images page under any window, beside a synthetic slice that has one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from synth.imaging import window_level
from synth.types import GenerationRequest, Modality, View
from synth.ui import compare, hounsfield, house
from tests.pages.conftest import finish
from tests.phantoms import axial_slice, make_library

Visit = Callable[..., AppTest]
HU = axial_slice(256)


def chart(page: AppTest) -> dict[str, Any]:
    (found,) = page.get("plotly_chart")
    return dict(json.loads(found.proto.spec))


def read(page: AppTest) -> dict[str, Any]:
    """What the reader was told of its one image."""
    (told,) = [json.loads(found.proto.json) for found in page.get("bidi_component") if found.proto.json]
    (pane,) = told["panes"]
    return dict(pane)


def films(spec: dict[str, Any]) -> list[tuple[int, int]]:
    return [(trace["zmin"], trace["zmax"]) for trace in spec["data"] if trace["type"] == "heatmap"]


def windows(spec: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What each button sets, and on which films."""
    return {b["label"]: (b["args"][0], b["args"][2]) for b in spec["layout"]["updatemenus"][0]["buttons"]}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library")))


def test_a_real_slice_keeps_its_hu_under_the_mark() -> None:
    pane = hounsfield.pane(HU, "REAL")
    assert np.array_equal(pane.measured, HU)
    assert np.array_equal(pane.shown[:200], HU[:200])
    assert pane.shown[-20:, :80].max() >= 3000  # white in every window
    assert pane.fixed is None


def test_a_synthetic_slice_is_in_hu_of_the_lung_window_alone() -> None:
    pane = hounsfield.of_greys(window_level(HU, -600, 1500), "SYNTHETIC")
    inside = HU < 149
    assert np.abs(pane.measured - HU)[inside].max() < 4
    assert (pane.measured.max(), pane.fixed) == (150, (-1350, 150))


def test_the_presets_are_those_of_the_field() -> None:
    assert [hounsfield.SCALE.window(width, level) for _, width, level in hounsfield.PRESETS] == [
        (-1350, 150),
        (-160, 240),
        (-500, 1300),
    ]


def test_of_a_real_and_a_synthetic_film_only_the_real_one_is_windowed() -> None:
    synthetic = hounsfield.of_greys(window_level(HU, -600, 1500), "SYNTHETIC")
    spec = compare.figure(synthetic, hounsfield.pane(HU, "REAL"), scale=hounsfield.SCALE).to_dict()
    assert windows(spec)["Mediastinum"] == ({"zmin": -160, "zmax": 240}, [1])
    assert {tuple(step["args"][1]) for slider in spec["layout"]["sliders"] for step in slider["steps"]} == {(1,)}


def test_a_ct_of_the_library_opens_under_presets_and_a_typed_window(app: Visit, library: None) -> None:
    page = app()
    slice_ = next(image for image in house.library().images if image.modality == "CT")
    page.switch_page("pages/library.py")
    page.query_params["image"] = slice_.id
    page.run()
    assert not page.exception and not page.error
    pane = read(page)
    assert pane["presets"] == [["Lung", 1500, -600], ["Mediastinum", 400, 40], ["Bone", 1800, 400]]
    assert (pane["kind"], pane["unit"], pane["title"], pane["window"]) == ("i16", "HU", "REAL", [1500, -600])
    assert pane["spacing"] == [0.35, 0.35]  # 256 px at 0.7 mm, shown on 512
    page.number_input(key="window_center").set_value(40)
    page.number_input(key="window_width").set_value(400).run()
    assert read(page) == {**pane, "window": [400, 40]}


def test_a_film_of_the_library_opens_in_grey_levels(app: Visit, library: None) -> None:
    page = app()
    film = next(image for image in house.library().images if image.modality == "DX")
    page.switch_page("pages/library.py").run()
    page.button(key=f"shelf-open-{film.id}").click().run()
    assert not page.exception and not page.error
    pane = read(page)
    assert (pane["kind"], pane["unit"], pane["title"], pane["window"]) == ("u8", "", "REAL", [256, 128])
    assert pane["spacing"] is None
    assert [preset[0] for preset in pane["presets"]] == ["Full", "Contrast", "Lung", "Mediastinum", "Bone"]
    assert not [field for field in page.number_input if field.key == "window_center"]


def test_an_address_of_no_image_is_one_sentence(app: Visit, library: None) -> None:
    page = app()
    page.switch_page("pages/library.py")
    page.query_params["image"] = "nothing"
    page.run()
    assert [error.value for error in page.error] == ["The library has no image 'nothing'."]


def test_beside_a_synthetic_ct_the_real_one_has_windows_and_the_reason_is_said(app: Visit, library: None) -> None:
    page = finish(app())
    job = house.engine().submit(
        GenerationRequest(modality=Modality.CT, view=View.AXIAL, model_id="tiny", steps=2), "local"
    )
    page.query_params["request"] = job.id
    page = finish(page.run())
    assert not page.exception and not page.error
    assert films(chart(page)) == [(-1350, 150), (-1350, 150)]
    assert windows(chart(page))["Bone"] == ({"zmin": -500, "zmax": 1300}, [1])
    assert hounsfield.WHY_LUNG_ONLY in [caption.value for caption in page.caption]
