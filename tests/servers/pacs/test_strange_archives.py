"""Archives that answer nonsense, too much, or only half of what they promised."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pydicom
import pytest
from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    SecondaryCaptureImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from synth.errors import ArchiveError
from synth.library.pacs import Archive, Node, Query, archive
from synth.library.pacs.nodes import Kind
from tests.servers.pacs.conftest import Shelf

pytestmark = [
    pytest.mark.server,
    # not traced: in a run with the other files an HTTP/1.0 answer that is closed already is reported when collected
    pytest.mark.filterwarnings(r"ignore:.*socket.socket \[closed\]:pytest.PytestUnraisableExceptionWarning"),
]

STUDY = {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}}


@pytest.fixture
def answering() -> Iterator[Callable[..., Archive]]:
    """A DICOMweb archive that gives one answer to everything."""
    servers: list[HTTPServer] = []

    def start(status: int, body: bytes, **headers: str) -> Archive:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        return archive(Node("odd", Kind.DICOMWEB, url=url, retries=0, timeout_s=5))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "headers", "told"),
    [
        (302, b"", {"Location": "http://192.0.2.1/"}, "odd has moved to another address; correct its url."),
        (200, b"<html>Welcome</html>", {}, "odd gave an answer that is not DICOMweb; is its url right?"),
        (200, b'[{"0020000D": 7}]', {}, "odd gave an answer that is not DICOMweb; is its url right?"),
        (200, b"[{}]", {}, "odd gave an answer that is not DICOMweb; is its url right?"),
        (200, b"[]", {"Content_Length": "100"}, "odd broke off in the middle of an answer."),
        (200, b"x" * 200_000, {}, "odd answered with more than 0 MiB at once."),
        (403, b"", {}, "odd forbids this to us (403); its administrator can allow it."),
        (418, b"", {}, "odd refused the request (418)."),
        (503, b"", {}, "odd failed or is busy (503)."),
    ],
)
def test_a_strange_answer_is_one_sentence(
    answering: Callable[..., Archive],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: bytes,
    headers: dict[str, str],
    told: str,
) -> None:
    monkeypatch.setattr("synth.library.pacs.web.MAX_ANSWER_BYTES", 100_000)
    with pytest.raises(ArchiveError) as caught:
        answering(status, body, **headers).find_studies(Query(patient_name="SECRET*"))
    assert str(caught.value) == told


def test_a_uid_that_is_none_never_reaches_a_url(answering: Callable[..., Archive]) -> None:
    row = {"0020000D": {"vr": "UI", "Value": ["../../../system"]}}
    with pytest.warns(UserWarning), pytest.raises(ArchiveError, match=r"'\.\./\.\./\.\./system' is not a study UID"):
        answering(200, json.dumps([row]).encode()).find_studies(Query())


def test_an_archive_that_repeats_itself_ends(answering: Callable[..., Archive]) -> None:
    rows = answering(200, json.dumps([STUDY]).encode()).find_studies(Query(limit=1000))
    assert [row.study_uid for row in rows] == ["1.2.3"]


@pytest.fixture
def half(batch: Callable[..., list[bytes]]) -> Iterator[tuple[Archive, list[Dataset], list[int]]]:
    """A DIMSE archive that lists three images, and never gives the last one; how many it was asked for each time."""
    files = [pydicom.dcmread(io.BytesIO(data)) for data in batch(3)]
    asked: list[int] = []

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for ds in files if event.identifier.QueryRetrieveLevel == "IMAGE" else files[:1]:
            row = Dataset()
            for element in event.identifier:
                if element.keyword in ds:
                    row[element.tag] = ds[element.tag]
            yield 0xFF00, row

    def get(event: Any) -> Iterator[Any]:
        wanted = event.identifier.get("SOPInstanceUID") or [ds.SOPInstanceUID for ds in files]
        wanted = [wanted] if isinstance(wanted, str) else list(wanted)
        asked.append(len(wanted))
        given = [ds for ds in files[:2] if ds.SOPInstanceUID in wanted]
        yield len(given)
        for ds in given:
            yield 0xFF00, ds

    entity = AE(ae_title="HALF")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_supported_context(SecondaryCaptureImageStorage, scu_role=True, scp_role=True)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, find), (evt.EVT_C_GET, get)]
    )
    node = Node("half", Kind.DIMSE, host="127.0.0.1", port=server.server_address[1], aet="HALF", retries=1, timeout_s=5)
    yield archive(node), files, asked
    server.shutdown()


def test_half_a_series_is_told_with_what_was_expected(
    half: tuple[Archive, list[Dataset], list[int]], shelf: Shelf
) -> None:
    opened, files, asked = half
    done = opened.retrieve(files[0].StudyInstanceUID, None, lambda uid: False, shelf.put, lambda: False)
    assert done.sentence == (
        "2 of 3 files were transferred, 0 were there before, 1 are missing: half did not send the file."
    )
    assert [outcome.instance_uid for outcome in done.failed] == [files[2].SOPInstanceUID]
    assert asked == [3, 1]  # the second time only what is missing
    assert len(shelf.files) == 2
