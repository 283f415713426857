"""The people and what they may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may be; one person can be several."""

    TRAINEE = "trainee"
    EDUCATOR = "educator"
    RADIOLOGIST = "radiologist"
    RESEARCHER = "researcher"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who uses the app, as the audit trail names them."""

    name: str
    roles: frozenset[Role] = frozenset()


LOCAL_USER = User("local", frozenset(Role))  # on localhost, where nobody signs in
