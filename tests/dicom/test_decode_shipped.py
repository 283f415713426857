"""Every file that pydicom ships for its tests: decoded, or one sentence. `python -m` this module prints the table."""

import io
import logging
import time
import warnings
from pathlib import Path

import pytest

from synth.dicom.decode import decode, display
from synth.errors import DicomError
from tests.dicom.specimens import shipped_files

FEWEST_DECODED, SLOWEST_S = 75, 5.0


def became(path: Path) -> tuple[str, float]:
    """What the file became in a few words, and how long it took in s."""
    start = time.perf_counter()
    try:
        decoded = decode(path.read_bytes(), path.name)
        shape = " x ".join(str(side) for side in display(decoded).shape)
        said = f"decoded: {shape} {decoded.pixels.dtype}, {decoded.modality}, frame {decoded.frame} of {decoded.frames}"
    except DicomError as error:
        said = str(error)
    return said, time.perf_counter() - start


def test_every_file_is_decoded_or_refused_in_a_sentence_and_nothing_is_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = {str(path): (path.name, *became(path)) for path in shipped_files()}
    decoded = [said for _, said, _ in table.values() if said.startswith("decoded: ")]
    others = [(name, said) for name, said, _ in table.values() if not said.startswith("decoded: ")]
    assert [said for name, said in others if not said.startswith(f"{name} ") or not said.endswith(".")] == []
    assert len(decoded) >= FEWEST_DECODED and [name for name, _, took in table.values() if took > SLOWEST_S] == []


@pytest.mark.parametrize("name", ["MR_small.dcm", "JPEG2000.dcm", "SC_rgb_rle.dcm", "examples_palette.dcm"])
def test_the_decoders_print_nothing(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        assert became(next(path for path in shipped_files() if path.name == name))[0].startswith("decoded: ")
    finally:
        logging.getLogger().removeHandler(handler)
    assert (capfd.readouterr(), log.getvalue()) == (("", ""), "")


if __name__ == "__main__":
    for shipped in shipped_files():
        words, seconds = became(shipped)
        print(f"{1000 * seconds:7.1f} ms  {shipped.name:42} {words}")
