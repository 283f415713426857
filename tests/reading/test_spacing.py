"""Spaced repetition over findings: cards as JSON, time as an argument, and clocks that go wrong."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import RequestError
from synth.reading.spacing import due, new_card, next_due, rating, recall, reviewed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("score", "correct", "confidence", "rated"),
    [
        (0.0, False, None, 1),
        (0.0, False, 6, 1),
        (0.49, False, 1, 1),
        (0.5, False, 6, 2),
        (0.9, False, None, 2),
        (1.0, True, None, 3),
        (1.0, True, 1, 2),
        (1.0, True, 2, 2),
        (1.0, True, 3, 3),
        (1.0, True, 4, 3),
        (1.0, True, 5, 4),
        (1.0, True, 6, 4),
    ],
)
def test_answer_and_confidence_make_a_rating(score, correct, confidence, rated):
    assert rating(score, correct=correct, confidence=confidence) == rated


@pytest.mark.parametrize(("score", "confidence"), [(1.1, None), (-0.1, None), (float("nan"), None), (1.0, 0), (1.0, 7)])
def test_an_impossible_score_or_confidence_is_refused(score, confidence):
    with pytest.raises(RequestError):
        rating(score, correct=True, confidence=confidence)


def test_a_new_finding_is_due_at_once_and_unknown():
    card = new_card("pneumothorax", NOW)
    entry = due({"pneumothorax": card}, NOW)[0]
    assert (entry.code, entry.since, entry.recall) == ("pneumothorax", NOW, 0.0)
    assert due({"pneumothorax": card}, NOW - timedelta(seconds=1)) == ()


def test_the_same_answers_give_the_same_card():
    cards = [reviewed(reviewed(new_card("edema", NOW), 3, NOW), 4, NOW + DAY) for _ in range(2)]
    assert cards[0] == cards[1]
    assert new_card("edema", NOW) != new_card("mass", NOW)


def test_the_better_the_answer_the_later_it_comes_back():
    dues = [next_due(reviewed(new_card("edema", NOW), rated, NOW)) for rated in (1, 2, 3, 4)]
    assert dues == sorted(set(dues))
    assert dues[0] > NOW


def test_known_findings_come_back_at_growing_intervals_and_forgotten_ones_soon():
    card, at, gaps = new_card("edema", NOW), NOW, []
    for _ in range(6):
        card = reviewed(card, 3, at)
        gaps.append(next_due(card) - at)
        at = next_due(card)
    assert gaps == sorted(gaps)
    assert gaps[-1] > 20 * DAY
    assert next_due(reviewed(card, 1, at)) - at < DAY


def test_the_one_most_likely_forgotten_is_due_first():
    known, shaky = new_card("edema", NOW), new_card("mass", NOW)
    known, shaky = reviewed(known, 4, NOW), reviewed(shaky, 1, NOW)
    later = NOW + 60 * DAY
    entries = due({"edema": known, "mass": shaky, "nodule": new_card("nodule", later)}, later)
    assert [entry.code for entry in entries] == ["nodule", "mass", "edema"]
    assert [entry.recall for entry in entries] == sorted(entry.recall for entry in entries)


def test_a_clock_that_went_back_neither_fails_nor_loses_the_review():
    first = reviewed(new_card("edema", NOW), 3, NOW)
    back = reviewed(first, 3, NOW - 400 * DAY)
    assert back == reviewed(first, 3, NOW)
    assert next_due(back) > NOW
    assert recall(first, NOW - 400 * DAY) == recall(first, NOW)
    assert due({"edema": back}, NOW - 400 * DAY) == ()


def test_every_zone_means_the_same_moment():
    zone = timezone(timedelta(hours=9))
    assert reviewed(new_card("edema", NOW), 3, NOW.astimezone(zone)) == reviewed(new_card("edema", NOW), 3, NOW)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(RequestError, match="has no zone"):
        reviewed(new_card("edema", NOW), 3, datetime(2026, 11, 23))
    with pytest.raises(RequestError, match="has no zone"):
        due({}, datetime(2026, 11, 23))


@pytest.mark.parametrize("text", ["", "null", "{}", "[]", '{"card_id":1}', '{"card_id":"x"}'])
def test_a_broken_card_is_refused(text):
    with pytest.raises(RequestError, match="card cannot be read"):
        reviewed(text, 3, NOW)


@pytest.mark.parametrize("rated", [0, 5, -1])
def test_another_rating_is_refused(rated):
    with pytest.raises(RequestError, match=f"rating is {rated}"):
        reviewed(new_card("edema", NOW), rated, NOW)


def test_an_unknown_finding_gets_no_card():
    with pytest.raises(RequestError, match="'sunburn' is not known"):
        new_card("sunburn", NOW)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-500, 500)), min_size=1, max_size=12))
def test_any_history_at_any_times_leaves_a_card_that_can_be_read(history):
    card = new_card("edema", NOW)
    for rated, hours in history:
        before = json.loads(card)["last_review"]
        card = reviewed(card, rated, NOW + timedelta(hours=hours))
        after = json.loads(card)["last_review"]
        assert before is None or after >= before
        assert next_due(card) > datetime.fromisoformat(after)
        assert 0.0 <= recall(card, NOW) <= 1.0
