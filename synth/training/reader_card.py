"""The folder of the readers: weights, config and a card that says what they are for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from synth.models.cards import write_card
from synth.models.readers import FOLDER, Readers, save_readers
from synth.models.weights import file_hashes
from synth.training.data import Collection
from synth.training.model_card import LICENCE
from synth.training.reader_targets import Targets
from synth.types import ModelCard

PROSE = """
A classifier (effusion, opacity, COVID-19, nodule; sex and age) and lesion segmenters. They measure what the drawing
model draws and warn when a restoration changes a finding. They are not fit to read for a patient.

Trained by `python -m synth.training readers --data DIR --out DIR --minutes {minutes:g}` on real pictures of the train
split; the segmenters named `simulated-` on simulated lesions. `python -m synth.evaluation readers --data DIR` prints
their figures on the test split.
"""


def write_readers(out: Path, readers: Readers, data: Collection, minutes: float) -> Path:
    """Write the folder of the readers under `out`; returns it."""
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    names = save_readers(folder, readers)
    targets = Targets.of(data, "train")
    counts = {code: int((targets.findings[:, k] == 1).sum()) for k, code in enumerate(readers.codes)}
    card = ModelCard(
        id=FOLDER,
        title="Readers 256: what a chest picture shows, for measuring",
        revision=datetime.now(UTC).strftime("%Y.%m.%d"),
        files=file_hashes(folder, names),
        licence=LICENCE,
        training_data=f"{len(targets.rows)} real chest pictures of the train split, with their boxes and masks",
        native_px=256,
        intended_use="Measuring synthetic pictures, and warnings on restored ones. Never diagnosis, never care.",
        limits="Reads at 128 px; knows four findings; findings of few films (nodule) are read poorly.",
        training_counts=counts,
    )
    write_card(folder, card, PROSE.format(minutes=minutes))
    return folder
