"""What one asks of a PACS and what comes back: query, rows, the outcome of every file; and the seam, `Archive`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Protocol

from synth.errors import ArchiveError, RequestError

LIMIT_MAX = 1000  # studies of one search
ROWS_MAX = 100_000  # instances of a study; more are a server that repeats itself
_TEXT_MAX = 64  # characters of a LO or PN component (PS3.5 section 6.2)
_UID = re.compile(r"(?=.{1,64}$)[0-9]+(\.[0-9]+)+")  # PS3.5 section 9.1; leading zeros occur in real archives

Known = Callable[[str], bool]  # "is this SOP Instance UID already held?"
OnInstance = Callable[[bytes], None]  # takes a part-10 file; a SynthError fails this one, an OSError ends the transfer
OnProgress = Callable[[int, int], None]  # files done, files in all
Stopped = Callable[[], bool]


def never() -> bool:
    """The `Stopped` of what nobody can stop."""
    return False


@dataclass(frozen=True, slots=True)
class Query:
    """Studies to look for; empty fields match everything. `*` and `?` are wildcards in the texts (PS3.4 C.2.2.2)."""

    patient_name: str = ""
    patient_id: str = ""
    date_from: date | None = None
    date_to: date | None = None
    modality: str = ""
    description: str = ""
    accession: str = ""
    limit: int = 100

    def __post_init__(self) -> None:
        texts = (self.patient_name, self.patient_id, self.modality, self.description, self.accession)
        for text in texts:
            if len(text) > _TEXT_MAX or "\\" in text or not text.isprintable():
                raise RequestError(f"A search text has at most {_TEXT_MAX} printable characters and no backslash.")
        if not 1 <= self.limit <= LIMIT_MAX:
            raise RequestError(f"The search is limited to {self.limit} studies; it must be 1 to {LIMIT_MAX}.")
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise RequestError(f"The search runs from {self.date_from} back to {self.date_to}; exchange the dates.")

    @property
    def dates(self) -> str:
        """The range of Study Dates as DICOM writes it (PS3.4 C.2.2.2.5), empty for any date."""
        if not self.date_from and not self.date_to:
            return ""
        return "-".join(day.strftime("%Y%m%d") if day else "" for day in (self.date_from, self.date_to))

    def matches(self, row: StudyRow) -> bool:
        """False where the row contradicts what was asked for: archives may ignore keys that they do not know."""
        wanted = ((self.description, row.description), (self.accession, row.accession))
        if any(asked and got and not fnmatchcase(got.lower(), asked.lower()) for asked, got in wanted):
            return False
        if row.date is not None and (
            (self.date_from and row.date < self.date_from) or (self.date_to and row.date > self.date_to)
        ):
            return False
        return not (self.modality and row.modalities and self.modality not in row.modalities)


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study as the archive lists it. It may hold identifiers: for the screen of the one who asked, never kept."""

    study_uid: str
    patient_name: str = ""
    patient_id: str = ""
    patient_sex: str = ""
    date: date | None = None
    modalities: tuple[str, ...] = ()
    description: str = ""
    accession: str = ""
    series: int | None = None  # how many, where the archive says so
    instances: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series of a study as the archive lists it."""

    study_uid: str
    series_uid: str
    modality: str = ""
    number: int | None = None
    description: str = ""
    body_part: str = ""
    instances: int | None = None  # where the archive says so


class State(StrEnum):
    """What became of one file."""

    MOVED = "moved"  # sent to or fetched from the archive by this transfer
    PRESENT = "present"  # was already there, nothing travelled
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, with one sentence why where it failed."""

    instance_uid: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What became of every file of one send or retrieve; `cancelled` where the user ended it."""

    outcomes: tuple[Outcome, ...]
    cancelled: bool = False

    @property
    def expected(self) -> int:
        """How many files there were to be moved."""
        return len(self.outcomes)

    def count(self, state: State) -> int:
        """How many files ended so."""
        return sum(outcome.state is state for outcome in self.outcomes)

    @property
    def moved(self) -> int:
        """How many files travelled."""
        return self.count(State.MOVED)

    @property
    def present(self) -> int:
        """How many were there before."""
        return self.count(State.PRESENT)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The files that are still missing, with the reasons."""
        return tuple(outcome for outcome in self.outcomes if outcome.state is State.FAILED)

    @property
    def complete(self) -> bool:
        """True when nothing is missing."""
        return not self.failed

    @property
    def sentence(self) -> str:
        """The transfer in one sentence for the screen: counts, and the first reason where files are missing."""
        text = f"{self.moved} of {self.expected} files were transferred, {self.present} were there before"
        if self.complete:
            return f"{text}."
        return f"{text}, {len(self.failed)} are missing: {self.failed[0].reason}"


class Archive(Protocol):
    """A PACS, whichever protocol it speaks. Every failure is an ArchiveError of one sentence.

    Methods block, up to the node's timeout and retries: call them from a worker, not from a page.
    """

    def echo(self) -> float:
        """Ask whether it is there and lets us in; seconds that the answer took."""

    def find_studies(self, query: Query) -> tuple[StudyRow, ...]:
        """Studies that match, at most `query.limit`, as the archive orders them."""

    def find_series(self, study_uid: str) -> tuple[SeriesRow, ...]:
        """All series of a study. Raises ArchiveError where the archive does not know the study."""

    def retrieve(
        self, study_uid: str, series_uid: str | None, known: Known, on_instance: OnInstance, cancelled: Stopped
    ) -> Transfer:
        """Fetch a study, or one series of it, but what is `known`; every file goes to `on_instance` as it comes.

        Called again after a failure it fetches what is not known by then. `on_instance` may be called from another
        thread, one file at a time. Raises ArchiveError when nothing could be asked for, Cancelled when the user stopped
        it before that.
        """

    def send(self, files: Sequence[bytes], on_progress: OnProgress, cancelled: Stopped) -> Transfer:
        """Store synthetic files; what the archive holds already (by SOP Instance UID) is not sent again.

        Raises PolicyError, before anything travels, where the node does not allow pushes or a file does not say that
        it is synthetic; ArchiveError when the archive cannot be asked what it holds.
        """


def checked_uid(text: object, what: str) -> str:
    """The text, if it is a UID. Raises ArchiveError else: it would become a part of a URL or of a query."""
    if not _UID.fullmatch(str(text)):
        raise ArchiveError(f"{str(text)[:64]!r} is not a {what}; it must be numbers with dots, at most 64 characters.")
    return str(text)


def whole(text: object) -> int | None:
    """A whole number out of an answer, None where there is none: such counts are only shown."""
    digits = str(text).strip()
    return int(digits) if digits.isdecimal() and len(digits) < 10 else None


def day(text: object) -> date | None:
    """A date out of an answer (DA, PS3.5 section 6.2; also the old form with dots), None where there is none."""
    digits = str(text).replace(".", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except ValueError:
        return None
