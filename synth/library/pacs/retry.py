"""What kinds of failures there are between us and a PACS, and trying again with growing pauses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from synth.errors import ArchiveError, Cancelled
from synth.library.pacs.values import Stopped

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
_SLICE_S = 0.2  # how soon a cancelled pause ends

T = TypeVar("T")


class Unreachable(ArchiveError):
    """The line or the archive failed for now: worth another try."""


class Refused(ArchiveError):
    """The archive does not take or give this one file; the next one may pass."""


def again(action: Callable[[], T], retries: int, cancelled: Stopped) -> T:
    """The action's value; what is Unreachable is tried `retries` times more. Raises Cancelled in a pause."""
    for attempt in range(retries):
        try:
            return action()
        except Unreachable:
            pause(attempt, cancelled)
    return action()


def pause(attempt: int, cancelled: Stopped) -> None:
    """Wait 0.5 s, 1 s, 2 s ... 10 s for attempt 0, 1, 2 ... Raises Cancelled as soon as the user stops it."""
    left = min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
    while left > 0:
        if cancelled():
            raise Cancelled("The transfer was cancelled.")
        threading.Event().wait(min(_SLICE_S, left))
        left -= _SLICE_S
