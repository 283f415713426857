"""One file through the door, in a process of its own: pictures go to the store's place, little comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from synth.dicom.door import take
from synth.dicom.taken import Picture, Rules, Taken
from synth.errors import DicomError, StoreError
from synth.library import nifti
from synth.library.metadata import image_of
from synth.library.sources import Candidate
from synth.store import FileOutcome, Holding, Outcome
from synth.store.blobs import Blobs, encode_png
from synth.types import Modality, RealImage

VOLUMES = (".nii", ".nii.gz")
ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to know of one file. `row` are the labels that stand beside it."""

    candidate: Candidate
    rules: Rules
    blob_url: str
    origin: str
    licence: str
    attribution: str = ""
    volumes: str = "CT"
    row: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What a worker says of one file: its outcome, what was done to it by the codes of PS3.16 CID 7050, and flags."""

    file: FileOutcome
    codes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    full: str = ""  # why the place of the pictures took nothing more; the file was not judged


def work(task: Task) -> Done:
    """Read, de-identify and keep one file. Never raises for the file: what is wrong with it is its reason."""
    name = task.candidate.name
    try:
        data = task.candidate.read()
        taken = [take(part, name, task.rules) for part in _parts(data, task)]
        if not any(one.pictures for one in taken):
            return Done(FileOutcome(name, Outcome.REFUSED, f"{name} holds no picture."))
        holdings = tuple(holding for one in taken for holding in _kept(one, task))
    except StoreError as error:
        return Done(FileOutcome(name, Outcome.REFUSED, str(error)), full=str(error))
    except (DicomError, MemoryError) as error:
        reason = str(error) or f"{name} needs more memory than there is."
        return Done(FileOutcome(name, Outcome.REFUSED, reason))
    said = " ".join(dict.fromkeys(sentence for one in taken for sentence in one.done))
    codes = tuple(dict.fromkeys(code for one in taken for code in one.codes))
    flags = tuple(dict.fromkeys(flag for one in taken for flag in one.flags))
    return Done(FileOutcome(name, Outcome.ADDED, said, holdings), codes, flags)


def _parts(data: bytes, task: Task) -> Iterator[bytes]:
    """The file itself, or the slices of a volume, which have no header of their own."""
    if task.candidate.name.lower().endswith(VOLUMES):
        yield from nifti.slices(data, task.candidate.name, Modality(task.volumes))
    else:
        yield data


def _kept(taken: Taken, task: Task) -> Iterator[Holding]:
    digest = _blobs(task.blob_url).put(taken.data, taken.suffix)
    for picture in taken.pictures:
        yield Holding(
            image=_image(picture, task, f"{digest}{taken.suffix}"),
            pixel_hash=picture.pixel_hash,
            thumbnail=_blobs(task.blob_url).put(encode_png(picture.thumbnail)),
            patient=picture.patient,
            study_uid=picture.study_uid,
            series_uid=picture.series_uid,
            instance_uid=picture.instance_uid,
            series_number=picture.series_number,
            instance_number=picture.instance_number,
            original=taken.original,
            rows=picture.rows,
            columns=picture.columns,
            flags=taken.flags,
        )


def _image(picture: Picture, task: Task, kept: str) -> RealImage:
    """The labels beside a file go before those of its header; the id tells nothing of either."""
    said = image_of(task.row, picture.pixel_hash[:ID_LENGTH], "")
    return replace(
        said,
        modality=said.modality or picture.modality,
        view=said.view or picture.view,
        body_part=said.body_part or picture.body_part,
        sex=said.sex or picture.sex,
        age=picture.age if said.age is None else said.age,
        origin=said.origin or task.origin,
        licence=said.licence or task.licence,
        attribution=said.attribution or task.attribution,
        kept=kept,
        frame=picture.frame,
    )


@lru_cache(maxsize=4)
def _blobs(url: str) -> Blobs:
    return Blobs(url)
