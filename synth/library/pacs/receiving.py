"""Receiving over either protocol: which files are expected, what became of each, nothing taken unasked."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from synth.errors import SynthError
from synth.library.pacs.values import Known, OnInstance, Outcome, State, Stopped, Transfer

CANCELLED = "The transfer was cancelled."


class Delivery:
    """The files of one retrieve, by SOP Instance UID; `take` may be called from another thread."""

    def __init__(self, expected: Iterable[str], known: Known, on_instance: OnInstance, cancelled: Stopped) -> None:
        self._outcomes: dict[str, Outcome | None] = dict.fromkeys(expected)
        self._on_instance, self._cancelled, self._lock = on_instance, cancelled, Lock()
        self._broken: Exception | None = None
        for uid in self._outcomes:
            if known(uid):
                self._outcomes[uid] = Outcome(uid, State.PRESENT)

    @property
    def missing(self) -> tuple[str, ...]:
        """What has neither arrived nor failed for good."""
        return tuple(uid for uid, outcome in self._outcomes.items() if outcome is None)

    @property
    def stopped(self) -> bool:
        """True when nothing more shall come: cancelled, or what came cannot be kept."""
        return self._broken is not None or self._cancelled()

    def take(self, uid: str, data: bytes) -> bool:
        """Hand one file on. False where it was not asked for or could not be kept; the reason is noted."""
        with self._lock:
            if uid not in self._outcomes or self.stopped:
                return False
            before = self._outcomes[uid]
            if before is not None:  # came twice: an archive may repeat itself
                return before.state is not State.FAILED
            try:
                self._on_instance(data)
            except SynthError as error:
                self.fail(uid, str(error))
                return False
            except Exception as error:  # told to the caller by `result`; here it would die in a thread of the network
                self._broken = error
                return False
            self._outcomes[uid] = Outcome(uid, State.MOVED)
            return True

    def fail(self, uid: str, reason: str) -> None:
        """Note that this file will not come."""
        self._outcomes[uid] = Outcome(uid, State.FAILED, reason)

    def result(self, reason: str) -> Transfer:
        """The transfer as it ended; `reason` says why files are missing. Raises what `on_instance` broke with.

        An OSError (a full disk) is no such thing: it is told as the reason of what is missing.
        """
        if self._broken is not None:
            if not isinstance(self._broken, OSError):
                raise self._broken
            reason = f"The files cannot be kept: {self._broken.strerror or 'the disk refused'}."
        cancelled = self._cancelled() and bool(self.missing)
        why = CANCELLED if cancelled else reason
        ended = (outcome or Outcome(uid, State.FAILED, why) for uid, outcome in self._outcomes.items())
        return Transfer(tuple(ended), cancelled)
