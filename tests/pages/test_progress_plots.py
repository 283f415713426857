"""The figures of progress."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from synth.reading.choice import NORMAL
from synth.reading.learning import Week
from synth.reading.performance import proportion
from synth.reading.progress import NOT_THERE, UNNAMED, Confusion
from synth.ui import progress_plots

MONDAY = date(2026, 5, 4)


def week(number: int, right: int, total: int) -> Week:
    share = proportion(right, total)
    assert share is not None
    return Week(MONDAY + timedelta(weeks=number), share)


def test_a_day_stands_under_its_week_and_says_its_answers() -> None:
    days = [(MONDAY + timedelta(days=number), number) for number in range(9)]
    (squares,) = progress_plots.strip(days).data
    assert [list(row) for row in squares.z] == [[0, 7], [1, 8], [2, None], [3, None], [4, None], [5, None], [6, None]]
    assert (squares.text[1][0], squares.text[1][1]) == ("Tue 5 May: 1 answer", "Tue 12 May: 8 answers")


def test_a_busy_day_is_as_bright_as_can_be() -> None:
    (squares,) = progress_plots.strip([(MONDAY, 999)]).data
    assert (squares.z[0][0], squares.zmax, squares.text[0][0]) == (10, 10, "Mon 4 May: 999 answers")


def test_a_line_has_its_interval_as_a_band() -> None:
    weeks = [week(0, 1, 2), week(2, 3, 4)]
    high, low, line = progress_plots.curve({"Findings": weeks}).data
    assert list(line.y) == [50.0, 75.0]
    assert list(high.y) == [pytest.approx(100 * one.right.interval.high) for one in weeks]
    assert list(low.y) == [pytest.approx(100 * one.right.interval.low) for one in weeks]
    assert line.error_y.array is None
    assert (low.fill, line.name) == ("tonexty", "Findings")


def test_a_single_week_has_its_interval_as_a_bar() -> None:
    only = week(0, 1, 2)
    *_, line = progress_plots.curve({"Findings": [only]}).data
    assert line.error_y.array[0] == pytest.approx(100 * (only.right.interval.high - 0.5))
    assert line.error_y.arrayminus[0] == pytest.approx(100 * (0.5 - only.right.interval.low))


def test_hits_and_errors_are_told_apart_and_stand_in_the_order_of_their_names() -> None:
    pairs = [
        Confusion("b", "b", 3),
        Confusion("b", UNNAMED, 2),
        Confusion(NORMAL, "a", 4),
        Confusion(NOT_THERE, "a", 1),
        Confusion("a", "a", 1),
    ]
    hits, errors = progress_plots.confusion(pairs, str.upper).data
    assert list(hits.y) == ["NORMAL", "A", "B", "NOT_THERE"]
    assert list(hits.x) == ["A", "B", "UNNAMED"]
    assert [list(row) for row in hits.z] == [[None] * 3, [1, None, None], [None, 3, None], [None] * 3]
    assert [list(row) for row in errors.z] == [[4, None, None], [None] * 3, [None, None, 2], [1, None, None]]


def test_of_many_findings_the_most_frequent_are_shown() -> None:
    pairs = [Confusion(f"f{number:02}", f"f{number:02}", number) for number in range(1, 21)]
    hits, _ = progress_plots.confusion(pairs, str).data
    assert list(hits.y) == [f"f{number:02}" for number in range(9, 21)]
