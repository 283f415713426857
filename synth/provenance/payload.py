"""64 bits through a noisy channel: a checksum, a convolutional code, and its soft decoder."""

from __future__ import annotations

import binascii
from functools import lru_cache

import numpy as np
import numpy.typing as npt

PAYLOAD_BITS = 64
CRC_BITS = 16  # CRC-16/XMODEM, polynomial 0x1021: a wrong word passes once in 65536
MEMORY = 8  # of the code: constraint length 9
GENERATORS = (0o463, 0o535, 0o733, 0o745)  # rate 1/4, free distance 24: Larsen 1973, table II
STEPS = PAYLOAD_BITS + CRC_BITS + MEMORY  # the last 8 are zeros, which end the path in state 0
CODE_BITS = STEPS * len(GENERATORS)  # 352

Bits = npt.NDArray[np.uint8]  # of 0 and 1


def encode(payload: int) -> Bits:
    """The 352 code bits of a payload of 64 bits."""
    body = payload.to_bytes(PAYLOAD_BITS // 8, "big")
    word = body + binascii.crc_hqx(body, 0).to_bytes(CRC_BITS // 8, "big")
    bits = np.concatenate([np.unpackbits(np.frombuffer(word, np.uint8)), np.zeros(MEMORY, np.uint8)])
    state, outputs = 0, _trellis()[1]
    code = np.empty((STEPS, len(GENERATORS)), np.uint8)
    for step, bit in enumerate(bits):
        code[step] = outputs[state, bit]
        state = (state >> 1) | (int(bit) << (MEMORY - 1))
    return code.ravel()


def decode(soft: npt.NDArray[np.float64]) -> int | None:
    """The payload of 352 soft bits (above 0 says 1, any scale), by Viterbi; None where the checksum refuses it."""
    previous, outputs = _trellis()
    signs = 2.0 * outputs - 1.0  # (256, 2, 4)
    cost = np.full(1 << MEMORY, -np.inf)
    cost[0] = 0.0
    states = np.arange(1 << MEMORY)
    bit = states >> (MEMORY - 1)  # that leads into a state
    chosen = np.empty((STEPS, 1 << MEMORY), np.int64)
    for step, values in enumerate(soft.reshape(STEPS, len(GENERATORS))):
        gain = signs @ values  # (256, 2)
        ways = cost[previous] + gain[previous, bit[:, None]]  # (256, 2)
        best = ways.argmax(1)
        chosen[step] = previous[states, best]
        cost = ways[states, best]
    state, bits = 0, np.empty(STEPS, np.uint8)
    for step in range(STEPS - 1, -1, -1):
        bits[step] = bit[state]
        state = int(chosen[step, state])
    word = np.packbits(bits[:-MEMORY]).tobytes()
    body, checksum = word[: PAYLOAD_BITS // 8], word[PAYLOAD_BITS // 8 :]
    return int.from_bytes(body, "big") if binascii.crc_hqx(body, 0).to_bytes(2, "big") == checksum else None


@lru_cache(maxsize=1)
def _trellis() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """The two states (256, 2) that lead into a state; the code bits (256, 2, 4) when a state meets a bit."""
    states = np.arange(1 << MEMORY)
    low = (states << 1) & ((1 << MEMORY) - 1)
    previous = np.stack([low, low | 1], axis=1)
    register = states[:, None] | (np.arange(2) << MEMORY)[None]  # the newest bit on top
    parity = [[[bin(int(r) & g).count("1") & 1 for g in GENERATORS] for r in row] for row in register]
    return previous, np.array(parity, np.uint8)
