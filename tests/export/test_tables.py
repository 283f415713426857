"""Tables for a spreadsheet: text stays text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.export.tables import FORMULA, cell, csv_bytes


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =cmd|'/c calc'!A0"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Ada", "2026-05-04", "a=b", "", 3, 0.25])
def test_other_cells_stay_as_they_are(value: object) -> None:
    assert cell(value) == str(value)


def test_the_file_has_its_columns_first_and_empty_cells_for_what_is_missing() -> None:
    data = csv_bytes(("name", "share"), [{"name": "=Ada", "other": 1}, {"name": "Zoë, B", "share": 0.5}])
    assert data == '\ufeffname,share\r\n\'=Ada,\r\n"Zoë, B",0.5\r\n'.encode()


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_any_text_comes_back_and_none_begins_a_formula(texts: list[str]) -> None:
    data = csv_bytes(("text", "end"), [{"text": text, "end": "."} for text in texts]).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data, newline="")))[1:]
    assert [row[0] for row in rows] == [cell(text) for text in texts]
    assert not any(row[0].lstrip(" ").startswith(FORMULA) for row in rows)
