"""Alarms are sentences with their rule; groups and days add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from synth.governance.drift import Chart, Point
from synth.governance.monitoring import (
    Alarm,
    Gate,
    Limits,
    Period,
    Spread,
    Volume,
    alarms,
    by_day,
    by_group,
)

SINCE, UNTIL = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)
DAY = date(2026, 5, 2)
QUIET = Period(SINCE, UNTIL, (Volume(DAY, "ada", "tiny", "1", "DX", 30, 3, 30),), asked=30, done=30)


def test_a_quiet_period_has_no_alarm() -> None:
    well = Chart("DX", 1.0, (Point(1.1, 1.0, 0.2, 0.1),))
    assert alarms(QUIET, [well, Chart("CT", 1.0, ())], Limits()) == ()


@pytest.mark.parametrize(
    ("changes", "sentence", "rule"),
    [
        ({"failures": 2}, "2 of 32 jobs failed.", "more than 5% of at least 20"),
        (
            {"volumes": (Volume(DAY, "ada", "tiny", "1", "DX", 30, 10, 30),)},
            "10 of 30 checked images failed a quality check.",
            "more than 30% of at least 20",
        ),
        (
            {"refusals": (("busy", 20), ("policy", 11))},
            "31 of 61 requests were refused.",
            "more than 50% of at least 20",
        ),
        (
            {"waiting": Spread(30, 4.0, 121.0)},
            "One in twenty images waited longer than 121 s.",
            "95 % wait less than 120 s",
        ),
    ],
)
def test_what_passes_its_limit_is_said(changes: dict[str, object], sentence: str, rule: str) -> None:
    assert alarms(replace(QUIET, **changes), (), Limits()) == (Alarm(sentence, rule),)  # type: ignore[arg-type]


def test_a_share_of_few_says_nothing() -> None:
    few = Period(SINCE, UNTIL, asked=19, done=0, failures=19, refusals=(("busy", 0),))
    assert alarms(few, (), Limits()) == ()


def test_drift_is_told_by_the_chart_that_saw_it() -> None:
    sudden = Chart("CT", 1.0, (Point(1.3, 1.05, 0.2, 0.1),))
    slow = Chart("DX", 1.0, (Point(1.1, 0.8, 0.2, 0.1),))
    assert [alarm.sentence for alarm in alarms(QUIET, [sudden, slow], Limits())] == [
        "The latest 10 CT images look unlike the reference.",
        "DX images have drifted away from the reference.",
    ]


def test_every_day_of_the_period_has_its_number() -> None:
    assert by_day(QUIET) == {
        "tiny DX": {date(2026, 5, 1): 0, DAY: 30, date(2026, 5, 3): 0, date(2026, 5, 4): 0},
    }


def test_who_is_in_two_groups_counts_in_both_and_who_is_in_none_as_such() -> None:
    both = replace(QUIET, volumes=(*QUIET.volumes, Volume(DAY, "tom", "tiny", "1", "CT", 5, 0, 5)))
    assert by_group(both, {"ada": ("A", "B")}) == {"A": 30, "B": 30, "no group": 5}
    assert (both.images, both.checked, both.failing) == (35, 35, 3)


def test_one_refusal_of_a_kind_and_user_in_ten_seconds_is_counted() -> None:
    gate, at = Gate(), datetime(2026, 5, 4, tzinfo=UTC)
    seconds = [0.0, 1.0, 9.9, 10.0, 15.0]
    assert [gate.passes("ada", "busy", at + timedelta(seconds=s)) for s in seconds] == [True, False, False, True, False]
    assert gate.passes("ada", "policy", at) and gate.passes("tom", "busy", at)


def test_the_gate_forgets_who_has_gone() -> None:
    gate, at = Gate(), datetime(2026, 5, 4, tzinfo=UTC)
    for number in range(10_002):
        assert gate.passes(f"user {number}", "busy", at + timedelta(seconds=number))
    assert len(gate._last) < 100
