"""Several processes that train one network: each draws its own batches, and the gradients are averaged.

`torchrun --nproc-per-node N --master-addr 127.0.0.1 -m synth.training denoiser ...` starts N of them, one to a GPU or
one to a CPU core, where two processes of one thread see more pictures a second than one process of two threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors


@dataclass(frozen=True, slots=True)
class Team:
    """One process among `size`; alone by default, and then every method returns at once."""

    rank: int = 0
    size: int = 1

    @classmethod
    def from_env(cls) -> Team:
        """As torchrun's variables say; joins the group. Call once in a process."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return cls(dist.get_rank(), size)

    @property
    def leads(self) -> bool:
        """True for the one process that validates, logs and saves."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """A seed for this process that no other has."""
        return seed * self.size + self.rank

    def agree(self, value: float, device: torch.device) -> float:
        """The leader's value: clocks differ, and all must stop at the same step."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float32, device=device)
        dist.broadcast(shared, src=0)
        return float(shared.item())

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the team."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = _flatten_dense_tensors(gradients)
        dist.all_reduce(flat)
        flat /= self.size
        torch._foreach_copy_(gradients, list(_unflatten_dense_tensors(flat, gradients)))

    def leave(self) -> None:
        """Leave the group together, at the end of the program."""
        if self.size > 1:
            dist.barrier()  # the leader serves the others their meeting point and must not go first
            dist.destroy_process_group()
