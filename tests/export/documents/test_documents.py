"""The four documents: every origin of the card, live figures, the law with its sources, and no guess."""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from synth.export.documents.about import About, Held, Use
from synth.export.documents.blocks import Document, Heading, Table
from synth.export.documents.card_text import sections, trained_on
from synth.export.documents.data_sheet import LINKS, data_sheet
from synth.export.documents.markdown import markdown
from synth.export.documents.model_card import PLACES, model_card
from synth.export.documents.notices import intended_use, transparency
from synth.export.documents.pdf import pdf
from synth.governance.roles import MAY
from synth.models.cards import read_card
from synth.models.tiny import CARD

ROOT = Path(__file__).parents[3] / "assets" / "models" / "synthread-256"
TEXT = (ROOT / "card.md").read_text(encoding="utf-8")
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHIPPED = About(AT, "0.1.0", read_card(ROOT), TEXT, hashlib.sha256(TEXT.encode()).hexdigest(), "cpu")
TINY = About(AT, "0.1.0", CARD, "", "", "cpu")
USE = Use(120, 118, 9, datetime(2026, 11, 1, tzinfo=UTC))
HELD = [Held("Our ward", "", "DX", 12), Held("NIH ChestX-ray14", "CC0", "DX", 7)]


def all_of(about: About) -> list[Document]:
    return [model_card(about, USE), data_sheet(about, HELD), transparency(about), intended_use(about)]


def tables(document: Document) -> list[Table]:
    return [block for block in document.blocks if isinstance(block, Table)]


@pytest.mark.parametrize("about", [SHIPPED, TINY], ids=["shipped", "tiny"])
def test_all_documents_are_written_with_their_footer(about: About) -> None:
    made = f"Made 2026-11-23 09:00 UTC by SynthRead 0.1.0 for model {about.card.id}, revision {about.card.revision}."
    for document in all_of(about):
        assert document.made == made
        assert markdown(document).rstrip().endswith(made.replace("_", r"\_"))
        last = PdfReader(io.BytesIO(pdf(document))).pages[-1].extract_text()
        assert made in " ".join(last.split())


def test_every_source_says_where_and_as_of_when() -> None:
    for document in all_of(SHIPPED):
        assert document.sources()
        for source in document.sources():
            assert source.as_of or re.search(r"sha256 [0-9a-f]{64}|arXiv|DICOM|NIST|synth/governance", source.what)


def test_every_origin_of_the_card_stands_in_the_data_sheet() -> None:
    """Counted in the text of the card itself, not by our reader of it."""
    rows = [line for line in TEXT.splitlines() if line.count("|") == 6 and not line.startswith(("|---", "| modality"))]
    card = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in rows]
    sheet = tables(data_sheet(SHIPPED, HELD))[0]
    assert len(sheet.rows) == len(card) > 30
    for (_, _, origin, images, *_), row in zip(card, sheet.rows, strict=True):
        assert row[0] == origin and row[2] == images
    assert sum(int(row[2]) for row in sheet.rows) == 18830
    assert {row[4] for row in sheet.rows} == {"unknown"}


def test_links_are_those_of_origins_that_the_card_names() -> None:
    origins = [row.origin for row in trained_on(TEXT)]
    assert [start for start in LINKS if not any(origin.startswith(start) for origin in origins)] == []


def test_the_library_and_its_gaps_are_told() -> None:
    library = tables(data_sheet(SHIPPED, HELD))[1]
    assert library.rows == (
        ("Our ward", "DX", "12", "unknown", "unknown"),
        ("NIH ChestX-ray14", "DX", "7", "CC0", "unknown"),
    )
    assert "holds no real image" in markdown(data_sheet(SHIPPED, []))


def test_who_answers_for_which_use_is_the_table_of_roles() -> None:
    answerable = tables(data_sheet(SHIPPED, HELD))[-1]
    assert dict(answerable.rows) == {permission.value: ", ".join(sorted(roles)) for permission, roles in MAY.items()}


def test_a_card_without_origins_is_said_to_be_unknown() -> None:
    text = markdown(data_sheet(TINY, HELD))
    assert "lists no origins" in text and "drawn by formulas" in text


def test_the_model_card_counts_what_was_drawn_here() -> None:
    text = markdown(model_card(SHIPPED, USE))
    number = re.search(r"drawn 120 \[(\d+)\] images here since 2026-11-01 \[\1\]", text)
    assert number and f"{number[1]}. Database of this installation, table image\\_facts" in text
    assert "Of 118 [" in text and "9 [" in text
    assert "has drawn no image here yet" in markdown(model_card(SHIPPED, Use(0, 0, 0, None)))


def test_no_section_of_the_card_is_left_out() -> None:
    titles = {block.text for block in model_card(SHIPPED, USE).blocks if isinstance(block, Heading)}
    assert set(sections(TEXT, SHIPPED.from_card)) <= titles
    assert {"Training data", "Measured"} <= set(sections(TEXT, SHIPPED.from_card)) & set(PLACES)


def test_every_weight_file_stands_with_its_hash() -> None:
    files = next(table for table in tables(model_card(SHIPPED, USE)) if table.heads == ("File", "sha256"))
    block = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert block and dict(files.rows) == json.loads(block[1])["files"]


def test_the_notices_say_what_they_must() -> None:
    notice, use = markdown(transparency(SHIPPED)), markdown(intended_use(SHIPPED))
    for wanted in (
        "2 August 2026",
        "2 December 2026",
        "was not seen",
        "Synthetic Data YES",
        "Verify",
        "no legal advice",
    ):
        assert wanted in notice
    for wanted in ("not a medical device", "training data of a model: yes", "only evidence that a device works: no",
                   "No final guidance", "our reading", "November 2026"):  # fmt: skip
        assert wanted in use
