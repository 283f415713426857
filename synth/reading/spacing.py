"""Spaced repetition over findings: one FSRS card a finding, kept as JSON; time comes in as an argument.

FSRS, the free spaced repetition scheduler, plans the next review for when recall is expected to fall to 90 %. Its
random fuzz of intervals is off, so that the same answers give the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from fsrs import Card, Rating, Scheduler

from synth.errors import RequestError
from synth.reading.answers import SCALE_MAX, known

PARTLY_RIGHT = 0.5  # a score from here on is remembered with effort, below it is forgotten

_SCHEDULER = Scheduler(enable_fuzzing=False)


@dataclass(frozen=True, slots=True)
class Due:
    """A finding to be read again: since when (UTC), and how likely it is still known, in [0, 1]."""

    code: str
    since: datetime
    recall: float


def rating(score: float, *, correct: bool, confidence: int | None = None) -> int:
    """The FSRS rating of an answer: 1 again, 2 hard, 3 good, 4 easy.

    Wrong is 1 (a score below 0.5), partly right is 2; right is 2 when guessed (confidence 1 or 2 of 6), 4 when sure
    (5 or 6) and 3 between or where no confidence was asked.
    """
    if not 0.0 <= score <= 1.0:
        raise RequestError(f"The score is {score}; it must lie between 0 and 1.")
    if confidence is not None and not 1 <= confidence <= SCALE_MAX:
        raise RequestError(f"Confidence is {confidence}; it must lie between 1 and {SCALE_MAX}.")
    if not correct:
        return 2 if score >= PARTLY_RIGHT else 1
    if confidence is None:
        return 3
    return 2 if confidence <= 2 else 4 if confidence >= 5 else 3


def new_card(code: str, now: datetime) -> str:
    """The card of a finding that has never been read, due at once, as JSON."""
    number = int.from_bytes(sha256(known(code).encode()).digest()[:6], "big")
    return Card(card_id=number, due=_utc(now)).to_json()


def reviewed(card_json: str, rating: int, now: datetime) -> str:
    """The card after a review rated 1 to 4.

    A clock that went back counts as no time passed since the last review. Raises RequestError on a card that cannot be
    read, another rating, or a time without a zone.
    """
    if rating not in (1, 2, 3, 4):
        raise RequestError(f"The rating is {rating}; it must be 1 (again), 2 (hard), 3 (good) or 4 (easy).")
    card, at = _card(card_json), _utc(now)
    if card.last_review is not None:
        at = max(at, card.last_review)
    after, _ = _SCHEDULER.review_card(card, Rating(rating), at)
    return after.to_json()


def due(cards: Mapping[str, str], now: datetime) -> tuple[Due, ...]:
    """Of the cards by finding code those to be read at `now`, the one most likely forgotten first."""
    at = _utc(now)
    waiting = []
    for code, text in cards.items():
        card = _card(text)
        if card.due <= at:
            waiting.append(Due(code, card.due, _recall(card, at)))
    return tuple(sorted(waiting, key=lambda entry: (entry.recall, entry.since, entry.code)))


def recall(card_json: str, now: datetime) -> float:
    """How likely the finding is still known at `now`, in [0, 1]; 0 where it has never been read."""
    return _recall(_card(card_json), _utc(now))


def next_due(card_json: str) -> datetime:
    """When the card is due, in UTC."""
    return _card(card_json).due


def _recall(card: Card, at: datetime) -> float:
    if card.last_review is not None:
        at = max(at, card.last_review)
    return float(_SCHEDULER.get_card_retrievability(card, at))


def _card(text: str) -> Card:
    try:
        card = Card.from_json(text)
        card.due = _utc(card.due)
        card.last_review = _utc(card.last_review) if card.last_review else None
        return card
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"The stored card cannot be read: {error}.") from error


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise RequestError(f"The time {at.isoformat()} has no zone; give it in UTC.")
    return at.astimezone(UTC)
