"""Many tabs, readers and servers at the same moment: nothing is lost, nothing counts twice.

The tests of PostgreSQL run these as well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from synth.reading.choice import Estimate
from synth.reading.sessions import Mode
from synth.store import Store
from synth.store.sittings import Learn, Skill, Skills
from tests.sittings import NOON, answered, at_once, dealt, named, sitting, study

CASES = tuple(dealt(f"{number}", *(["pneumonia"] if number % 2 else [])) for number in range(10))
TABS, READERS = 20, 20


def counted(code: str) -> Learn:
    """One more answer of `code`, and one of the case."""

    def learn(known: Skills, difficulty: Estimate) -> tuple[Skills, Estimate]:
        count = known.get(code, Skill(Estimate())).estimate.count
        after = {code: Skill(Estimate(0.25 * (count + 1), count + 1), f'{{"reviews":{count + 1}}}')}
        return dict(known) | after, Estimate(difficulty.value - 0.25, difficulty.count + 1)

    return learn


def test_two_tabs_that_deal_at_once_show_the_same_case(store: Store) -> None:
    store.sittings.begin(sitting("s1", length=10))
    shown: dict[tuple[int, int], str] = {}

    def deal(tab: int) -> None:
        for position in range(10):
            case = dealt(f"{tab}-{position}")
            shown[tab, position] = store.sittings.deal("s1", position, case).case

    at_once(deal, 2)

    kept = [case.case for case in store.sittings.session("s1").dealt]
    assert [shown[0, position] for position in range(10)] == kept
    assert [shown[1, position] for position in range(10)] == kept


def test_the_same_answer_from_many_tabs_counts_once_and_teaches_once(store: Store) -> None:
    store.sittings.begin(sitting("s1", CASES[1]))
    became: dict[int, str] = {}

    def answer(tab: int) -> None:
        one = answered(0, CASES[1], named("pneumonia"), seconds=float(tab))
        became[tab] = store.sittings.answer("s1", one, counted("pneumonia"), "findings")

    at_once(answer, TABS)

    assert sorted(became.values()) == ["answered"] * (TABS - 1) + ["kept"]
    (winner,) = [tab for tab, word in became.items() if word == "kept"]
    assert [one.seconds for one in store.sittings.session("s1").answers.values()] == [winner]
    assert store.sittings.skills("Ada", "findings")["pneumonia"].estimate == Estimate(0.25, 1)
    assert store.sittings.difficulties("findings") == {CASES[1].case: Estimate(-0.25, 1)}


def test_two_sittings_of_one_reader_lose_nothing_of_what_was_learnt(store: Store) -> None:
    names = [f"s{number}" for number in range(4)]
    for name in names:
        store.sittings.begin(sitting(name, *CASES))

    def read(number: int) -> None:
        for position, case in enumerate(CASES):
            one = answered(position, case, named())
            assert store.sittings.answer(names[number], one, counted("normal"), "findings") == "kept"

    at_once(read, len(names))

    assert store.sittings.skills("Ada", "findings") == {"normal": Skill(Estimate(10.0, 40), '{"reviews":40}')}
    assert set(store.sittings.difficulties("findings").values()) == {Estimate(-1.0, 4)}


def test_twenty_readers_of_one_study_answer_ten_cases_each(store: Store) -> None:
    store.casebook.add_study(study(readers=READERS))
    plan = {"mode": Mode.STUDY, "study": "study-1"}
    problems: list[str] = []

    def read(number: int) -> None:
        name = f"Reader {number}"
        session = store.sittings.begin(sitting(f"s{number}", *CASES, reader=name, **plan))
        for position, case in enumerate(session.dealt):
            one = answered(position, case, named("pneumonia"), seconds=number + position / 8)
            word = store.sittings.answer(session.id, one, counted("pneumonia"), "findings")
            problems.extend([f"{name}, case {position}: {word}"] if word != "kept" else [])

    at_once(read, READERS)

    assert problems == []
    sessions = store.sittings.sessions(study="study-1")
    assert sorted(one.reader for one in sessions) == sorted(f"Reader {number}" for number in range(READERS))
    for session in sessions:
        number = int(session.reader.split()[1])
        assert [one.seconds for _, one in sorted(session.answers.items())] == [number + k / 8 for k in range(10)]
        assert store.sittings.skills(session.reader, "findings")["pneumonia"].estimate.count == 10
    assert store.sittings.difficulties("findings") == {case.case: Estimate(-0.25 * 20, 20) for case in CASES}


def test_a_reader_who_begins_in_many_tabs_has_one_session(store: Store) -> None:
    store.casebook.add_study(study())
    begun: dict[int, str] = {}

    def begin(tab: int) -> None:
        session = sitting(f"s{tab}", *CASES, mode=Mode.STUDY, study="study-1")
        begun[tab] = store.sittings.begin(session).id

    at_once(begin, TABS)

    (kept,) = store.sittings.sessions()
    assert set(begun.values()) == {kept.id}
    assert [case.case for case in kept.dealt] == [case.case for case in CASES]


def test_an_answer_and_the_end_never_both_win(store: Store) -> None:
    """Whatever comes first: an answer that is "kept" is there, one that is "ended" is not."""
    for round_ in range(5):
        name, words = f"s{round_}", dict[int, str]()
        store.sittings.begin(sitting(name, *CASES))

        def work(number: int, name: str = name, words: dict[int, str] = words) -> None:
            if number == len(CASES):
                store.sittings.end(name, NOON)
            else:
                words[number] = store.sittings.answer(name, answered(number, CASES[number], named()))

        at_once(work, len(CASES) + 1)

        kept = {number for number, word in words.items() if word == "kept"}
        assert set(words.values()) <= {"kept", "ended"}
        assert set(store.sittings.session(name).answers) == kept


def test_an_opinion_is_taken_once_from_many_tabs(store: Store) -> None:
    store.sittings.begin(sitting("s1", CASES[1], opinion=True))
    store.sittings.answer("s1", answered(0, CASES[1], named()))
    taken: dict[int, bool] = {}

    def revise(tab: int) -> None:
        then = answered(0, CASES[1], named("pneumonia"))
        one = replace(then, opinion=f"{tab}", revised=then.answer, revised_grade=then.grade)
        taken[tab] = store.sittings.revise("s1", one)

    at_once(revise, TABS)

    (winner,) = [tab for tab, won in taken.items() if won]
    assert store.sittings.session("s1").answers[0].opinion == f"{winner}"


def test_times_of_changed_answers_add_up_from_many_tabs(store: Store) -> None:
    store.sittings.begin(sitting("s1", CASES[1], mode=Mode.EXAM, back=True))

    def change(tab: int) -> None:
        one = answered(0, CASES[1], named(), seconds=0.5, at=NOON + timedelta(seconds=tab))
        assert store.sittings.change_answer("s1", one) == "kept"

    at_once(change, TABS)

    assert store.sittings.session("s1").answers[0].seconds == TABS * 0.5
