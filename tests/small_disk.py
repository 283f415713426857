"""A folder on a disk that fills up, as an fsspec place for the tests of the store and the engine."""

from __future__ import annotations

import errno
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


class SmallDisk(LocalFileSystem):
    """`smalldisk:///folder`: a file longer than `room` bytes stops there with the error of a full disk."""

    protocol = "smalldisk"
    room = 0

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        super().pipe_file(path, value[: self.room], mode, **kwargs)
        if len(value) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")


fsspec.register_implementation("smalldisk", SmallDisk, clobber=True)
