"""Is a sample a copy? Correlation of 32 x 32 pictures, mean picture removed, with every training picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.imaging import resize

SIDE = 32
COPY_ABOVE = 0.963  # 99.9 % of real test films have no training film closer than this


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """For every sample the index of the closest training picture and its correlation, and that of validation."""

    nearest: npt.NDArray[np.int64]
    to_train: npt.NDArray[np.float64]
    to_validation: npt.NDArray[np.float64]  # best of an equal number of unseen pictures
    to_train_subset: npt.NDArray[np.float64]  # best of a training subset of the validation set's size

    def sentence(self) -> str:
        """The figures in one line."""
        above = int((self.to_train > COPY_ABOVE).sum())
        return (
            f"{len(self.nearest)} samples: nearest training picture median {np.median(self.to_train):.3f}, "
            f"highest {self.to_train.max():.3f}, {above} above {COPY_ABOVE}; at equal set size nearest train "
            f"{np.median(self.to_train_subset):.3f} beside nearest unseen {np.median(self.to_validation):.3f}"
        )


def neighbours(
    samples: npt.NDArray[np.uint8], train: npt.NDArray[np.uint8], validation: npt.NDArray[np.uint8], seed: int = 0
) -> Neighbours:
    """samples (N, H, W), train (M, H, W), validation (K, H, W), all uint8 of one kind of picture."""
    mean = small(train).mean(0)
    a, t, v = (unit(small(pictures) - mean) for pictures in (samples, train, validation))
    subset = np.random.default_rng(seed).choice(len(t), min(len(v), len(t)), replace=False)
    all_train = a @ t.T
    return Neighbours(all_train.argmax(1), all_train.max(1), (a @ v.T).max(1), all_train[:, subset].max(1))


def small(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(N, H, W) to (N, 1024)."""
    return np.stack([resize(picture, SIDE).astype(np.float64).ravel() for picture in pictures])


def unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows with mean 0 and length 1, so that a product is a correlation."""
    centred = rows - rows.mean(1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True).clip(1e-9))
