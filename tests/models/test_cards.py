import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth.errors import ModelError, WeightsMissing
from synth.models.cards import read_card, write_card
from synth.types import ModelCard

CARD = ModelCard(
    id="mini",
    title="Mini 256",
    revision="3",
    files={"denoiser.safetensors": "a" * 64, "parts/codec.safetensors": "b" * 64},
    licence="CC BY 4.0",
    training_data="NIH ChestX-ray14, Müller et al.",
    native_px=256,
    intended_use="Education and research, never diagnosis.",
    limits="No fractures.",
    text_findings=("pneumonia", "pleural_effusion"),
    drawn_findings=("mass",),
    training_counts={"pneumonia": 2015, "mass": 40},
)


def write_block(folder: Path, data: Any) -> None:
    (folder / "card.md").write_text(f"# x\n\n```json\n{json.dumps(data)}\n```\n", encoding="utf-8")


def block() -> dict[str, Any]:
    return {
        "id": "mini",
        "title": "Mini",
        "revision": "1",
        "files": {"denoiser.safetensors": "a" * 64},
        "licence": "CC0",
        "training_data": "phantoms",
        "native_px": 256,
        "intended_use": "tests",
        "limits": "all",
    }


def test_a_written_card_is_read_back_whole(tmp_path: Path) -> None:
    write_card(tmp_path, CARD, "## Figures\n```text\nPSNR 35\n```")
    assert read_card(tmp_path) == CARD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.md"]


def test_the_written_card_opens_with_its_title_and_keeps_the_prose(tmp_path: Path) -> None:
    text = write_card(tmp_path, CARD, "\n## Figures\n").read_text(encoding="utf-8")
    assert text.startswith("# Mini 256\n\n```json\n{")
    assert text.endswith("```\n\n## Figures\n")


def test_writing_again_replaces_the_card(tmp_path: Path) -> None:
    write_card(tmp_path, CARD, "old")
    write_card(tmp_path, replace(CARD, revision="4"), "new")
    assert read_card(tmp_path).revision == "4"


def test_optional_fields_take_their_defaults(tmp_path: Path) -> None:
    write_block(tmp_path, block())
    assert read_card(tmp_path) == ModelCard(**block())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="There is no model 'nowhere'"):
        read_card(tmp_path / "nowhere")


def test_a_folder_without_card_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"card\.md is not in its folder"):
        read_card(tmp_path)


@pytest.mark.parametrize("field", sorted(block()))
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    write_block(tmp_path, {key: value for key, value in block().items() if key != field})
    with pytest.raises(ModelError, match=f"lacks the field {field}"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("revision", 3),
        ("native_px", "256"),
        ("native_px", 0),
        ("native_px", True),
        ("files", {}),
        ("files", {"a.safetensors": "short"}),
        ("files", {"../a.safetensors": "a" * 64}),
        ("files", {"C:\\a.safetensors": "a" * 64}),
        ("files", {"/a.safetensors": "a" * 64}),
        ("files", ["a.safetensors"]),
        ("text_findings", "pneumonia"),
        ("drawn_findings", [1]),
        ("modalities", {"DX": 1}),
        ("training_counts", {"mass": -1}),
        ("training_counts", {"mass": "forty"}),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(tmp_path: Path, field: str, value: Any) -> None:
    write_block(tmp_path, block() | {field: value})
    with pytest.raises(ModelError, match=f"The field {field} in the card"):
        read_card(tmp_path)


def test_an_unknown_field_is_named(tmp_path: Path) -> None:
    write_block(tmp_path, block() | {"licens": "CC0"})
    with pytest.raises(ModelError, match="unknown field: licens"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# only prose\n", "has no ```json block"),
        ("```json\n{'id': 1}\n```\n", "is broken"),
        ("```json\n[1, 2]\n```\n", "must be an object of fields"),
    ],
)
def test_a_card_without_readable_block_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "card.md").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=sentence):
        read_card(tmp_path)


def test_a_card_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.md").write_bytes(b"\xff\xfe\x00\x00\xd8")
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(tmp_path)
