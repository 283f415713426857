"""The command of the watermark's table, whole, on a handful of phantoms and one picture of the shipped model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from synth import results
from synth.evaluation.__main__ import main
from synth.imaging import LUNG_CENTER_HU, LUNG_WIDTH_HU, window_level
from tests.phantoms import axial_slice, film, png


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """A folder with four films and two slices, each slice with an outlined lesion, all of the test split."""
    rows = [_row(f"film-{k}", film(224, k), "DX", None) for k in range(4)]
    area = np.zeros((256, 256), np.uint8)
    area[100:130, 80:120] = 255
    for k in range(2):
        picture = window_level(axial_slice(256, k), LUNG_CENTER_HU, LUNG_WIDTH_HU)
        rows.append(_row(f"slice-{k}", picture, "CT", png(area)))
    folder = tmp_path / "data"
    folder.mkdir()
    parquet.write_table(pa.Table.from_pylist(rows), folder / "phantoms-00.parquet")
    return folder


def _row(name: str, picture: np.ndarray, modality: str, mask: bytes | None) -> dict[str, object]:
    height, width = picture.shape
    empty = dict.fromkeys(("mask_kind", "pair_id", "sex", "age", "boxes"))
    known = {"id": name, "image": png(picture), "mask": mask, "width": width, "height": height, "modality": modality}
    told = {"body_part": "CHEST", "view": "PA" if modality == "DX" else "axial, lung window", "patient": name}
    origin = {"DX": "NIH ChestX-ray14", "CT": "SARS-CoV-2 CT-scan"}[modality]
    return {**empty, **known, **told, "findings": ["No Finding"], "origin": origin, "licence": "none", "split": "test"}


@pytest.mark.slow
def test_the_command_measures_nulls_and_then_the_table(
    shard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, shipped = tmp_path / "out", (results.FOLDER / "watermark.json").read_bytes()
    common = ["watermark", "--data", str(shard), "--out", str(out)]
    assert main([*common, "--nulls", "2"]) == 0
    assert "0 false alarms among 2 unmarked real pictures" in capsys.readouterr().out
    assert main([*common, "--count", "1"]) == 0
    said = capsys.readouterr().out
    assert "| none | as it left | 1 / 1 of 1 | 1 / 1 of 1 | 1 / 1 of 1 | 100.0%" in said
    assert (
        "Unmarked real pictures so far: 2, false alarms 0" in said
        and "With a known lesion protected (2 slices)" in said
    )
    assert len(json.loads((out / "watermark-rows.json").read_text())["rows"]) >= 3 * 24
    assert (results.FOLDER / "watermark.json").read_bytes() == shipped  # a trial never becomes the published table
