"""What there is to import in a folder, a ZIP or a file: named, counted, and read one by one, never unpacked to disk."""

from __future__ import annotations

import io
import os
import stat
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pydicom
from pydicom.errors import InvalidDicomError

from synth.dicom.limits import MAX_FILE_BYTES
from synth.errors import DicomError, RequestError
from synth.library.metadata import METADATA, read_rows

DICOMDIR = "DICOMDIR"
LEFT_OUT = ("Thumbs.db", "desktop.ini", METADATA)  # what systems leave beside images, and the labels
MAX_FILES = 1_000_000
MAX_RATIO = 200  # images deflate to a half or a tenth, a bomb to a thousandth
MAX_UNPACKED = 2 * 2**30  # bytes, below which the ratio does not matter
OLD_ZIP = 0x1  # flag bit 0: encrypted (APPNOTE 4.4.4)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that may hold images. `problem` is the sentence why it cannot be read at all."""

    name: str  # inside its source, with forward slashes
    path: str  # of the file, or of the archive that holds it
    member: str | None = None  # its name in the archive
    problem: str = ""

    def read(self) -> bytes:
        """The bytes. Raises DicomError, in one sentence, where they cannot be read or are too many."""
        if self.problem:
            raise DicomError(self.problem)
        try:
            data = self._bytes()
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError) as error:
            reason = getattr(error, "strerror", None) or str(error).rstrip(".") or type(error).__name__
            raise DicomError(f"{self.name} cannot be read: {reason}.") from error
        except Exception as error:  # zlib and lzma have errors of their own, and no common base
            raise DicomError(f"{self.name} cannot be unpacked: {str(error).rstrip('.')}.") from error
        if len(data) > MAX_FILE_BYTES:
            raise DicomError(f"{self.name} has more than {MAX_FILE_BYTES // 2**20} MiB; it is not read.")
        return data

    def _bytes(self) -> bytes:
        if self.member is None:
            with open(self.path, "rb") as file:
                return file.read(MAX_FILE_BYTES + 1)
        with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
            return file.read(MAX_FILE_BYTES + 1)


def candidates(source: Path) -> Iterator[Candidate]:
    """Every file of the source in a fixed order, ZIPs of a folder opened. Raises RequestError where it is not there."""
    try:
        mode = source.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RequestError(f"{source} cannot be opened: {reason}.") from error
    if stat.S_ISDIR(mode):
        yield from _of_folder(source)
    elif stat.S_ISREG(mode):
        yield from _of_file(source, source.name)
    else:
        raise RequestError(f"{source} is neither a folder nor a file.")


def labels_beside(source: Path) -> Mapping[str, Mapping[str, str]]:
    """Rows of the metadata.csv of a folder or ZIP by file name; none where there is none. Raises RequestError."""
    if source.is_dir():
        if not (source / METADATA).is_file():
            return {}
        with open(source / METADATA, encoding="utf-8-sig", newline="") as lines:
            return read_rows(lines)
    if not zipfile.is_zipfile(source):
        return {}
    try:
        with zipfile.ZipFile(source) as archive, archive.open(METADATA) as file:
            return read_rows(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))
    except KeyError:
        return {}
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:
        raise RequestError(f"{METADATA} in {source.name} cannot be read: {error}.") from error


def _of_folder(root: Path) -> Iterator[Candidate]:
    for base, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(base) / name
            relative = path.relative_to(root).as_posix()
            if name.startswith(".") or name in LEFT_OUT:
                continue
            if path.is_symlink():
                yield Candidate(relative, str(path), problem=f"{relative} is a link; links are not followed.")
            elif name == DICOMDIR:
                yield from _missing(path, relative)
            elif not path.is_file():
                yield Candidate(relative, str(path), problem=f"{relative} is not a regular file.")
            else:
                yield from _of_file(path, relative)


def _of_file(path: Path, name: str) -> Iterator[Candidate]:
    if name.lower().endswith(".zip") or (not path.suffix and zipfile.is_zipfile(path)):
        yield from _of_zip(path, name)
    else:
        yield Candidate(name, str(path))


def _of_zip(path: Path, name: str) -> Iterator[Candidate]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        yield Candidate(name, str(path), problem=f"{name} is damaged: it cannot be read as a ZIP ({error}).")
        return
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size) or len(members) > MAX_FILES:
        size = f"{unpacked / 2**30:,.0f} GiB from {path.stat().st_size / 2**20:,.0f} MiB"
        yield Candidate(name, str(path), problem=f"{name} would unpack to {size} in {len(members):,} files: a bomb.")
        return
    seen: set[str] = set()
    for member in members:
        base = PurePosixPath(member.filename.replace("\\", "/")).name
        if base.startswith(".") or base in (*LEFT_OUT, DICOMDIR) or member.filename.startswith("__MACOSX/"):
            continue
        inside = f"{name}/{member.filename}" if name != path.name else member.filename
        if inside in seen:
            inside = f"{inside} (again, {len(seen)})"
            yield Candidate(inside, str(path), member.filename, f"{inside} stands in the ZIP before.")
            continue
        seen.add(inside)
        yield Candidate(inside, str(path), member.filename, _refused(member, inside))


def _refused(member: zipfile.ZipInfo, name: str) -> str:
    """Why a member of a ZIP is not read; empty where it is."""
    parts = PurePosixPath(member.filename.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
        return f"{name} has a name that leads out of the ZIP."
    if stat.S_ISLNK(member.external_attr >> 16):
        return f"{name} is a link; links are not followed."
    if member.flag_bits & OLD_ZIP:
        return f"{name} is encrypted; unpack the ZIP with its password first."
    if member.filename.lower().endswith(".zip"):
        return f"{name} is a ZIP inside a ZIP; unpack it first."
    if member.file_size > MAX_FILE_BYTES:
        return f"{name} has more than {MAX_FILE_BYTES // 2**20} MiB; it is not read."
    return ""


def _missing(path: Path, name: str) -> Iterator[Candidate]:
    """The files that a DICOMDIR (PS3.3 F.3.2.2) names and its folder does not hold; the others are found anyway."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that no file is opened by
            index = pydicom.dcmread(path)
            records = index.get("DirectoryRecordSequence") or ()
            named = [record.get("ReferencedFileID") for record in records]
    except (InvalidDicomError, OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        yield Candidate(name, str(path), problem=f"{name} is damaged and was passed over ({type(error).__name__}).")
        return
    for parts in named:
        if not parts:
            continue
        words = [parts] if isinstance(parts, str) else [str(part) for part in parts]
        relative = "/".join(words)
        if ".." in words or not (path.parent / relative).is_file():
            yield Candidate(f"{name}: {relative}", str(path), problem=f"{name} names {relative}, which is not there.")
