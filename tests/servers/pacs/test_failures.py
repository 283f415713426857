"""When the archive dies, is not there, is not who we think, or does not want us: one sentence, and no file twice."""

from __future__ import annotations

import io
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pydicom
import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from synth.errors import ArchiveError
from synth.library.pacs import Listener, ListenerSettings, Node, Query, archive
from synth.library.pacs.nodes import Kind
from synth.library.pacs.secrets import Auth, AuthKind
from tests.servers.pacs.conftest import Shelf
from tests.servers.pacs.orthanc import PASSWORD, USER, Orthanc, free_port

pytestmark = [
    pytest.mark.server,
    # pynetdicom leaves a socket that could not be connected to the garbage collector, which closes it at once
    pytest.mark.filterwarnings("ignore:.*(socket.socket|ssl.SSLSocket):pytest.PytestUnraisableExceptionWarning"),
]

WAYS = ["dicomweb", "dimse"]
FETCHES = ["wado", "c-get", "c-move"]


def never() -> bool:
    return False


def nothing(uid: str) -> bool:
    return False


def silent(done: int, total: int) -> None:
    pass


def uid(data: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).SOPInstanceUID)


def study(data: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).StudyInstanceUID)


def node(server: Orthanc, way: str, retries: int) -> Node:
    if way in ("dicomweb", "wado"):
        return server.web(retries=retries)
    return server.dimse(retries=retries, retrieve="move" if way == "c-move" else "get")


@pytest.mark.parametrize("way", WAYS)
def test_sending_goes_on_after_the_archive_was_killed(
    fragile: Orthanc, batch: Callable[..., list[bytes]], way: str
) -> None:
    files = batch(8)
    opened = archive(node(fragile, way, retries=0))
    first = opened.send(files, lambda done, total: fragile.kill() if done == 4 else None, never)
    assert (first.moved, len(first.failed), first.cancelled) == (4, 4, False)
    assert {outcome.reason for outcome in first.failed} <= {
        "teaching cannot be reached; is it running, and is its address right?",
        "ward cannot be reached; is it running, and is its address right?",
        "ward broke off or did not answer C-STORE within 10 s.",
        "ward ended the association.",
    }
    fragile.start()
    second = opened.send(files, silent, never)
    assert (second.present, second.moved, second.complete) == (4, 4, True)
    assert (fragile.instances(), fragile.arrivals()) == (8, 8)


@pytest.mark.parametrize("way", WAYS)
def test_sending_survives_a_restart_of_the_archive(
    fragile: Orthanc, batch: Callable[..., list[bytes]], way: str
) -> None:
    files = batch(6)

    def restart(done: int, total: int) -> None:
        if done == 3:
            fragile.kill()
            fragile.start()

    sent = archive(node(fragile, way, retries=3)).send(files, restart, never)
    assert (sent.moved, sent.complete) == (6, True)
    assert (fragile.instances(), fragile.arrivals()) == (6, 6)


@pytest.mark.parametrize("way", FETCHES)
def test_fetching_goes_on_after_the_archive_was_killed(
    fragile: Orthanc, batch: Callable[..., list[bytes]], shelf: Shelf, way: str
) -> None:
    files = batch(8)
    for data in files:
        fragile.put(data)
    listener = Listener(ListenerSettings("SYNTHREAD", fragile.listener_port), lambda data, caller: None)
    listener.start()
    try:
        opened = archive(node(fragile, way, retries=0), listener)
        shelf.on_file = lambda data: fragile.kill() if len(shelf.files) == 3 else None
        first = opened.retrieve(study(files[0]), None, nothing, shelf.put, never)
        assert (first.expected, first.complete, first.cancelled) == (8, False, False)
        assert 4 <= first.moved == len(shelf.files) < 8
        assert first.sentence.startswith(f"{first.moved} of 8 files were transferred, 0 were there before, ")
        fragile.start()
        shelf.on_file = lambda data: None
        second = opened.retrieve(
            study(files[0]), None, {uid(data) for data in shelf.files}.__contains__, shelf.put, never
        )
    finally:
        listener.stop()
    assert (second.complete, second.present, second.moved) == (True, first.moved, 8 - first.moved)
    assert sorted(map(uid, shelf.files)) == sorted(map(uid, files))


def test_a_server_that_is_down_is_told(shelf: Shelf) -> None:
    port = free_port()
    web = Node("teaching", Kind.DICOMWEB, url=f"http://127.0.0.1:{port}/dicom-web", retries=0)
    ward = Node("ward", Kind.DIMSE, host="127.0.0.1", port=port, aet="ORTHANC", retries=0)
    for down in (web, ward, replace(ward, host="no-such-host.invalid")):
        opened = archive(down)
        for action in (opened.echo, partial(opened.find_studies, Query()), partial(opened.find_series, "1.2.3")):
            with pytest.raises(ArchiveError, match=f"^{down.name} cannot be reached; is it running"):
                action()


def test_a_server_that_says_nothing_is_told_in_time() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        web = Node("teaching", Kind.DICOMWEB, url=f"http://127.0.0.1:{port}", retries=0, timeout_s=1)
        ward = Node("ward", Kind.DIMSE, host="127.0.0.1", port=port, aet="ORTHANC", retries=0, timeout_s=1)
        with pytest.raises(ArchiveError, match=r"^teaching did not answer within 1 s\.$"):
            archive(web).echo()
        with pytest.raises(ArchiveError, match=r"^ward ended the association before it began"):
            archive(ward).echo()


def test_wrong_ae_titles_are_told_apart(orthanc: Orthanc) -> None:
    with pytest.raises(ArchiveError, match=r"^ward does not have the AE title 'WRONG'; correct its aet\.$"):
        archive(orthanc.dimse(aet="WRONG")).echo()
    with pytest.raises(ArchiveError, match=r"^ward does not know our AE title 'STRANGER'|does not offer"):
        archive(orthanc.dimse(our_aet="STRANGER")).find_studies(Query())


def test_a_wrong_url_is_told(orthanc: Orthanc) -> None:
    for url in (f"{orthanc.url}/nothing-here", orthanc.url):
        with pytest.raises(ArchiveError, match=r"^teaching "):
            archive(replace(orthanc.web(retries=0), url=url)).echo()


def test_user_and_password_are_checked_and_never_shown(
    locked: Orthanc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    right = locked.web(auth=Auth(AuthKind.BASIC, user=USER, secret_file=file))
    assert archive(right).find_studies(Query()) == ()
    monkeypatch.setenv("PACS_PASSWORD", "not this one")
    wrong = locked.web(auth=Auth(AuthKind.BASIC, user=USER, secret_env="PACS_PASSWORD"))
    with pytest.raises(ArchiveError) as refused:
        archive(wrong).echo()
    assert str(refused.value) == "teaching does not let us in (401); check its user and password."
    with pytest.raises(ArchiveError, match="check how to sign in"):
        archive(locked.web()).echo()
    chain = repr(refused.value) + repr(refused.value.__cause__) + repr(wrong) + repr(right)
    assert "not this one" not in chain and PASSWORD not in chain
    monkeypatch.delenv("PACS_PASSWORD")
    with pytest.raises(ArchiveError, match="is not in the variable PACS_PASSWORD"):
        archive(wrong).echo()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Self-signed certificates of a server (for 127.0.0.1) and of a client, with their keys."""
    folder = tmp_path_factory.mktemp("keys")
    for who in ("server", "client"):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={who}"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{who}.key", "-out", f"{who}.pem"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


class Empty(BaseHTTPRequestHandler):
    """An archive without studies, that lets in whoever has the token, if it wants one."""

    token = ""

    def do_GET(self) -> None:
        right = not self.token or self.headers.get("Authorization") == f"Bearer {self.token}"
        self.send_response(200 if right else 401)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", "2" if right else "0")
        self.end_headers()
        self.wfile.write(b"[]" if right else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


class Secure(HTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that turns away is no news."""


@pytest.fixture
def https(keys: Path) -> Iterator[Callable[..., str]]:
    """Starts a TLS server; with `asks` it wants the client's certificate. Gives its URL."""
    servers: list[HTTPServer] = []

    def start(asks: bool = False, token: str = "") -> str:
        server = Secure(("127.0.0.1", 0), type("Handler", (Empty,), {"token": token}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "server.pem", keys / "server.key")
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(keys / "client.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def web(url: str, **changes: object) -> Node:
    return replace(Node("teaching", Kind.DICOMWEB, url=url, retries=0, timeout_s=5), **changes)


def test_a_certificate_is_trusted_only_by_its_authority(https: Callable[..., str], keys: Path) -> None:
    url = https()
    with pytest.raises(ArchiveError, match=r"not trusted here; name its authority as ca_file\.$"):
        archive(web(url)).echo()
    with pytest.raises(ArchiveError, match=r"not trusted here; name its authority as ca_file\.$"):
        archive(web(url, ca_file=keys / "client.pem")).echo()
    assert archive(web(url, ca_file=keys / "server.pem")).find_studies(Query()) == ()
    with pytest.raises(ArchiveError, match="certificate of another host"):
        archive(web(url.replace("127.0.0.1", "localhost"), ca_file=keys / "server.pem")).echo()
    with pytest.raises(ArchiveError, match="A certificate file of teaching cannot be used"):
        archive(web(url, ca_file=keys / "server.key")).echo()


def test_https_to_a_port_without_tls_is_told(orthanc: Orthanc) -> None:
    with pytest.raises(ArchiveError, match="teaching does not speak TLS at this address"):
        archive(web(orthanc.url.replace("http:", "https:"))).echo()


def test_a_client_certificate_opens_where_one_is_asked_for(https: Callable[..., str], keys: Path) -> None:
    asking = web(https(asks=True), ca_file=keys / "server.pem")
    with pytest.raises(ArchiveError, match="client certificate"):
        archive(asking).echo()
    auth = Auth(AuthKind.MTLS, client_cert=keys / "client.pem", client_key=keys / "client.key")
    assert archive(replace(asking, auth=auth)).find_studies(Query()) == ()


def test_a_token_opens_where_one_is_asked_for(
    https: Callable[..., str], keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACS_TOKEN", "abc.def")
    url = https(token="abc.def")
    node = web(url, ca_file=keys / "server.pem", auth=Auth(AuthKind.BEARER, secret_env="PACS_TOKEN"))
    assert archive(node).find_studies(Query()) == ()
    monkeypatch.setenv("PACS_TOKEN", "wrong")
    with pytest.raises(ArchiveError, match=r"does not let us in \(401\)"):
        archive(node).echo()


@pytest.fixture
def tls_dimse(keys: Path) -> Iterator[int]:
    """The port of a DIMSE server that speaks TLS and wants the client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "server.pem", keys / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(keys / "client.pem")
    entity = AE(ae_title="SECURE")
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False, ssl_context=context, evt_handlers=[])
    yield server.server_address[1]
    server.shutdown()


def test_dimse_goes_over_tls_with_certificates_of_both_sides(tls_dimse: int, keys: Path) -> None:
    auth = Auth(AuthKind.MTLS, client_cert=keys / "client.pem", client_key=keys / "client.key")
    ward = Node(
        "ward", Kind.DIMSE, host="127.0.0.1", port=tls_dimse, aet="SECURE", tls=True, auth=auth, retries=0, timeout_s=5
    )
    assert archive(replace(ward, ca_file=keys / "server.pem")).echo() < 5
    with pytest.raises(ArchiveError, match="not trusted here"):
        archive(ward).echo()


def test_dimse_over_tls_to_a_plain_port_is_told(orthanc: Orthanc) -> None:
    with pytest.raises(ArchiveError, match=r"^ward "):
        archive(orthanc.dimse(tls=True, retries=0, timeout_s=5.0)).echo()


def test_an_archive_without_c_get_is_told(shelf: Shelf) -> None:
    entity = AE(ae_title="SMALL")
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, lambda event: 0)])
    try:
        port = server.server_address[1]
        small = archive(Node("small", Kind.DIMSE, host="127.0.0.1", port=port, aet="SMALL", retries=0, timeout_s=5))
        assert small.echo() < 5
        with pytest.raises(ArchiveError, match=r"^small (does not offer C-FIND|ended the association)"):
            small.find_studies(Query())
    finally:
        server.shutdown()
