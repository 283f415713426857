"""The people, what they may be, and the one table of what each role may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from synth.errors import PolicyError


class Role(StrEnum):
    """What somebody may be; one person can be several."""

    TRAINEE = "trainee"
    EDUCATOR = "educator"
    RADIOLOGIST = "radiologist"
    RESEARCHER = "researcher"
    GOVERNANCE = "governance officer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What a service call can need, in the words of a refusal: "... may not <permission>"."""

    PRACTISE = "read cases and see their own progress"
    GENERATE = "make synthetic images and see their own"
    SEE_ALL = "see the images and jobs of others"
    LIBRARY = "see the real images"
    CURATE = "import, change or remove real images"
    TEACH = "make case sets"
    STUDY = "run reader studies"
    VALIDATE = "judge images as a radiologist"
    RELEASE = "release images"
    WITHDRAW = "withdraw images"
    RESEARCH = "make images for research or export data sets"
    PROTOCOLS = "open, change or end protocols"
    AUDIT = "read the audit trail"
    MONITOR = "see how the app is used"
    PEOPLE = "manage accounts, roles and groups"
    MODELS = "accept licences and choose models"
    PUSH = "send images to a PACS"


_OVERSIGHT = frozenset({Role.GOVERNANCE, Role.ADMINISTRATOR})

MAY: dict[Permission, frozenset[Role]] = {
    Permission.PRACTISE: frozenset(Role),
    Permission.GENERATE: frozenset(Role),
    Permission.SEE_ALL: frozenset(Role) - {Role.TRAINEE},
    Permission.LIBRARY: frozenset(Role),
    Permission.CURATE: frozenset({Role.EDUCATOR, Role.RESEARCHER, Role.ADMINISTRATOR}),
    Permission.TEACH: frozenset({Role.EDUCATOR}),
    Permission.STUDY: frozenset({Role.EDUCATOR, Role.RESEARCHER}),
    Permission.VALIDATE: frozenset({Role.RADIOLOGIST}),  # administrators must not: separation of duties
    Permission.RELEASE: frozenset({Role.GOVERNANCE}),
    Permission.WITHDRAW: frozenset({Role.RADIOLOGIST, Role.GOVERNANCE}),
    Permission.RESEARCH: frozenset({Role.RESEARCHER}),
    Permission.PROTOCOLS: frozenset({Role.GOVERNANCE}),
    Permission.AUDIT: _OVERSIGHT,
    Permission.MONITOR: _OVERSIGHT,
    Permission.PEOPLE: frozenset({Role.ADMINISTRATOR}),
    Permission.MODELS: frozenset({Role.ADMINISTRATOR}),
    Permission.PUSH: frozenset({Role.ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who uses the app, as the audit trail names them."""

    name: str
    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles gives the permission."""
        return not self.roles.isdisjoint(MAY[permission])


LOCAL_USER = User("local", frozenset(Role))  # on localhost, where nobody signs in


def require(user: User, permission: Permission) -> None:
    """Pass a user who has the permission; raises PolicyError naming what is missing and which roles have it."""
    if not user.may(permission):
        have = " or ".join(sorted(MAY[permission]))
        raise PolicyError(f"{user.name} may not {permission}; the role {have} may.")
