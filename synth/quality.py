"""Checks on one finished image: does it have the grey values and the texture that real radiographs have?

No check of symmetry: disease and rotation break it, so a plain film of a real patient would fail. The limits enclose
59 real chest films and 24 chest CT slices (open collections, 1024 and 512 px, resized to 256 with Lanczos); the range
measured on them stands beside each limit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.types import Pixels, QualityCheck, QualityReport

# (lowest, highest) that passes; beside it what the films and what the slices measure
GREY_RANGE_LIMITS = (0.20, 1.00)  # films 0.263-0.984, slices 0.780-1.000
CONTRAST_LIMITS = (0.05, 0.40)  # films 0.065-0.362, slices 0.238-0.312
BLACK_LIMITS = (0.00, 0.85)  # films 0.000-0.278, slices 0.000-0.779
WHITE_LIMITS = (0.00, 0.06)  # films 0.000-0.004, slices 0.005-0.035
SMOOTHNESS_LIMITS = (0.88, 0.998)  # films 0.961-0.994, slices 0.909-0.971
GRID_LIMITS = (0.00, 1.50)  # films 1.047-1.324, slices 1.055-1.273; a grid of one grey level at 8 px gives 4.5
GRID_PERIODS_PX = (8, 4, 2)  # strides of the codec's upsampling
CODEC_LIMITS = (0.00, 12.0)  # grey levels; films 1.6-4.2, slices 5.1-9.4
SIZE_MIN_PX = 64  # below, the neighbours of a peak overlap with those of the next

Floats = npt.NDArray[np.float64]


def check(pixels: Pixels) -> QualityReport:
    """Six measures of (H, W) uint8 or uint16 pixels against what real images show. ValueError below 64 px a side.

    Grey range (1st to 99th percentile), contrast (standard deviation), shares of pixels at 0 and at the maximum,
    smoothness (correlation of neighbours: noise is low, a blank is 1) and grid (`grid_peak`). Greys are in 0..1.
    """
    if pixels.ndim != 2 or min(pixels.shape) < SIZE_MIN_PX:
        raise ValueError(f"an image of {pixels.shape} cannot be judged; it needs two sides of {SIZE_MIN_PX} px or more")
    top = int(np.iinfo(pixels.dtype).max)
    grey = pixels.astype(np.float64) / top
    dark, bright = np.percentile(grey, (1, 99))
    return QualityReport(
        checks=(
            QualityCheck("grey range", float(bright - dark), *GREY_RANGE_LIMITS),
            QualityCheck("contrast", float(grey.std()), *CONTRAST_LIMITS),
            QualityCheck("black pixels", float((pixels == 0).mean()), *BLACK_LIMITS),
            QualityCheck("white pixels", float((pixels == top).mean()), *WHITE_LIMITS),
            QualityCheck("smoothness", smoothness(grey), *SMOOTHNESS_LIMITS),
            QualityCheck("grid", grid_peak(grey), *GRID_LIMITS),
        )
    )


def codec_error(decoded: npt.NDArray[np.uint8], pixels: npt.NDArray[np.uint8]) -> QualityCheck:
    """Mean absolute difference in grey levels between an image and what the codec makes of it, (H, W) each."""
    error = float(np.abs(decoded.astype(np.int16) - pixels).mean())
    return QualityCheck("codec error", error, *CODEC_LIMITS)


def smoothness(grey: Floats) -> float:
    """The lower of the correlations of (H, W) greys with their right and their lower neighbours; 1 for a blank."""
    rest = grey - grey.mean()
    variance = float((rest**2).mean())
    if variance == 0.0:
        return 1.0
    across, down = (rest[:, 1:] * rest[:, :-1]).mean(), (rest[1:] * rest[:-1]).mean()
    return float(min(across, down)) / variance


def grid_peak(grey: Floats) -> float:
    """How far the spectrum of (H, W) greys stands out at periods of 8, 4 and 2 px against its neighbours; 1 is even.

    Upsampling leaves such peaks (Odena et al. 2016, "Deconvolution and checkerboard artifacts"). Taken on first
    differences, as the median amplitude over all rows and over all columns, so that one straight edge is no grid.
    """
    return max(_peak(grey), _peak(grey.T))


def _peak(grey: Floats) -> float:
    length = grey.shape[1]
    slopes = np.diff(grey, axis=1, append=grey[:, -1:]) * np.hanning(length)
    amplitude = np.median(np.abs(np.fft.rfft(slopes, axis=1)), axis=0)  # (W/2 + 1,)
    peaks = []
    for period in GRID_PERIODS_PX:
        for harmonic in range(1, period // 2 + 1):
            k = length * harmonic // period
            far = np.r_[k - 7 : k - 1, k + 2 : k + 8]  # the window spreads a line over k - 1 .. k + 1
            around = np.median(amplitude[far[far < amplitude.size]])
            peak = amplitude[k - 1 : k + 2].max()
            peaks.append(float(peak / around) if around > 0.0 else (1.0 if peak == 0.0 else np.inf))
    return max(peaks)
