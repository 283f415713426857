"""Who may push what to a PACS, case by case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from synth.errors import PolicyError
from synth.governance import LOCAL_USER, Role, User, may_push
from synth.governance.release import Release, State
from synth.prompts import guard
from synth.types import Edit, GeneratedImage, Modality, RealImage, View

REASON = "Teaching set for the course in May"
VALIDATED = Release("a", State.VALIDATED)
REAL = RealImage("r", Path("r.png"), Modality.DX, View.PA, None, None, (), "", "")


@dataclass(frozen=True)
class Place:
    name: str = "teaching"
    allow_push: bool = True


@pytest.mark.parametrize("user", [LOCAL_USER, User("ada", frozenset({Role.ADMINISTRATOR}))])
def test_an_administrator_may_push_a_synthetic_image_for_a_reason(
    make_image: Callable[..., GeneratedImage], user: User
) -> None:
    may_push(make_image("a"), VALIDATED, user, Place(), REASON, guard)


def test_an_edit_of_a_synthetic_image_may_go_where_it_came_from(make_image: Callable[..., GeneratedImage]) -> None:
    may_push(
        make_image("b", edit=Edit("variation", "0" * 64, "synthetic:a")), VALIDATED, LOCAL_USER, Place(), REASON, guard
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": REAL}, "This image is real; only synthetic images may be sent to a PACS."),
        (
            {"edit": Edit("variation", "0" * 64, "real:r")},
            "Image a was made out of a real one; only wholly synthetic images may be sent.",
        ),
        (
            {"edit": Edit("variation", "0" * 64, "upload:u")},
            "Image a was made out of a real one; only wholly synthetic images may be sent.",
        ),
        ({"side_px": 63}, "Image a is too small for a readable mark; 64 px are needed."),
        (
            {"node": Place(allow_push=False)},
            "teaching takes no synthetic images; its entry would need allow_push = true.",
        ),
        ({"user": User("bob")}, "bob is not an administrator; only administrators may send images to a PACS."),
        (
            {"user": User("eve", frozenset(Role) - {Role.ADMINISTRATOR})},
            "eve is not an administrator; only administrators may send images to a PACS.",
        ),
        ({"release": Release("a", State.DRAFT)}, "Image a is draft; for a PACS it must be validated."),
        ({"release": Release("a", State.CHECKED)}, "Image a is checked; for a PACS it must be validated."),
        ({"release": Release("a", State.WITHDRAWN, reason="wrong side")}, "Image a was withdrawn: wrong side."),
        ({"reason": "  test     "}, "The reason has 4 characters; at least 10 are needed."),
    ],
)
def test_everything_else_is_refused_with_its_reason(
    make_image: Callable[..., GeneratedImage], changes: dict[str, object], told: str
) -> None:
    drawn = {key: changes[key] for key in ("edit", "side_px") if key in changes}
    image = changes.get("image") or make_image("a", **drawn)
    with pytest.raises(PolicyError) as refused:
        user, node = changes.get("user", LOCAL_USER), changes.get("node", Place())
        may_push(image, changes.get("release", VALIDATED), user, node, changes.get("reason", REASON), guard)
    assert str(refused.value) == told


def test_a_reason_that_names_a_person_is_refused(make_image: Callable[..., GeneratedImage]) -> None:
    with pytest.raises(PolicyError):
        may_push(make_image("a"), VALIDATED, LOCAL_USER, Place(), "Demonstration for Mr. John Miller", guard)
