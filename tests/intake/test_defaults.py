"""The table [deidentify]: read beside the PACS, with careful defaults and one sentence for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.dicom.taken import BurntIn, Retain
from synth.errors import RequestError
from synth.intake.defaults import CAREFUL, Deidentification, read_deidentification
from synth.library.pacs import read_network


def test_the_table_stands_beside_the_nodes(tmp_path: Path) -> None:
    path = tmp_path / "pacs.toml"
    path.write_text(
        '[deidentify]\nretain = ["device_identity", "uids"]\nburnt_in = "refuse"\nrefuse_faces = true\n'
        '[[node]]\nname = "ward"\nkind = "dimse"\nhost = "h"\nport = 104\naet = "WARD"\n'
    )
    kept = frozenset({Retain.DEVICE_IDENTITY, Retain.UIDS})
    assert read_deidentification(path) == Deidentification(kept, BurntIn.REFUSE, True)
    assert [node.name for node in read_network(path).nodes] == ["ward"]


def test_without_file_or_table_the_careful_defaults_hold(tmp_path: Path) -> None:
    (tmp_path / "pacs.toml").write_text("")
    assert read_deidentification(tmp_path / "none.toml") == read_deidentification(tmp_path / "pacs.toml") == CAREFUL
    assert CAREFUL.retain == {Retain.PATIENT_CHARACTERISTICS}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("deidentify = 1", "has 'deidentify' as no table; write"),
        ("[deidentify]\nkeep = []", "has 'keep'; it may have retain, burnt_in, refuse_faces"),
        ('[deidentify]\nretain = "uids"', "it must be a list of patient_characteristics"),
        ('[deidentify]\nretain = ["names"]', "it must be a list of patient_characteristics"),
        ('[deidentify]\nburnt_in = "keep"', "has 'keep' as 'burnt_in'; it must be black_out or refuse"),
        ("[deidentify]\nrefuse_faces = 1", "has 1 as 'refuse_faces'; it must be true or false"),
        ("[deidentify", "pacs.toml is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "pacs.toml"
    path.write_text(text)
    with pytest.raises(RequestError, match=sentence):
        read_deidentification(path)
