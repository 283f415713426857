"""Images brought as far as a test needs them, by radiologists and a governance officer who did not ask for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from synth.governance.release import Fitness
from synth.governance.reviews import Judged, Outcome, Presence, Review
from synth.governance.roles import Role, User
from synth.store import Store

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
RHEA, REMY, ROSE = (User(name, frozenset({Role.RADIOLOGIST})) for name in ("rhea", "remy", "rose"))
GITA = User("gita", frozenset({Role.GOVERNANCE}))


def review(store: Store, image_id: str, present: Presence = Presence.YES, **said: Any) -> Review:
    """What a reader says who finds everything as it was asked for; keywords change it."""
    image = store.image(image_id)
    judged = tuple(Judged(finding.code, present) for finding in image.request.findings)
    everything = {"realism": 4, "judged": judged, "fit": frozenset(Fitness), "seconds": 20.0}
    return Review(image_id, "", NOON, "", "", **everything | said)


def judge(
    store: Store, image_id: str, user: User = RHEA, *, two: bool = False, present: Presence = Presence.YES, **said: Any
) -> Outcome:
    """One judgement, kept."""
    return store.validation.judge(review(store, image_id, present, **said), user, two)


def release(store: Store, *image_ids: str) -> None:
    """Validate and release images."""
    for image_id in image_ids:
        judge(store, image_id)
    store.validation.set_released(image_ids, GITA, NOON)
