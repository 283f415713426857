"""What may leave the house: the rules for a push to a PACS, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from synth.errors import PolicyError
from synth.governance.release import Release, Use, require_reason
from synth.governance.roles import Permission, User
from synth.types import GeneratedImage, RealImage

VISIBLE_PX = 64  # narrower pictures cannot carry a mark that one can read


class Destination(Protocol):
    """What the rules need to know of a PACS."""

    @property
    def name(self) -> str:
        """As the administrator calls it."""

    @property
    def allow_push(self) -> bool:
        """True where its entry in the configuration allows pushes."""


def may_push(
    image: GeneratedImage | RealImage,
    release: Release,
    user: User,
    node: Destination,
    reason: str,
    guard: Callable[[str], None],
) -> None:
    """Pass a push of one image that the rules allow; raises PolicyError with one sentence for any other.

    Only wholly synthetic images that carry a readable mark and that radiologists have validated, to nodes that allow
    it, by an administrator, for a stated reason. `guard` raises PolicyError for a text that names a person
    (`synth.prompts.guard`).
    """
    if not isinstance(image, GeneratedImage):
        raise PolicyError("This image is real; only synthetic images may be sent to a PACS.")
    if image.request.mark != "SYNTHETIC":
        raise PolicyError(f"Image {image.id} was made out of a real one; only wholly synthetic images may be sent.")
    if min(image.pixels.shape) < VISIBLE_PX:
        raise PolicyError(f"Image {image.id} is too small for a readable mark; {VISIBLE_PX} px are needed.")
    if not node.allow_push:
        raise PolicyError(f"{node.name} takes no synthetic images; its entry would need allow_push = true.")
    if not user.may(Permission.PUSH):
        raise PolicyError(f"{user.name} is not an administrator; only administrators may send images to a PACS.")
    require_reason(reason)
    release.require(Use.PACS)
    guard(reason)
