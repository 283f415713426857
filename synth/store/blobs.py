"""Pixels as lossless PNG files, and kept DICOM files, named by their own sha256, in a folder or any fsspec place."""

from __future__ import annotations

import errno
import hashlib
import io
import uuid
from contextlib import suppress

import fsspec
import numpy as np
from fsspec.spec import AbstractFileSystem
from PIL import Image

from synth.errors import StoreError
from synth.types import Pixels

NO_SPACE = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
DISK_FULL = "The disk is full: the image could not be stored; free some space and ask for it again."


class Blobs:
    """Content-addressed files, PNG or by their suffix, below one URL (`file:///folder`, `s3://bucket/prefix`, ...)."""

    def __init__(self, url: str) -> None:
        """Open the place. Raises StoreError when fsspec does not know the URL or its driver is missing."""
        try:
            filesystem, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError, OSError) as error:
            scheme = url.split("://", 1)[0]
            raise StoreError(f"Images cannot be kept under {scheme}://: {error}.") from error
        self._files: AbstractFileSystem = filesystem
        self._root: str = root.rstrip("/")

    def put(self, data: bytes, suffix: str = ".png") -> str:
        """Keep the bytes and return their sha256 (hex). A reader sees the whole file or none.

        Raises StoreError in one sentence when the disk is full or the place cannot be written.
        """
        digest = digest_of(data)
        path = self._path(digest, suffix)
        arriving = f"{self._root}/arriving/{uuid.uuid4().hex}"
        try:
            # A damaged file of this name is written again: the good bytes are at hand.
            if self._files.exists(path) and self._files.cat_file(path) == data:
                return digest
            self._files.makedirs(f"{self._root}/arriving", exist_ok=True)
            self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._files.pipe_file(arriving, data)
            self._files.mv(arriving, path)
        except OSError as error:
            with suppress(OSError):
                self._files.rm_file(arriving)
            if error.errno in NO_SPACE:
                raise StoreError(DISK_FULL) from error
            raise StoreError(f"The image could not be stored: {error.strerror or error}.") from error
        return digest

    def get(self, digest: str, suffix: str = ".png") -> bytes:
        """The bytes of `digest`, verified. Raises StoreError when they are missing or damaged."""
        try:
            data: bytes = self._files.cat_file(self._path(digest, suffix))
        except FileNotFoundError as error:
            raise StoreError(f"The picture file {digest[:12]} is missing from the store.") from error
        except OSError as error:
            raise StoreError(f"The picture file {digest[:12]} cannot be read: {error.strerror or error}.") from error
        if digest_of(data) != digest:
            raise StoreError(f"The picture file {digest[:12]} is damaged: its sha256 is not its name.")
        return data

    def remove(self, digest: str, suffix: str = ".png") -> None:
        """Forget a file that nothing names; one that is not there is no error."""
        with suppress(OSError):
            self._files.rm_file(self._path(digest, suffix))

    def _path(self, digest: str, suffix: str) -> str:
        return f"{self._root}/{digest[:2]}/{digest}{suffix}"


def digest_of(data: bytes) -> str:
    """sha256 (hex) of the file: the name of a blob."""
    return hashlib.sha256(data).hexdigest()


def encode_png(pixels: Pixels) -> bytes:
    """(H, W) uint8 or uint16 to a lossless grayscale PNG of the same depth (ISO/IEC 15948)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def decode_png(png: bytes) -> Pixels:
    """The (H, W) uint8 or uint16 pixels of `encode_png`."""
    with Image.open(io.BytesIO(png)) as image:
        if image.mode == "L":
            return np.asarray(image, dtype=np.uint8)
        return np.asarray(image, dtype=np.uint16)


def shrink(pixels: Pixels, px: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """(H, W) to uint8 with at most `px` pixels on the longer side; never enlarged."""
    narrow = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    image = Image.fromarray(narrow)
    image.thumbnail((px, px), Image.Resampling.LANCZOS)
    return np.array(image, dtype=np.uint8)
