"""The number format in which a device computes networks fastest."""

from __future__ import annotations

from functools import cache

import torch


@cache
def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies it in hardware (CUDA, CPUs with AMX tiles), else float32.

    A CPU that only knows AVX-512 BF16 converts around every convolution: training there took 1.6 times as long.
    """
    if device.type == "cuda":
        return torch.bfloat16
    if device.type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16", False):
        return torch.bfloat16
    return torch.float32


def autocast(device: torch.device) -> torch.autocast:
    """Autocast to `fast_dtype`; without effect where that is float32."""
    dtype = fast_dtype(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype != torch.float32)
