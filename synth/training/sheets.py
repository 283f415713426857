"""Contact sheets: many pictures in one PNG, for the eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor


def save_sheet(path: Path, pictures: Tensor, columns: int = 6) -> None:
    """Write (N, 1, H, W) in [0, 1] as a grid, row by row."""
    tiles = (pictures.clamp(0, 1).float().numpy()[:, 0] * 255).round().astype(np.uint8)
    count, height, width = tiles.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * height, columns * width), np.uint8)
    for k, tile in enumerate(tiles):
        y, x = divmod(k, columns)
        sheet[y * height : (y + 1) * height, x * width : (x + 1) * width] = tile
    Image.fromarray(sheet).save(path)
