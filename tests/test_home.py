"""The house's rules come from one file of the home, which need not be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth import home
from synth.errors import RequestError
from synth.governance.rules import Rules


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert home.rules(tmp_path / "no home yet") == Rules()


def test_a_file_sets_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "governance.toml").write_text('head_minutes = 3\nheads = "/srv/heads.jsonl"\n')
    assert home.rules(tmp_path) == Rules(head_minutes=3, heads="/srv/heads.jsonl")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "governance.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RequestError, match=r"governance\.toml cannot be read: .*invalid start byte\.$"):
        home.rules(tmp_path)
