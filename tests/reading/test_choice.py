"""Which case comes next: by skill and difficulty, normals as set, rare findings not starved, no case twice."""

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import RequestError
from synth.reading.answers import (
    Change,
    ChangesSeen,
    Direction,
    FindingsChosen,
    RealOrSynthetic,
    SeverityOrder,
    Task,
)
from synth.reading.choice import (
    BLOCK,
    NORMAL,
    SYNTHETIC,
    TARGET,
    Candidate,
    Estimate,
    candidate_of,
    chance,
    daily,
    exam,
    learnt,
    next_is_normal,
    next_item,
    pattern,
    scores_of,
    skill_for,
)
from synth.reading.grading import grade
from synth.reading.items import Item, Truth, opaque_id
from synth.types import Finding


def pool(normals=40, **abnormal):
    cases = [Candidate(f"n{i:03}", f"case-n{i}") for i in range(normals)]
    return cases + [
        Candidate(f"{code}{i:03}", f"case-{code}{i}", (code,)) for code, count in abnormal.items() for i in range(count)
    ]


MIXED = pool(pneumonia=40, edema=10, pneumothorax=3)


def practised(candidates, length, seed=1, **more):
    shown = []
    while len(shown) < length and (chosen := next_item(candidates, shown, {}, seed, **more)):
        shown.append(chosen)
    return shown


def test_chance_is_a_half_where_skill_meets_difficulty():
    assert chance(1.3, 1.3) == 0.5
    assert chance(2, 1) == pytest.approx(1 - chance(1, 2))
    assert 0 < chance(-1e9, 1e9) < chance(1e9, -1e9) <= 1


def test_a_right_answer_raises_the_skill_and_lowers_the_difficulty_by_the_surprise():
    case = Candidate("a", "a", ("edema",))
    skills, difficulty = learnt({}, case, {"edema": 1.0})
    assert skills == {"edema": Estimate(0.5, 1)}
    assert difficulty == Estimate(-0.5, 1)
    again, _ = learnt(skills, case, {"edema": 0.0})
    assert again["edema"].value == pytest.approx(0.5 - chance(0.5, 0) / 1.05)


def test_each_finding_learns_from_its_own_score():
    case = Candidate("a", "a", ("edema", "cardiomegaly"))
    skills, difficulty = learnt({}, case, {"edema": 1.0, "cardiomegaly": 0.0, "pneumonia": 1.0})
    assert (skills["edema"].value, skills["cardiomegaly"].value, difficulty.value) == (0.5, -0.5, 0.0)
    assert "pneumonia" not in skills


def test_normals_have_a_skill_of_their_own():
    skills, _ = learnt({}, Candidate("n", "n"), {NORMAL: 1.0})
    assert skill_for(skills, Candidate("m", "m")) == 0.5


def read(task, truth, answer, pictures=("p",)):
    item = Item(opaque_id("secret", task), task, pictures, truth, case="base")
    candidate = candidate_of(item)
    assert (candidate.id, candidate.case) == (item.id, "base")
    return candidate.codes, scores_of(candidate, grade(item, answer))


def test_an_answer_teaches_what_its_item_asked():
    edema, mass = Finding("edema"), Finding("mass")
    codes, scores = read(Task.FINDINGS, Truth((edema, mass)), FindingsChosen((edema, Finding("nodule"))))
    assert (codes, scores) == (("edema", "mass"), {"edema": 1.0, "mass": 0.5})
    assert read(Task.FINDINGS, Truth(), FindingsChosen((edema,))) == ((), {NORMAL: 0.0})
    assert read(Task.REAL_OR_SYNTHETIC, Truth((edema,), True), RealOrSynthetic(6)) == ((SYNTHETIC,), {SYNTHETIC: 1.0})
    assert read(Task.REAL_OR_SYNTHETIC, Truth((edema,), False), RealOrSynthetic(6)) == ((), {NORMAL: 0.0})
    change = Change("edema", Direction.LARGER)
    assert read(Task.CHANGE, Truth(changes=(change,)), ChangesSeen(), ("a", "b")) == (("edema",), {"edema": 0.0})
    ranks = Truth((edema,), severities=(1, 2, 3))
    assert read(Task.SEVERITY, ranks, SeverityOrder((2, 1, 0)), ("a", "b", "c")) == (("edema",), {"edema": 0.0})


@pytest.mark.parametrize("scores", [{}, {"edema": 1.5}, {"edema": float("nan")}, {"mass": 1.0}])
def test_impossible_scores_are_refused(scores):
    with pytest.raises(RequestError):
        learnt({}, Candidate("a", "a", ("edema",)), scores)


def test_hard_items_are_told_from_easy_ones():
    """A simulated reader on items of known difficulty, 20 answers each."""
    chances = Random(3)
    true = {f"i{n}": chances.uniform(-2, 2) for n in range(30)}
    items = {name: Candidate(name, name, ("edema",)) for name in true}
    skills = {}
    for _ in range(600):
        name = chances.choice(sorted(true))
        right = float(chances.random() < chance(1.0, true[name]))
        skills, difficulty = learnt(skills, items[name], {"edema": right})
        items[name] = Candidate(name, name, ("edema",), difficulty)
    estimated = sorted(true, key=lambda name: items[name].difficulty.value)
    easy, hard = estimated[:10], estimated[-10:]
    assert sum(true[name] for name in easy) / 10 < sum(true[name] for name in hard) / 10 - 1


@given(st.integers(0, 60), st.floats(0, 1), st.integers(0, 2**32))
def test_the_share_of_normals_is_kept_within_one_case(length, share, seed):
    order = pattern(length, share, seed)
    assert len(order) == length
    assert abs(sum(order) - share * length) <= 1


@given(st.floats(0, 1), st.integers(0, 2**32), st.integers(1, 8))
def test_practice_keeps_the_share_of_normals_over_every_block(share, seed, blocks):
    normals = sum(next_is_normal(shown, share, seed) for shown in range(BLOCK * blocks))
    assert abs(normals - share * BLOCK * blocks) <= 1


def test_the_last_case_gives_nothing_away_of_the_next():
    pairs = Counter((next_is_normal(1, 0.5, seed), next_is_normal(0, 0.5, seed)) for seed in range(2000))
    assert all(count > 380 for count in pairs.values())  # 444 or 556 in 2000 where 5 of 10 are shuffled


@pytest.mark.parametrize(("length", "share"), [(5, -0.1), (5, 1.1), (-1, 0.5)])
def test_an_impossible_pattern_is_refused(length, share):
    with pytest.raises(RequestError):
        pattern(length, share, 0)


def test_practice_shows_no_case_twice_and_ends_when_all_are_shown():
    shown = practised(MIXED, 200)
    assert len(shown) == len({case.case for case in shown}) == len(MIXED)
    assert next_item(MIXED, shown, {}, 1) is None


def test_practice_goes_on_with_the_other_kind_when_one_is_used_up():
    assert len(practised(pool(normals=2, edema=5), 10)) == 7


def test_rare_findings_are_never_starved():
    """One finding with ten times the cases of each other one."""
    candidates = pool(normals=0, pneumonia=200, edema=20, pneumothorax=20, mass=20)
    shown = practised(candidates, 48, normal_share=0.0)
    counts = Counter(case.codes[0] for case in shown)
    assert min(counts.values()) >= 48 // 2 // 4
    assert set(counts) == {"pneumonia", "edema", "pneumothorax", "mass"}


def test_findings_that_are_due_come_back():
    candidates = pool(normals=0, pneumonia=100, edema=100)
    shown = practised(candidates, 20, normal_share=0.0, due={"edema"})
    assert Counter(case.codes[0] for case in shown)["edema"] >= 10


def test_the_case_nearest_to_the_target_is_chosen():
    easy, apt, hard = (
        [Candidate(f"{name}{i}", f"{name}{i}", ("edema",), Estimate(value)) for i in range(5)]
        for name, value in (("easy", -6.0), ("apt", -1.1), ("hard", 5.0))
    )
    assert chance(0, -1.1) == pytest.approx(TARGET, abs=0.01)
    for seed in range(20):
        assert next_item([*easy, *apt, *hard], [], {}, seed, normal_share=0.0).id.startswith("apt")
        strong = {"edema": Estimate(6.1)}
        assert next_item([*easy, *apt, *hard], [], strong, seed, normal_share=0.0).id.startswith("hard")


def test_the_choice_depends_on_seed_and_state_alone():
    assert practised(MIXED, 30) == practised(list(reversed(MIXED)), 30)
    assert practised(MIXED, 30, seed=1) != practised(MIXED, 30, seed=2)


def test_an_exam_keeps_its_share_and_shows_no_case_twice():
    chosen = exam(MIXED, 30, 7)
    assert sum(case.normal for case in chosen) == 15
    assert len({case.case for case in chosen}) == 30
    assert chosen == exam(list(reversed(MIXED)), 30, 7)
    assert chosen != exam(MIXED, 30, 8)


def test_an_exam_deals_its_findings_out_evenly():
    counts = Counter(case.codes[0] for case in exam(MIXED, 30, 7) if not case.normal)
    assert counts == {"pneumonia": 6, "edema": 6, "pneumothorax": 3}


def test_an_exam_without_enough_cases_is_refused():
    with pytest.raises(RequestError, match="needs 5 different abnormal cases; 2 can be had"):
        exam(pool(edema=2), 10, 1)
    with pytest.raises(RequestError, match="needs 5 different normal cases; 1 can be had"):
        exam(pool(normals=1, edema=20), 10, 1)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=24), st.integers(1, 8), st.integers(0, 999))
def test_an_exam_is_made_whenever_one_is_possible(rows, length, seed):
    """Cases that exist with and without a lesion go to the kind that needs them."""
    candidates = [
        Candidate(f"{i:02}", f"c{case}", () if normal else ("edema",)) for i, (case, normal) in enumerate(rows)
    ]
    clear = {c.case for c in candidates if c.normal}
    ill = {c.case for c in candidates if not c.normal}
    normals = sum(pattern(length, 0.5, 0))
    possible = (
        len(clear) >= normals and len(ill) >= length - normals and len(clear | ill) >= length
    )  # Hall's condition for two kinds
    try:
        chosen = exam(candidates, length, seed)
    except RequestError:
        assert not possible
        return
    assert possible
    assert len({c.case for c in chosen}) == length
    assert sum(c.normal for c in chosen) == normals


def test_the_daily_ten_are_one_users_for_one_day():
    day = date(2026, 11, 23)
    today = daily(MIXED, day, "ada")
    assert len(today) == 10
    assert sum(case.normal for case in today) == 5
    assert today == daily(list(reversed(MIXED)), day, "ada")
    assert today != daily(MIXED, day, "bob")
    assert today != daily(MIXED, day + timedelta(days=1), "ada")


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=24))
def test_the_daily_ten_are_made_of_whatever_is_there(rows):
    candidates = [
        Candidate(f"{i:02}", f"c{case}", () if normal else ("edema",)) for i, (case, normal) in enumerate(rows)
    ]
    chosen = daily(candidates, date(2026, 11, 23), "ada")
    assert len({c.case for c in chosen}) == len(chosen) <= 10
    assert bool(chosen) is bool(candidates)
