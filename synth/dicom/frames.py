"""The pixels of one frame as they are stored, uncompressed or compressed in any way that is read here."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSTransferSyntaxes,
    RLELossless,
)

from synth.dicom.codestreams import check_codestream, without_boxes
from synth.dicom.raster import Raster
from synth.errors import DicomError

Samples = npt.NDArray[Any]  # (H, W) or (H, W, 3): uint8, uint16, int8 or int16


def frame_samples(ds: Dataset, raster: Raster, index: int, name: str) -> Samples:
    """Frame `index`, from 0: (H, W), or (H, W, 3) in RGB; without what lies outside its stored bits.

    Uncompressed pixels are a read-only view where they can be. Raises DicomError when the frame is missing, damaged or
    not as large as the header says.
    """
    if raster.syntax.is_encapsulated:
        return _unpacked(_compressed(ds, raster, index, name), raster, index, name)
    options = _options(raster, raster.frames, raster.allocated)
    options |= {"pixel_vr": ds["PixelData"].VR, "view_only": not raster.photometric.startswith("YBR")}
    samples, _ = get_decoder(raster.syntax).as_array(ds.PixelData, index=index, **options)
    native = samples if samples.dtype.isnative else samples.astype(samples.dtype.newbyteorder("="))
    return _stored_bits(native, raster, raster.high_bit)


def _compressed(ds: Dataset, raster: Raster, index: int, name: str) -> bytes:
    offsets = (ds.get("ExtendedOffsetTable"), ds.get("ExtendedOffsetTableLengths"))
    try:
        return get_frame(
            ds.PixelData,
            index,
            number_of_frames=raster.frames,
            extended_offsets=offsets if all(offsets) else None,
        )
    except Exception as error:  # pydicom meets damage with whatever its parser trips over
        raise DicomError(
            f"{name} is damaged: frame {index + 1} of {raster.frames} is not among its compressed pixels."
        ) from error


def _unpacked(frame: bytes, raster: Raster, index: int, name: str) -> Samples:
    frame = without_boxes(frame)  # the parser would go round for ever in a box of length 0
    precision = check_codestream(frame, raster, name)
    allocated = raster.allocated if raster.syntax == RLELossless else 8 if precision <= 8 else 16
    try:
        samples, _ = get_decoder(raster.syntax).as_array(
            encapsulate([frame], has_bot=False),  # the very bytes that were checked, whatever a table says
            index=0,
            decoding_plugin=_plugin(raster, precision),
            **_options(raster, 1, allocated),
        )
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # of the RLE plug-in's Rust
            raise
        raise DicomError(
            f"{name} is damaged: frame {index + 1} of {raster.frames} cannot be decompressed ({raster.syntax.name})."
        ) from error
    if raster.syntax in (*JPEG2000TransferSyntaxes, *JPEGLSTransferSyntaxes):  # they carry their own sign
        return samples
    return _stored_bits(samples, raster, raster.high_bit if raster.syntax == RLELossless else raster.stored - 1)


def _plugin(raster: Raster, precision: int) -> str:
    """The decoder for a syntax: the one most used on hostile files where there are two.

    For JPEG-LS not the faster pyjpegls, which counts zeros for seconds beyond the end of a cut stream.
    """
    if raster.syntax == JPEGBaseline8Bit or (raster.syntax == JPEGExtended12Bit and raster.stored == precision == 8):
        return "pillow"
    return "pylibjpeg"


def _options(raster: Raster, frames: int, allocated: int) -> dict[str, Any]:
    return {
        "rows": raster.rows,
        "columns": raster.columns,
        "number_of_frames": frames,
        "samples_per_pixel": raster.samples,
        "photometric_interpretation": raster.photometric,
        "planar_configuration": raster.planar,
        "bits_allocated": allocated,
        "bits_stored": min(raster.stored, allocated),
        "pixel_representation": int(raster.signed),
        "pixel_keyword": "PixelData",
        "correct_unused_bits": False,  # done here, with the high bit
    }


def _stored_bits(samples: Samples, raster: Raster, high_bit: int) -> Samples:
    """Only the stored bits, with their sign; what lies above or below is not of the image (PS3.5 8.1.1)."""
    bits = 8 * samples.dtype.itemsize
    above, below = bits - 1 - high_bit, high_bit + 1 - raster.stored
    if above + below <= 0 or (below == 0 and _within(samples, raster.stored)):
        return samples
    return np.right_shift(np.left_shift(samples, above), above + below)


def _within(samples: Samples, stored: int) -> bool:
    if samples.dtype.kind == "u":
        return int(samples.max()) >> stored == 0
    half = 1 << (stored - 1)
    return -half <= int(samples.min()) and int(samples.max()) < half
