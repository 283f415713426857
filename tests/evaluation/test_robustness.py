"""The table of robustness on a tiny set: counts, intervals, resuming, what it says where a goal is missed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from synth import results
from synth.evaluation import robustness, robustness_table
from synth.evaluation.attacks import ATTACKS, Attack
from synth.evaluation.robustness import Row
from tests.phantoms import film

DOCS = Path(__file__).parents[2] / "docs" / "watermark.md"


def wiped(items: object) -> list[np.ndarray]:
    return [film(256, 50)]


def test_a_run_counts_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    groups, said = {"film": robustness.marked("film", [film(256, 1)])}, list[str]()
    jpeg = next(attack for attack in ATTACKS if attack.name == "JPEG 75")
    replaced = Attack("replaced", "by another picture", None, wiped)
    first = robustness.run([jpeg], groups, tmp_path, {"seed": 1}, said.append)
    both = robustness.run([jpeg, replaced], groups, tmp_path, {"seed": 1}, said.append)
    assert both[0] == first[0] and len(said) == 2
    assert [(row.attack, row.pictures, row.detected, row.read) for row in both] == [
        ("JPEG 75", 1, 1, 1),
        ("replaced", 1, 0, 0),
    ]
    robustness.run([jpeg], groups, tmp_path, {"seed": 2}, said.append)
    assert len(said) == 3  # another protocol measures anew
    assert json.loads((tmp_path / "watermark-rows.json").read_text())["protocol"] == {"seed": 2}


def test_keys_and_payloads_differ_between_pictures() -> None:
    items = robustness.marked("film", [film(256, 1), film(256, 1)])
    assert items[0].key != items[1].key and items[0].payload != items[1].payload
    assert robustness.quality({"film": items})["film"]["lowest"] >= 45.0


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [(100, 100, 0.9638, 1.0), (0, 100, 0.0, 0.0362), (95, 100, 0.8872, 0.9836)],  # tables of the binomial
)
def test_intervals_are_clopper_and_pearsons(successes: int, count: int, low: float, high: float) -> None:
    assert robustness_table.interval(successes, count) == pytest.approx((low, high), abs=1e-4)


def test_the_table_says_what_is_reached_and_what_is_missed() -> None:
    rows = [
        Row("JPEG 50", "quality 50", 0.99, "film", 100, 100, 99, 12.0, 20.0),
        Row("JPEG 50", "quality 50", 0.99, "CT slice", 100, 96, 90, 5.0, 15.0),
        Row("flip", "left-right", None, "film", 100, 100, 100, 20.0, 30.0),
    ]
    lines = robustness_table.robustness([asdict(row) for row in rows]).splitlines()
    assert lines[2] == (
        "| JPEG 50 | quality 50 | 100 / 99 of 100 | 96 / 90 of 100 | 98.0% [95.0%, 99.5%] | 94.5% | **99% missed** |"
    )
    assert lines[3].endswith("| stated |")
    assert robustness_table.robustness([asdict(rows[0])]).endswith("| 99% reached |")


def test_the_page_on_the_mark_quotes_the_result_file() -> None:
    found, text = results.load("watermark"), DOCS.read_text(encoding="utf-8")
    assert robustness_table.page(text, found, found["protocol"], found["date"]) == text
    assert found["protocol"]["command"] in text and found["date"] in text
