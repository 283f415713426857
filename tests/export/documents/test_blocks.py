"""No sentence with a number that has no source; Markdown and PDF name every source once and in order."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from synth.export.documents.blocks import Document, Figure, Heading, Paragraph, Quote, Source, Table, items, told
from synth.export.documents.markdown import markdown
from synth.export.documents.pdf import pdf

QUERY, PAPER = Source("A query", "2026-05-04"), Source("A paper")
DOCUMENT = Document(
    "All about <it>",
    (
        Heading("What"),
        told("{n} images, by {paper}.", n=Figure("12", QUERY), paper=Figure("rule 3", PAPER)),
        *items("C2PA and SHA-256 are names.", "So are names_with_marks."),
        Quote("Trained on 7 * 3 films.", PAPER),
        Table(("Name", "Count"), (("a|b", "1"), ("c\nd", "2")), QUERY),
    ),
    "Made now.",
)


@pytest.mark.parametrize("text", ["There are 12 images.", "3 images", "from 2 August", "(2026)", "art.50", "5%"])
def test_a_number_without_a_source_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is a number without a source"):
        Paragraph((text,))
    with pytest.raises(ValueError, match="is a number without a source"):
        told(text)


def test_names_with_digits_are_no_numbers() -> None:
    assert told("C2PA, SHA-256, v2 and A4.").parts == ("C2PA, SHA-256, v2 and A4.",)


def test_figures_stand_where_the_text_names_them() -> None:
    twelve = Figure("12", QUERY)
    assert told("Of {n}, {n}.", n=twelve) == Paragraph(("Of ", twelve, ", ", twelve, "."))
    with pytest.raises(KeyError):
        told("{missing}")


def test_every_source_is_listed_once_in_the_order_of_the_text() -> None:
    assert DOCUMENT.sources() == (QUERY, PAPER)


def test_markdown_is_the_document_and_no_mark_of_others_is_read() -> None:
    assert (
        markdown(DOCUMENT)
        == r"""# All about \<it\>

## What

12 [1] images, by rule 3 [2].

- C2PA and SHA-256 are names.
- So are names\_with\_marks.

> Trained on 7 \* 3 films. [2]

| Name | Count |
| --- | --- |
| a\|b | 1 |
| c d | 2 |

Source: [1]

## Sources

1. A query, 2026-05-04
2. A paper

---

Made now.
"""
    )


def test_the_pdf_holds_the_same_words_and_is_the_same_twice() -> None:
    data = pdf(DOCUMENT)
    assert data == pdf(DOCUMENT)
    (page,) = PdfReader(io.BytesIO(data)).pages
    words = " ".join(page.extract_text().split())
    for wanted in (
        "All about <it>",
        "12 [1] images, by rule 3 [2].",
        "Trained on 7 * 3 films. [2]",
        "a|b",
        "Made now.",
    ):
        assert wanted in words
    assert words.index("A query, 2026-05-04") < words.index("A paper")


def test_a_document_without_sources_has_an_empty_list() -> None:
    plain = Document("T", (told("Nothing to count."),), "Made now.")
    assert markdown(plain).count("[1]") == 0 and len(PdfReader(io.BytesIO(pdf(plain))).pages) == 1


def test_a_table_longer_than_a_page_begins_below_its_heading() -> None:
    rows = tuple((f"row {n}", str(n)) for n in range(200))
    long = Document("T", (Heading("Rows"), Table(("Name", "Count"), rows, QUERY)), "Made now.")
    pages = PdfReader(io.BytesIO(pdf(long))).pages
    assert len(pages) > 2 and "row 0" in pages[0].extract_text() and "Name" in pages[1].extract_text()
