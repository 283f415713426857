"""Sittings in the store: what was dealt and answered comes back whole, and the rules of what counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from synth.errors import StoreError
from synth.reading.answers import FreeReport, Shape, Task, placed
from synth.reading.choice import Estimate
from synth.reading.sessions import Answered, Dealt, Mode, ReadingSession
from synth.store import Store
from synth.store.sittings import Learn, Skill, Skills
from tests.sittings import NOON, answered, dealt, named, rated, sitting, study

LUNG = dealt("lung", "pneumonia", history="Fever. Ünïcode 漢字", teaching="Look behind the heart.")
CLEAR = dealt("clear")
NOBODY = "There is no reading session 'nobody'."


def same(one: ReadingSession, other: ReadingSession) -> bool:
    """Equal to the last value; what was dealt is compared by its JSON, as pictures have no equality."""
    return told(one) == told(other)


def told(session: ReadingSession) -> tuple[object, ...]:
    cases = [(d.item.to_json(), d.case, d.sources, d.history, d.teaching) for d in session.dealt]
    return session.id, session.reader, session.plan, session.started_at, session.ended_at, cases, session.answers


def learnt(code: str = "pneumonia", card: str = "{}") -> Learn:
    """One more answer of `code`, and a case that was easier than thought."""

    def learn(known: Skills, difficulty: Estimate) -> tuple[Skills, Estimate]:
        before = known.get(code, Skill(Estimate())).estimate
        return dict(known) | {code: Skill(before.moved(0.5), card)}, difficulty.moved(-0.5)

    return learn


def test_a_session_comes_back_with_everything_dealt_and_answered(store: Store) -> None:
    where = dealt("where", "nodule", task=Task.WHERE)
    begun = sitting("s1", LUNG, CLEAR, where, tasks=(Task.FINDINGS, Task.WHERE), seed=7, limit_s=600.0)
    first = replace(answered(0, LUNG, named("pneumonia")), opinion='{"pneumonia":0.5}')
    first = replace(first, revised=named(), revised_grade=answered(0, LUNG, named()).grade)
    second = answered(1, CLEAR, named("edema", "nodule"), seconds=0.125)
    third = answered(2, where, placed(Shape.BOX, [(39.5, 19.25), (50, 30)], 64, 64, 5))

    assert store.sittings.begin(begun) is begun
    assert [store.sittings.answer("s1", one) for one in (third, first, second)] == ["kept"] * 3

    back = store.sittings.session("s1")
    assert same(back, replace(begun, answers={0: first, 1: second, 2: third}))
    assert back.answers[0].grade.codes(first.grade.verdicts[0].outcome) == ("pneumonia",)


def test_times_of_other_zones_come_back_as_the_same_moment(store: Store) -> None:
    away = NOON.astimezone(timezone(timedelta(hours=13)))
    store.sittings.begin(sitting("s1", LUNG, start=away))
    store.sittings.answer("s1", answered(0, LUNG, named(), at=away))
    back = store.sittings.session("s1")
    assert (back.started_at, back.answers[0].at) == (NOON, NOON)
    assert back.started_at.utcoffset() == timedelta(0)


def test_a_session_begun_twice_stays_the_first(store: Store) -> None:
    first = sitting("s1", LUNG)
    store.sittings.begin(first)
    kept = store.sittings.begin(sitting("s1", CLEAR, reader="Bob"))
    assert same(kept, first)
    assert same(store.sittings.session("s1"), first)


def test_a_phase_of_a_study_has_one_session_a_reader(store: Store) -> None:
    store.casebook.add_study(study(phases=2))
    plan = {"mode": Mode.STUDY, "study": "study-1"}
    store.sittings.begin(sitting("s1", LUNG, **plan))
    assert store.sittings.begin(sitting("s2", CLEAR, **plan)).id == "s1"
    assert store.sittings.begin(sitting("s3", CLEAR, phase=1, **plan)).id == "s3"
    assert store.sittings.begin(sitting("s4", CLEAR, reader="Bob", **plan)).id == "s4"
    assert [one.id for one in store.sittings.sessions(study="study-1")] == ["s4", "s3", "s1"]


def test_sessions_are_listed_the_latest_first_by_reader_and_by_set(store: Store) -> None:
    for number, reader in enumerate(("Ada", "Bob", "Ada")):
        store.sittings.begin(sitting(f"s{number}", LUNG, reader=reader, source="set-1" if number else ""))
    assert [one.id for one in store.sittings.sessions()] == ["s2", "s1", "s0"]
    assert [one.id for one in store.sittings.sessions("Ada")] == ["s2", "s0"]
    assert [one.id for one in store.sittings.sessions(source="set-1")] == ["s2", "s1"]
    assert [one.id for one in store.sittings.sessions(limit=1)] == ["s2"]
    assert store.sittings.sessions("Cleo") == []


def test_the_stamp_of_a_session_changes_with_each_answer_and_at_its_end(store: Store) -> None:
    plan = {"mode": Mode.EXAM, "back": True}
    store.sittings.begin(sitting("s0", LUNG))
    store.sittings.begin(sitting("s1", LUNG, CLEAR, **plan))
    store.sittings.begin(sitting("s2", LUNG, reader="Bob"))
    stamps = [store.sittings.stamps("Ada")]
    for step in (
        lambda: store.sittings.answer("s1", answered(0, LUNG, named())),
        lambda: store.sittings.answer("s1", answered(1, CLEAR, named())),
        lambda: store.sittings.change_answer("s1", answered(0, LUNG, named("edema"), at=NOON + timedelta(hours=1))),
        lambda: store.sittings.end("s1", NOON + timedelta(hours=2)),
    ):
        step()
        stamps.append(store.sittings.stamps("Ada"))
    assert [[name for name, _ in rows] for rows in stamps] == [["s1", "s0"]] * 5
    assert len({rows[0] for rows in stamps}) == 5
    assert len({rows[1] for rows in stamps}) == 1
    assert store.sittings.stamps("Ada") == stamps[-1]


def test_a_case_is_dealt_once_to_each_position(store: Store) -> None:
    store.sittings.begin(sitting("s1"))
    assert store.sittings.deal("s1", 0, LUNG) is LUNG
    assert store.sittings.deal("s1", 0, CLEAR).case == LUNG.case
    assert store.sittings.deal("s1", 1, CLEAR) is CLEAR
    assert [one.case for one in store.sittings.session("s1").dealt] == [LUNG.case, CLEAR.case]


def test_only_the_first_answer_counts(store: Store) -> None:
    store.sittings.begin(sitting("s1", LUNG))
    first = answered(0, LUNG, named("pneumonia"))
    assert store.sittings.answer("s1", first, learnt(), "findings") == "kept"
    assert store.sittings.answer("s1", answered(0, LUNG, named()), learnt(), "findings") == "answered"
    assert store.sittings.session("s1").answers == {0: first}
    assert store.sittings.skills("Ada", "findings") == {"pneumonia": Skill(Estimate().moved(0.5), "{}")}


def test_skills_are_kept_by_reader_and_scope_and_difficulty_by_case_and_task(store: Store) -> None:
    doubt = dealt("lung", "pneumonia", task=Task.REAL_OR_SYNTHETIC)
    store.sittings.begin(sitting("s1", LUNG, CLEAR, doubt))
    store.sittings.answer("s1", answered(0, LUNG, named("pneumonia")), learnt(), "findings")
    store.sittings.answer("s1", answered(1, CLEAR, named()), learnt("normal", ""), "findings")
    store.sittings.answer("s1", answered(2, doubt, rated(6)), learnt("synthetic", ""), "real_or_synthetic")
    up, down = Estimate().moved(0.5), Estimate().moved(-0.5)
    assert store.sittings.skills("Ada", "findings") == {"normal": Skill(up), "pneumonia": Skill(up, "{}")}
    assert store.sittings.skills("Ada", "real_or_synthetic") == {"synthetic": Skill(up)}
    assert store.sittings.skills("Bob", "findings") == {}
    assert store.sittings.difficulties("findings") == {LUNG.case: down, CLEAR.case: down}
    assert store.sittings.difficulties("real_or_synthetic") == {doubt.case: down}


def test_what_was_learnt_before_is_what_the_next_answer_builds_on(store: Store) -> None:
    for name in ("s1", "s2"):
        store.sittings.begin(sitting(name, LUNG))
        store.sittings.answer(name, answered(0, LUNG, named("pneumonia")), learnt(), "findings")
    twice = Estimate().moved(0.5).moved(0.5)
    assert store.sittings.skills("Ada", "findings")["pneumonia"].estimate == twice
    assert store.sittings.difficulties("findings")[LUNG.case] == Estimate().moved(-0.5).moved(-0.5)


def test_an_answer_whose_learning_fails_is_not_kept(store: Store) -> None:
    def broken(known: Skills, difficulty: Estimate) -> tuple[Skills, Estimate]:
        raise ArithmeticError

    store.sittings.begin(sitting("s1", LUNG))
    with pytest.raises(ArithmeticError):
        store.sittings.answer("s1", answered(0, LUNG, named()), broken, "findings")
    assert store.sittings.session("s1").answers == {}
    assert store.sittings.difficulties("findings") == {}


def test_a_changed_answer_takes_the_place_of_the_earlier_and_the_times_add_up(store: Store) -> None:
    store.sittings.begin(sitting("s1", LUNG, mode=Mode.EXAM, back=True))
    first = answered(0, LUNG, named(), 4.0)
    second = answered(0, LUNG, named("pneumonia"), 2.5, NOON + timedelta(hours=1))
    assert store.sittings.change_answer("s1", first) == "kept"
    assert store.sittings.session("s1").answers == {0: first}
    assert store.sittings.change_answer("s1", second) == "kept"
    assert store.sittings.session("s1").answers == {0: replace(second, seconds=6.5)}


def second_thought(opinion: str = "{}", *codes: str) -> Answered:
    first, then = answered(0, LUNG, named()), answered(0, LUNG, named(*codes))
    return replace(first, opinion=opinion, revised=then.answer, revised_grade=then.grade)


def test_an_answer_is_revised_once_after_the_opinion(store: Store) -> None:
    store.sittings.begin(sitting("s1", LUNG, opinion=True))
    store.sittings.answer("s1", answered(0, LUNG, named()))
    kept = second_thought('{"pneumonia":0.9}', "pneumonia")
    assert store.sittings.revise("s1", kept) is True
    assert store.sittings.revise("s1", second_thought("{}")) is False
    assert store.sittings.session("s1").answers == {0: kept}
    assert kept.revised_grade is not None and kept.revised_grade.correct and not kept.grade.correct


def ended(store: Store) -> None:
    store.sittings.end("s1", NOON + timedelta(hours=2))


def locked(store: Store) -> None:
    store.casebook.lock_study("study-1", NOON + timedelta(hours=2))


@pytest.mark.parametrize("over", [ended, locked])
def test_nothing_is_answered_changed_or_revised_after_the_end(store: Store, over: Callable[[Store], None]) -> None:
    store.casebook.add_study(study())
    store.sittings.begin(sitting("s1", LUNG, CLEAR, mode=Mode.STUDY, study="study-1", opinion=True))
    first = answered(0, LUNG, named())
    store.sittings.answer("s1", first)
    over(store)
    assert store.sittings.answer("s1", answered(1, CLEAR, named()), learnt(), "findings") == "ended"
    assert store.sittings.answer("s1", answered(0, LUNG, named()), learnt(), "findings") == "ended"
    assert store.sittings.change_answer("s1", answered(0, LUNG, named("edema"))) == "ended"
    assert store.sittings.revise("s1", second_thought()) is False
    assert store.sittings.session("s1").answers == {0: first}
    assert store.sittings.skills("Ada", "findings") == {}


def test_a_locked_study_does_not_end_other_sessions(store: Store) -> None:
    store.casebook.add_study(study())
    store.sittings.begin(sitting("s1", LUNG))
    locked(store)
    assert store.sittings.answer("s1", answered(0, LUNG, named())) == "kept"


def test_a_session_that_has_ended_keeps_its_time(store: Store) -> None:
    store.sittings.begin(sitting("s1", LUNG))
    store.sittings.end("s1", NOON)
    store.sittings.end("s1", NOON + timedelta(days=1))
    assert store.sittings.session("s1").ended_at == NOON


@pytest.mark.parametrize(
    "ask",
    [
        lambda sittings: sittings.session("nobody"),
        lambda sittings: sittings.deal("nobody", 0, LUNG),
        lambda sittings: sittings.answer("nobody", answered(0, LUNG, named())),
        lambda sittings: sittings.change_answer("nobody", answered(0, LUNG, named())),
        lambda sittings: sittings.revise("nobody", second_thought()),
        lambda sittings: sittings.end("nobody", NOON),
        lambda sittings: sittings.set_void("nobody", 0),
    ],
    ids=["session", "deal", "answer", "change_answer", "revise", "end", "set_void"],
)
def test_an_unknown_session_is_one_sentence(store: Store, ask: Callable[..., object]) -> None:
    with pytest.raises(StoreError) as caught:
        ask(store.sittings)
    assert str(caught.value) == NOBODY


@pytest.mark.parametrize("how", ["answer", "learning answer", "change_answer", "revise"])
def test_an_answer_to_a_case_that_was_not_dealt_is_refused(store: Store, how: str) -> None:
    store.sittings.begin(sitting("s1", LUNG, length=3))
    late = replace(second_thought(), position=2)
    with pytest.raises(StoreError) as caught:
        if how == "revise":
            store.sittings.revise("s1", late)
        elif how == "change_answer":
            store.sittings.change_answer("s1", late)
        else:
            store.sittings.answer("s1", late, learnt() if how == "learning answer" else None, "findings")
    assert str(caught.value) == "Case 3 of the reading session 's1' is not there to be answered."
    assert store.sittings.session("s1").answers == {}


def test_a_session_of_an_unknown_study_is_refused_and_not_kept(store: Store) -> None:
    with pytest.raises(StoreError, match=r"^There is no study 'nowhere'\.$"):
        store.sittings.begin(sitting("s1", LUNG, mode=Mode.STUDY, study="nowhere"))
    assert store.sittings.sessions() == []


def test_a_case_without_its_picture_is_void_and_the_next_one_is_asked(store: Store) -> None:
    store.sittings.begin(sitting("s1", LUNG, CLEAR))
    store.sittings.answer("s1", answered(0, LUNG, named()))
    store.sittings.set_void("s1", 0)
    assert store.sittings.session("s1").next_position == 1
    store.sittings.set_void("s1", 1)
    back = store.sittings.session("s1")
    assert [case.void for case in back.dealt] == [False, True]
    assert back.next_position is None


def test_a_report_keeps_its_words(store: Store) -> None:
    case: Dealt = dealt("words", "pneumonia", task=Task.REPORT)
    text = 'Pneumonia.\n"Quoted" \\ \x00 \u2028 漢字 🫁 ' + "x" * 1900
    store.sittings.begin(sitting("s1", case, tasks=(Task.REPORT,)))
    store.sittings.answer("s1", answered(0, case, FreeReport(text)))
    back = store.sittings.session("s1").answers[0].answer
    assert isinstance(back, FreeReport) and back.text == text
