"""The table of restorations: seeded damage, scores, what is recommended, and going on where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth.evaluation import restoration as table
from synth.models.tiny import TinyModel
from synth.restoration import grey
from synth.types import RESTORATIONS
from tests.phantoms import film


@pytest.mark.parametrize("kind", RESTORATIONS)
def test_damage_is_known_seeded_and_worth_restoring(kind: str) -> None:
    clean = film(256)
    first, hole = table.damaged(grey(clean), kind, 7)
    again, _ = table.damaged(grey(clean), kind, 7)
    other, _ = table.damaged(grey(clean), kind, 8)
    assert np.array_equal(first, again)
    assert (hole is not None) == (kind in ("stripes", "blocks"))
    assert np.array_equal(first, other) == kind.startswith("enlarge")  # fewer pixels need no chance
    if first.shape == clean.shape:
        assert table.score(first, clean).psnr < 45


def test_a_picture_scores_best_against_itself() -> None:
    clean = film(128)
    assert table.score(clean, clean) == table.Score(99.0, 1.0)
    assert table.score(clean, 255 - clean).ssim < 0.5


def test_a_run_is_written_row_by_row_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    out, said = tmp_path / "restoration.json", list[str]()
    groups, protocol = {"DX chest": [film(256)]}, {"steps": 2, "seed": table.SEED}
    first = table.run(TinyModel(), groups, ["enlarge_2"], out, protocol, said.append)
    both = table.run(TinyModel(), groups, ["enlarge_2", "enlarge_4"], out, protocol, said.append)
    assert len(said) == 2 and both[0] == first[0]
    kept = json.loads(out.read_text())
    assert kept["protocol"] == protocol
    assert [(row["kind"], row["group"], row["pictures"]) for row in kept["rows"]] == [
        ("enlarge_2", "DX chest", 1),
        ("enlarge_4", "DX chest", 1),
    ]
    table.run(TinyModel(), groups, ["enlarge_2"], out, protocol | {"seed": 1}, said.append)
    assert len(said) == 3  # another protocol measures anew


def test_the_table_recommends_the_baseline_where_it_wins() -> None:
    row = table.Row("MG breast", "blur", 3, None, table.Score(30.0, 0.9), table.Score(31.0, 0.8), 0.1, 2.0)
    lost = replace(row, group="CR hand", restored=table.Score(29.0, 0.95))
    assert (row.better, lost.better) == ("restored", "Wiener filter")
    lines = table.table([lost, row]).splitlines()
    assert lines[2].endswith(
        "| CR hand | 3 |  | Wiener filter | **30.00** / 0.900 | 29.00 / **0.950** | Wiener filter |"
    )
    assert lines[3].endswith("| MG breast | 3 |  | Wiener filter | 30.00 / **0.900** | **31.00** / 0.800 | restored |")
    assert lines[-1] == "Restored wins by PSNR in 1 of 2 rows, the baseline in the others."
