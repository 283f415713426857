"""How we prove who we are to a PACS. Secrets stay in the environment or in a file until the moment of use."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from synth.errors import ArchiveError


class AuthKind(StrEnum):
    """Ways to sign in."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    MTLS = "mtls"


@dataclass(frozen=True, slots=True)
class Auth:
    """Where a node's secret lies; the secret itself is never a field."""

    kind: AuthKind = AuthKind.NONE
    user: str = ""
    secret_env: str = ""  # name of the variable with the password or token
    secret_file: Path | None = None
    client_cert: Path | None = None  # PEM
    client_key: Path | None = None  # PEM, without a passphrase

    def secret(self, node: str) -> str:
        """The password or token. Raises ArchiveError naming the variable or file that does not give one."""
        if self.secret_env:
            text, source = os.environ.get(self.secret_env, ""), f"the variable {self.secret_env}"
        else:
            source = f"the file {self.secret_file.name if self.secret_file else ''}"
            try:
                text = self.secret_file.read_text(encoding="utf-8").strip() if self.secret_file else ""
            except (OSError, UnicodeDecodeError) as error:
                raise ArchiveError(f"The secret of {node} cannot be read from {source}.") from error
        if not text or not text.isprintable():
            raise ArchiveError(f"The secret of {node} is not in {source}; put the password or token there.")
        return text


NO_AUTH = Auth()


def tls_context(auth: Auth, ca_file: Path | None, verify: bool, node: str) -> ssl.SSLContext:
    """The client side of TLS 1.2 or later for a node. Raises ArchiveError where a certificate file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if auth.kind is AuthKind.MTLS and auth.client_cert is not None:
            # a key with a passphrase would ask on the terminal of the server
            context.load_cert_chain(auth.client_cert, auth.client_key, password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ArchiveError(f"A certificate file of {node} cannot be used; it must be PEM and readable.") from error
    return context
