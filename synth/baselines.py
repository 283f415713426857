"""The classical methods that every restoration is shown beside and measured against; scikit-image does the work.

Pictures are (H, W) float32 in [0, 1].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from skimage.exposure import equalize_adapthist
from skimage.restoration import denoise_nl_means, inpaint_biharmonic, wiener
from skimage.transform import resize

Grey = npt.NDArray[np.float32]

CLAHE = "CLAHE"
NAMES = {
    "low_light": CLAHE,
    "gaussian": "non-local means",
    "poisson": "non-local means",
    "blur": "Wiener filter",
    "enlarge_2": "bicubic",
    "enlarge_4": "bicubic",
    "stripes": "biharmonic filling",
    "blocks": "biharmonic filling",
}
CLIP_LIMIT = 0.01  # the default of scikit-image
NLM_STRENGTH = 0.6  # of the noise; the best of 0.6 to 1.2 on the val split
WIENER_MARGIN_PX = 32
WIENER_BALANCE = 0.002  # the best of 0.0005 to 0.2 on the val split


def clahe(y: Grey) -> Grey:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld 1994)."""
    return _grey(equalize_adapthist(np.clip(y, 0.0, 1.0), clip_limit=CLIP_LIMIT))


def non_local_means(y: Grey, noise: float) -> Grey:
    """Buades et al. 2005; `noise` is the standard deviation in [0, 1] grey, 0 leaves the picture as it is."""
    if noise <= 0.0:
        return y.copy()
    return _grey(denoise_nl_means(y, 5, 6, h=NLM_STRENGTH * noise, sigma=noise, fast_mode=True))


def wiener_filter(y: Grey, blur_px: float) -> Grey:
    """Deconvolution of a Gaussian blur of `blur_px` px (Orieux et al. 2010), the border mirrored."""
    if blur_px <= 0.0:
        return y.copy()
    at = np.arange(-np.ceil(4 * blur_px), np.ceil(4 * blur_px) + 1)
    kernel = np.exp(-0.5 * (at / blur_px) ** 2)
    psf = np.outer(kernel, kernel) / kernel.sum() ** 2
    wide = np.pad(y, WIENER_MARGIN_PX, mode="symmetric")
    sharp = wiener(wide, psf, WIENER_BALANCE, clip=False)
    return _grey(sharp[WIENER_MARGIN_PX:-WIENER_MARGIN_PX, WIENER_MARGIN_PX:-WIENER_MARGIN_PX])


def bicubic(y: Grey, factor: int) -> Grey:
    """The picture enlarged, (f H, f W)."""
    return _grey(resize(y, (y.shape[0] * factor, y.shape[1] * factor), order=3, mode="symmetric"))


def biharmonic(y: Grey, hole: npt.NDArray[np.bool_]) -> Grey:
    """The hole filled with the smoothest surface (Damelin and Hoang 2018); y itself outside."""
    if not hole.any():
        return y.copy()
    return np.where(hole, _grey(inpaint_biharmonic(y, hole, split_into_regions=True)), y)


def _grey(values: npt.NDArray[np.float64]) -> Grey:
    return np.clip(values, 0.0, 1.0).astype(np.float32)
