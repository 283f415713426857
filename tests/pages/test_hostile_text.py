"""Names, prompts and titles that carry script, markup or paths are text, and never more."""

from __future__ import annotations

import ast
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from synth.dicom import decode
from synth.errors import DicomError, RequestError
from synth.governance import accounts
from synth.ui import shelf_import, views

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("film.dcm", "film.dcm"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute/film.dcm", "film.dcm"),
        ("a\x00b\x07c\n.png", "abc.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("..", "file"),
        ("...", "file"),
        ("", "file"),
        ("C:\\film.dcm", "film.dcm"),
    ],
)
def test_a_file_is_kept_under_the_last_part_of_its_name(sent: str, kept: str) -> None:
    assert shelf_import._name(sent, 0, 1) == kept
    assert shelf_import._name(sent, 6, 9) == f"00007 {kept}"


@pytest.mark.parametrize("letter", ["x", "\u00e4", "\U0001fa7b"])
def test_a_name_of_ten_thousand_characters_is_one_a_disk_takes(letter: str, tmp_path: Path) -> None:
    name = shelf_import._name(letter * 10_000 + ".dcm", 1, 2)
    assert name.endswith(".dcm") and len(name.encode()) <= 126
    (tmp_path / name).write_bytes(b"x")


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it is so large, whatever its pixels are."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def test_a_picture_of_ten_thousand_megapixels_is_refused_by_its_header() -> None:
    bomb = png(100_000, 100_000, zlib.compress(bytes(2**24), 9))
    with pytest.raises(DicomError, match=r"100000 x 100000"):
        decode.decode(bomb, "bomb.png")


def test_a_picture_that_unpacks_to_more_than_it_says_is_read_to_its_size_or_refused() -> None:
    found = decode.decode(png(16, 16, zlib.compress(bytes(2**26), 9)), "bomb.png")
    assert found.pixels.shape == (16, 16)


def test_pages_write_no_markup_but_their_own() -> None:
    """`st.html` takes constants and our own addresses only, and nothing allows HTML in Markdown."""
    own = {"PASSWORD", "SIGN_IN"}
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "synth" / "ui").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "unsafe_allow_" not in text, path.name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.html" and path.name != "app.py":
                names = {part.id for part in ast.walk(node.args[0]) if isinstance(part, ast.Name)}
                assert names <= own, f"{path.name}:{node.lineno}"


def test_text_of_others_is_escaped_for_markdown() -> None:
    assert views.escaped("[x](javascript:alert(1)) <b>") == "\\[x\\]\\(javascript\\:alert\\(1\\)\\) \\<b\\>"


def test_an_account_is_not_called_after_a_script() -> None:
    for name in (SCRIPT, "a'b", 'a"b', "a&b", "a b"):
        with pytest.raises(RequestError):
            accounts.account_name(name)


def test_script_in_a_prompt_and_in_the_address_is_no_more_than_text(app: Callable[..., AppTest]) -> None:
    page = app(image=SCRIPT, request=SCRIPT)
    assert not page.exception
    assert any("There is no" in error.value for error in page.error)
    page.text_input(key="prompt").set_value(f"PA chest X-ray {SCRIPT}").run()
    assert not page.exception


def test_an_address_that_carries_a_link_makes_none_of_it(app: Callable[..., AppTest]) -> None:
    page = app(image="[sign in](http://elsewhere.example)")
    (sentence,) = [error.value for error in page.error]
    assert sentence.startswith("There is no image '[sign in]\\(http://elsewhere.example)'")
    assert views.unlinked("![a](b) <http://c> <a@b.example> 3 < 4") == "![a]\\(b) \\<http://c> \\<a@b.example> 3 < 4"
