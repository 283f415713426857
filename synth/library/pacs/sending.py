"""Sending over either protocol: synthetic files only, each one once, an outcome for every one."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydicom import Dataset, dcmread

from synth.errors import ArchiveError, Cancelled, DicomError, PolicyError
from synth.library.pacs.nodes import Node
from synth.library.pacs.retry import Refused, Unreachable, again, pause
from synth.library.pacs.values import OnProgress, Outcome, State, Stopped, Transfer


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """One file to be sent, with the names that it travels under."""

    data: bytes
    study_uid: str
    series_uid: str
    instance_uid: str
    class_uid: str
    syntax: str  # transfer syntax UID

    def dataset(self) -> Dataset:
        """The whole file, read."""
        return dcmread(io.BytesIO(self.data))


class Line(Protocol):
    """An open line to an archive. Raises Unreachable, Refused (this file) or ArchiveError (any file)."""

    def held(self, parcels: Collection[Parcel]) -> set[str]:
        """SOP Instance UIDs that the archive holds of the series of these parcels."""

    def put(self, parcel: Parcel) -> None:
        """Store one file; returns when the archive has confirmed it."""


def parcel(data: bytes) -> Parcel:
    """Raises PolicyError for a file that does not say that it is synthetic, DicomError for one that is not DICOM."""
    try:
        ds = dcmread(io.BytesIO(data), stop_before_pixels=True)
        said = str(ds.get("SyntheticData", ""))
        study, series, instance = map(str, (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID))
        made = Parcel(data, study, series, instance, str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID))
    except Exception as error:  # pydicom meets damage with whatever its parser trips over
        raise DicomError("A file to be sent is not a readable DICOM file.") from error
    if said != "YES":
        raise PolicyError("A file to be sent does not say that it is synthetic; real images are never sent.")
    return made


def send(node: Node, line: Line, files: Sequence[bytes], on_progress: OnProgress, cancelled: Stopped) -> Transfer:
    """Send what is not held yet, in the given order. After a failure of the line the rest is told as missing."""
    if not node.allow_push:
        raise PolicyError(f"{node.name} takes no synthetic images; its entry would need allow_push = true.")
    parcels = list({made.instance_uid: made for made in map(parcel, files)}.values())
    try:
        held = again(lambda: line.held(parcels), node.retries, cancelled)
    except Cancelled as error:
        return _rest(parcels, [], str(error), cancelled=True)
    done: list[Outcome] = []
    for number, item in enumerate(parcels):
        on_progress(number, len(parcels))
        if cancelled():
            return _rest(parcels, done, "The transfer was cancelled.", cancelled=True)
        try:
            done.append(_one(node, line, item, held, cancelled))
        except (ArchiveError, Cancelled) as error:
            return _rest(parcels, done, str(error), cancelled=isinstance(error, Cancelled))
    on_progress(len(parcels), len(parcels))
    return Transfer(tuple(done))


def _one(node: Node, line: Line, item: Parcel, held: set[str], cancelled: Stopped) -> Outcome:
    if item.instance_uid in held:
        return Outcome(item.instance_uid, State.PRESENT)
    for attempt in range(node.retries + 1):
        try:
            # the file may have arrived although its confirmation was lost
            if attempt == 0 or item.instance_uid not in line.held([item]):
                line.put(item)
            return Outcome(item.instance_uid, State.MOVED)
        except Refused as error:
            return Outcome(item.instance_uid, State.FAILED, str(error))
        except Unreachable:
            if attempt == node.retries:
                raise
            pause(attempt, cancelled)
    raise AssertionError("the last attempt returns or raises")


def _rest(parcels: Sequence[Parcel], done: Sequence[Outcome], reason: str, cancelled: bool) -> Transfer:
    left = (Outcome(item.instance_uid, State.FAILED, reason) for item in parcels[len(done) :])
    return Transfer((*done, *left), cancelled)
