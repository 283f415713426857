"""An Orthanc for every test here, synthetic files to send, and a listener known to that Orthanc."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth.dicom.objects import Kind, encode_as, study_of
from synth.library.pacs import Archive, Listener, ListenerSettings, archive
from synth.store import Store
from synth.types import GeneratedImage, Modality, View
from tests.servers.pacs.house import House
from tests.servers.pacs.orthanc import PASSWORD, USER, Orthanc, needed

SENTENCE = "PA chest film."


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    needed()
    server = Orthanc(tmp_path_factory.mktemp("orthanc"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def orthanc(shared: Orthanc) -> Orthanc:
    """Without images."""
    shared.empty()
    return shared


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[Orthanc]:
    """One of the test's own, to be killed."""
    needed()
    server = Orthanc(tmp_path / "orthanc")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """One that asks for user and password."""
    needed()
    folder = tmp_path_factory.mktemp("locked")
    server = Orthanc(folder, AuthenticationEnabled=True, RegisteredUsers={USER: PASSWORD})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def house(store: Store, tmp_path: Path) -> Iterator[House]:
    made = House(store, tmp_path, tmp_path / "pacs.toml")
    yield made
    made.close()


@dataclass
class Shelf:
    """Where retrieved files go; refuses what a test wants refused."""

    files: list[bytes] = field(default_factory=list)
    on_file: Callable[[bytes], None] = lambda data: None

    def put(self, data: bytes) -> None:
        self.on_file(data)
        self.files.append(data)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def batch(make_image: Callable[..., GeneratedImage]) -> Callable[..., list[bytes]]:
    """Factory: films of one prompt, as objects of one series of one study."""

    def make(count: int, kind: Kind = Kind.SECONDARY_CAPTURE, **changes: Any) -> list[bytes]:
        images = [make_image(f"film{seed}", seed=seed, **changes) for seed in range(count)]
        return [encode_as(image, SENTENCE, kind, study_of(image)) for image in images]

    return make


@pytest.fixture
def mixed(make_image: Callable[..., GeneratedImage]) -> list[bytes]:
    """One of each object that there is: secondary capture, DX, CT, and a segmentation of the DX."""
    from synth.dicom.segmentation import encode_segmentation

    film, cut = make_image("film", seed=1), make_image("cut", seed=2, modality=Modality.CT, view=View.AXIAL)
    lesion = np.zeros(film.pixels.shape, bool)
    lesion[10:20, 10:20] = True
    return [
        encode_as(film, SENTENCE, Kind.SECONDARY_CAPTURE, study_of(film)),
        encode_as(film, SENTENCE, Kind.DX, study_of(film)),
        encode_as(cut, SENTENCE, Kind.CT, study_of(cut)),
        encode_segmentation(film, lesion, SENTENCE, Kind.DX, study_of(film)),
    ]


@pytest.fixture
def stock(orthanc: Orthanc) -> Callable[[list[bytes]], None]:
    """Puts files into the shared Orthanc by its own interface."""
    return lambda files: [orthanc.put(data) for data in files] and None


@pytest.fixture(params=["dicomweb", "dimse"])
def sender(request: pytest.FixtureRequest, orthanc: Orthanc) -> Archive:
    """The shared Orthanc over each protocol."""
    return archive(orthanc.web() if request.param == "dicomweb" else orthanc.dimse())


@pytest.fixture
def listener(orthanc: Orthanc) -> Iterator[Listener]:
    """Known to the shared Orthanc; what it did not ask for is refused."""

    def unasked(data: bytes, caller: str) -> None:
        raise AssertionError(f"{caller} sent what nobody asked for")

    opened = Listener(ListenerSettings("SYNTHREAD", orthanc.listener_port), unasked)
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture(params=["wado", "c-get", "c-move"])
def source(request: pytest.FixtureRequest, orthanc: Orthanc, listener: Listener) -> Archive:
    """The shared Orthanc by each way of fetching."""
    if request.param == "wado":
        return archive(orthanc.web())
    return archive(orthanc.dimse(retrieve=request.param.removeprefix("c-")), listener)
