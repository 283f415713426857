"""The usual greys of each group of pictures, to which low light is measured: quantiles over the training split."""

from __future__ import annotations

SHARES = (0.01, 0.25, 0.50, 0.75, 0.99)  # of the pixels that are darker

# group -> (mean, standard deviation among pictures) of the greys at SHARES, in [0, 1]; at most 300 pictures a group
GREYS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "CR hand": ((0.00, 0.04, 0.09, 0.18, 0.64), (0.00, 0.07, 0.09, 0.10, 0.21)),
    "CT brain": ((0.00, 0.00, 0.00, 0.41, 1.00), (0.00, 0.00, 0.00, 0.13, 0.00)),
    "CT chest": ((0.02, 0.12, 0.31, 0.63, 0.86), (0.07, 0.14, 0.20, 0.23, 0.15)),
    "CT chest/abdomen": ((0.10, 0.25, 0.36, 0.84, 1.00), (0.11, 0.02, 0.08, 0.11, 0.00)),
    "CT head": ((0.00, 0.03, 0.34, 0.50, 0.98), (0.00, 0.05, 0.11, 0.11, 0.02)),
    "DX chest": ((0.02, 0.35, 0.55, 0.71, 0.88), (0.04, 0.12, 0.11, 0.10, 0.09)),
    "MG breast": ((0.00, 0.01, 0.04, 0.41, 0.83), (0.00, 0.06, 0.12, 0.20, 0.06)),
    "MR brain": ((0.00, 0.01, 0.10, 0.33, 0.77), (0.01, 0.04, 0.11, 0.14, 0.15)),
    "MR heart": ((0.00, 0.01, 0.11, 0.27, 0.93), (0.00, 0.01, 0.02, 0.04, 0.03)),
    "PET brain": ((0.00, 0.00, 0.00, 0.15, 0.85), (0.00, 0.00, 0.00, 0.15, 0.05)),
    "SPECT brain": ((0.00, 0.00, 0.01, 0.15, 0.57), (0.00, 0.00, 0.02, 0.09, 0.06)),
    "US breast": ((0.04, 0.15, 0.30, 0.47, 0.80), (0.04, 0.08, 0.10, 0.10, 0.10)),
    "endoscopy colon": ((0.02, 0.16, 0.35, 0.50, 0.83), (0.03, 0.11, 0.11, 0.10, 0.11)),
    "fundus eye": ((0.00, 0.02, 0.38, 0.45, 0.64), (0.00, 0.01, 0.11, 0.10, 0.08)),
}
ANY = ((0.01, 0.08, 0.21, 0.43, 0.83), (0.05, 0.13, 0.20, 0.24, 0.16))  # over all groups, for a picture of none of them
