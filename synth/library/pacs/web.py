"""HTTP for DICOMweb: one session a task, signed in as the node says, with bounded answers and one-sentence errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests import exceptions as http
from requests.auth import AuthBase, HTTPBasicAuth

from synth.dicom.limits import MAX_FILE_BYTES
from synth.errors import ArchiveError, Cancelled, SynthError
from synth.library.pacs.nodes import Node
from synth.library.pacs.retry import Refused, Unreachable
from synth.library.pacs.secrets import AuthKind, tls_context
from synth.library.pacs.values import Stopped

MAX_ANSWER_BYTES = MAX_FILE_BYTES + 2**20  # one file and what is around it
_CHUNK = 2**16
_STRANGE = "{} gave an answer that is not DICOMweb; is its url right?"
_FOR_NOW = (408, 429, 500, 502, 503, 504)  # RFC 9110 section 15: worth another try


class _Bearer(AuthBase):
    """Authorization: Bearer (RFC 6750 section 2.1). Not a session header, which dicomweb-client might log."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class WebSession(requests.Session):
    """A session that follows no redirects, reads at most 257 MiB of an answer and stops when the user does."""

    def __init__(self, node: Node, cancelled: Stopped) -> None:
        super().__init__()
        self._name, self._cancelled = node.name, cancelled
        self.trust_env = False  # else .netrc and REQUESTS_CA_BUNDLE overrule what the node's entry says
        auth = node.auth
        if node.url.startswith("https"):
            tls_context(auth, node.ca_file, node.verify, node.name)  # a bad file is told in one sentence
        self.verify = str(node.ca_file) if node.verify and node.ca_file else node.verify
        if auth.kind is AuthKind.BASIC:
            self.auth = HTTPBasicAuth(auth.user.encode(), auth.secret(node.name).encode())
        elif auth.kind is AuthKind.BEARER:
            self.auth = _Bearer(auth.secret(node.name))
        elif auth.kind is AuthKind.MTLS:
            self.cert = (str(auth.client_cert), str(auth.client_key))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send one request and read its whole answer. Raises ArchiveError for a redirect or an endless answer."""
        # legal in a query (RFC 3986 section 3.4), and not every archive decodes them
        request.url = (request.url or "").replace("%2A", "*").replace("%3F", "?")
        with super().send(request, **options | {"stream": True, "allow_redirects": False}) as response:
            if response.is_redirect:
                raise ArchiveError(f"{self._name} has moved to another address; correct its url.")
            body = bytearray()
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise ArchiveError(f"{self._name} answered with more than {MAX_ANSWER_BYTES // 2**20} MiB at once.")
                if self._cancelled():
                    raise Cancelled("The transfer was cancelled.")
        response._content = bytes(body)  # where requests keeps what was read
        return response


@contextmanager
def told(node: Node) -> Iterator[None]:
    """Every failure of a request as one sentence that names the node, and never a secret or a URL."""
    try:
        yield
    except SynthError:
        raise
    except http.SSLError as error:
        raise ArchiveError(_tls_sentence(node, str(error))) from error
    except http.Timeout as error:
        raise Unreachable(f"{node.name} did not answer within {node.timeout_s:g} s.") from error
    except http.HTTPError as error:
        raise _refusal(node, error.response) from error
    except http.ConnectionError as error:
        if "SSL" in str(error) or "ssl" in str(error):
            raise ArchiveError(_tls_sentence(node, str(error))) from error
        if node.url.startswith("https") and "reset" in str(error):
            raise Unreachable(
                f"{node.name} broke off; is it restarting, or does it want a client certificate?"
            ) from error
        raise Unreachable(f"{node.name} cannot be reached; is it running, and is its address right?") from error
    except http.InvalidJSONError as error:
        raise ArchiveError(_STRANGE.format(node.name)) from error
    except http.RequestException as error:
        raise Unreachable(f"{node.name} broke off in the middle of an answer.") from error
    except Exception as error:  # whatever parsers trip over in the answer of a stranger
        raise ArchiveError(_STRANGE.format(node.name)) from error


def _refusal(node: Node, response: requests.Response | None) -> ArchiveError:
    code = 0 if response is None else response.status_code
    if code == 401:
        how = "its user and password" if node.auth.kind is AuthKind.BASIC else "how to sign in"
        return ArchiveError(f"{node.name} does not let us in (401); check {how}.")
    if code == 403:
        return ArchiveError(f"{node.name} forbids this to us (403); its administrator can allow it.")
    if code in (404, 410):
        return Refused(f"{node.name} does not have what was asked for ({code}).")
    if code in _FOR_NOW:
        return Unreachable(f"{node.name} failed or is busy ({code}).")
    return Refused(f"{node.name} refused the request ({code}).")


def _tls_sentence(node: Node, text: str) -> str:
    known = text.lower().replace("_", " ")
    if "certificate required" in known or "handshake failure" in known:
        return f'{node.name} asks for a client certificate; add auth = "mtls" with one that it knows.'
    if "hostname mismatch" in known or "not valid for" in known or "doesn't match" in known:
        return f"{node.name} shows a certificate of another host; its address must be the one in the certificate."
    if "certificate verify failed" in known:
        return f"{node.name} shows a certificate that is not trusted here; name its authority as ca_file."
    if "wrong version number" in known or "record layer" in known or "unknown protocol" in known:
        return f"{node.name} does not speak TLS at this address; is it http, or another port?"
    if "eof occurred" in known or "alert" in known:
        return f'{node.name} broke off TLS; it may not know our client certificate, or want one (auth = "mtls").'
    return f"{node.name} and we could not agree on TLS."
