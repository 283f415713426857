"""Result files: what is written is read back, with the model and the commit that it belongs to."""

from __future__ import annotations

from pathlib import Path

from synth import results
from synth.types import ModelCard


def test_figures_come_back_with_what_made_them(tmp_path: Path) -> None:
    card = ModelCard("m", "M", "7", {"a": "0" * 64}, "none", "none", 256, "tests", "all")
    results.save("some", card, {"split": "test"}, {"dice": 0.123456, "rows": [{"n": 3}]}, tmp_path)
    found = results.load("some", tmp_path)
    assert (found["model"], found["revision"], found["weights"]) == ("m", "7", card.weights_hash())
    assert (found["dice"], found["rows"], found["protocol"]) == (0.1235, [{"n": 3}], {"split": "test"})


def test_what_was_never_measured_is_empty(tmp_path: Path) -> None:
    assert results.load("nothing", tmp_path) == {}
