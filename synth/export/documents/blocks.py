"""What a document is made of. A sentence holds no number but as a `Figure` with its source, or it is refused."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

NUMBER = re.compile(r"(?<![\w-])\d")  # a digit that belongs to no name: "C2PA" and "SHA-256" are names


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from: a query, a file with its sha256, or a publication; and as of when."""

    what: str
    as_of: str = ""

    def __str__(self) -> str:
        return f"{self.what}, {self.as_of}" if self.as_of else self.what


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, a date or a paragraph of law, as it is to be read, with its source."""

    text: str
    source: Source


Part = str | Figure


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section; `level` 1 is the document's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or several, or one item of a list."""

    parts: tuple[Part, ...]
    item: bool = False

    def __post_init__(self) -> None:
        for part in self.parts:
            if isinstance(part, str) and (found := NUMBER.search(part)):
                raise ValueError(f"{part[found.start() : found.start() + 20]!r} is a number without a source")


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of somebody else, numbers and all, with where they stand."""

    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their heads, all from one source."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    source: Source


Block = Heading | Paragraph | Quote | Table


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document. `made` is the footer: when, by which version and for which model."""

    title: str
    blocks: tuple[Block, ...]
    made: str

    def sources(self) -> tuple[Source, ...]:
        """Every source once, in the order in which they are first named: their numbers start at 1."""
        return tuple(dict.fromkeys(_sources(self.blocks)))


def told(template: str, item: bool = False, /, **figures: Figure) -> Paragraph:
    """A paragraph from a text with names in braces for its figures: `told("{n} images.", n=Figure(...))`."""
    parts: list[Part] = []
    for text, name, _, _ in string.Formatter().parse(template):
        parts += [text] if text else []
        parts += [figures[name]] if name else []
    return Paragraph(tuple(parts), item)


def items(*templates: str) -> tuple[Paragraph, ...]:
    """A list of sentences without numbers."""
    return tuple(told(template, True) for template in templates)


def _sources(blocks: Sequence[Block]) -> Iterator[Source]:
    for block in blocks:
        if isinstance(block, Paragraph):
            yield from _of_parts(block.parts)
        elif isinstance(block, Quote | Table):
            yield block.source


def _of_parts(parts: Iterable[Part]) -> Iterator[Source]:
    return (part.source for part in parts if isinstance(part, Figure))
