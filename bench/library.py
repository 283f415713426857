"""`python -m bench.library --rows 50000`: the library with many images: search, filters, matching, the page itself.

Into docs/bench.md. The rows are generated and share a few drawn phantoms: no real image is needed. `--keep FOLDER`
leaves the home there, to look at: `SYNTH_HOME=FOLDER streamlit run app.py`.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.speed import ROOT, renew
from synth.library.match import match
from synth.origins import AuditEvent, Box, RealImage
from synth.store import Store
from synth.store.holding_records import FileOutcome, Holding, ImportState, Outcome, Search
from synth.types import Finding, GenerationRequest
from tests.phantoms import axial_slice, dicom_bytes, film

FINDINGS = ("pneumonia", "pleural_effusion", "consolidation", "cardiomegaly", "pneumothorax", "nodule", "atelectasis")
ORIGINS = (
    ("Generated collection A", "CC BY 4.0"),
    ("Generated collection B", "CC0 1.0"),
    ("Generated department", "unknown"),
)
PHANTOMS = 12  # different pictures behind the rows
AT_ONCE = 500
SECTION = "## The library with many images"
START = datetime(2026, 1, 1, tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.library", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=7, help="of which the median counts")
    parser.add_argument("--keep", type=Path, help="folder in which the library is left")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench.md")
    plan = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        home = (plan.keep or Path(folder)).resolve()
        filled_s = fill(home, plan.rows)
        text = report(home, plan.rows, plan.times, filled_s)
    renew(plan.out, text)
    print(text)


def fill(home: Path, rows: int) -> float:
    """Put rows into the library of a home by the way of an import; returns the seconds it took."""
    home.mkdir(parents=True, exist_ok=True)
    store = opened(home)
    pictures = [_phantom(store, number) for number in range(PHANTOMS)]
    began = time.perf_counter()
    order = {"title": "generated rows", "source": "/generated", "origin": "generated", "licence": "CC0 1.0"}
    import_id = store.imports.begin("local", order, _event("library.import"))
    store.imports.claim("bench", timedelta(minutes=5))
    random = np.random.default_rng(0)
    for start in range(0, rows, AT_ONCE):
        numbers = range(start, min(rows, start + AT_ONCE))
        files = [_file(number, pictures[number % PHANTOMS], random) for number in numbers]
        store.imports.record(import_id, "bench", files, rows, ())
    store.imports.end(import_id, "bench", ImportState.DONE, "", _event("library.imported"))
    store.close()
    return time.perf_counter() - began


def opened(home: Path) -> Store:
    return Store(f"sqlite:///{home / 'synth.db'}", f"file://{home / 'blobs'}")


def report(home: Path, rows: int, times: int, filled_s: float) -> str:
    """The section of docs/bench.md."""
    store = opened(home)
    timed = [(name, *seconds(work, times)) for name, work in [*_questions(store, rows), *_matching(store)]]
    timed += [(name, *taken) for name, taken in _page(home, times)]
    store.close()
    lines = [f"| {name} | {median:.3f} | {slowest:.3f} |" for name, median, slowest in timed]
    return "\n".join(
        [
            f"{SECTION}\n",
            f"{rows} generated rows, SQLite; added in {filled_s:.0f} s.\n",
            "| question | seconds (median) | slowest |\n|---|--:|--:|",
            *lines,
            f"\n`python -m bench.library --rows {rows}`: median of {times}, warm, {os.cpu_count()} cores.\n",
        ]
    )


def seconds(work: Callable[[], object], times: int) -> tuple[float, float]:
    """Median and slowest of some runs after a first one."""
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), max(taken)


def _questions(store: Store, rows: int) -> Iterator[tuple[str, Callable[[], object]]]:
    searches = {
        "first page": (Search(), 0),
        "deep page": (Search(), rows - 100),
        "text, two words": (Search(text="effusion department"), 0),
        "text that nothing has": (Search(text="zzz"), 0),
        "finding": (Search(finding="pneumothorax"), 0),
        "finding, view, sex, age": (Search(finding="nodule", view="PA", sex="F", age_from=40, age_to=60), 0),
        "origin and licence": (Search(origin=ORIGINS[1][0], licence=ORIGINS[1][1]), 0),
        "flag": (Search(flag="burnt_in"), 0),
        "the bin": (Search(removed=True), 0),
    }
    for name, (search, offset) in searches.items():
        yield f"search: {name}", lambda search=search, offset=offset: store.holdings.search(search, 40, offset)
    yield "what the filters offer", store.holdings.facets
    yield "ids of all", lambda: store.holdings.ids(Search())
    yield "what changed since the start", lambda: store.holdings.changes(0)


def _matching(store: Store) -> Iterator[tuple[str, Callable[[], object]]]:
    images = store.holdings.changes(0)[1]
    request = GenerationRequest(findings=(Finding("pneumothorax"),), age=55)
    yield "24 real images like a request", lambda: match(images, request, 24)


def _page(home: Path, times: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """The page without a browser, on the analytic model."""
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.testing.v1 import AppTest

    settings = {"SYNTH_HOME": str(home), "SYNTH_MODEL": "tiny", "SYNTH_STARTER": "0"}
    os.environ |= settings
    PagesManager.uses_pages_directory = False
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    page.switch_page("pages/library.py")
    for name, params in {
        "page: first": {},
        "page: a finding": {"finding": "nodule"},
        "page: number 1000": {"page": "1000"},
        "page: one image open": {"image": "row-0000001"},
    }.items():
        page.query_params.clear()
        for key, value in params.items():
            page.query_params[key] = value
        yield name, seconds(page.run, times)
        assert not page.exception and not page.error, (name, page.error, page.exception)


def _phantom(store: Store, number: int) -> tuple[str, str, int, bool]:
    """(kept file, thumbnail, side in px, whether it is CT) of a drawn picture."""
    ct = number % 4 == 3
    pixels: Any = axial_slice(512, number) if ct else film(1024, number, effusion=number % 2 == 1)
    data = dicom_bytes(pixels, RescaleSlope=1, RescaleIntercept=0) if ct else dicom_bytes(pixels)
    shown = np.clip((pixels.astype(float) + 1350) / 1500 * 255, 0, 255).astype(np.uint8) if ct else pixels
    buffer = io.BytesIO()
    Image.fromarray(shown).resize((256, 256)).save(buffer, "PNG")
    kept = f"{store._blobs.put(data, '.dcm')}.dcm"
    return kept, store._blobs.put(buffer.getvalue()), pixels.shape[0], ct


def _file(number: int, picture: tuple[str, str, int, bool], random: np.random.Generator) -> FileOutcome:
    kept, thumbnail, side, ct = picture
    codes = tuple(sorted({str(code) for code in random.choice(FINDINGS, random.integers(0, 3))})) or ("normal",)
    origin, licence = ORIGINS[int(random.integers(len(ORIGINS)))]
    image = RealImage(
        id=f"row-{number:07d}",
        path="",
        modality="CT" if ct else "DX",
        view="AXIAL" if ct else str(random.choice(["PA", "AP", "LATERAL"])),
        sex=str(random.choice(["F", "M"])),
        age=int(random.integers(1, 95)),
        findings=codes,
        origin=origin,
        licence=licence,
        body_part="CHEST",
        boxes=(Box(codes[0], 0.3, 0.4, 0.2, 0.15),) if number % 5 == 0 and codes != ("normal",) else (),
        kept=kept,
    )
    holding = Holding(
        image, f"{number:064x}", thumbnail, f"patient-{number // 3}", rows=side, columns=side,
        flags=("burnt_in",) if number % 97 == 0 else (),
    )  # fmt: skip
    return FileOutcome(f"{number:07d}.dcm", Outcome.ADDED, "", (holding,), 1)


def _event(action: str) -> AuditEvent:
    return AuditEvent(START, "local", action, "", "")


if __name__ == "__main__":
    main()
