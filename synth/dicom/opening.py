"""The bytes of a DICOM file as a data set: every check that can be made before its pixels are looked at."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from synth.dicom.limits import MAX_FILE_BYTES, check_inflated
from synth.dicom.raster import raster, whole
from synth.dicom.structure import META_START, check_structure, meta_end
from synth.errors import DicomError


def opened(data: bytes, name: str) -> Dataset:
    """The data set of a DICOM file whose pixels can be read, with its file meta information, without its preamble.

    Checked are magic, size, what a deflated file grows to, structure and depth, transfer syntax and the header of the
    pixels; `name` is for the sentences. Raises DicomError.
    """
    check_file(data, name)
    if data[128:132] != b"DICM":
        raise DicomError(f"{name} is neither a DICOM file (no DICM at byte 128) nor a PNG or JPEG.")
    with damage_told(name):
        ds = _parsed(data, name)
        raster(ds, name)
    return ds


def frame_count(ds: Dataset, name: str) -> int:
    """How many frames an opened file has, 1 or more. Raises DicomError."""
    return whole(ds, "NumberOfFrames", name, 1)


def check_file(data: bytes, name: str) -> None:
    """Raises DicomError when a file, of whatever kind, is empty, too large or an archive."""
    if not data:
        raise DicomError(f"{name} is empty; a DICOM, PNG or JPEG file is needed.")
    if len(data) > MAX_FILE_BYTES:
        raise DicomError(f"{name} has {len(data) // 2**20} MiB; at most {MAX_FILE_BYTES // 2**20} are read.")
    if data.startswith(b"PK\x03\x04"):
        raise DicomError(f"{name} is a zip archive, not an image; unpack it and add its images one by one.")


@contextmanager
def damage_told(name: str) -> Iterator[None]:
    """What the libraries raise on damage becomes one sentence; what they warn of stays with them.

    Their warnings hold values of the header, names among them. The filters stay: to put them back would race between
    threads.
    """
    for library in ("pydicom", "PIL"):
        warnings.filterwarnings("ignore", module=library)
    try:
        yield
    except DicomError:
        raise
    except Exception as error:  # pydicom meets damage with whatever its parser trips over
        raise DicomError(f"{name} is damaged: its DICOM content cannot be read.") from error


def _parsed(data: bytes, name: str) -> Dataset:
    start = meta_end(data, name)
    meta = FileMetaDataset(read_dataset(io.BytesIO(data[META_START:start]), False, True))
    syntax = UID(str(meta.get("TransferSyntaxUID") or ""))
    if not syntax:
        raise DicomError(f"{name} does not say its transfer syntax (0002,0010); without it nothing can be read.")
    if syntax == DeflatedExplicitVRLittleEndian:
        check_inflated(data[start:], name)
        data, start = zlib.decompress(data[start:], -zlib.MAX_WBITS), 0
    known = syntax if syntax.is_transfer_syntax and not syntax.is_private else ExplicitVRLittleEndian
    implicit, little = known.is_implicit_VR, known.is_little_endian
    check_structure(data, start, implicit, little, name)
    buffer = io.BytesIO(data)  # shares the bytes
    buffer.seek(start)
    ds = read_dataset(buffer, implicit, little)
    ds.file_meta = meta
    return ds
