"""The prose of a model's card as blocks: tables stay tables, and all the rest is quoted as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from synth.export.documents.blocks import Block, Heading, Quote, Source, Table

TRAINING = "Training data"
_FENCED = re.compile(r"^```.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
_COLUMNS = ("modality", "part", "origin", "images", "licence")


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """One row of the table of the training data, word by word."""

    modality: str
    part: str
    origin: str
    images: str
    licence: str


def sections(text: str, source: Source) -> dict[str, tuple[Block, ...]]:
    """The blocks below each heading "## Title" of a card, by title; what comes before the first is left out."""
    _, *parts = re.split(r"^## +", _FENCED.sub("", text), flags=re.MULTILINE)
    found = (part.partition("\n") for part in parts)
    return {title.strip(): tuple(_blocks(body, source)) for title, _, body in found}


def trained_on(text: str) -> tuple[TrainedOn, ...]:
    """Where the training images come from, as the card's table lists them; empty where it has no such table."""
    source = Source("card.md")
    for block in sections(text, source).get(TRAINING, ()):
        if isinstance(block, Table) and tuple(head.lower() for head in block.heads) == _COLUMNS:
            return tuple(TrainedOn(*row) for row in block.rows)
    return ()


def _blocks(body: str, source: Source) -> Iterator[Block]:
    for part in re.split(r"\n\s*\n|\n(?=- |#)", body.strip()):
        lines = part.strip().splitlines()
        if not lines:
            continue
        if lines[0].startswith("#"):
            yield Heading(lines[0].lstrip("# "), 3)
            lines = lines[1:]
        if lines and lines[0].startswith("|"):
            yield _table(lines, source)
        elif lines:
            yield Quote(" ".join(line.strip() for line in lines).replace("`", ""), source)


def _table(lines: list[str], source: Source) -> Table:
    heads, _, *rows = (tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in lines)
    width = len(heads)
    return Table(heads, tuple((*row, *[""] * width)[:width] for row in rows), source)
