"""A QR code that a browser draws and a telephone can read."""

from __future__ import annotations

import re

from synth.export.qr import qr_svg


def test_a_code_is_dark_on_white_and_follows_its_text() -> None:
    first, again, other = qr_svg("otpauth://totp/a"), qr_svg("otpauth://totp/a"), qr_svg("otpauth://totp/b")
    assert first.startswith("<svg") and "<script" not in first
    assert first == again != other
    assert re.search(r"fill: rgb\(100%,100%,100%\)", first), "dark pages need the white below"
    assert len(re.findall("<rect", first)) > 100
