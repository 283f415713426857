"""The desk: what is dealt, what counts, and that nothing tells the truth before the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from synth.casework import pool
from synth.casework.desk import FINDINGS_SCOPE, Desk
from synth.errors import PolicyError, RequestError
from synth.governance.release import Fitness
from synth.reading.answers import (
    FindingsChosen,
    FreeReport,
    RealOrSynthetic,
    SeverityOrder,
    Shape,
    Task,
    placed,
)
from synth.reading.sessions import Mode, Plan, ReadingSession
from synth.reading.studies import Protocol, Seat, Study
from synth.store import Store
from synth.types import Finding
from tests.casework.furnished import NOW, furnish, library
from tests.validated import RHEA, judge

NORMAL = FindingsChosen(normal=True)
KEY = b"a key for tests only"


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    films = library(tmp_path)
    return Desk(store, films, [*pool.of_set(store, furnish(store), films), *pool.of_library(films)], KEY)


def begun(desk: Desk, plan: Plan, name: str = "s1", reader: str = "ada", at: datetime = NOW) -> ReadingSession:
    return desk.begin(name, reader, plan, at)


def read(desk: Desk, store: Store, plan: Plan, answers: Callable[[ReadingSession, int], object]) -> ReadingSession:
    """A whole session, one answer a case."""
    session = begun(desk, plan)
    while (position := session.next_position) is not None:
        if desk.case(session, position, NOW) is None:
            break
        session = store.sittings.session(session.id)
        kept, _ = desk.answer(session, position, answers(session, position), 4.0, NOW)  # type: ignore[arg-type]
        assert kept == "kept"
        session = store.sittings.session(session.id)
    return session


def test_practice_deals_no_case_twice_and_as_many_normals_as_asked(desk: Desk, store: Store) -> None:
    plan = Plan(Mode.PRACTICE, (Task.FINDINGS,), length=10, seed=7)
    session = read(desk, store, plan, lambda session, position: NORMAL)
    cases = [dealt.item.same_case for dealt in session.dealt]
    assert len(set(cases)) == len(cases) == 10
    assert sum(dealt.item.truth.normal for dealt in session.dealt) == 5


def test_tasks_take_turns(desk: Desk, store: Store) -> None:
    plan = Plan(Mode.PRACTICE, (Task.FINDINGS, Task.REPORT), length=6, seed=7)
    answers = {Task.FINDINGS: NORMAL, Task.REPORT: FreeReport("Normal chest.")}
    session = read(desk, store, plan, lambda s, position: answers[s.dealt[position].item.task])
    assert [dealt.item.task for dealt in session.dealt] == [Task.FINDINGS, Task.REPORT] * 3


def test_a_plan_longer_than_the_cases_is_cut_to_them(desk: Desk) -> None:
    session = begun(desk, Plan(Mode.PRACTICE, (Task.SEVERITY,), length=10))
    assert session.plan.length == 1


def test_the_same_answer_twice_counts_once_and_teaches_once(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.PRACTICE, (Task.FINDINGS,), length=3, seed=1))
    desk.case(session, 0, NOW)
    session = store.sittings.session("s1")
    assert desk.answer(session, 0, NORMAL, 2.0, NOW)[0] == "kept"
    skills = store.sittings.skills("ada", FINDINGS_SCOPE)
    wrong = FindingsChosen((Finding("mass"),))
    assert desk.answer(session, 0, wrong, 2.0, NOW)[0] == "answered"
    assert store.sittings.session("s1").answers[0].answer == NORMAL
    assert store.sittings.skills("ada", FINDINGS_SCOPE) == skills
    assert sum(skill.estimate.count for skill in skills.values()) == 1


def test_an_exam_has_each_patient_once_and_the_set_share_of_normals(desk: Desk) -> None:
    plan = Plan(Mode.EXAM, (Task.FINDINGS, Task.WHERE), length=12, normal_share=0.25, seed=3)
    session = begun(desk, plan)
    assert len({dealt.item.same_case for dealt in session.dealt}) == 12
    assert sum(dealt.item.truth.normal for dealt in session.dealt) == 3


def test_an_exam_that_is_too_long_says_how_many_cases_there_are(desk: Desk) -> None:
    with pytest.raises(RequestError, match=r"needs 90 different abnormal cases; \d+ can be had"):
        begun(desk, Plan(Mode.EXAM, (Task.FINDINGS,), length=180))


def test_an_exam_with_a_way_back_takes_the_last_answer(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.EXAM, (Task.FINDINGS,), length=4, seed=3, back=True))
    other = FindingsChosen((Finding("nodule"),))
    desk.answer(session, 1, NORMAL, 2.0, NOW)
    assert desk.answer(session, 1, other, 3.0, NOW)[0] == "kept"
    answered = store.sittings.session("s1").answers
    assert (list(answered), answered[1].answer, answered[1].seconds) == ([1], other, 5.0)


def test_what_an_exam_teaches_waits_for_its_end_and_comes_once(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.EXAM, (Task.FINDINGS,), length=4, seed=3))
    for position in range(4):
        desk.answer(store.sittings.session("s1"), position, NORMAL, 2.0, NOW)
    assert store.sittings.skills("ada", FINDINGS_SCOPE) == {}
    for _ in range(2):
        desk.end(store.sittings.session("s1"), NOW)
    counts = [skill.estimate.count for skill in store.sittings.skills("ada", FINDINGS_SCOPE).values()]
    assert sum(counts) == len([code for d in session.dealt for code in d.item.truth.codes or ("normal",)]) == 4


def test_the_daily_cases_are_one_session_in_two_tabs_and_others_the_next_day(desk: Desk) -> None:
    plan = Plan(Mode.DAILY, (Task.FINDINGS,))
    first, second = begun(desk, plan), begun(desk, replace(plan, seed=99))
    tomorrow = begun(desk, plan, "s2", at=NOW + timedelta(days=1))
    cases = [[dealt.case for dealt in session.dealt] for session in (first, second, tomorrow)]
    assert cases[0] == cases[1] != cases[2]
    assert len(cases[0]) == 10


def test_what_was_missed_comes_back_when_it_is_due(desk: Desk, store: Store) -> None:
    spaced = Plan(Mode.SPACED, (Task.FINDINGS,), normal_share=0.0, seed=5)
    with pytest.raises(RequestError, match="Nothing is due to be repeated: read some cases first"):
        begun(desk, spaced)
    read(desk, store, Plan(Mode.PRACTICE, (Task.FINDINGS,), length=12, normal_share=0.0), lambda s, p: NORMAL)
    with pytest.raises(RequestError, match=r"the next is due on 2026-11-02 at 09:\d\d UTC"):
        begun(desk, spaced, "s2")
    later = NOW + timedelta(hours=1)
    session = begun(desk, spaced, "s3", at=later)
    dealt = desk.case(session, 0, later)
    assert dealt is not None and set(dealt.item.truth.codes) & {"nodule", "mass", "pleural_effusion"}


def test_a_study_asks_every_task_of_every_case_in_an_order_of_each_readers_own(desk: Desk) -> None:
    plan = Plan(Mode.STUDY, (Task.REAL_OR_SYNTHETIC, Task.WHERE), seed=11)
    one, other = begun(desk, plan, "s1", "Reader 1"), begun(desk, plan, "s2", "Reader 2")
    kept = begun(desk, replace(plan, seed=0), "s3", "Reader 1")
    orders = [[(dealt.case, dealt.item.task) for dealt in session.dealt] for session in (one, other, kept)]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert orders[0] != orders[1] and orders[2] != orders[0]
    tasks = [task for _, task in orders[0]]
    assert tasks == sorted(tasks, key=plan.tasks.index)
    assert len(set(orders[0])) == one.plan.length == len(orders[0])


def test_a_set_is_read_in_its_order_each_approved_case_once(store: Store, tmp_path: Path) -> None:
    films = library(tmp_path)
    made = furnish(store, normals=2, set_id="small")
    desk = Desk(store, films, pool.of_set(store, made, films), KEY)
    plan = Plan(Mode.PRACTICE, (Task.FINDINGS, Task.WHERE), source="small", length=200)
    session = begun(desk, plan)
    assert [dealt.sources for dealt in session.dealt] == [(f"synthetic:{entry.job}",) for entry in made.entries]
    tasks = [dealt.item.task for dealt in session.dealt]
    assert tasks[:4] == [Task.FINDINGS, Task.FINDINGS, Task.FINDINGS, Task.FINDINGS] and Task.WHERE in tasks
    assert session.plan.length == len(made.entries) and session.told
    assert desk.case(session, session.plan.length, NOW) is None


def test_a_study_teaches_nothing(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.STUDY, (Task.FINDINGS,), rated=True), reader="Reader 1")
    desk.answer(session, 0, replace(NORMAL, confidence=4), 2.0, NOW)
    assert store.sittings.skills("Reader 1", FINDINGS_SCOPE) == {}
    assert not store.sittings.session("s1").told


def test_pictures_are_named_by_what_is_seen_and_are_all_of_one_size_and_depth(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.STUDY, (Task.REAL_OR_SYNTHETIC,), seed=2))
    kinds = Counter(dealt.sources[0].partition(":")[0] for dealt in session.dealt)
    assert kinds["real"] == 10 and kinds["synthetic"] == 22
    pictures = [store.picture(dealt.item.pictures[0]) for dealt in session.dealt]
    assert {(picture.shape, picture.dtype) for picture in pictures} == {((256, 256), np.dtype(np.uint8))}
    names = [name for dealt in session.dealt for name in (dealt.item.id, *dealt.item.pictures)]
    assert all(re.fullmatch("[0-9a-f]{32,64}", name) for name in names)
    assert len(set(names)) == 2 * 32


def test_the_truth_of_a_place_lies_on_the_lesion_that_is_shown(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.STUDY, (Task.WHERE,)))
    dealt = next(dealt for dealt in session.dealt if dealt.item.truth.placed)
    area, picture = dealt.item.truth.area, store.picture(dealt.item.pictures[0])
    assert area is not None and picture[area].min() >= 200
    position = session.dealt.index(dealt)
    hit = placed(Shape.POINT, [(90.0, 90.0)], 256, 256)
    assert desk.answer(session, position, hit, 1.0, NOW)[1].grade.correct


def test_an_order_of_severity_is_graded_by_the_severities_asked_for(desk: Desk) -> None:
    session = begun(desk, Plan(Mode.EXAM, (Task.SEVERITY,), length=1, normal_share=0.0))
    ranks = session.dealt[0].item.truth.severities
    right = SeverityOrder(tuple(sorted(range(3), key=lambda number: ranks[number])))
    assert desk.answer(session, 0, right, 9.0, NOW)[1].grade.correct


def test_a_report_that_names_a_person_is_refused_and_not_kept(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.EXAM, (Task.REPORT,), length=2, seed=4))
    with pytest.raises(PolicyError):
        desk.answer(session, 0, FreeReport("Mr. John Smith, born 12.03.1950, has a left pleural effusion."), 9.0, NOW)
    assert store.sittings.session("s1").answers == {}


def test_an_answer_after_the_time_is_over_does_not_count(desk: Desk, store: Store) -> None:
    session = begun(desk, Plan(Mode.EXAM, (Task.FINDINGS,), length=3, limit_s=60.0, seed=4))
    assert desk.answer(session, 0, NORMAL, 5.0, NOW + timedelta(seconds=59))[0] == "kept"
    session = store.sittings.session("s1")
    late = NOW + timedelta(seconds=61)
    assert desk.answer(session, 1, NORMAL, 5.0, late)[0] == "ended"
    after = store.sittings.session("s1")
    assert (list(after.answers), after.ended_at, after.told) == ([0], late, True)


def test_an_answer_to_another_task_is_refused(desk: Desk) -> None:
    session = begun(desk, Plan(Mode.EXAM, (Task.FINDINGS,), length=2, seed=4))
    with pytest.raises(RequestError, match="this case asks 'findings'"):
        desk.answer(session, 0, RealOrSynthetic(3), 5.0, NOW)


def test_times_beyond_half_an_hour_count_as_half_an_hour(desk: Desk) -> None:
    session = begun(desk, Plan(Mode.EXAM, (Task.FINDINGS,), length=2, seed=4))
    assert desk.answer(session, 0, NORMAL, 86400.0, NOW)[1].seconds == 1800.0
    assert desk.answer(session, 1, NORMAL, -3.0, NOW)[1].seconds == 0.0


def test_twenty_readers_at_once_lose_nothing(store: Store, tmp_path: Path) -> None:
    films = library(tmp_path)
    desk = Desk(store, films, pool.of_set(store, furnish(store, normals=2, set_id="small"), films), KEY)
    protocol = Protocol(("small",), (Task.REAL_OR_SYNTHETIC,), 20, "Consent.")
    seats = tuple(Seat(number, f"SEAT{number:04d}") for number in range(1, 21))
    store.casebook.add_study(Study("study1", "Twenty at once", "ada", NOW, protocol, seats))
    plan = Plan(Mode.STUDY, protocol.tasks, seed=5, rated=True, study="study1")

    def sit(number: int) -> None:
        session = desk.begin(f"session{number:02d}", f"Reader {number}", plan, NOW)
        for position in range(session.plan.length):
            score = RealOrSynthetic(1 + (number + position) % 6)
            for _ in range(2):  # every reader clicks twice
                desk.answer(store.sittings.session(session.id), position, score, 1.0, NOW)
        store.sittings.end(session.id, NOW)

    with ThreadPoolExecutor(20) as readers:
        list(readers.map(sit, range(1, 21)))
    sessions = store.sittings.sessions(study="study1")
    assert len(sessions) == 20
    for session in sessions:
        number = int(session.reader.split()[1])
        given = {position: answered.answer for position, answered in session.answers.items()}
        assert given == {at: RealOrSynthetic(1 + (number + at) % 6) for at in range(session.plan.length)}


def test_a_blind_real_film_carries_a_mark_under_the_blind_key_as_drawn_ones_carry_theirs(tmp_path: Path) -> None:
    films = library(tmp_path)

    def shown(number: int, key: bytes, task: Task) -> list[str]:
        opened = Store(f"sqlite:///{tmp_path / f'{number}.db'}", f"file://{tmp_path / 'blobs'}")
        session = begun(Desk(opened, films, pool.of_library(films), key), Plan(Mode.STUDY, (task,), seed=2))
        opened.close()
        return [dealt.item.pictures[0] for dealt in session.dealt]

    first, again, other = (
        shown(number, key, Task.REAL_OR_SYNTHETIC) for number, key in enumerate((KEY, KEY, b"another key for tests"))
    )
    assert len(first) == 10 and first == again and not set(first) & set(other)
    assert shown(3, KEY, Task.FINDINGS) == shown(4, b"another key for tests", Task.FINDINGS)


def test_what_case_sets_may_not_have_is_not_dealt(store: Store, tmp_path: Path) -> None:
    films, made = library(tmp_path), furnish(store, normals=3, series=False, set_id="small")
    first, second, *rest = made.approved
    judge(store, first.job, fit=frozenset({Fitness.EXAM}))  # not for practice
    store.validation.withdraw(second.job, RHEA, "The heart is drawn twice", NOW)
    cases = pool.of_set(store, store.casebook.case_set(made.id), films)
    alone = {source for case in cases for source in case.sources}
    assert not alone & {f"synthetic:{first.job}", f"synthetic:{second.job}"}
    assert {f"synthetic:{entry.job}" for entry in rest} <= alone


def test_an_image_that_is_not_fit_for_exams_is_dealt_in_practice_alone(store: Store, tmp_path: Path) -> None:
    films, made = library(tmp_path), furnish(store, normals=3, series=False, set_id="small")
    barred = made.approved[0].job
    judge(store, barred, fit=frozenset({Fitness.PRACTICE}))
    desk = Desk(store, films, pool.of_set(store, made, films), KEY)
    plan = Plan(Mode.EXAM, (Task.FINDINGS,), source="small", length=20)
    exam = desk.begin("exam", "ada", plan, NOW)
    practice = desk.begin("practice", "ada", replace(plan, mode=Mode.PRACTICE), NOW)
    dealt = [{source for case in one.dealt for source in case.sources} for one in (exam, practice)]
    assert [f"synthetic:{barred}" in sources for sources in dealt] == [False, True]
    assert len(practice.dealt) == len(exam.dealt) + 1


def test_an_image_that_is_withdrawn_after_the_cases_were_gathered_is_not_dealt(store: Store, tmp_path: Path) -> None:
    films, made = library(tmp_path), furnish(store, normals=3, series=False, set_id="small")
    desk = Desk(store, films, pool.of_set(store, made, films), KEY)
    gone = made.approved[0].job
    store.validation.withdraw(gone, RHEA, "The heart is drawn twice", NOW)
    plan = Plan(Mode.PRACTICE, (Task.FINDINGS,), source="small", length=20)
    sources = {source for case in desk.begin("s", "ada", plan, NOW).dealt for source in case.sources}
    assert sources and f"synthetic:{gone}" not in sources
