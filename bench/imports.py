"""python -m bench.imports: CT slices and films a second through the import, where the time goes, memory over 5,000."""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from synth.dicom.door import take
from synth.dicom.taken import Rules
from synth.intake.importer import Importer
from synth.intake.orders import Order
from synth.store import ImportState, Store
from synth.store.blobs import Blobs

FILM_PX = (3600, 2800)  # 10 megapixels
SLICE_PX = (512, 512)
STEPS = {  # what a reader wants to know of the profile: function -> words
    "opened": "checking and parsing the file",
    "decode_frame": "reading the pixels",
    "deidentify": "cleaning the header",
    "_look": "the picture as shown, and the search for text in it",
    "_picture": "thumbnail and sha256 of the pixels",
    "part10": "encoding the kept file",
    "put": "its sha256, and keeping it",
}


@dataclass(frozen=True, slots=True)
class Rate:
    """One import: files, seconds of it, and the peak of resident memory of all its processes together."""

    files: int
    seconds: float
    early_mb: float  # peak of the first fifth
    peak_mb: float


def main() -> None:
    """Measure and print Markdown."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--slices", type=int, default=5000)
    ask.add_argument("--films", type=int, default=120)
    ask.add_argument("--out", type=Path, default=Path("docs/bench.md"), help="file whose section is renewed")
    given = ask.parse_args()
    text = report(given.slices, given.films)
    if given.slices < 1000:  # a quick look is not for the file
        print(text)
    else:
        from bench.speed import renew  # imports torch, which is no part of what is measured

        renew(given.out, text)


def report(slices: int, films: int) -> str:
    """The figures as Markdown."""
    rates = {
        "CT slices, 512 x 512, 16 bit": _rate(slices, SLICE_PX),
        "films, 10 megapixels, 16 bit": _rate(films, FILM_PX),
    }
    lines = [
        "## Importing", "",
        "`python -m bench.imports`: uncompressed DICOM from a folder, de-identified into a new store.", "",
        "| what | files | a second | peak memory, MB (first fifth) |", "|---|--:|--:|--:|",
        *(
            f"| {name} | {rate.files:,} | {rate.files / rate.seconds:.1f} | {rate.peak_mb:.0f} ({rate.early_mb:.0f}) |"
            for name, rate in rates.items()
        ),
        "", "| one file, ms of one core | slice | film |", "|---|--:|--:|",
    ]  # fmt: skip
    first, second = _profile(SLICE_PX, 40), _profile(FILM_PX, 8)
    lines += [f"| {name} | {first[name]:.1f} | {second[name]:.1f} |" for name in first]
    return "\n".join(lines) + "\n"


def _rate(count: int, shape: tuple[int, int]) -> Rate:
    """`count` different files of one series each of 50, imported once."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, source = Path(folder), Path(folder) / "source"
        source.mkdir()
        for number in range(count):
            (source / f"{number:06d}.dcm").write_bytes(_file(shape, number))
        store = Store(f"sqlite:///{home / 'synth.db'}", f"file://{home / 'blobs'}")
        importer = Importer(store, home, f"file://{home / 'blobs'}")
        with _Memory() as memory:
            began = time.perf_counter()
            name = importer.begin(Order(source, "bench", "phantoms", "none"), "bench")
            while (one := store.imports.get(name)).state in (ImportState.WAITING, ImportState.RUNNING):
                memory.early = memory.early if one.done > count / 5 else memory.peak
                time.sleep(0.2)
            seconds = time.perf_counter() - began
        assert one.state is ImportState.DONE and one.done == count and len(one.counts) == 1, one
        importer.close()
        store.close()
        return Rate(count, seconds, memory.early, memory.peak)


class _Memory:
    """The peak of the resident memory of this process and its children, looked at five times a second."""

    def __init__(self) -> None:
        self.peak = self.early = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            mine = {os.getpid()}
            total = 0.0
            for entry in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
                try:
                    fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
                    if entry in mine or int(fields[1]) in mine:
                        mine.add(entry)
                        total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
                except OSError:  # it ended while we looked
                    continue
            self.peak = max(self.peak, total)


def _profile(shape: tuple[int, int], count: int) -> dict[str, float]:
    """Milliseconds of one core a file: all of `take`, and its parts."""
    files = [_file(shape, number) for number in range(count)]
    rules = Rules(bytes(32))
    take(files[0], "warm up", rules)
    profile = cProfile.Profile()
    profile.enable()
    with tempfile.TemporaryDirectory() as folder:
        blobs = Blobs(f"file://{folder}")
        for data in files:
            blobs.put(take(data, "film", rules).data, ".dcm")
    profile.disable()
    spent = {name: 0.0 for name in ("take", *STEPS)}
    for (path, _, function), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if function in spent and "/synth/" in path:
            spent[function] = max(spent[function], 1000 * cumulative / count)
    return {"everything but keeping it": spent.pop("take"), **{words: spent[name] for name, words in STEPS.items()}}


def _file(shape: tuple[int, int], number: int) -> bytes:
    """A DICOM file with smooth clouds and grain of 12 bit: no two alike."""
    random = np.random.default_rng(number)
    coarse = Image.fromarray(random.uniform(800, 2800, (12, 10)).astype(np.float32))
    clouds = np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))
    return _dicom((clouds + random.integers(0, 64, shape)).clip(0, 4095).astype(np.uint16), number)


def _dicom(pixels: npt.NDArray[np.uint16], number: int) -> bytes:
    ct = pixels.shape == SLICE_PX
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = CTImageStorage if ct else DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.StudyInstanceUID = ds.SeriesInstanceUID = generate_uid(entropy_srcs=[f"series {number // 50}"])
    ds.PatientName, ds.PatientID, ds.StudyDate = "Phantom^Bench", f"bench-{number // 50}", "20200102"
    ds.Modality, ds.BodyPartExamined = ("CT", "CHEST") if ct else ("DX", "CHEST")
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024 if ct else 0
    ds.WindowCenter, ds.WindowWidth, ds.PixelSpacing = 2048, 4096, [0.7, 0.7]
    ds.PixelData = pixels.tobytes()
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
