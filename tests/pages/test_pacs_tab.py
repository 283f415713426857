"""The PACS tab without a browser, above a small DICOMweb server of the test: worklist, retrieve, send, bad input."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from synth.types import GeneratedImage
from synth.ui import house
from tests.pages.conftest import address
from tests.phantoms import film
from tests.validated import judge

Visit = Callable[..., AppTest]

STUDY = {
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Canary^Yellow"}]},
    "00100020": {"vr": "LO", "Value": ["CANARY-1"]},
    "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    "00080020": {"vr": "DA", "Value": ["20260102"]},
    "00080061": {"vr": "CS", "Value": ["CT"]},
}
SERIES = {
    "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    "0020000E": {"vr": "UI", "Value": ["1.2.3.4"]},
    "00080060": {"vr": "CS", "Value": ["CT"]},
    "00201209": {"vr": "IS", "Value": [6]},
}


class Pacs:
    """Answers every search with one study of one series, once `awake` is set."""

    def __init__(self) -> None:
        self.awake, self.asked = threading.Event(), list[str]()
        self.awake.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.awake.wait(10)
                rows = [SERIES] if "/series" in self.path else [STUDY] if "offset=0" in self.path else []
                if "/instances" in self.path:
                    rows = []
                body = json.dumps(rows).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/dicom+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/dicom-web"


@pytest.fixture
def pacs() -> Iterator[Pacs]:
    made = Pacs()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def tab(app: Visit, tmp_path: Path) -> Callable[..., AppTest]:
    """Opens the tab with this configuration; without one there is no file."""
    visited: list[AppTest] = []

    def visit(config: str | None = None, **params: str) -> AppTest:
        if config is not None:
            (tmp_path / "pacs.toml").write_text(config)
        if not visited:
            visited.append(app())
        page = visited[0].switch_page("pages/library.py")
        page.query_params.clear()
        for key, value in {"tab": "pacs", **params}.items():
            page.query_params[key] = value
        return page.run()

    return visit


def node(url: str, push: bool = True, more: str = "") -> str:
    allowed = str(push).lower()
    return (
        f'{more}[[node]]\nname = "teaching"\nkind = "dicomweb"\nurl = "{url}"\nallow_push = {allowed}\ntimeout_s = 5\n'
    )


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def errors(page: AppTest) -> list[str]:
    assert not page.exception, page.exception
    return [error.value for error in page.error]


def settled(page: AppTest, done: Callable[[AppTest], bool]) -> AppTest:
    """Run the page again until an answer is on it."""
    until = time.monotonic() + 20
    while not done(page):
        assert time.monotonic() < until, (errors(page), [mark.value for mark in page.markdown])
        time.sleep(0.1)
        page = page.run()
    return page


def test_without_a_node_the_tab_says_how_to_name_one(tab: Callable[..., AppTest]) -> None:
    page = tab()
    assert errors(page) == []
    (info,) = page.info
    assert info.value.startswith("No PACS is configured yet; name one in ") and info.value.endswith(", for instance:")
    assert '[[node]]\nname = "teaching"' in page.code[0].value


def test_a_configuration_that_cannot_be_read_is_one_sentence(tab: Callable[..., AppTest]) -> None:
    page = tab('[[node]]\nname = "x"\nkind = "ftp"\n')
    assert errors(page) == ["Node 'x' has 'ftp' as 'kind'; it must be dicomweb or dimse."]


def test_the_connection_is_tested(tab: Callable[..., AppTest], pacs: Pacs) -> None:
    page = press(tab(node(pacs.url)), "Test connection")
    page = settled(page, lambda page: any("answered in 0." in mark.value for mark in page.markdown))
    assert errors(page) == []


def test_a_pacs_that_is_down_is_one_sentence_and_the_form_stays(tab: Callable[..., AppTest], pacs: Pacs) -> None:
    page = tab(node("http://127.0.0.1:1/dicom-web"))
    page.text_input(key="pacs_name").set_value("CANARY*")
    page = press(page, "Search")
    page = settled(page, lambda page: bool(page.error))
    assert errors(page) == ["teaching cannot be reached; is it running, and is its address right?"]
    assert page.text_input(key="pacs_name").value == "CANARY*"


def test_a_slow_pacs_does_not_hang_the_page(tab: Callable[..., AppTest], pacs: Pacs) -> None:
    page = tab(node(pacs.url))
    pacs.awake.clear()
    started = time.monotonic()
    page = press(page, "Search")
    assert time.monotonic() - started < 1.5 and not page.dataframe
    assert "Do not wait" in [button.label for button in page.button]
    pacs.awake.set()
    page = settled(page, lambda page: bool(page.dataframe))
    assert errors(page) == []


def test_the_worklist_shows_who_it_is_and_keeps_it_nowhere(
    tab: Callable[..., AppTest], pacs: Pacs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = tab(node(pacs.url))
    page.text_input(key="pacs_name").set_value("CANARY*")
    page = press(page, "Search")
    page = settled(page, lambda page: len(page.dataframe) == 2)
    studies, series = (table.value for table in page.dataframe)
    assert studies.iloc[0]["Patient"] == "Canary Yellow" and studies.iloc[0]["Patient ID"] == "CANARY-1"
    assert (series.iloc[0]["Modality"], series.iloc[0]["Images"]) == ("CT", 6)
    assert "anary" not in str(page.query_params).lower()
    kept = [str(event) for event in house.store().events(100)]
    assert any("patient_name" in text for text in kept) and not any("canary" in text.lower() for text in kept)
    assert "canary" not in caplog.text.lower()
    page = press(page, "Retrieve the whole study")
    assert errors(page) == []
    (transfer,) = house.transfers().latest("retrieve")
    assert transfer.title == "CT from teaching, 6 files"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("pacs_name", "a\\b", "A search text has at most 64 printable characters and no backslash."),
        ("pacs_id", "7" * 65, "A search text has at most 64 printable characters and no backslash."),
        ("pacs_limit", 0, "The search is limited to 0 studies; it must be 1 to 1000."),
    ],
)
def test_a_bad_search_is_one_sentence_and_nothing_is_asked(
    tab: Callable[..., AppTest], pacs: Pacs, field: str, value: Any, sentence: str
) -> None:
    page = tab(node(pacs.url))
    widget = page.number_input(key=field) if field == "pacs_limit" else page.text_input(key=field)
    widget.set_value(value)
    page = press(page, "Search")
    assert (errors(page), pacs.asked) == ([sentence], [])


@pytest.mark.parametrize(
    ("pick", "reason", "sentence"),
    [
        (False, "teaching file for the course", "No image is chosen; choose one or more synthetic images to send."),
        (True, "", "The reason has 0 characters; at least 10 are needed."),
        (True, "for John Miller, born 1950-02-03", "identif"),
    ],
)
def test_what_must_not_be_sent_is_refused_in_one_sentence(
    tab: Callable[..., AppTest],
    pacs: Pacs,
    make_image: Callable[..., GeneratedImage],
    pick: bool,
    reason: str,
    sentence: str,
) -> None:
    tab(node(pacs.url))
    house.store().add_image(make_image("film", user="local", seed=1))
    judge(house.store(), "film")
    page = tab(None, way="send")
    if pick:
        page = page.checkbox(key="pacs-pick-film").check().run()
    page.text_area(key="pacs_reason").set_value(reason)
    page = press(page, "Send to teaching")
    (error,) = errors(page)
    assert error == sentence or sentence == "identif"
    assert house.transfers().latest("push") == [] and page.text_area(key="pacs_reason").value == reason


def test_an_image_of_generate_is_chosen_when_the_tab_opens_and_its_outcome_is_shown(
    tab: Callable[..., AppTest], pacs: Pacs, make_image: Callable[..., GeneratedImage]
) -> None:
    tab(node(pacs.url))
    house.store().add_image(replace(make_image("film", user="local", seed=1), pixels=film(256)))
    judge(house.store(), "film")
    page = tab(None, way="send", push="film")
    assert page.checkbox(key="pacs-pick-film").value is True
    page.text_area(key="pacs_reason").set_value("teaching file for the course")
    page = press(page, "Send to teaching")
    page = settled(page, lambda page: bool(page.dataframe))
    (transfer,) = house.transfers().latest("push")
    assert page.dataframe[0].value.iloc[0]["Image"] == "film"
    (event,) = (event for event in house.store().events(20) if event.action == "pacs.push")
    assert (event.subject, event.reason, event.detail["outcome"]) == ("film", "teaching file for the course", "failed")
    assert transfer.outcomes[0][1] == "failed"  # this PACS stores nothing
    assert page.checkbox(key="pacs-pick-film").value is False


def test_an_image_that_no_radiologist_has_looked_at_is_not_offered_and_not_sent(
    tab: Callable[..., AppTest], pacs: Pacs, make_image: Callable[..., GeneratedImage]
) -> None:
    tab(node(pacs.url))
    house.store().add_image(make_image("film", user="local", seed=1))
    page = tab(None, way="send")
    assert not page.checkbox
    page = tab(None, way="send", push="film")
    page.text_area(key="pacs_reason").set_value("teaching file for the course")
    page = press(page, "Send to teaching")
    assert errors(page) == ["Image film is checked; for a PACS it must be validated."]
    assert house.transfers().latest("push") == []


def test_an_image_that_is_not_there_is_one_sentence(tab: Callable[..., AppTest], pacs: Pacs) -> None:
    page = tab(node(pacs.url), way="send", push="nobody")
    assert errors(page) == ["There is no image 'nobody' in the store."]


def test_a_node_that_takes_nothing_says_so(tab: Callable[..., AppTest], pacs: Pacs) -> None:
    page = tab(node(pacs.url, push=False), way="send")
    assert page.info[0].value == "teaching takes no synthetic images; its entry would need allow_push = true."
    assert not [button for button in page.button if button.label.startswith("Send")]


def test_a_listener_that_cannot_start_is_one_sentence_on_the_tab(tab: Callable[..., AppTest], pacs: Pacs) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        page = tab(node(pacs.url, more=f'[listener]\naet = "SYNTHREAD"\nport = {port}\n'))
    assert errors(page) == []
    (warning,) = page.warning
    assert warning.value.startswith(f"Nobody can send to SYNTHREAD, port {port}. The listener cannot use 127.0.0.1:")


def test_the_way_stays_in_the_address(tab: Callable[..., AppTest], pacs: Pacs) -> None:
    page = tab(node(pacs.url))
    page = page.segmented_control(key="pacs_way").set_value("send").run()
    assert (address(page, "tab"), address(page, "way"), errors(page)) == ("pacs", "send", [])
