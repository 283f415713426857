"""Reader studies: protocols, seats, and when a phase may begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import PolicyError, RequestError
from synth.reading.answers import Shape, Task
from synth.reading.studies import TEXT_MAX, Protocol, Seat, phase_at
from tests.sittings import NOON, study

DAY = timedelta(days=1)
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
protocols = st.builds(
    Protocol,
    sets=st.lists(words, min_size=1, max_size=3).map(tuple),
    tasks=st.lists(st.sampled_from(Task), min_size=1, max_size=6, unique=True).map(tuple),
    readers=st.integers(1, 50),
    consent=words.map(lambda text: f"I agree. {text}"),
    shuffled=st.booleans(),
    phases=st.integers(1, 2),
    clues=words,
    washout_days=st.integers(0, 365),
    opinion=st.booleans(),
    shape=st.sampled_from([Shape.POINT, Shape.BOX, Shape.OUTLINE]),
)
PROTOCOL = study().protocol
TWO = study(phases=2, washout_days=14)
SEAT = replace(TWO.seats[0], name="Bee", consented_at=NOON)


@given(protocols)
def test_a_protocol_comes_back_from_its_json(protocol: Protocol) -> None:
    back = Protocol.from_json(protocol.to_json())
    assert back == protocol
    assert back.to_json() == protocol.to_json()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sets": ()}, "The study has no case set; choose at least one."),
        ({"tasks": ()}, "The study has no task; choose at least one."),
        ({"readers": 0}, "The study has 0 readers; it needs 1 to 50."),
        ({"readers": 51}, "The study has 51 readers; it needs 1 to 50."),
        ({"phases": 3}, "The study has 3 phases; it has 1 or 2."),
        ({"washout_days": 366}, "The washout is 366 days; it has 0 to 365."),
        ({"shape": Shape.NONE}, "A place is shown by a point, a box or an outline."),
        ({"consent": " \n"}, "The consent text is empty; readers must know what they agree to."),
        ({"clues": "x" * (TEXT_MAX + 1)}, "A text of the study has more than 4000 characters; shorten it."),
    ],
)
def test_a_protocol_out_of_range_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        replace(PROTOCOL, **change)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", PROTOCOL.to_json()[:-1] + ',"more":1}', PROTOCOL.to_json().replace("point", "pencil"),
     PROTOCOL.to_json().replace('"readers":2', '"readers":"two"'), PROTOCOL.to_json().replace('"I agree."', "3")],
)  # fmt: skip
def test_a_broken_protocol_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match=r"^The stored protocol cannot be read: [^\n]*\.$"):
        Protocol.from_json(text)


@pytest.mark.parametrize("title", ["", " ", "x" * 81])
def test_a_study_has_a_title(title: str) -> None:
    with pytest.raises(RequestError, match=r"^The title has \d+ characters; it needs 1 to 80\.$"):
        replace(study(), title=title)


def test_a_seat_is_found_by_its_code_and_names_no_person() -> None:
    assert TWO.seat(TWO.seats[1].code) is TWO.seats[1]
    assert SEAT.reader == "Reader 1"
    with pytest.raises(RequestError, match=r"has no seat 'x'; check the invitation\.$"):
        TWO.seat("x")


@pytest.mark.parametrize(
    ("ended", "phase"),
    [((), 0), ((None,), 0), ((NOON - 15 * DAY,), 1), ((NOON - 15 * DAY, None), 1), ((NOON - 15 * DAY, NOON), None)],
)
def test_phases_follow_each_other(ended: tuple[datetime | None, ...], phase: int | None) -> None:
    assert phase_at(TWO, SEAT, ended, NOON) == phase


def test_a_study_of_one_phase_is_done_after_it() -> None:
    assert phase_at(study(), SEAT, (NOON,), NOON) is None


def test_the_second_phase_waits_for_the_washout_to_the_second() -> None:
    opens = NOON + 14 * DAY
    assert phase_at(TWO, SEAT, (NOON,), opens) == 1
    with pytest.raises(PolicyError) as caught:
        phase_at(TWO, SEAT, (NOON,), opens - timedelta(seconds=1))
    assert str(caught.value) == "The next phase opens on 2026-05-18 at 12:00 UTC, after the washout."


def test_a_clock_that_is_put_back_does_not_shorten_the_washout() -> None:
    with pytest.raises(PolicyError, match="2026-05-18 at 12:00 UTC"):
        phase_at(TWO, SEAT, (NOON,), NOON - 400 * DAY)


def test_a_phase_that_was_begun_goes_on_when_the_clock_is_put_back() -> None:
    assert phase_at(TWO, SEAT, (NOON, None), NOON - 400 * DAY) == 1


def test_without_a_washout_the_second_phase_follows_at_once() -> None:
    assert phase_at(study(phases=2), SEAT, (NOON,), NOON) == 1


def test_nobody_reads_without_consent() -> None:
    with pytest.raises(PolicyError) as caught:
        phase_at(TWO, Seat(1, "code"), (), NOON)
    assert str(caught.value) == "Please read the consent text and agree before the first case."


@pytest.mark.parametrize("ended", [(), (None,), (NOON - 15 * DAY,), (NOON - 15 * DAY, NOON)])
def test_nothing_is_read_in_a_locked_study(ended: tuple[datetime | None, ...]) -> None:
    with pytest.raises(PolicyError) as caught:
        phase_at(replace(TWO, locked_at=NOON), SEAT, ended, NOON)
    assert str(caught.value) == "The study 'Can it be told?' is locked; nothing more is read in it."
