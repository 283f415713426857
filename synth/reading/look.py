"""One look for all pictures of a modality: their greys, their spectrum and their grain, each a little by chance.

Chance matters: were all brought to the very same figures, the small rests that remain would be the only thing that
differs, and so easy to learn.

Pictures are square, (S, S) float32 in grey levels of 0 to 255; sizes and frequencies hold for 256 px.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage
from scipy.interpolate import PchipInterpolator

from synth.terms import Modality

Image = npt.NDArray[np.float32]
Area = npt.NDArray[np.bool_]
Curve = npt.NDArray[np.floating[Any]]

BANDS = np.linspace(0.05, 0.5, 19)  # edges, cycles a pixel: below lies the anatomy
MIDDLES = (BANDS[1:] + BANDS[:-1]) / 2
LOWEST = 0.03  # cycles a pixel: nothing below is changed
ROUNDS = 3  # spectrum and greys disturb each other less each time
# Log of the least and most gain of an amplitude a round: coarse waves made strong look like lesions, made weak blur.
LEAST = np.log(np.interp(MIDDLES, (0.06, 0.3), (0.7, 0.1)))
MOST = np.log(np.interp(MIDDLES, (0.06, 0.12, 0.3), (1.25, 1.6, 3.0)))
MEASURED = 0.75  # of the side: the spectrum is that of the middle
GROUND_PX = 8.0  # slower than this is taken off before the spectrum is measured

STEEPEST, STEEPEST_LATER = 1.5, 1.1  # of the first curve and of those that repair the ends, over their mean steepness
STRETCH = 4.0  # grey levels for one at most: what is beyond is no contrast of the patient's
WEAK = 1.0  # grey levels: fine detail that is weaker in a place is codec and JPEG rather than patient
DETAIL_PX, PLACE_PX = 1.5, 4.0  # widths of Gaussians
MOTTLE_PX = 2.0  # of the coarse grain
AIR = 16.0  # grey level around a body


@dataclass(frozen=True, slots=True)
class Look:
    """What pictures are brought to. Between the medians of real and drawn ones, of films of open collections."""

    shares: tuple[float, ...]  # of the shown pixels, rising
    greys: tuple[float, ...]  # the grey levels below which these shares lie
    spectrum: tuple[float, ...]  # log of the mean power in ninths of the range of BANDS, before the grain
    grain: float  # standard deviation of the fine noise, grey levels
    mottle: float  # and of the coarse


LOOKS = {
    Modality.DX: Look(
        shares=(0.002, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.998),
        greys=(16, 26, 52, 100, 144, 182, 214, 226, 232),
        spectrum=(4.9, 2.55, 1.5, 0.65, -0.35, -1.4, -2.7, -4.0, -5.5),
        grain=2.5,
        mottle=1.0,
    ),
    Modality.CT: Look(
        shares=(0.005, 0.05, 0.15, 0.5, 0.85, 0.95, 0.995),
        greys=(30, 55, 75, 135, 215, 228, 236),
        spectrum=(6.0, 4.4, 3.3, 2.3, 1.3, 0.2, -1.0, -2.4, -4.0),
        grain=3.0,
        mottle=1.5,
    ),
}


def given(image: Image, inside: Area, look: Look, rng: np.random.Generator) -> Image:
    """The picture with the look, as far as it is `inside` (S, S); outside lies air of its grain."""
    look = _varied(look, rng)
    image = _toned(image, inside, look, STEEPEST)
    for _ in range(ROUNDS):
        image = _toned(image, inside, look, STEEPEST_LATER)
        image = _sharpened(_calmed(image), look)
    image = _toned(image, inside, _ends(look), STEEPEST_LATER)
    edge = ndimage.gaussian_filter(inside.astype(np.float32), 1)
    shown: Image = AIR + (image - AIR) * edge + _grain(len(image), look, rng)
    return shown


def _varied(look: Look, rng: np.random.Generator) -> Look:
    """The look of one picture."""
    ends = look.greys[0], look.greys[-1]
    greys = np.interp(look.greys, ends, (ends[0] + rng.uniform(-12, 12), ends[1] + rng.uniform(-14, 14)))
    spectrum = np.array(look.spectrum) + rng.normal(0, 0.35) + rng.normal(0, 0.2, len(look.spectrum))
    return replace(
        look,
        greys=tuple(greys.tolist()),
        spectrum=tuple(spectrum.tolist()),
        grain=look.grain * rng.uniform(0.75, 1.25),
        mottle=look.mottle * rng.uniform(0.5, 1.5),
    )


def _ends(look: Look) -> Look:
    """The look's darkest and brightest greys alone: between them the picture keeps its contrast."""
    return replace(look, shares=look.shares[:3] + look.shares[-3:], greys=look.greys[:3] + look.greys[-3:])


def _toned(image: Image, inside: Area, look: Look, steepest: float) -> Image:
    """The picture through a rising curve that brings its shares to the greys of the look, as far as it may be steep."""
    greys, which = np.unique(np.rint(np.quantile(image[inside], look.shares)), return_inverse=True)
    wanted = np.full(len(greys), look.greys[len(look.greys) // 2])
    for at, grey in zip(which, look.greys, strict=True):  # shares of one grey are saturated: the outermost decides
        wanted[at] = max(wanted[at], grey, key=lambda value: abs(value - look.greys[len(look.greys) // 2]))
    mean = (wanted[-1] - wanted[0]) / max(greys[-1] - greys[0], 1)
    rise = np.minimum(np.diff(wanted), min(steepest * mean, STRETCH) * np.diff(greys))
    reached = np.concatenate(([0], np.cumsum(rise)))
    reached += np.mean(wanted - reached)
    x = np.concatenate(([greys[0] - 40], greys, [greys[-1] + 40]))
    y = np.concatenate(([max(reached[0] - 12, 1)], reached, [min(reached[-1] + 12, 254)]))
    toned: Image = PchipInterpolator(x, y)(np.clip(image, x[0], x[-1])).astype(np.float32)
    return toned


def _calmed(image: Image) -> Image:
    """The picture without the weakest fine detail, as a Wiener filter takes it off: grids show where little else is."""
    ground = ndimage.gaussian_filter(image, DETAIL_PX)
    energy = ndimage.gaussian_filter((image - ground) ** 2, PLACE_PX)
    calm: Image = ground + (image - ground) * energy / (energy + WEAK**2)
    return calm


def _sharpened(image: Image, look: Look) -> Image:
    """The picture with the spectrum of the look: blurred where it has more, sharpened where it has less.

    Down the columns and along the rows by itself: the rows of codecs and of scanned films differ from their columns.
    """
    middles = np.linspace(BANDS[0], BANDS[-1], 2 * len(look.spectrum) + 1)[1::2]
    wanted = np.interp(MIDDLES, middles, look.spectrum)
    k = np.arange(len(image)) / (2 * len(image))  # cycles a pixel of a cosine transform, which mirrors at the rim
    radius, down = np.hypot(k[:, None], k[None]), _down(k[:, None], k[None])
    gains = [np.clip((wanted - power) / 2, LEAST, MOST) for power in _spectrum(image)]
    curves = [np.interp(radius, [LOWEST, *MIDDLES], [0, *gain]) for gain in gains]
    gain = np.exp(down * curves[0] + (1 - down) * curves[1])
    sharp: Image = fft.idctn(fft.dctn(image, norm="ortho") * gain, norm="ortho").astype(np.float32)
    return sharp


def _spectrum(image: Image) -> tuple[Curve, Curve]:
    """Down the columns and along the rows, (len(MIDDLES),): log of the mean power in each band of the middle."""
    size = round(MEASURED * len(image))
    start = (len(image) - size) // 2
    middle = image[start : start + size, start : start + size]
    middle = (middle - ndimage.gaussian_filter(middle, GROUND_PX)) * np.outer(np.hanning(size), np.hanning(size))
    power = np.abs(np.fft.fft2(middle)) ** 2 / size**2
    y, x = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None]
    band = np.digitize(np.hypot(y, x), BANDS).ravel()  # 0 below the first, len(BANDS) above the last

    def of(weight: Curve) -> Curve:
        total = np.bincount(band, (power * weight).ravel(), minlength=len(BANDS) + 1)
        share = np.bincount(band, weight.ravel(), minlength=len(BANDS) + 1)
        return np.asarray(np.log(total[1:-1] / share[1:-1] + 1e-9))

    return of(_down(y, x)), of(_down(x, y))


def _down(y: Curve, x: Curve) -> Curve:
    """How much a frequency (y, x) runs down the columns, in [0, 1]; 1/2 for none."""
    return np.asarray((y**2 + 1e-12) / (y**2 + x**2 + 2e-12))


def _grain(side: int, look: Look, rng: np.random.Generator) -> Image:
    """(side, side): fine and coarse noise, as quanta and film make it."""
    fine = rng.normal(0, look.grain, (side, side))
    coarse = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), MOTTLE_PX)
    return np.asarray(fine + coarse * look.mottle / coarse.std(), np.float32)
