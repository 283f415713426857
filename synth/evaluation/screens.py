"""Real screenshots: a page with a film among dark furniture, drawn and captured by Chromium."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth.errors import SynthError
from synth.imaging import mark

WIDTH_PX, HEIGHT_PX = 1440, 900
SIDES_PX = (300, 700)  # of the film on the page
TOGETHER = 8  # pages in one capture
WHAT = "Chromium, 1440 x 900 dark page, visible mark burnt in, film 300-700 px beside a second one, letters over it"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
         "--no-first-run", "--disable-background-networking", "--disable-component-update")  # fmt: skip
PATIENCE_S = 120

Picture = npt.NDArray[np.uint8]

_STYLE = """body{margin:0;background:#0e1117;color:#fafafa;font:16px sans-serif}
.page{position:relative;width:1440px;height:900px;overflow:hidden}.side{position:absolute;width:240px;height:900px;
background:#262730}.side p{margin:24px}h1{position:absolute;left:290px;top:20px}img,b{position:absolute}
b{font:14px monospace;color:#9fe8a0}"""


def chromium() -> str | None:
    """The browser of this computer, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def side_of(number: int) -> int:
    """The film's side on the page, in px, drawn from the picture's number."""
    return int(np.random.default_rng([8, number]).integers(SIDES_PX[0], SIDES_PX[1] + 1))


def shots(films: Sequence[tuple[Picture, int]], beside: Picture, folder: Path) -> list[Picture]:
    """One screenshot (900, 1440) a film (pixels, number), each beside the same other picture; files go to `folder`.

    Raises SynthError where there is no Chromium or it draws nothing.
    """
    found: list[Picture] = []
    for start in range(0, len(films), TOGETHER):
        part = films[start : start + TOGETHER]
        pages = "".join(_page(mark(pixels), beside, side_of(number)) for pixels, number in part)
        whole = _captured(f"<!doctype html><style>{_STYLE}</style>{pages}", HEIGHT_PX * len(part), folder)
        found.extend(whole[HEIGHT_PX * k : HEIGHT_PX * (k + 1)] for k in range(len(part)))
    return found


def _page(film: npt.NDArray[np.generic], beside: Picture, side: int) -> str:
    return (
        '<div class="page"><div class="side"><p>Generate</p><p>Edit</p><p>Quiz</p><p>Progress</p></div>'
        f"<h1>Synthetic film</h1>{_shown(film, 290, side)}{_shown(beside, 290 + side + 24, 380)}"
        '<b style="left:300px;top:116px">R &nbsp; W 256 L 128</b></div>'
    )


def _shown(pixels: npt.NDArray[np.generic], left: int, side: int) -> str:
    return f'<img style="left:{left}px;top:110px" width="{side}" height="{side}" src="{_source(pixels)}">'


def _source(pixels: npt.NDArray[np.generic]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _captured(page: str, height: int, folder: Path) -> Picture:
    browser = chromium()
    if browser is None:
        raise SynthError("There is no Chromium on this computer; screenshots cannot be taken.")
    folder.mkdir(parents=True, exist_ok=True)
    source, target = (folder / "page.html").resolve(), (folder / "page.png").resolve()
    source.write_text(page, encoding="utf-8")
    target.unlink(missing_ok=True)
    window = (f"--window-size={WIDTH_PX},{height}", f"--user-data-dir={folder.resolve() / 'profile'}")
    command = [browser, *FLAGS, *window, f"--screenshot={target}", source.as_uri()]
    subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    if not target.is_file():
        raise SynthError("Chromium took no screenshot of the page; try it with `chromium --headless --screenshot`.")
    return np.asarray(Image.open(target).convert("L"))
