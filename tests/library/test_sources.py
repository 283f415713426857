"""What there is to import: folders, ZIPs and DICOMDIRs, with everything that can be wrong with them."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from synth.dicom import limits
from synth.errors import DicomError, RequestError
from synth.library import sources
from synth.library.sources import Candidate, candidates, labels_beside
from tests.phantoms import axial_slice, dicom_bytes


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def found(source: Path) -> list[tuple[str, str]]:
    return [(one.name, one.problem) for one in candidates(source)]


def test_a_folder_is_walked_in_a_fixed_order_without_what_systems_leave_behind(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "b/1.dcm", "a.png", ".hidden", "b/Thumbs.db", ".git/x.png", "metadata.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert found(tmp_path) == [("a.png", ""), ("b/1.dcm", ""), ("b/2.dcm", "")]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "film.dcm").symlink_to(tmp_path / "secret")
    (tmp_path / "films" / "deep").symlink_to(tmp_path)
    (one,) = candidates(tmp_path / "films")
    assert one.problem == "film.dcm is a link; links are not followed."
    with pytest.raises(DicomError, match="links are not followed"):
        one.read()


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    assert found(tmp_path) == [("pipe.dcm", "pipe.dcm is not a regular file.")]


def test_members_of_a_zip_are_read_without_unpacking(tmp_path: Path) -> None:
    source = zipped(tmp_path / "films.zip", {"a/1.dcm": b"one", "2.png": b"two", "__MACOSX/2.png": b"", "a/.x": b""})
    inside = list(candidates(source))
    assert [(one.name, one.read()) for one in inside] == [("a/1.dcm", b"one"), ("2.png", b"two")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["films.zip"]


def test_a_zip_in_a_folder_is_opened_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    zipped(tmp_path / "deep" / "films.zip", {"1.dcm": b"one"})
    assert found(tmp_path) == [("deep/films.zip/1.dcm", "")]


@pytest.mark.parametrize("name", ["../up.dcm", "/etc/film.dcm", "a/../../up.dcm", "..\\up.dcm", "C:/film.dcm"])
def test_names_that_lead_out_of_a_zip_are_refused(tmp_path: Path, name: str) -> None:
    (one,) = candidates(zipped(tmp_path / "evil.zip", {name: b"x"}))
    assert one.problem.endswith("has a name that leads out of the ZIP.")


def test_links_archives_and_doubles_in_a_zip_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("inner.zip", b"PK")
        archive.writestr("a.dcm", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.dcm", b"2")
    assert found(tmp_path / "evil.zip") == [
        ("link.dcm", "link.dcm is a link; links are not followed."),
        ("inner.zip", "inner.zip is a ZIP inside a ZIP; unpack it first."),
        ("a.dcm", ""),
        ("a.dcm (again, 3)", "a.dcm (again, 3) stands in the ZIP before."),
    ]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "locked.zip", {"a.dcm": b"x"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # general purpose flag of the local header, APPNOTE 4.3.7
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    assert found(path) == [("a.dcm", "a.dcm is encrypted; unpack the ZIP with its password first.")]


def test_a_bomb_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_UNPACKED", 2**20)
    path = zipped(tmp_path / "bomb.zip", {f"{number}.dcm": bytes(2**20) for number in range(16)})
    (one,) = candidates(path)
    assert one.problem == "bomb.zip would unpack to 0 GiB from 0 MiB in 16 files: a bomb."


def test_a_member_that_is_larger_than_it_says_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "films.zip", {"a.dcm": bytes(2000)})
    (one,) = candidates(path)
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DicomError, match="not read"):
        one.read()


@pytest.mark.parametrize("cut", [10, 60, 90])
def test_a_damaged_zip_is_one_sentence(tmp_path: Path, cut: int) -> None:
    path = zipped(tmp_path / "films.zip", {"a.dcm": bytes(range(256)) * 4})
    path.write_bytes(path.read_bytes()[:-cut])
    (one,) = candidates(path)
    assert one.problem.startswith("films.zip is damaged: it cannot be read as a ZIP")


def test_a_member_with_damaged_bytes_is_one_sentence(tmp_path: Path) -> None:
    path = zipped(tmp_path / "films.zip", {"a.dcm": os.urandom(500)})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(bytes(data))
    (one,) = candidates(path)
    with pytest.raises(DicomError, match=r"^a\.dcm cannot be (read|unpacked): "):
        one.read()


def test_files_that_a_dicomdir_names_and_that_are_gone_are_told(tmp_path: Path) -> None:
    made = FileSet()
    for number in range(2):
        made.add(_instance(number))
    made.write(tmp_path)
    made._stage["t"].cleanup()  # pydicom leaves its folder to the collector, which warns
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.name != "DICOMDIR")
    gone = files[0].relative_to(tmp_path).as_posix()
    files[0].unlink()
    left = files[1].relative_to(tmp_path).as_posix()
    assert sorted(found(tmp_path)) == sorted(
        [(f"DICOMDIR: {gone}", f"DICOMDIR names {gone}, which is not there."), (left, "")]
    )


def test_a_dicomdir_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    record = Dataset()
    record.add(DataElement("ReferencedFileID", "CS", ["..", "SECRET"], validation_mode=config.IGNORE))
    index = Dataset()
    index.DirectoryRecordSequence = [record]
    index.file_meta = FileMetaDataset()
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    (tmp_path / "cd").mkdir()
    (tmp_path / "SECRET").write_bytes(b"x")
    index.save_as(tmp_path / "cd" / "DICOMDIR", enforce_file_format=True)
    assert found(tmp_path / "cd") == [("DICOMDIR: ../SECRET", "DICOMDIR names ../SECRET, which is not there.")]


def test_a_source_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nowhere cannot be opened: No such file or directory\.$"):
        list(candidates(tmp_path / "nowhere"))


def test_labels_stand_beside_the_files_of_a_folder_and_of_a_zip(tmp_path: Path) -> None:
    rows = "file,findings,licence\na.png,Effusion,CC0\n"
    (tmp_path / "metadata.csv").write_text(rows)
    wanted = {"a.png": {"file": "a.png", "findings": "Effusion", "licence": "CC0"}}
    assert labels_beside(tmp_path) == wanted
    assert labels_beside(zipped(tmp_path / "x.zip", {"metadata.csv": rows.encode()})) == wanted
    assert labels_beside(zipped(tmp_path / "y.zip", {"a.png": b""})) == {}


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "huge.dcm").write_bytes(b"x")
    os.truncate(tmp_path / "huge.dcm", limits.MAX_FILE_BYTES + 1)
    with pytest.raises(DicomError, match="more than 256 MiB"):
        Candidate("huge.dcm", str(tmp_path / "huge.dcm")).read()


def _instance(number: int) -> Dataset:
    from pydicom import dcmread

    instance = dcmread(io.BytesIO(dicom_bytes(axial_slice(64))))
    for name in ("StudyInstanceUID", "SeriesInstanceUID"):
        setattr(instance, name, "1.2.826.0.1.1")
    instance.SOPInstanceUID = instance.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{number + 7}"
    instance.PatientID, instance.PatientName, instance.StudyDate, instance.StudyTime = "p", "A^B", "20200101", "1200"
    instance.StudyID, instance.SeriesNumber, instance.InstanceNumber = "1", 1, number
    return instance
