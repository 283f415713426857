"""`python -m bench.speed`: seconds, memory and ratios of drawing, as Markdown on the screen and in docs/bench.md.

Everything is measured in one process, warm, one thing after the other. `--quick` measures each thing once and small;
`--app` also starts the app in a browser and waits for its first image; `--model tiny` takes the analytic model;
`--edit` measures edits alone and renews their section of the file.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench import space, start, stock
from synth import imaging
from synth.config import Settings
from synth.diffusion.model import Model
from synth.generate import Order, generate_batch
from synth.models import loader
from synth.models.tiny import TinyModel
from synth.types import Base, Edit, Finding, GenerationRequest, Side, Step

ROOT = Path(__file__).resolve().parent.parent
BATCH = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure."""

    steps: tuple[int, ...]
    repeats: int
    small: bool  # networks of the latent against pixel comparison


FULL = Plan(steps=(4, 8, 12, 20, 50), repeats=10, small=False)
QUICK = Plan(steps=(2, 4), repeats=1, small=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure each thing once and small; write no file")
    parser.add_argument("--app", action="store_true", help="also time the app from start to first image (Chromium)")
    parser.add_argument("--model", help="model id instead of SYNTH_MODEL; tiny is the analytic one")
    parser.add_argument("--edit", action="store_true", help="measure edits alone, into their section of the file")
    parser.add_argument("--out", type=Path, help="file to write; docs/bench.md without --quick")
    options = parser.parse_args(arguments)
    settings = Settings.from_env()
    settings = replace(settings, model_id=options.model or settings.model_id)
    plan = QUICK if options.quick else FULL

    model: Model = TinyModel() if settings.model_id == "tiny" else loader.load(settings)
    command = " ".join(["python -m bench.speed", *(sys.argv[1:] if arguments is None else arguments)])
    if options.edit:
        return renew(options.out or ROOT / "docs" / "bench.md", edits(model, plan))
    text = report(model, plan, command)
    if options.app:
        text += "\n" + start.table(start.first_image(settings.model_id))
    print(text)
    out = options.out or (None if options.quick else ROOT / "docs" / "bench.md")
    if out is not None:
        out.write_text(text, encoding="utf-8")


def edits(model: Model, plan: Plan) -> str:
    """The section on edits alone, with its own surroundings."""
    plan = replace(plan, repeats=min(5, plan.repeats))
    request = bench_request(model, plan)
    draw(model, [request])  # warm
    return f"{edit_table(model, request, plan)}\n`python -m bench.speed --edit`: {surroundings(model, plan)}"


def renew(file: Path, section: str) -> None:
    """Put a section in place of the one of the same title, or at the end of the file."""
    print(section)
    title = section.splitlines()[0]
    parts = re.split(r"(?m)^(?=## )", file.read_text(encoding="utf-8"))
    kept = [part for part in parts if not part.startswith(title)]
    at = next((i for i, part in enumerate(parts) if part.startswith(title)), len(kept))
    kept.insert(at, section)
    file.write_text("\n\n".join(part.strip("\n") for part in kept) + "\n", encoding="utf-8")


def bench_request(model: Model, plan: Plan) -> GenerationRequest:
    """A right pneumonia at the usual number of steps, or at the most of the plan."""
    request = GenerationRequest(findings=(Finding("pneumonia", Side.RIGHT),), model_id=model.card.id)
    return replace(request, steps=min(request.steps, plan.steps[-1]))


def report(model: Model, plan: Plan, command: str) -> str:
    """The whole report but for the app's start."""
    request = bench_request(model, plan)
    draw(model, [request])  # warm
    parts = [
        f"`{command}`\n\n# Speed\n\n{surroundings(model, plan)}",
        steps_table(model, request, plan),
        batch_table(model, request, plan),
        edit_table(model, request, plan),
        stock_table(model, request, plan),
        f"Peak resident memory of this process up to here: {peak_mb():.0f} MB.\n",
        space.table(small=plan.small),
    ]
    return "\n".join(parts)


def draw(model: Model, requests: Sequence[GenerationRequest], base: Base | None = None) -> float:
    """Seconds to draw the requests as one batch, or to edit `base`."""
    orders = [Order(request, "bench", f"bench-{index}", base) for index, request in enumerate(requests)]
    return seconds(lambda: generate_batch(model, orders, datetime.now(UTC), _ignore))


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call, the device's queue emptied before and after."""
    _wait_for_device()
    began = time.perf_counter()
    work()
    _wait_for_device()
    return time.perf_counter() - began


def steps_table(model: Model, request: GenerationRequest, plan: Plan) -> str:
    z = torch.zeros(1, *model.latent_shape(request.size_px), device=model.device)
    with torch.inference_mode():
        decoding = statistics.median(seconds(lambda: model.to_pixels(z)) for _ in range(plan.repeats))
    rows = ["| steps | seconds per image (median) | slowest | decoder's share |", "|--:|--:|--:|--:|"]
    for steps in plan.steps:
        times = [draw(model, [replace(request, steps=steps, seed=seed)]) for seed in range(plan.repeats)]
        middle = statistics.median(times)
        rows.append(f"| {steps} | {middle:.3f} | {max(times):.3f} | {100 * decoding / middle:.0f} % |")
    return "\n".join(["## One image\n", *rows, f"\nDecoding alone: {decoding:.3f} s.\n"])


def batch_table(model: Model, request: GenerationRequest, plan: Plan) -> str:
    requests = [replace(request, seed=seed) for seed in range(BATCH)]
    pairs = [(draw(model, requests), sum(draw(model, [one]) for one in requests)) for _ in range(min(3, plan.repeats))]
    together, alone = (statistics.median(times) for times in zip(*pairs, strict=True))
    return (
        f"## A batch of {BATCH}, {request.steps} steps\n\n"
        "| together, s | one by one, s | ratio |\n|--:|--:|--:|\n"
        f"| {together:.2f} | {alone:.2f} | {together / alone:.2f} |\n"
    )


def edit_table(model: Model, request: GenerationRequest, plan: Plan) -> str:
    """Seconds of one edit of a drawn film: a disc of 48 px in a lung, from the request to the checked picture."""
    film, lesion = drawn_base(model, request)
    rows = ["| edit | seconds (median) | slowest |", "|---|--:|--:|"]
    for mode, name in (("add", "add a finding"), ("remove", "remove a lesion"), ("variation", "vary, strength 0.5")):
        area = None if mode == "variation" else lesion
        named, strength = (None, 0.5) if area is None else ("1" * 64, 1.0)
        asked = replace(request, edit=Edit(mode, "0" * 64, "synthetic:bench", named, strength=strength))
        times = [draw(model, [replace(asked, seed=seed)], Base(film, area)) for seed in range(plan.repeats)]
        rows.append(f"| {name} | {statistics.median(times):.3f} | {max(times):.3f} |")
    return "\n".join([f"## One edit, {request.size_px} px, {request.steps} steps\n", *rows, ""])


def drawn_base(model: Model, request: GenerationRequest) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """A film that the model draws, (S, S) uint8, and a disc of 48 px in its right lung."""
    order = Order(replace(request, findings=(), seed=1), "bench", "bench-base")
    (image,) = generate_batch(model, [order], datetime.now(UTC), _ignore)
    rows, columns = np.ogrid[: request.size_px, : request.size_px]
    return imaging.to_uint8(image.pixels), (rows - 110) ** 2 + (columns - 80) ** 2 <= 24**2


def stock_table(model: Model, request: GenerationRequest, plan: Plan) -> str:
    # In turn, so that a machine that grows slower or faster meanwhile does so for all three.
    rounds = [
        (
            draw(model, [replace(request, seed=seed)]),
            seconds(lambda seed=seed: stock.ours(model, replace(request, seed=seed))),
            seconds(lambda seed=seed: stock.theirs(model, replace(request, seed=seed))),
        )
        for seed in range(plan.repeats)
    ]
    ours, everywhere, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    return (
        f"## The same networks through a stock diffusers loop, {request.steps} steps\n\n"
        "| loop | seconds | against stock |\n|---|--:|--:|\n"
        f"| ours: guidance where it helps, preview at every step, quality check | {ours:.3f} | {ours / theirs:.2f} |\n"
        f"| ours: guidance at every step | {everywhere:.3f} | {everywhere / theirs:.2f} |\n"
        f"| stock: EDMDPMSolverMultistepScheduler, guidance at every step | {theirs:.3f} | 1.00 |\n"
    )


def surroundings(model: Model, plan: Plan) -> str:
    """What the figures depend on: model, device, versions, commit, date."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    commit = done.stdout.strip() or "unknown"
    device = str(model.device)
    if model.device.type == "cuda":
        device = torch.cuda.get_device_name(model.device)
    return (
        f"Model {model.card.id} revision {model.card.revision}, {str(model.dtype).removeprefix('torch.')} on {device}; "
        f"{torch.get_num_threads()} threads of {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, torch {torch.__version__}; commit {commit}, "
        f"{datetime.now(UTC):%Y-%m-%d}. Median of {plan.repeats}, warm.\n"
    )


def peak_mb() -> float:
    """The most resident memory that this process ever had, in MB of 1e6 bytes."""
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _wait_for_device() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()


def _ignore(step: Step) -> None:
    """Nobody watches a benchmark."""


if __name__ == "__main__":
    main()
