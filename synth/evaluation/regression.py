"""The small regression U-Net of the translation table, trained within a minute on the pairs of the training people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from synth.models.networks.regression import RegressionUNet

STEPS, BATCH, RATE = 200, 6, 4e-3
SHIFT_PX = 8  # pairs are moved together at random, so that no place is learnt by heart

Pictures = npt.NDArray[np.uint8]  # (N, 256, 256)


def train(sources: Pictures, targets: Pictures, steps: int = STEPS, seed: int = 0) -> RegressionUNet:
    """A network that maps sources to targets by the least mean absolute error; the same seed gives the same one."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = RegressionUNet()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(steps):
        rows = rng.integers(0, len(sources), BATCH)
        shift = tuple(int(step) for step in rng.integers(-SHIFT_PX, SHIFT_PX + 1, 2))
        source, target = (torch.roll(_tensor(pictures[rows]), shift, (2, 3)) for pictures in (sources, targets))
        loss = F.l1_loss(network(source), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.inference_mode()
def predict(network: RegressionUNet, sources: Pictures) -> Pictures:
    """The partners that the network sees in the sources, (N, 256, 256) uint8."""
    parts = [network(_tensor(part[None]))[0, 0] for part in sources]
    return np.asarray(torch.stack(parts).mul(255).round().byte().numpy())


def _tensor(pictures: Pictures) -> Tensor:
    return torch.from_numpy(pictures[:, None].astype(np.float32) / 255)
