"""Progress from hand-made tables: days, findings, weeks, confusions, what comes next, and what is not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from synth.errors import RequestError
from synth.reading import progress, spacing
from synth.reading.answers import Change, ChangesSeen, Direction, FreeReport, Shape, Task, placed
from synth.reading.choice import NORMAL, SYNTHETIC, Estimate
from synth.reading.items import Item, Truth, opaque_id
from synth.reading.performance import wilson
from synth.reading.progress import NOT_THERE, UNNAMED, Confusion, Read, Streak
from synth.reading.reads import REAL
from synth.reading.sessions import Dealt, Mode
from tests.sittings import NOON, dealt, named, rated, read, sitting

TODAY = date(2026, 5, 4)  # a Monday
BERLIN, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")
DAY = timedelta(days=1)


def at(moment: datetime, correct: bool | None = True, **more: object) -> Read:
    return replace(Read("s", 0, moment, Task.FINDINGS, Mode.PRACTICE, 5.0, correct), **more)  # type: ignore[arg-type]


def told(case: Dealt, answer: object) -> Read:
    (one,) = progress.reads(read(sitting("s1", case), answer))  # type: ignore[arg-type]
    return one


def test_an_answer_is_read_with_its_task_time_and_grade() -> None:
    cases = (dealt("lung", "pneumonia", "nodule"), dealt("clear"))
    session = read(sitting("s1", *cases), named("pneumonia"), named())
    first, second = progress.reads(session)
    assert first == Read(
        "s1", 0, NOON, Task.FINDINGS, Mode.PRACTICE, 7.5, False, pytest.approx(2 / 3),
        (("pneumonia", True), ("nodule", False)), (("pneumonia", "pneumonia"), ("nodule", UNNAMED)),
    )  # fmt: skip
    assert (second.codes, second.called, second.correct) == (((NORMAL, True),), ((NORMAL, NORMAL),), True)


@pytest.mark.parametrize(("mode", "ended"), [(Mode.EXAM, False), (Mode.STUDY, False), (Mode.STUDY, True)])
def test_an_exam_that_runs_and_a_study_count_as_read_and_tell_nothing(mode: Mode, ended: bool) -> None:
    session = read(sitting("s1", dealt("lung", "pneumonia"), mode=mode), named("pneumonia"))
    (one,) = progress.reads(replace(session, ended_at=NOON if ended else None))
    assert one == Read("s1", 0, NOON, Task.FINDINGS, mode, 7.5)
    assert progress.findings([one], {}, {}, NOON) == ()
    assert progress.weekly([one], UTC) == ()
    assert progress.confusions([one]) == ()
    assert progress.days([one], UTC) == {TODAY: 1}


def test_an_exam_is_told_once_it_has_ended() -> None:
    session = read(sitting("s1", dealt("lung", "pneumonia"), mode=Mode.EXAM), named("pneumonia"))
    (one,) = progress.reads(replace(session, ended_at=NOON))
    assert (one.correct, one.codes) == (True, (("pneumonia", True),))


def test_a_case_whose_picture_was_lost_counts_for_nothing() -> None:
    session = sitting("s1", replace(dealt("lung", "pneumonia"), void=True), dealt("clear"))
    assert [one.position for one in progress.reads(read(session, named(), named()))] == [1]


@pytest.mark.parametrize(
    ("synthetic", "score", "right", "pair"),
    [
        (True, 6, True, (SYNTHETIC, SYNTHETIC)),
        (True, 2, False, (SYNTHETIC, REAL)),
        (False, 1, True, (REAL, REAL)),
        (False, 5, False, (REAL, SYNTHETIC)),
    ],
)
def test_real_or_synthetic_is_judged_by_origin_and_not_by_finding(
    synthetic: bool, score: int, right: bool, pair: tuple[str, str]
) -> None:
    one = told(dealt("x", "pneumonia", task=Task.REAL_OR_SYNTHETIC, synthetic=synthetic), rated(score))
    assert (one.codes, one.called) == (((pair[0], right),), (pair,))


@pytest.mark.parametrize(
    ("true", "said", "pairs"),
    [
        (("pneumonia",), ("pneumonia",), [("pneumonia", "pneumonia")]),
        (("pneumonia",), ("consolidation",), [("pneumonia", "consolidation")]),  # of its family
        (("nodule",), ("edema",), [("nodule", "edema")]),
        (("nodule",), (), [("nodule", UNNAMED)]),
        ((), ("edema", "nodule"), [(NORMAL, "edema"), (NORMAL, "nodule")]),
        (("nodule",), ("nodule", "edema"), [("nodule", "nodule"), (NOT_THERE, "edema")]),
        (("nodule", "hernia"), ("edema",), [("nodule", "edema"), ("hernia", UNNAMED)]),
        (("nodule",), ("edema", "hernia"), [("nodule", "edema"), (NOT_THERE, "hernia")]),
    ],
)
def test_what_was_named_instead_is_paired_with_what_is_so(
    true: tuple[str, ...], said: tuple[str, ...], pairs: list[tuple[str, str]]
) -> None:
    assert list(told(dealt("x", *true), named(*said)).called) == pairs


def test_a_report_without_the_side_is_right_where_its_grade_is() -> None:
    case = dealt("x", "pneumonia", task=Task.REPORT)
    one = told(case, FreeReport("Pneumonia."))
    assert (one.correct, one.codes, one.called) == (True, (("pneumonia", True),), (("pneumonia", "pneumonia"),))


def test_changes_are_found_missed_and_called_as_findings_are() -> None:
    truth = Truth(changes=(Change("nodule", Direction.APPEARED),))
    case = Dealt(Item(opaque_id("c"), Task.CHANGE, ("a", "b"), truth), "c", ("synthetic:a", "synthetic:b"))
    right = told(case, ChangesSeen((Change("nodule", Direction.APPEARED),)))
    other = told(case, ChangesSeen((Change("edema", Direction.APPEARED),)))
    assert (right.codes, right.called) == ((("nodule", True),), (("nodule", "nodule"),))
    assert (other.codes, other.called) == ((("nodule", False),), (("nodule", "edema"),))


def test_a_place_counts_for_its_finding_and_confuses_nothing() -> None:
    case = dealt("x", "nodule", task=Task.WHERE)
    hit = told(case, placed(Shape.BOX, [(40, 20), (50, 29)], 64, 64))
    miss = told(case, placed(Shape.NONE, [], 64, 64))
    assert (hit.codes, hit.called, hit.correct) == ((("nodule", True),), (), True)
    assert (miss.codes, miss.correct) == ((("nodule", False),), False)


def test_a_day_is_one_of_the_readers_own_time_zone() -> None:
    late = at(datetime(2026, 5, 3, 22, 30, tzinfo=UTC))
    assert progress.days([late], UTC) == {TODAY - DAY: 1}
    assert progress.days([late], BERLIN) == {TODAY: 1}
    assert progress.days([late, late], AUCKLAND) == {TODAY: 2}


@pytest.mark.parametrize(
    ("back", "streak"),
    [
        ([], Streak(0, 0, False)),
        ([0], Streak(1, 1, True)),
        ([1], Streak(1, 1, False)),  # today is not over
        ([2], Streak(0, 1, False)),
        ([0, 1, 2], Streak(3, 3, True)),
        ([1, 2, 3], Streak(3, 3, False)),
        ([0, 2, 3, 4], Streak(1, 3, True)),
        ([2, 3, 4, 5], Streak(0, 4, False)),
        ([-1, 0], Streak(1, 1, True)),  # a clock that was put back
    ],
)
def test_a_streak_is_days_in_a_row_and_lasts_until_the_day_is_over(back: list[int], streak: Streak) -> None:
    assert progress.streak([TODAY - number * DAY for number in back], TODAY) == streak


def test_a_streak_goes_through_the_night_that_is_an_hour_longer() -> None:
    nights = [datetime(2026, 10, day, 23, 30, tzinfo=BERLIN) for day in (24, 25, 26)]  # the clocks change on the 25th
    days = progress.days([at(night.astimezone(UTC)) for night in nights], BERLIN)
    assert progress.streak(days, date(2026, 10, 26)).days == 3


def test_the_strip_shows_whole_weeks_up_to_today() -> None:
    thursday = TODAY + 3 * DAY
    strip = progress.strip({TODAY: 4, TODAY - 77 * DAY: 2, TODAY - 78 * DAY: 9}, thursday)
    assert len(strip) == 11 * 7 + 4
    assert (strip[0], strip[-1]) == ((TODAY - 77 * DAY, 2), (thursday, 0))
    assert dict(strip)[TODAY] == 4
    assert sum(count for _, count in strip) == 6


def card(rating: int, when: datetime) -> str:
    return spacing.reviewed(spacing.new_card("nodule", when), rating, when)


def test_findings_are_listed_with_what_was_right_and_what_is_known_the_weakest_first() -> None:
    answers = [
        at(NOON, codes=(("nodule", True), ("edema", False))),
        at(NOON, codes=(("nodule", False),)),
        at(NOON, codes=((NORMAL, True),)),
    ]
    cards = {"nodule": card(3, NOON), "hernia": spacing.new_card("hernia", NOON)}
    skills = {"nodule": Estimate(1.0, 2), "edema": Estimate(-1.0, 1), "hernia": Estimate()}
    rows = progress.findings(answers, skills, cards, NOON)
    assert [row.code for row in rows] == ["edema", "nodule", "hernia", NORMAL]
    edema, nodule, hernia, normal = rows
    assert nodule.right is not None
    assert (nodule.right.successes, nodule.right.total, nodule.right.interval) == (1, 2, wilson(1, 2))
    assert (nodule.chance, edema.chance) == (pytest.approx(0.7311, abs=1e-4), pytest.approx(0.2689, abs=1e-4))
    assert (nodule.recall, nodule.due) == (pytest.approx(1.0), spacing.next_due(cards["nodule"]))
    assert (edema.recall, edema.due) == (None, None)
    assert (hernia.right, hernia.chance, hernia.recall, hernia.due) == (None, None, 0.0, NOON)
    assert (normal.right is not None, normal.chance, normal.due) == (True, None, None)


def test_recall_fades() -> None:
    kept = card(3, NOON)
    (now,) = progress.findings([], {}, {"nodule": kept}, NOON)
    (later,) = progress.findings([], {}, {"nodule": kept}, NOON + 30 * DAY)
    assert now.recall is not None and later.recall is not None
    assert later.recall < now.recall


def test_what_is_due_comes_first_and_what_follows_in_its_order() -> None:
    cards = {"nodule": card(1, NOON - DAY), "edema": card(4, NOON), "hernia": card(3, NOON)}
    coming = progress.coming_up(cards, NOON)
    assert [entry.code for entry in coming.due] == ["nodule"]
    assert [code for code, _ in coming.later] == ["hernia", "edema"]
    assert all(when > NOON for _, when in coming.later)
    assert progress.coming_up({}, NOON) == progress.ComingUp((), ())


def test_a_card_that_cannot_be_read_is_one_sentence() -> None:
    with pytest.raises(RequestError, match=r"^The stored card cannot be read: [^\n]*\.$"):
        progress.coming_up({"nodule": "{}"}, NOON)
    with pytest.raises(RequestError, match=r"^The stored card cannot be read: [^\n]*\.$"):
        progress.findings([], {}, {"nodule": "{}"}, NOON)


def test_weeks_begin_on_the_readers_monday_and_hold_only_what_is_told() -> None:
    sunday = datetime(2026, 5, 3, 23, 0, tzinfo=UTC)
    answers = [at(sunday), at(sunday, False), at(NOON), at(NOON, None), at(NOON - 14 * DAY, False)]
    weeks = progress.weekly(answers, UTC)
    assert [(week.monday, week.right.successes, week.right.total) for week in weeks] == [
        (date(2026, 4, 20), 0, 1),
        (date(2026, 4, 27), 1, 2),
        (date(2026, 5, 4), 1, 1),
    ]
    assert weeks[1].right.interval == wilson(1, 2)
    assert [week.monday for week in progress.weekly(answers[:2], BERLIN)] == [date(2026, 5, 4)]


def test_confusions_are_counted_the_most_frequent_first() -> None:
    answers = [
        at(NOON, called=(("nodule", "edema"), (NORMAL, "edema"))),
        at(NOON, called=(("nodule", "edema"),)),
        at(NOON, called=(("edema", "edema"),)),
    ]
    assert progress.confusions(answers) == (
        Confusion("nodule", "edema", 2),
        Confusion("edema", "edema", 1),
        Confusion(NORMAL, "edema", 1),
    )


def test_the_history_begins_with_the_latest() -> None:
    old, new, same = at(NOON), at(NOON + DAY), at(NOON, position=1)
    assert progress.latest_first([old, new, same]) == (new, same, old)
    assert len({one.key for one in (old, same)}) == 2
