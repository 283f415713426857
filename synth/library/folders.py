"""The library: a folder of real images with its metadata.csv, and the de-identified files that the store keeps."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Protocol

import numpy as np
import numpy.typing as npt

from synth import imaging
from synth.dicom.decode import Decoded, decode, values
from synth.dicom.limits import MAX_FILE_BYTES
from synth.dicom.shown import shown as shown
from synth.errors import DicomError, RequestError, StoreError
from synth.library.metadata import METADATA as METADATA
from synth.library.metadata import image_of, read_rows
from synth.types import RealImage

SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".dicom")
HOW_TO = (
    "import some on the page Real images, from files, a PACS or an open collection, or put PNG, JPEG or DICOM "
    "files and a metadata.csv (file,modality,view,sex,age,findings) into {folder}, or set SYNTH_LIBRARY to such a "
    "folder"
)
CACHED = 128  # pictures, at most 32 MiB at 512 px

FRESH_S = 3.0  # how old the list of images may be: an import changes it many times a second

Shown = npt.NDArray[np.uint8]


class Index(Protocol):
    """What the library asks of the store."""

    def register(self, images: Sequence[RealImage]) -> None:
        """Take note of what the folder lists."""

    def changes(self, since: int) -> tuple[int, tuple[RealImage, ...]]:
        """A counter, and every image that changed since it was `since`."""

    def file(self, kept: str) -> bytes:
        """A kept file by its name."""


class Library:
    """The real images of one folder, and with an index those that were imported. Safe to share between threads."""

    def __init__(self, folder: Path, index: Index | None = None) -> None:
        """List the folder. Never raises for its content: what is wrong with it is the sentence `problem`."""
        self._root, self._index = folder.resolve(), index
        self._images, self._problem = _listed(self._root, folder)
        self._by_id = {image.id: image for image in self._images}
        self._revision, self._looked_at, self._looking = 0, monotonic(), Lock()
        if index is not None:
            index.register(self._images)
            self._by_id = {}
            self.refresh()
        self._cached = lru_cache(maxsize=CACHED)(self._square)
        self._scale = lru_cache(maxsize=CACHED)(self._side_and_spacing)

    @property
    def images(self) -> tuple[RealImage, ...]:
        """All images but those in the bin; the list is three seconds old at most."""
        if self._index is not None and monotonic() - self._looked_at > FRESH_S:
            self.refresh()
        return self._images

    @property
    def revision(self) -> int:
        """Grows with every change of `images`."""
        return self._revision

    @property
    def problem(self) -> str | None:
        """What is wrong with the folder, in one sentence; none at all is no problem once images were imported."""
        return None if self._images and not self._root.is_dir() else self._problem

    def refresh(self) -> None:
        """Read what changed since the last look. Raises StoreError."""
        if self._index is None:
            return
        with self._looking:
            revision, changed = self._index.changes(self._revision)
            if changed:
                self._by_id = self._by_id | {image.id: image for image in changed}
                self._images = tuple(image for image in self._by_id.values() if not image.removed)
            self._revision, self._looked_at = revision, monotonic()

    def image(self, image_id: str) -> RealImage | None:
        """One image by its id, also one younger than the list; None where there is none. Raises StoreError."""
        image = self._known(image_id)
        return None if image is None or image.removed else image

    def _known(self, image_id: str) -> RealImage | None:
        """The same with those in the bin: the page of the bin shows them, and a case that was dealt stays readable."""
        if image_id not in self._by_id:
            self.refresh()
        return self._by_id.get(image_id)

    def pixels(self, image_id: str, size_px: int) -> Shown:
        """(size_px, size_px) uint8, read-only, the whole picture with black bars; CT in the lung window.

        Raises DicomError when the id is unknown or the file is gone, damaged, outside the folder or synthetic.
        """
        return self._cached(image_id, size_px)

    def whole(self, image_id: str) -> Shown:
        """(H, W) uint8 at its own size, CT in the lung window. Raises DicomError as `pixels` does."""
        return shown(self._read(image_id))

    def readable(
        self, ranked: Iterable[RealImage], k: int, size_px: int
    ) -> tuple[list[tuple[RealImage, Shown]], list[str]]:
        """The first k of `ranked` that can be read, with their pixels, and one sentence for each passed over."""
        shown: list[tuple[RealImage, Shown]] = []
        sentences: list[str] = []
        for image in ranked:
            if len(shown) == k:
                break
            try:
                shown.append((image, self.pixels(image.id, size_px)))
            except DicomError as error:
                sentences.append(str(error))
        return shown, sentences

    def hounsfield(self, image_id: str, size_px: int) -> npt.NDArray[np.int16] | None:
        """(size_px, size_px) in HU; None where the file has none (films, CT of 8 bit). Raises DicomError."""
        decoded = self._read(image_id)
        if not decoded.hounsfield:
            return None
        square: npt.NDArray[np.int16] = imaging.fit_square(
            np.rint(np.clip(values(decoded), -32768, 32767)).astype(np.int16), size_px
        )
        return square

    def spacing_mm(self, image_id: str, size_px: int) -> tuple[float, float] | None:
        """(Between rows, between columns) in mm of the picture that `pixels` and `hounsfield` give at this size.

        None where the file has none. On a film it is that at the detector, or of the scanned page. Raises DicomError.
        """
        longer_px, spacing = self._scale(image_id)
        return None if spacing is None else (spacing[0] * longer_px / size_px, spacing[1] * longer_px / size_px)

    def _side_and_spacing(self, image_id: str) -> tuple[int, tuple[float, float] | None]:
        decoded = self._read(image_id)
        return max(decoded.pixels.shape), decoded.spacing_mm

    def _square(self, image_id: str, size_px: int) -> Shown:
        square: Shown = imaging.fit_square(shown(self._read(image_id)), size_px)
        square.flags.writeable = False
        return square

    def _read(self, image_id: str) -> Decoded:
        image = self._known(image_id)
        if image is None:
            raise DicomError(f"The library has no image {image_id!r}.")
        decoded = self._from_index(image) if image.kept else self._from_folder(image)
        if decoded.synthetic:
            name = image.path or "The file"
            raise DicomError(f"{name} says of itself that it is synthetic; the library holds real images only.")
        return decoded

    def _from_index(self, image: RealImage) -> Decoded:
        assert self._index is not None
        try:
            return decode(self._index.file(image.kept), "The file", image.frame)
        except StoreError as error:
            raise DicomError(str(error)) from error

    def _from_folder(self, image: RealImage) -> Decoded:
        path = self._root / image.path
        if not _inside(self._root, image.path):
            raise DicomError(f"{image.path} is not in the library folder any more, or leads out of it.")
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise DicomError(f"{image.path} has more than {MAX_FILE_BYTES // 2**20} MiB; it is not read.")
            return decode(path.read_bytes(), image.path)
        except OSError as error:
            raise DicomError(f"{image.path} cannot be read: {error.strerror}.") from error


def _listed(root: Path, folder: Path) -> tuple[tuple[RealImage, ...], str | None]:
    how = HOW_TO.format(folder=folder)
    if not root.is_dir():
        return (), f"There are no real images yet: {how}."
    if (root / METADATA).is_file():
        return _from_metadata(root, how)
    images = tuple(_image(path, {}) for path in _picture_files(root))
    if not images:
        return (), f"There are no real images yet: {how}."
    return images, f"{folder} has no {METADATA}, so its {len(images)} images have no labels and are shown last."


def _from_metadata(root: Path, how: str) -> tuple[tuple[RealImage, ...], str | None]:
    try:
        with open(root / METADATA, encoding="utf-8-sig", newline="") as lines:
            named = read_rows(lines)
    except OSError as error:
        return (), f"{METADATA} of the library cannot be read ({error.strerror})."
    except RequestError as error:
        return (), str(error)
    good = {path: row for path, row in named.items() if _inside(root, path)}
    images = tuple(_image(path, row) for path, row in good.items())
    if len(good) < len(named):
        return images, _missing([path for path in named if path not in good])
    return images, None if images else f"{METADATA} of the library names no images: {how}."


def _missing(paths: Sequence[str]) -> str:
    some = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    return f"{METADATA} names {len(paths)} file{'s' * (len(paths) > 1)} that the library folder does not hold: {some}."


def _inside(root: Path, path: str) -> bool:
    """True when `path` is a regular file below root after all links are followed."""
    try:
        resolved = (root / path).resolve()
        return not Path(path).is_absolute() and resolved.is_relative_to(root) and resolved.is_file()
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, a loop of links
        return False


def _picture_files(root: Path) -> list[str]:
    found = (Path(base) / name for base, _, names in os.walk(root) for name in names)
    paths = (path.relative_to(root).as_posix() for path in found if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in paths if _inside(root, path))


def _image(path: str, row: Mapping[str, str]) -> RealImage:
    # The id stays, and tells nothing of the label.
    return image_of(row, hashlib.sha256(path.encode()).hexdigest()[:16], path)
