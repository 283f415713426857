"""The answers of a study as CSV: every read with all that is known of it, and the table that iMRMC analyses."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from synth.export.tables import cell
from synth.reading.readings import IMRMC_COLUMNS, Reading, imrmc_rows
from synth.reading.reads import Read

COLUMNS = (
    "reader", "phase", "position", "case", "task", "condition", "positive", "called_positive", "score",
    "correct", "credit", "confidence", "seconds", "x", "y", "hit", "dice", "true", "named", "answered_at",
)  # fmt: skip


def reads_csv(reads: Iterable[Read]) -> bytes:
    """One line an answer, UTF-8, CRLF (RFC 4180); phases and positions from 1, places as shares of the sides.

    Readers are numbers: pseudonyms stay with whoever runs the study. An empty cell says that the task has no such
    value; 1 and 0 are yes and no. Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    return _csv(COLUMNS, (_row(read) for read in reads))


def imrmc_csv(reads: Iterable[Read]) -> bytes:
    """The scored rows of one task in iMRMC's columns, conditions as modalities; ASCII header without a byte mark.

    Raises RequestError where nothing has a score, or a case is positive here and negative there.
    """
    readings = [
        Reading(cell(read.reader), cell(read.case), read.condition, read.score, bool(read.positive))
        for read in reads
        if read.score is not None
    ]
    return _csv(IMRMC_COLUMNS, imrmc_rows(readings))


def _row(read: Read) -> list[object]:
    x, y = read.place or (None, None)
    return [
        cell(read.reader),
        read.phase + 1,
        read.position + 1,
        cell(read.case),
        read.task.value,
        read.condition,
        _yes(read.positive),
        _yes(read.called),
        read.score,
        _yes(read.correct),
        round(read.credit, 6),
        read.confidence,
        round(read.seconds, 3),
        None if x is None else round(x, 5),
        None if y is None else round(y, 5),
        _yes(read.hit),
        None if read.dice is None else round(read.dice, 5),
        " ".join(read.true),
        " ".join(read.named),
        read.at.isoformat(),
    ]


def _yes(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
