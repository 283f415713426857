"""The ZIP of a case set, read back as whoever gets it reads it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from synth.dicom.encode import uid
from synth.export.case_zip import Drawn, case_zip
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.reading.items import opaque_id
from synth.types import Edit, Finding, GeneratedImage, Modality, Severity, Side, View

Make = Callable[..., GeneratedImage]
NODULE = Finding("nodule", Side.RIGHT, severity=Severity.SEVERE)
CORNERS = ((0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.25, 0.5))


def lesion() -> np.ndarray:
    area = np.zeros((64, 64), bool)
    area[16:32, 16:32] = True
    return area


@pytest.fixture
def cases(make_image: Make) -> list[Drawn]:
    """A normal film, a film with a drawn nodule, a CT with an effusion in words, and a real film."""
    normal = make_image("a" * 32, seed=3)
    edit = Edit("add", "b" * 64, f"synthetic:{'a' * 32}", "c" * 64)
    nodule = make_image("d" * 32, seed=4, findings=(NODULE,), edit=edit)
    words = (Finding("pleural_effusion", Side.LEFT),)
    slice_ = make_image("e" * 32, seed=5, modality=Modality.CT, view=View.AXIAL, findings=words)
    recipes = (Recipe(normal.request), Recipe(normal.request, CORNERS, NODULE, 4), Recipe(slice_.request))
    texts = (("", ""), ("=cough, 3 days", "Look behind the heart"), ("Fall", ""))
    entries = [
        Entry(f"entry-{n}", recipe, standing=Standing.APPROVED, job=image.id, history=text[0], teaching=text[1])
        for n, (recipe, image, text) in enumerate(zip(recipes, (normal, nodule, slice_), texts, strict=True))
    ]
    real = Entry("entry-9", real="0123456789abcdef", standing=Standing.APPROVED, history="Dyspnoea")
    drawn = zip(entries, (normal, nodule, slice_), (None, lesion(), None), strict=True)
    return [*(Drawn(entry, image, area) for entry, image, area in drawn), Drawn(real)]


@pytest.fixture
def case_set(cases: list[Drawn]) -> CaseSet:
    return CaseSet("set-1", "ABCD2345", "First year", "ada", tuple(drawn.entry for drawn in cases), True)


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_synthetic_case_is_a_dicom_file_that_says_so(case_set: CaseSet, cases: list[Drawn]) -> None:
    files = opened(case_zip(case_set, cases))
    images = [pydicom.dcmread(io.BytesIO(data)) for name, data in files.items() if name.startswith("images/")]
    assert [ds.SyntheticData for ds in images] == ["YES"] * 3
    names = [opaque_id("set-1", drawn.image.id) for drawn in cases if drawn.image]
    assert [ds.PatientID for ds in images] == [f"SYN-{name}" for name in names]
    assert [ds.SOPInstanceUID for ds in images] == [uid(name, "instance") for name in names]


def test_the_header_of_an_image_does_not_tell_what_is_drawn(case_set: CaseSet, cases: list[Drawn]) -> None:
    files = opened(case_zip(case_set, cases))
    for name, data in files.items():
        if name.startswith("images/"):
            assert not re.search("nodule|effusion|normal", str(pydicom.dcmread(io.BytesIO(data))), re.IGNORECASE)


def test_a_drawn_lesion_is_a_segmentation_of_its_image(case_set: CaseSet, cases: list[Drawn]) -> None:
    files = opened(case_zip(case_set, cases))
    assert [name for name in files if name.startswith("lesions/")] == ["lesions/case-002-seg.dcm"]
    seg = pydicom.dcmread(io.BytesIO(files["lesions/case-002-seg.dcm"]))
    image = pydicom.dcmread(io.BytesIO(files["images/case-002.dcm"]))
    assert (seg.SOPClassUID, seg.SyntheticData) == (pydicom.uid.SegmentationStorage, "YES")
    assert (
        seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID
    )
    assert np.array_equal(np.squeeze(seg.pixel_array).astype(bool), lesion())


def test_no_file_name_tells_what_a_case_shows(case_set: CaseSet, cases: list[Drawn]) -> None:
    assert list(opened(case_zip(case_set, cases))) == [
        "images/case-001.dcm",
        "images/case-002.dcm",
        "lesions/case-002-seg.dcm",
        "images/case-003.dcm",
        "manifest.json",
        "manifest.csv",
        "README.txt",
    ]


def test_the_manifest_names_every_file_by_its_hash_and_how_to_make_it_again(
    case_set: CaseSet, cases: list[Drawn]
) -> None:
    files = opened(case_zip(case_set, cases))
    manifest = json.loads(files["manifest.json"])
    assert (manifest["title"], manifest["code"]) == ("First year", "ABCD2345")
    assert manifest["intended_use"] == "Education and research, never diagnosis"
    rows = manifest["cases"]
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    assert [row["synthetic"] for row in rows] == [True, True, True, False]
    for row, drawn in zip(rows[:3], cases, strict=False):
        assert drawn.image is not None and drawn.entry.recipe is not None
        assert row["sha256"] == hashlib.sha256(files[row["file"]]).hexdigest()
        assert row["sop_instance_uid"] == pydicom.dcmread(io.BytesIO(files[row["file"]])).SOPInstanceUID
        assert json.dumps(row["request"], sort_keys=True, separators=(",", ":")) == drawn.image.request.canonical_json()
        assert Recipe.from_json(json.dumps(row["recipe"])) == drawn.entry.recipe
        made = drawn.image.provenance
        assert (row["seed"], row["model_id"], row["weights_hash"]) == (made.seed, made.model_id, made.weights_hash)
        assert (row["history"], row["teaching"]) == (drawn.entry.history, drawn.entry.teaching)
    assert [[found["code"] for found in row["findings"]] for row in rows[:3]] == [[], ["nodule"], ["pleural_effusion"]]
    seg = rows[1]["lesion"]
    assert seg["sha256"] == hashlib.sha256(files[seg["file"]]).hexdigest()
    assert "lesion" not in rows[0]


def test_a_real_case_is_named_by_its_library_id_alone(case_set: CaseSet, cases: list[Drawn]) -> None:
    files = opened(case_zip(case_set, cases))
    row = json.loads(files["manifest.json"])["cases"][3]
    assert row == {
        "number": 4,
        "kind": "real",
        "synthetic": False,
        "library_id": "0123456789abcdef",
        "history": "Dyspnoea",
        "teaching": "",
    }
    assert sum(name.startswith("images/") for name in files) == 3


def test_the_table_says_the_same_and_runs_no_formula(case_set: CaseSet, cases: list[Drawn]) -> None:
    files = opened(case_zip(case_set, cases))
    rows = list(csv.DictReader(io.StringIO(files["manifest.csv"].decode("utf-8-sig"), newline="")))
    assert [row["findings"] for row in rows] == ["normal", "nodule", "pleural effusion", ""]
    assert rows[1]["history"] == "'=cough, 3 days"
    assert [row["sha256"] for row in rows] == [
        row.get("sha256", "") for row in json.loads(files["manifest.json"])["cases"]
    ]
    assert "3 synthetic cases" in files["README.txt"].decode()
    assert "never diagnosis" in files["README.txt"].decode()


def test_the_same_set_gives_the_same_bytes(case_set: CaseSet, cases: list[Drawn]) -> None:
    without_lesions = [replace(drawn, lesion=None) for drawn in cases]
    assert case_zip(case_set, without_lesions) == case_zip(case_set, without_lesions)


def test_an_image_that_dicom_refuses_or_that_is_lost_stays_out_with_its_reason(
    case_set: CaseSet, cases: list[Drawn], make_image: Make
) -> None:
    brain = make_image("f" * 32, modality=Modality.MR, view=View.AXIAL)
    changed = [replace(cases[0], image=brain), replace(cases[1], image=None, problem="There is no image 'd'.")]
    files = opened(case_zip(case_set, changed))
    assert [name for name in files if name.endswith(".dcm")] == []
    rows = json.loads(files["manifest.json"])["cases"]
    assert [row["not_exported"] for row in rows] == [
        "Modality MR cannot be exported as DICOM.",
        "There is no image 'd'.",
    ]
