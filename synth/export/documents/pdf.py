"""A document as PDF, A4: figures carry the number of their source, listed at the end."""

from __future__ import annotations

import io

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, ListFlowable, SimpleDocTemplate
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid

from synth.export.documents.blocks import Block, Document, Heading, Paragraph, Quote, Source, Table
from synth.export.study_pdf import HEAD, INTENDED_USE, LINES, MARGIN_PT, QUIET, SMALL, TEXT, TITLE, plain, safe

WIDTH_PT = A4[0] - 2 * MARGIN_PT
NARROW, WIDE = 12, 48  # letters of a column that decide on its width
_CELL = ParagraphStyle("cell", parent=TEXT, fontSize=7, leading=8.6)
_TOP = ParagraphStyle("top", parent=_CELL, fontName="Helvetica-Bold")
_BODY = ParagraphStyle("body", parent=TEXT, spaceAfter=4)
_QUOTE = ParagraphStyle("quote", parent=_BODY, leftIndent=12, textColor=QUIET)
_BELOW = ParagraphStyle("below", parent=SMALL, spaceAfter=6)
_TITLE = ParagraphStyle("document", parent=TITLE, spaceAfter=6)
_HEAD = ParagraphStyle("section", parent=HEAD, keepWithNext=0, spaceAfter=2)  # or a long table leaves a page empty
_SUB = ParagraphStyle("sub", parent=_HEAD, fontSize=10, leading=13, spaceBefore=8)
_ROOM_PT = 70  # that a heading needs below it


def pdf(document: Document) -> bytes:
    """The whole document; the same document gives the same bytes."""
    file = io.BytesIO()
    template = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN_PT,
        rightMargin=MARGIN_PT,
        topMargin=MARGIN_PT,
        bottomMargin=MARGIN_PT + 20,
        title=plain(document.title),
        subject=INTENDED_USE,
        author="SynthRead",
        invariant=1,  # no clock and no random id in the file
    )

    def foot(canvas: Canvas, page: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 6.5)
        canvas.setFillColor(QUIET)
        canvas.drawString(MARGIN_PT, 34, f"{INTENDED_USE}.")
        canvas.drawString(MARGIN_PT, 25, plain(document.made))
        canvas.drawRightString(A4[0] - MARGIN_PT, 25, f"Page {page.page}")
        canvas.restoreState()

    template.build(_story(document), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(document: Document) -> list[Flowable]:
    numbers = {source: number for number, source in enumerate(document.sources(), 1)}
    story: list[Flowable] = [Text(safe(document.title), _TITLE)]
    for block in document.blocks:
        story += _block(block, numbers)
    story += _block(Heading("Sources"), numbers)
    listed = [Text(safe(str(source)), SMALL) for source in numbers]
    return [*story, ListFlowable(listed, bulletType="1", bulletFontSize=7, leftIndent=16)] if listed else story


def _block(block: Block, numbers: dict[Source, int]) -> list[Flowable]:
    if isinstance(block, Heading):
        return [CondPageBreak(_ROOM_PT), Text(safe(block.text), _HEAD if block.level <= 2 else _SUB)]
    if isinstance(block, Quote):
        return [Text(safe(block.text) + _note(numbers[block.source]), _QUOTE)]
    if isinstance(block, Table):
        return [_table(block), Text("Source" + _note(numbers[block.source]), _BELOW)]
    return _paragraph(block, numbers)


def _paragraph(block: Paragraph, numbers: dict[Source, int]) -> list[Flowable]:
    words = "".join(
        safe(part) if isinstance(part, str) else safe(part.text) + _note(numbers[part.source]) for part in block.parts
    )
    text = Text(words, TEXT if block.item else _BODY)
    return [ListFlowable([text], bulletType="bullet", bulletFontSize=6, leftIndent=12)] if block.item else [text]


def _table(table: Table) -> Flowable:
    whole = (table.heads, *table.rows)
    rows = [[Text(safe(cell), _CELL if number else _TOP) for cell in row] for number, row in enumerate(whole)]
    longest = [max(NARROW, *(min(WIDE, len(row[at])) for row in whole)) for at in range(len(table.heads))]
    widths = [WIDTH_PT * part / sum(longest) for part in longest]
    return Grid(rows, widths, style=[*LINES, ("VALIGN", (0, 0), (-1, -1), "TOP")], repeatRows=1, hAlign="LEFT")


def _note(number: int) -> str:
    return f'<super rise="3" size="6"> [{number}]</super>'
