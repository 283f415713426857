"""Codes that invite: short enough to be typed from paper, without letters that are taken for one another."""

from __future__ import annotations

from collections.abc import Callable

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without 0 and O, 1, I and L
CODE_LENGTH = 8  # 31 ** 8: nobody guesses one of a few hundred in 10 ** 9 tries


def code(pick: Callable[[str], str]) -> str:
    """Eight characters, each by `pick` from ALPHABET: `secrets.choice`, so that no code can be foretold."""
    return "".join(pick(ALPHABET) for _ in range(CODE_LENGTH))


def codes(count: int, pick: Callable[[str], str]) -> tuple[str, ...]:
    """So many codes of which no two are the same."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[code(pick)] = None
    return tuple(found)


def tidied(text: str) -> str:
    """A code as typed, in capitals and without blanks and hyphens."""
    return "".join(text.split()).replace("-", "").upper()
