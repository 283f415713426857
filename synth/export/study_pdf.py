"""The report of a study as PDF: protocol, readers, tables, figures, what could not be computed, and methods."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, ListFlowable, Paragraph, SimpleDocTemplate
from reportlab.platypus import Table as Grid

from synth.export import study_figures
from synth.reading import anchors
from synth.reading.analysis import StudyReport, TaskResult
from synth.reading.answers import Task
from synth.reading.study_tables import Table, completion, tables
from synth.reading.study_words import METHODS, TASK_NAMES, notes, protocol_rows

INTENDED_USE = "Education and research, never diagnosis"
MARGIN_PT = 40
INK, QUIET, RULE = HexColor("#1d2329"), HexColor("#5c666f"), HexColor("#c9d0d6")

TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=8.5, leading=11.5, textColor=INK)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=7.5, leading=10, textColor=QUIET)
TITLE = ParagraphStyle("title", parent=TEXT, fontName="Helvetica-Bold", fontSize=18, leading=23)
HEAD = ParagraphStyle("head", parent=TITLE, fontSize=12, leading=16, spaceBefore=12, keepWithNext=1)
_UNDER = ParagraphStyle("under", parent=TEXT, fontName="Helvetica-Bold", spaceBefore=7, spaceAfter=2)

_BARRED = str.maketrans("łŁđĐħĦıİ", "lLdDhHiI")  # letters that are not a plain one with an accent

LINES = [
    ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 7),
    ("FONT", (0, 1), (-1, -1), "Helvetica", 7),
    ("TEXTCOLOR", (0, 0), (-1, -1), INK),
    ("LINEBELOW", (0, 0), (-1, 0), 0.7, INK),
    ("LINEBELOW", (0, 1), (-1, -1), 0.3, RULE),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
]


def study_pdf(report: StudyReport, day: date) -> bytes:
    """The report as of `day`, A4; the same report and day give the same bytes.

    Letters that the PDF's fonts do not have lose their accents, or become "?".
    """
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN_PT,
        rightMargin=MARGIN_PT,
        topMargin=MARGIN_PT,
        bottomMargin=MARGIN_PT + 12,
        title=plain(report.study.title),
        subject=INTENDED_USE,
        author="SynthRead",
        invariant=1,  # no clock and no random id in the file
    )
    document.build(_story(report, day), onFirstPage=_foot, onLaterPages=_foot)
    return file.getvalue()


def _story(report: StudyReport, day: date) -> list[Flowable]:
    study = report.study
    locked = f", locked on {study.locked_at:%Y-%m-%d}" if study.locked_at else ", not locked"
    story: list[Flowable] = [
        _paragraph(study.title, TITLE),
        _paragraph(f"{INTENDED_USE}. Reader study begun on {study.created_at:%Y-%m-%d}{locked}.", TEXT),
        _paragraph(f"Report of {day:%Y-%m-%d}, made with SynthRead.", TEXT),
        _paragraph("Protocol", HEAD),
    ]
    story += [Paragraph(f"<b>{safe(name)}:</b> {safe(words)}", TEXT) for name, words in protocol_rows(study.protocol)]
    story += [_paragraph("Readers", HEAD), _grid(completion(study, report.progress))]
    for task in report.tasks:
        story += _task(task)
    if told := notes(report):
        story += [_paragraph("What was left out or could not be computed", HEAD), _list(told)]
    return [*story, _paragraph("Methods", HEAD), _list(METHODS)]


def _task(task: TaskResult) -> list[Flowable]:
    story: list[Flowable] = [_paragraph(TASK_NAMES[task.task], HEAD)]
    for table in tables(task):
        story.append(KeepTogether([_paragraph(table.title, _UNDER), _grid(table)]))
    for result in task.conditions:
        made = (study_figures.roc(result, task.task), study_figures.lroc(result), study_figures.calibration(result))
        figures = [figure for figure in made if figure is not None]
        story += [_beside(figures[k : k + 2]) for k in range(0, len(figures), 2)]
    if any(one.pooled.roc for one in task.conditions):
        words = "Thin: one reader each. Thick: all readers together."
        if task.task is Task.REAL_OR_SYNTHETIC:
            words += f" {anchors.sources()}"
        story.append(_paragraph(words, SMALL))
    return story


def _grid(table: Table) -> Flowable:
    rows = [[plain(cell) for cell in row] for row in (table.columns, *table.rows)]
    return Grid(rows, style=LINES, repeatRows=1, hAlign="LEFT")


def _beside(figures: Sequence[Drawing]) -> Flowable:
    return Grid([list(figures)], hAlign="LEFT", style=[("LEFTPADDING", (0, 0), (-1, -1), 0)])


def _list(sentences: Sequence[str]) -> Flowable:
    return ListFlowable([_paragraph(one, TEXT) for one in sentences], bulletType="bullet", bulletFontSize=6)


def _paragraph(text: str, style: ParagraphStyle) -> Flowable:
    return Paragraph(safe(text), style)


def safe(text: str) -> str:
    """Text as a paragraph takes it: its lines kept, its < and & no markup."""
    return escape(plain(text)).replace("\n", "<br/>")


def plain(text: str) -> str:
    """The text in the letters of the PDF's own fonts (Windows-1252)."""
    text = text.translate(_BARRED)
    known = "".join(
        letter
        if _has(letter)
        else "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
        for letter in unicodedata.normalize("NFC", text)
    )
    return "".join(letter if _has(letter) else "?" for letter in known)


def _has(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.saveState()
    canvas.setFont("Helvetica", 7)
    canvas.setFillColor(QUIET)
    canvas.drawString(MARGIN_PT, 26, f"{INTENDED_USE}. SynthRead.")
    canvas.drawRightString(A4[0] - MARGIN_PT, 26, f"Page {document.page}")
    canvas.restoreState()
