"""Is a file synthetic, and is it ours? Every layer is looked at, and the answer is one of five in plain words.

That nothing is found proves nothing: marks can be removed, and other makers may set none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from synth import imaging
from synth.dicom.synthetic import marked
from synth.errors import RequestError, SynthError
from synth.provenance import credentials, watermark
from synth.provenance.credentials import Credential, Standing
from synth.provenance.search import Transform
from synth.provenance.watermark import Detection, State
from synth.types import GeneratedImage
from synth.verify import files, words
from synth.verify.changes import Change, change
from synth.verify.files import Picture

ALIGNED_PX = 1.0  # in the frame of 256 px: a picture that lies as it left can be compared pixel by pixel

Lookup = Callable[[int], Sequence[GeneratedImage]]


class Answer(StrEnum):
    """What a file is, the strongest answer first."""

    OURS = "Synthetic, made here"
    ALTERED = "Made here and altered since"
    OTHERS = "Marked as synthetic, but not provably ours"
    NOTHING = "Nothing found"
    UNREADABLE = "Not readable"


@dataclass(frozen=True, slots=True)
class Proofs:
    """What proves that a file is ours: the keys of the invisible mark, the roots of our certificates (PEM)."""

    keys: tuple[bytes, ...]
    roots: bytes


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer says, in a sentence."""

    name: str
    found: bool
    told: str


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The answer with all that it rests on."""

    answer: Answer
    sentence: str
    layers: tuple[Layer, ...] = ()
    picture: Picture | None = None  # the one that the answer is about
    detection: Detection | None = None  # None where the picture is too small for a search
    credential: Credential | None = None
    images: tuple[GeneratedImage, ...] = ()  # that the invisible mark names, as they left
    change: Change | None = None  # against the image that the mark names; None where it was not compared
    searched: int = 1  # pictures in the file
    seconds: float = 0.0

    @property
    def ours(self) -> bool:
        """True for what was made here, altered since or not."""
        return self.answer in (Answer.OURS, Answer.ALTERED)


def examine(data: bytes, name: str, proofs: Proofs, lookup: Lookup, beside: bytes | None = None) -> Verdict:
    """The verdict on a file; `beside` is a C2PA manifest that lies beside it. It never raises for what is in the file.

    `lookup` gives the images that a payload names, as they left. Of several pictures the strongest answer counts.
    """
    begun = time.monotonic()
    try:
        pictures = files.pictures(data, name)
    except SynthError as error:
        return Verdict(Answer.UNREADABLE, str(error), searched=0, seconds=time.monotonic() - begun)
    detections = [_aligned(picture.shown, proofs.keys) for picture in pictures]
    if not any(_found(detection) for detection in detections):
        detections[0] = _searched(pictures[0].shown, proofs.keys) or detections[0]  # the largest
    verdicts = [
        _judged(picture, detection, _credential(picture, proofs, beside), lookup)
        for picture, detection in zip(pictures, detections, strict=True)
    ]
    best = min(verdicts, key=lambda verdict: list(Answer).index(verdict.answer))
    return replace(best, searched=len(pictures), seconds=time.monotonic() - begun)


def _judged(picture: Picture, detection: Detection | None, credential: Credential | None, lookup: Lookup) -> Verdict:
    images = tuple(lookup(detection.payload)) if detection and detection.payload is not None else ()
    visible = marked(picture.shown)
    compared = _compared(picture.shown, detection, images)
    layers = (
        Layer(words.VISIBLE, visible, words.visible(visible)),
        Layer(words.HEADER, picture.said is not None, words.header(picture.said)),
        Layer(words.MANIFEST, credential is not None, words.manifest(credential)),
        Layer(words.INVISIBLE, _found(detection), words.invisible(detection)),
    )
    answer, sentence = _answer(layers, credential, images, compared)
    return Verdict(answer, sentence, layers, picture, detection, credential, images, compared)


def _answer(
    layers: tuple[Layer, ...], credential: Credential | None, images: Sequence[GeneratedImage], compared: Change | None
) -> tuple[Answer, str]:
    """The invisible mark and our signature prove; words, in the header or burnt in, only tell."""
    visible, header, _, invisible = layers
    signed_here = credential is not None and credential.known
    broken = signed_here and credential is not None and credential.standing is Standing.INVALID
    if invisible.found or signed_here:
        if compared is not None and compared.altered:
            return Answer.ALTERED, words.altered(compared)
        if broken:
            return Answer.ALTERED, words.BROKEN
        return Answer.OURS, words.ours(images, compared)
    by_model = credential is not None and credential.by_model
    if visible.found or header.found or by_model:
        return Answer.OTHERS, words.others(by_model)
    return Answer.NOTHING, words.NOTHING


def _compared(
    shown: npt.NDArray[np.uint8], detection: Detection | None, images: Sequence[GeneratedImage]
) -> Change | None:
    """Against what left; None where it was cropped, turned or shifted, or is not kept any more."""
    if detection is None or detection.transform is None or not _in_place(detection.transform):
        return None
    left = (imaging.to_uint8(imaging.mark(image.pixels, image.request.mark)) for image in images)
    found = [one for picture in left if (one := change(shown, picture)) is not None]
    return min(found, key=lambda one: one.levels, default=None)


def _in_place(at: Transform) -> bool:
    shift = max(min(part % 256, -part % 256) for part in at.shift_px)
    straight = abs(at.scale - 1.0) < 0.01 and abs(at.turn_deg) < 0.5 and not (at.mirrored or at.upside_down)
    return straight and shift <= ALIGNED_PX


def _credential(picture: Picture, proofs: Proofs, beside: bytes | None) -> Credential | None:
    if picture.mime == credentials.DICOM and beside is None:
        return None
    return credentials.read(picture.data, picture.mime, proofs.roots, beside)


def _aligned(shown: npt.NDArray[np.uint8], keys: Sequence[bytes]) -> Detection | None:
    return _best([_tried(watermark.detect_aligned, shown, key) for key in keys])


def _searched(shown: npt.NDArray[np.uint8], keys: Sequence[bytes]) -> Detection | None:
    return _best([_tried(watermark.detect, shown, key) for key in keys])


def _tried(
    detect: Callable[[npt.NDArray[np.uint8], bytes], Detection], shown: npt.NDArray[np.uint8], key: bytes
) -> Detection | None:
    try:
        return detect(shown, key)
    except RequestError:  # too small to be searched
        return None


def _best(found: Sequence[Detection | None]) -> Detection | None:
    return min((one for one in found if one is not None), key=lambda one: one.log10_p, default=None)


def _found(detection: Detection | None) -> bool:
    return detection is not None and detection.state is State.DETECTED
