"""The release states: what each allows, who moves an image on, and what no path leads to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import PolicyError
from synth.governance.release import (
    ALLOWS,
    MOVES,
    Fitness,
    Release,
    State,
    Use,
    first_state,
    require_judge,
    require_move,
    require_reason,
)
from synth.governance.roles import LOCAL_USER, Permission, Role, User

DOCS = Path(__file__).parents[2] / "docs" / "validation.md"
ADMINISTRATOR = User("ada", frozenset({Role.ADMINISTRATOR}))
RADIOLOGIST = User("rhea", frozenset({Role.RADIOLOGIST}))


def test_each_state_allows_what_the_one_before_does_and_withdrawn_nothing() -> None:
    assert set(ALLOWS) == set(State)
    assert ALLOWS[State.WITHDRAWN] == frozenset()
    forward = [State.DRAFT, State.CHECKED, State.VALIDATED, State.RELEASED]
    added = [
        ALLOWS[state] - (ALLOWS[before] if before else frozenset())
        for before, state in zip([None, *forward], forward, strict=False)
    ]
    assert added == [
        {Use.PRACTICE, Use.OWN_FILE},
        {Use.SETS, Use.EXAM, Use.EXPORT},
        {Use.PACS},
        {Use.RESEARCH},
    ]


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=8))
def test_no_path_leads_to_released_without_a_radiologist_nor_anywhere_from_withdrawn(moves: list) -> None:
    state, used = State.DRAFT, set()
    for before, after in moves:
        if before is state:
            state, used = after, used | {MOVES[before, after]}
            assert before is not State.WITHDRAWN
    if state is State.RELEASED:
        assert {Permission.VALIDATE, Permission.RELEASE} <= used
    if Use.RESEARCH in ALLOWS[state] or Use.PACS in ALLOWS[state]:
        assert Permission.VALIDATE in used


@given(st.sampled_from(State), st.sampled_from(State), st.sampled_from(Role))
def test_a_move_needs_its_permission_and_a_row_of_the_table(before: State, after: State, role: Role) -> None:
    user, needs = User("ada", frozenset({role})), MOVES.get((before, after))
    if needs is not None and user.may(needs):
        require_move(Release("i", before), after, user)
    else:
        with pytest.raises(PolicyError):
            require_move(Release("i", before), after, user)


@given(st.sampled_from(State), st.none() | st.frozensets(st.sampled_from(Fitness)), st.sampled_from(Use))
def test_a_use_passes_where_it_is_allowed_and_is_refused_in_one_sentence_elsewhere(
    state: State, fit: frozenset[Fitness] | None, use: Use
) -> None:
    release = Release("i", state, fit, "a doubled heart")
    if release.allows(use):
        release.require(use)
        return
    with pytest.raises(PolicyError, match=r"^[^.]*\.$"):
        release.require(use)


@pytest.mark.parametrize(
    ("release", "use", "sentence"),
    [
        (Release("i", State.DRAFT), Use.SETS, "Image i is draft; for case sets it must be checked."),
        (Release("i", State.CHECKED), Use.RESEARCH, "Image i is checked; for research it must be released."),
        (Release("i", State.WITHDRAWN, reason="wrong side."), Use.PRACTICE, "Image i was withdrawn: wrong side."),
        (
            Release("i", State.RELEASED, frozenset({Fitness.PRACTICE})),
            Use.RESEARCH,
            "Radiologists found image i not fit for research.",
        ),
        (Release("i", State.CHECKED, frozenset()), Use.SETS, "Radiologists found image i not fit for practice."),
    ],
)
def test_a_refusal_says_what_is_missing(release: Release, use: Use, sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        release.require(use)
    assert str(refused.value) == sentence


def test_an_image_begins_by_its_checks_and_with_its_base() -> None:
    assert first_state(True, None) is State.CHECKED
    assert first_state(False, None) is State.DRAFT
    assert first_state(True, Release("base", State.DRAFT)) is State.CHECKED
    assert first_state(True, Release("base", State.WITHDRAWN)) is State.WITHDRAWN


def test_nobody_judges_what_he_asked_for_but_the_one_local_user() -> None:
    require_judge(RADIOLOGIST, "ada")
    require_judge(LOCAL_USER, "local")
    for user, told in (
        (RADIOLOGIST, "rhea asked for this image; another radiologist must judge it."),
        (
            User("local", frozenset({Role.RADIOLOGIST})),
            "local asked for this image; another radiologist must judge it.",
        ),
        (
            User("ada", frozenset({Role.ADMINISTRATOR})),
            "ada may not judge images as a radiologist; the role radiologist may.",
        ),
    ):
        with pytest.raises(PolicyError) as refused:
            require_judge(user, user.name)
        assert str(refused.value) == told


def test_a_reason_says_something() -> None:
    require_reason("wrong side")
    with pytest.raises(PolicyError, match=r"^The reason has 4 characters; at least 10 are needed\.$"):
        require_reason("  oops      ")


def test_the_documentation_has_the_table_of_the_code() -> None:
    rows = dict(re.findall(r"^\| \*\*(\w+)\*\* \|(.*)\|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    marks = {state: [cell.strip() == "yes" for cell in rows[state].split("|")] for state in State}
    assert marks == {state: [use in ALLOWS[state] for use in Use] for state in State}
