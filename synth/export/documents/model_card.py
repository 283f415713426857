"""The model card, under the headings of MI-CLAIM-GEN, with what this installation has counted."""

from __future__ import annotations

from collections.abc import Iterator

from synth.export.documents.about import About, Use
from synth.export.documents.blocks import Block, Document, Figure, Heading, Quote, Source, Table, told
from synth.export.documents.card_text import TRAINING, sections

HEADINGS = Source(
    "MI-CLAIM-GEN, the Minimum Information about Clinical Artificial Intelligence Checklist for Generative Modeling "
    "Research, arXiv:2403.02558, which extends MI-CLAIM, Nature Medicine 26, 2020, 1320-1324"
)
FACTS = "table image_facts of this model and revision"
# Section of the card -> where it stands here; what is not named comes at the end.
PLACES = {
    TRAINING: "data",
    "What rests on simulated lesions": "data",
    "How it was trained": "optimisation",
    "Measured": "evaluation",
    "Likeness": "evaluation",
    "What it can and cannot draw": "examination",
}


def model_card(about: About, use: Use) -> Document:
    """The card of the model that draws, with its live figures. Reviews by people are not part of it yet."""
    card, source = about.card, about.from_card
    parts = sections(about.card_text, source)
    blocks: list[Block] = [
        told("Headings follow the {parts} of the checklist.", parts=Figure("six parts", HEADINGS)),
        Heading("Study design"),
        Quote(card.title, source),
        Quote(f"Intended use: {card.intended_use}", source),
        Quote(f"Limits: {card.limits}", source),
        Quote(f"Licence: {card.licence}", source),
        Heading("Data"),
        Quote(card.training_data, source),
        *_placed(parts, "data"),
        Heading("Model and optimisation"),
        *_placed(parts, "optimisation"),
        Heading("Evaluation"),
        *_placed(parts, "evaluation"),
        Heading("In this installation", 3),
        *_live(about, use),
        Heading("Model examination"),
        *_findings(about),
        *_placed(parts, "examination"),
        Heading("Reproducible pipeline"),
        *_pipeline(about),
        *_placed(parts, ""),
    ]
    return Document(f"Model card: {card.title}", tuple(blocks), about.made)


def _placed(parts: dict[str, tuple[Block, ...]], place: str) -> Iterator[Block]:
    for title, blocks in parts.items():
        if PLACES.get(title, "") == place:
            yield from (Heading(title, 3), *blocks)


def _live(about: About, use: Use) -> Iterator[Block]:
    if not use.images or use.first is None:
        yield told("This revision has drawn no image here yet.")
        return
    yield told(
        "This revision has drawn {images} images here since {first}. Of {checked} that were checked, {failing} failed "
        "at least one quality check.",
        images=about.figure(use.images, FACTS),
        first=about.figure(f"{use.first:%Y-%m-%d}", FACTS),
        checked=about.figure(use.checked, FACTS),
        failing=about.figure(use.failing, FACTS),
    )


def _findings(about: About) -> Iterator[Block]:
    card = about.card
    how = {code: "text" for code in card.text_findings} | {code: "drawn or zone mask" for code in card.drawn_findings}
    codes = sorted({*how, *card.training_counts})
    if codes:
        rows = (
            (code.replace("_", " "), how.get(code, "not offered"), str(card.training_counts.get(code, "none counted")))
            for code in codes
        )
        yield Table(("Finding", "Learnt from", "Real training images"), tuple(rows), about.from_card)


def _pipeline(about: About) -> Iterator[Block]:
    card = about.card
    yield told(
        "The weights have the hash {hash}; each image keeps request, seed, sampler, weights, device and versions, and "
        "can be made again on the same device.",
        hash=Figure(card.weights_hash(), about.from_card),
    )
    if card.files:
        yield Table(("File", "sha256"), tuple(sorted(card.files.items())), about.from_card)
