"""The count of false alarms: resumable, honest about what it is, and void for another detector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from synth.errors import RequestError
from synth.evaluation import nulls
from synth.provenance import watermark
from tests.phantoms import film


def pictures(count: int) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    for number in range(count):
        yield f"phantom-{number}", film(96, number)


def test_a_stopped_run_goes_on_and_a_half_line_is_looked_at_again(tmp_path: Path) -> None:
    first = nulls.run(pictures(5), 2, tmp_path)
    path = tmp_path / nulls.FILE
    before = path.read_text()
    path.write_text(before + '{"id": "phantom-2", "z": 5.')
    assert nulls.bound(tmp_path) == first  # reading leaves the file to the one who writes it
    found = nulls.run(pictures(5), 3, tmp_path)
    assert path.read_text().startswith(before)
    assert [row["id"] for row in nulls.rows(tmp_path)] == ["phantom-0", "phantom-1", "phantom-2"]
    assert (found.pictures, found.alarms) == (3, 0)
    assert 0 < found.largest_z < 8 and -6 < found.lowest_log10_p <= 0


def test_a_line_holds_no_pixels(tmp_path: Path) -> None:
    nulls.run(pictures(1), 1, tmp_path)
    [line] = (tmp_path / nulls.FILE).read_text().splitlines()
    assert set(json.loads(line)) == {"id", "z", "log10_p", "state", "detector"}


def test_a_marked_picture_is_an_alarm(tmp_path: Path) -> None:
    marked = np.asarray(watermark.embed(film(256), 1, nulls.key("one")), np.uint8)
    found = nulls.run([("one", marked)], 1, tmp_path)
    assert (found.pictures, found.alarms, found.upper) == (1, 1, 1.0)


def test_lines_of_another_detector_are_refused(tmp_path: Path) -> None:
    row = {"id": "a", "z": 5.0, "log10_p": 0.0, "state": "not detected", "detector": watermark.DETECTOR + 1}
    (tmp_path / nulls.FILE).write_text(json.dumps(row) + "\n")
    with pytest.raises(RequestError, match="another version"):
        nulls.bound(tmp_path)


@pytest.mark.parametrize(("alarms", "count", "upper"), [(0, 10_000, 2.995e-4), (0, 1, 0.95), (1, 10_000, 4.743e-4)])
def test_the_bound_is_clopper_and_pearsons(alarms: int, count: int, upper: float) -> None:
    assert nulls.upper(alarms, count) == pytest.approx(upper, rel=1e-3)
