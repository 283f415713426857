"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each good for one sign-in."""

from __future__ import annotations

import base64
import hmac
import re
from datetime import datetime

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from synth.errors import StoreError

PERIOD_S = 30
WINDOW = 1  # periods before and after that clocks may differ (RFC 6238, section 5.2)
SECRET_BYTES = 20  # RFC 4226, section 4: 160 bit
NONCE_BYTES = 12
ISSUER = "SynthRead"


def secret(random: bytes) -> str:
    """The secret as people type it: base32 of 20 random bytes."""
    return base64.b32encode(random).decode()


def address(name: str, key: str) -> str:
    """The otpauth address of a secret, for the authenticator app."""
    return pyotp.TOTP(key).provisioning_uri(name=name, issuer_name=ISSUER)


def period_of(key: str, code: str, now: datetime, last: int) -> int | None:
    """The period whose code was given, later than the `last` one that was used; None where there is none."""
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    here = int(now.timestamp()) // PERIOD_S
    fitting = [n for n in range(here - WINDOW, here + WINDOW + 1) if hmac.compare_digest(_code(key, n), digits)]
    return next((n for n in fitting if n > last), None)


def sealed(name: str, text: str, key: bytes, nonce: bytes) -> str:
    """A secret as it is kept: under the 32 bytes of `key`, and only good for the account `name` (AES-256-GCM)."""
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), name.encode())).decode()


def opened(name: str, kept: str, key: bytes) -> str:
    """The secret back. Raises StoreError where the key is another or the row was changed."""
    data = base64.b64decode(kept)
    try:
        return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], name.encode()).decode()
    except InvalidTag as error:
        raise StoreError(f"The second factor of {name} cannot be read with this key; reset the account.") from error


def _code(key: str, period: int) -> str:
    return pyotp.TOTP(key).generate_otp(period)
