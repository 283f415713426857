"""The pixel data of a kept file: the frames that stay, without text in their streams, blacked out where asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from synth.dicom.compressed import without_comments
from synth.dicom.decode import Decoded
from synth.dicom.limits import MAX_FILE_BYTES
from synth.errors import DicomError

Mask = npt.NDArray[np.bool_]
_PER_FRAME = ("FrameTimeVector", "FrameLabelVector", "RWaveTimeVector")  # one value a frame


def streams(ds: Dataset, indices: Sequence[int]) -> list[bytes]:
    """The bytes of these frames (from 0) as they came, compressed or native."""
    if ds.file_meta.TransferSyntaxUID.is_encapsulated:
        count, chosen = int(ds.get("NumberOfFrames") or 1), set(indices)
        frames = enumerate(generate_frames(ds.PixelData, number_of_frames=count))
        return [frame for index, frame in frames if index in chosen]
    length = ds.Rows * ds.Columns * ds.SamplesPerPixel * ds.BitsAllocated // 8
    if len(ds.PixelData) == length and len(indices) == 1:
        return [ds.PixelData]
    data = memoryview(ds.PixelData)
    return [bytes(data[length * index : length * (index + 1)]) for index in indices]


def without_text(ds: Dataset, frames: list[bytes]) -> list[bytes] | None:
    """The frames without comments in their streams, or without what hides in unused bits.

    None where a compressed stream is not built as it should be; `blacken` then makes it native.
    """
    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        return [_without_unused_bits(ds, frame) for frame in frames]
    clean = [frame for frame in map(without_comments, frames) if frame is not None]
    return clean if len(clean) == len(frames) else None


def keep(clean: Dataset, frames: list[bytes], count: int) -> None:
    """Puts these frames into a dataset that had `count` of them; in its transfer syntax."""
    compressed = clean.file_meta.TransferSyntaxUID.is_encapsulated
    data = encapsulate(frames, has_bot=True) if compressed else frames[0] if len(frames) == 1 else b"".join(frames)
    vr = "OW" if clean.BitsAllocated == 16 and not compressed else "OB"
    clean.add_new("PixelData", vr, data + b"\0" if len(data) % 2 else data)
    clean["PixelData"].is_undefined_length = compressed
    if len(frames) < count:
        clean.add_new("NumberOfFrames", "IS", len(frames))  # a new element: that of the source may be shared
        for keyword in _PER_FRAME:
            if keyword in clean:
                delattr(clean, keyword)


def blacken(
    source: Dataset, clean: Dataset, indices: Sequence[int], looks: Iterable[Decoded], mask: Mask, name: str
) -> list[bytes]:
    """Native frames with the lowest shown value under the mask (H, W); `clean` is made to describe them.

    `looks` are the decoded frames. Raises DicomError where the result would be larger than a file that is read.
    """
    big = source.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    size = source.Rows * source.Columns * source.SamplesPerPixel * source.BitsAllocated // 8 * len(indices)
    if size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 2**20
        raise DicomError(
            f"{name} must be blackened and has {size // 2**20} MiB uncompressed; at most {limit} are kept."
        )
    frames = []
    for index, decoded in zip(indices, looks, strict=True):
        array = np.array(pixel_array(source, index=index))
        array[mask] = 0 if array.ndim == 3 else array[_darkest(decoded)]
        frames.append(array.astype(array.dtype.newbyteorder(">" if big else "<")).tobytes())
    if not big:
        clean.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if source.SamplesPerPixel == 3:
        clean.add_new("PhotometricInterpretation", "CS", "RGB")
        clean.add_new("PlanarConfiguration", "US", 0)
    return frames


def _darkest(decoded: Decoded) -> tuple[int, int]:
    """Where the picture is darkest as it is shown."""
    bright_is_low = decoded.inverted != (decoded.slope < 0)
    at = decoded.pixels.argmax() if bright_is_low else decoded.pixels.argmin()
    row, column = np.unravel_index(int(at), decoded.pixels.shape)
    return int(row), int(column)


def _without_unused_bits(ds: Dataset, frame: bytes) -> bytes:
    """Bits beyond those stored may hold an overlay (retired, PS3.5 8.1.2); they become what the sign asks for."""
    stored, allocated = int(ds.BitsStored), int(ds.BitsAllocated)
    if not 0 < stored < allocated or int(ds.HighBit) != stored - 1:
        return frame
    order = ">" if ds.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    kind = "i" if ds.PixelRepresentation else "u"
    values: npt.NDArray[Any] = np.frombuffer(frame, f"{order}{kind}{allocated // 8}")
    if kind == "u":
        last = (1 << stored) - 1
        return frame if values.max() <= last else (values & last).astype(values.dtype).tobytes()
    unused, half = allocated - stored, 1 << (stored - 1)
    if -half <= int(values.min()) and int(values.max()) < half:
        return frame
    return (values << unused >> unused).astype(values.dtype).tobytes()
