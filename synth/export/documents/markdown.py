"""A document as Markdown (CommonMark with tables): figures carry the number of their source, listed at the end."""

from __future__ import annotations

import re

from synth.export.documents.blocks import Block, Document, Heading, Paragraph, Quote, Source, Table

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(document: Document) -> str:
    """The whole document; what others wrote in it is shown as it is, without being read as marks."""
    numbers = {source: number for number, source in enumerate(document.sources(), 1)}
    lines = [f"# {_plain(document.title)}"]
    for block in document.blocks:
        listed = isinstance(block, Paragraph) and block.item and lines[-1].startswith("- ")
        lines += [_block(block, numbers)] if listed else ["", _block(block, numbers)]
    lines += ["", "## Sources", ""]
    lines += [f"{number}. {_plain(str(source))}" for source, number in numbers.items()]
    return "\n".join([*lines, "", "---", "", _plain(document.made), ""])


def _block(block: Block, numbers: dict[Source, int]) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_plain(block.text)}"
    if isinstance(block, Quote):
        return "> " + _plain(block.text).replace("\n", "\n> ") + f" [{numbers[block.source]}]"
    if isinstance(block, Table):
        return _table(block, numbers)
    words = [
        _plain(part) if isinstance(part, str) else f"{_plain(part.text)} [{numbers[part.source]}]"
        for part in block.parts
    ]
    return ("- " if block.item else "") + "".join(words)


def _table(table: Table, numbers: dict[Source, int]) -> str:
    rows = [table.heads, tuple("---" for _ in table.heads), *table.rows]
    lines = [
        "| " + " | ".join(cell if row is rows[1] else _plain(" ".join(cell.split())) for cell in row) + " |"
        for row in rows
    ]
    return "\n".join([*lines, "", f"Source: [{numbers[table.source]}]"])


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)
