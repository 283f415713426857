"""Imports from beginning to end: what enters, what is refused and why, what a restart and a full disk cost."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom import dcmread

from synth.dicom.encode import encode
from synth.errors import RequestError
from synth.imaging import png_bytes
from synth.intake import importer as importers
from synth.intake.importer import Importer
from synth.library.folders import Library
from synth.store import Import, ImportState, Outcome, Search, Store
from synth.types import GeneratedImage
from tests.intake.conftest import order
from tests.phantoms import axial_slice, dicom_bytes, make_library

Ended = Callable[[str], Import]


def picture(level: int) -> bytes:
    noise = np.random.default_rng(level).integers(0, 255, (64, 64), dtype=np.uint8)
    return png_bytes(noise, {})


def report(store: Store, import_id: str) -> dict[str, tuple[Outcome, str]]:
    return {file.name: (file.outcome, file.reason) for file in store.imports.report(import_id, None, 1000)}


def test_a_folder_enters_the_library_with_its_labels_and_whose_it_is(
    tmp_path: Path, store: Store, importer: Importer, ended: Ended
) -> None:
    source = make_library(tmp_path / "source")
    one = ended(importer.begin(order(source, licence="CC BY 4.0", attribution="Phantoms et al."), "ada"))
    assert (one.state, one.error, one.total, one.counts) == (ImportState.DONE, "", 12, {Outcome.ADDED: 12})
    _, held = store.holdings.search(Search(finding="pleural_effusion"), 100)
    assert {(one.image.modality, one.image.licence, one.image.attribution) for one in held} == {
        ("DX", "CC BY 4.0", "Phantoms et al.")
    }
    library = Library(tmp_path / "none", store.holdings)
    assert (len(library.images), library.problem) == (12, None)
    slice_ = next(image for image in library.images if image.modality == "CT")
    values = library.hounsfield(slice_.id, 64)
    assert values is not None and values.min() < -900


def test_the_same_pictures_are_not_kept_twice(tmp_path: Path, store: Store, importer: Importer, ended: Ended) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.dcm").write_bytes(dicom_bytes(axial_slice(64)))
    ended(importer.begin(order(source), "ada"))
    again = dcmread(source / "a.dcm")
    again.PatientName = "Another^Name"
    again.save_as(source / "b.dcm")
    files = {path for path in (tmp_path / "blobs").rglob("*") if path.is_file()}
    second = ended(importer.begin(order(source), "ada"))
    assert second.counts == {Outcome.DUPLICATE: 2}
    assert report(store, second.id)["b.dcm"] == (Outcome.DUPLICATE, "The library has this picture.")
    assert {path for path in (tmp_path / "blobs").rglob("*") if path.is_file()} == files
    _, (held,) = store.holdings.search(Search(), 1)
    store.holdings.remove([held.image.id], [])
    third = ended(importer.begin(order(source), "ada"))
    assert report(store, third.id)["a.dcm"] == (Outcome.DUPLICATE, "The library has this picture, in the bin.")


def test_what_cannot_enter_is_told_and_the_rest_enters(
    tmp_path: Path, store: Store, importer: Importer, ended: Ended, make_image: Callable[..., GeneratedImage]
) -> None:
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as archive:
        archive.writestr("good.dcm", dicom_bytes(axial_slice(64)))
        archive.writestr("cut.dcm", dicom_bytes(axial_slice(64))[:3000])
        archive.writestr("letter.txt", "Dear colleague")
        archive.writestr("../../evil.dcm", dicom_bytes(axial_slice(32)))
        archive.writestr("ours.dcm", encode(make_image("i1"), "a drawn film"))
    one = ended(importer.begin(order(tmp_path / "mixed.zip"), "ada"))
    told = report(store, one.id)
    assert one.counts == {Outcome.ADDED: 1, Outcome.REFUSED: 4}
    assert told["good.dcm"][0] is Outcome.ADDED
    assert told["letter.txt"][1] == "letter.txt is neither a DICOM file (no DICM at byte 128) nor a PNG or JPEG."
    assert told["../../evil.dcm"][1].endswith("has a name that leads out of the ZIP.")
    assert "is synthetic" in told["ours.dcm"][1]
    assert told["cut.dcm"][0] is Outcome.REFUSED and told["cut.dcm"][1].startswith("cut.dcm ")


def test_a_volume_enters_as_its_slices_in_hounsfield_units(
    tmp_path: Path, store: Store, importer: Importer, ended: Ended
) -> None:
    voxels = np.random.default_rng(1).integers(-1000, 400, (24, 20, 5)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([2.0, 2.0, 5.0, 1.0])), tmp_path / "chest.nii.gz")
    one = ended(importer.begin(order(tmp_path / "chest.nii.gz", volumes="CT"), "ada"))
    assert (one.error, one.counts) == ("", {Outcome.ADDED: 1})
    count, held = store.holdings.search(Search(), 10)
    assert count == 5 and {(one.image.modality, one.rows, one.columns) for one in held} == {("CT", 20, 24)}
    values = Library(tmp_path / "none", store.holdings).hounsfield(held[0].image.id, 24)
    assert values is not None and values.min() < -900 and values.max() > 300


def test_nothing_that_names_the_patient_is_kept(tmp_path: Path, store: Store, importer: Importer, ended: Ended) -> None:
    ds = dcmread(io.BytesIO(dicom_bytes(axial_slice(64))))
    ds.PatientName, ds.PatientID, ds.InstitutionName = "Canary^Yellow", "CANARY-1", "Canary Hospital"
    ds.StudyDescription = "for Canary"
    (tmp_path / "Canary_Yellow").mkdir()
    ds.save_as(tmp_path / "Canary_Yellow" / "1.dcm")
    ended(importer.begin(order(tmp_path / "Canary_Yellow", title="a disc"), "ada"))
    kept = [path.read_bytes() for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert len(kept) == 2 and not any(b"anary" in data or b"CANARY" in data for data in kept)
    _, (held,) = store.holdings.search(Search(), 10)
    assert "anary" not in repr(held) and held.patient.startswith("ANON-")
    assert not any("anary" in str(event) for event in store.events(100))


def test_an_import_goes_on_where_a_killed_server_left_it(
    tmp_path: Path, store: Store, open_importer: Callable[[], Importer], ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importers, "BATCH", 2)
    source = tmp_path / "source"
    source.mkdir()
    for number in range(12):
        (source / f"{number:02d}.png").write_bytes(picture(number))
    first = open_importer()
    name = first.begin(order(source), "ada")
    until = time.monotonic() + 60
    while store.imports.get(name).done < 4 and time.monotonic() < until:
        time.sleep(0.01)
    first.close()
    through = store.imports.through(name)
    assert 4 <= len(through) < 12 and store.imports.get(name).state is ImportState.RUNNING
    second = open_importer()
    one = ended(name)
    assert (one.state, one.counts) == (ImportState.DONE, {Outcome.ADDED: 12})
    assert second is not first and len(store.imports.report(name, None, 100)) == 12


def test_a_stopped_import_ends_and_can_be_resumed(
    tmp_path: Path, store: Store, importer: Importer, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importers, "BATCH", 1)
    source = tmp_path / "source"
    source.mkdir()
    for number in range(30):
        (source / f"{number:02d}.png").write_bytes(picture(number))
    name = importer.begin(order(source), "ada")
    while store.imports.get(name).done < 2:
        time.sleep(0.01)
    importer.stop(name, "ada")
    stopped = ended(name)
    assert stopped.state is ImportState.STOPPED and stopped.done < 30
    importer.resume(name, "ada")
    assert ended(name).counts == {Outcome.ADDED: 30}
    actions = [event.action for event in reversed(store.events(100, subject=name))]
    assert [action for action in actions if action != "library.add"] == [
        "library.import", "library.import.stop", "library.import.resume", "library.import.done",
    ]  # fmt: skip


def test_a_place_that_takes_nothing_ends_the_import_in_one_sentence_and_it_goes_on_when_it_does(
    tmp_path: Path, store: Store, importer: Importer, ended: Ended
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.png").write_bytes(picture(number))
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "arriving").write_bytes(b"in the way")
    name = importer.begin(order(source), "ada")
    failed = ended(name)
    assert failed.state is ImportState.FAILED and failed.error.startswith("The image could not be stored: ")
    (tmp_path / "blobs" / "arriving").unlink()
    importer.resume(name, "ada")
    assert ended(name).counts == {Outcome.ADDED: 3}


def test_a_source_that_is_gone_is_one_sentence(tmp_path: Path, importer: Importer) -> None:
    with pytest.raises(RequestError, match="is not there; give a folder or a file on the computer of the server"):
        importer.begin(order(tmp_path / "nowhere"), "ada")


def test_uploaded_copies_are_deleted_when_they_are_through(
    tmp_path: Path, store: Store, importer: Importer, ended: Ended
) -> None:
    folder = importer.arriving()
    (folder / "a.png").write_bytes(picture(1))
    ended(importer.begin(order(folder, own_copy=True), "ada"))
    until = time.monotonic() + 10
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not folder.exists() and store.holdings.search(Search(), 1)[0] == 1


def test_two_servers_share_the_imports_and_do_none_twice(
    tmp_path: Path, store: Store, open_importer: Callable[[], Importer], ended: Ended
) -> None:
    servers, names = [open_importer(), open_importer()], []
    for number in range(4):
        folder = tmp_path / f"source-{number}"
        folder.mkdir()
        (folder / "a.png").write_bytes(picture(number))
        names.append(servers[number % 2].begin(order(folder), "ada"))
    assert [ended(name).counts for name in names] == [{Outcome.ADDED: 1}] * 4
