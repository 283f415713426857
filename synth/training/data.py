"""The training images in memory: parquet shards to one array of 256 x 256 pictures with their labels and masks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth.errors import RequestError

SIZE_PX = 256
_LABELS = ["modality", "body_part", "view", "sex", "age", "findings", "boxes", "patient", "origin", "licence", "split"]
_COLUMNS = ["id", "mask", "mask_kind", "pair_id", "width", "height", *_LABELS]
_STRETCH_MAX = 1.3  # films up to this aspect ratio are stretched to a square, as the square sources were


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """N pictures: `pixels` (N, 256, 256) uint8; `rows` their labels; `masks` row index -> (256, 256) bool."""

    pixels: npt.NDArray[np.uint8]
    rows: list[dict[str, Any]]
    masks: dict[int, npt.NDArray[np.bool_]]

    def where(self, **wanted: str) -> npt.NDArray[np.int64]:
        """Indices of the rows whose columns equal all of `wanted`."""
        keep = [i for i, row in enumerate(self.rows) if all(row[key] == value for key, value in wanted.items())]
        return np.array(keep, dtype=np.int64)


def load(folder: Path, limit: int | None = None, wanted: Callable[[dict[str, Any]], bool] | None = None) -> Collection:
    """Read every parquet shard of `folder`, at most `limit` rows each, all or the `wanted`.

    Raises RequestError when there is none.
    """
    import pyarrow.parquet as parquet

    shards = _shards(folder)
    rows: list[dict[str, Any]] = []
    codes: list[bytes] = []
    for shard in shards:
        table = parquet.read_table(shard, columns=[*_COLUMNS, "image"])
        part = (table.slice(0, limit) if limit else table).to_pylist()
        for row in part:
            image = row.pop("image")
            if wanted is not None and not wanted(row):
                continue
            codes.append(_code(image))
            rows.append(row)
    pixels = np.empty((len(rows), SIZE_PX, SIZE_PX), np.uint8)
    with ThreadPoolExecutor() as pool:
        for index, picture in enumerate(pool.map(_picture, codes, rows, chunksize=64)):
            pixels[index] = picture
    masks = {i: _mask(row) for i, row in enumerate(rows) if row["mask"]}
    for row in rows:
        row["mask"] = None  # kept once, as an array
    return Collection(pixels, rows, masks)


def published(folder: Path) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """Every picture of every shard with its id, (H, W) uint8 as it was published, one after another.

    Raises RequestError when there is none.
    """
    import pyarrow.parquet as parquet

    for shard in _shards(folder):
        for batch in parquet.ParquetFile(shard).iter_batches(64, columns=["id", "image"]):
            for row in batch.to_pylist():
                yield row["id"], np.asarray(Image.open(io.BytesIO(_code(row["image"]))).convert("L"))


def _shards(folder: Path) -> list[Path]:
    shards = sorted(folder.glob("*.parquet"))
    if not shards:
        raise RequestError(f"The folder {folder} holds no .parquet shard; --data must name the folder with the shards.")
    return shards


def _code(image: bytes | dict[str, bytes]) -> bytes:
    return image["bytes"] if isinstance(image, dict) else image


def _picture(code: bytes, row: dict[str, Any]) -> npt.NDArray[np.uint8]:
    return np.asarray(_square(Image.open(io.BytesIO(code)).convert("L"), row, Image.Resampling.BICUBIC))


def _mask(row: dict[str, Any]) -> npt.NDArray[np.bool_]:
    mask = Image.open(io.BytesIO(_code(row["mask"]))).convert("L")
    if mask.size != (row["width"], row["height"]):
        mask = mask.resize((row["width"], row["height"]), Image.Resampling.NEAREST)
    return np.asarray(_square(mask, row, Image.Resampling.BILINEAR)) > 127


def _square(image: Image.Image, row: dict[str, Any], how: Image.Resampling) -> Image.Image:
    """To 256 x 256: films are stretched, everything else is fitted on black (outside the body it is black anyway)."""
    width, height = image.size
    ratio = max(width, height) / min(width, height)
    if ratio == 1.0 or (row["modality"] == "DX" and ratio <= _STRETCH_MAX):
        return image.resize((SIZE_PX, SIZE_PX), how)
    scale = SIZE_PX / max(width, height)
    inner = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), how)
    canvas = Image.new("L", (SIZE_PX, SIZE_PX), 0)
    canvas.paste(inner, ((SIZE_PX - inner.width) // 2, (SIZE_PX - inner.height) // 2))
    return canvas
