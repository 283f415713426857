"""A shard of phantoms: the smallest data on which every task of the training can be drawn."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from synth.imaging import LUNG_CENTER_HU, LUNG_WIDTH_HU, window_level
from tests.phantoms import axial_slice, film

FINDINGS = (["No Finding"], ["Pneumonia", "bacterial"], ["Effusion"], ["No Finding"])


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one parquet shard: 24 films, 8 CT slices and 4 pairs, split into train, val and test."""
    folder = tmp_path_factory.mktemp("shards")
    rows = [_film_row(k) for k in range(24)] + [_slice_row(k) for k in range(8)]
    rows += [_pair_row(k, modality) for k in range(4) for modality in ("CT", "MR")]
    parquet.write_table(pa.Table.from_pylist(rows), folder / "phantoms-00.parquet")
    return folder


def _row(name: str, picture: np.ndarray, **columns: Any) -> dict[str, Any]:
    split = ("train", "train", "val", "test")[int(name.split("-")[1]) % 4]
    height, width = picture.shape
    empty = {"mask": None, "mask_kind": None, "pair_id": None, "sex": None, "age": None, "boxes": None}
    known = {"id": name, "image": _png(picture), "width": width, "height": height, "patient": name, "split": split}
    return {**empty, **known, "licence": "none", **columns}


def _film_row(k: int) -> dict[str, Any]:
    findings = FINDINGS[k // 4 % 4]
    boxes = [{"finding": "Lung Opacity", "x": 0.6, "y": 0.5, "w": 0.2, "h": 0.2}] if "Pneumonia" in findings else None
    y, x = np.mgrid[-1:1:224j, -1:1:224j]
    lungs = ((np.abs(x) - 0.4) / 0.28) ** 2 + ((y + 0.08) / 0.55) ** 2 < 1
    return _row(
        f"film-{k}",
        film(224, k, "Effusion" in findings),
        mask=_png((lungs * 255).astype(np.uint8)),
        mask_kind="lung, manual",
        modality="DX",
        body_part="CHEST",
        view="PA" if k % 2 else "AP",
        sex="M" if k % 2 else "F",
        age=float(30 + k),
        findings=findings,
        boxes=boxes,
        origin="NIH ChestX-ray14",
    )


def _slice_row(k: int) -> dict[str, Any]:
    picture = window_level(axial_slice(256, k), LUNG_CENTER_HU, LUNG_WIDTH_HU)
    labels = {"findings": ["No COVID-19"], "origin": "SARS-CoV-2 CT-scan"}
    return _row(f"slice-{k}", picture, modality="CT", body_part="CHEST", view="axial, lung window", **labels)


def _pair_row(k: int, modality: str) -> dict[str, Any]:
    picture = film(256, 100 + k) if modality == "CT" else 255 - film(256, 100 + k)
    labels = {"findings": None, "origin": "Harvard Whole Brain Atlas", "pair_id": f"pair-{k}"}
    return _row(f"pair{modality}-{k}", picture, modality=modality, body_part="BRAIN", view="axial", **labels)


def _png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
