"""Research from the request to the data set: drawn, checked, validated, released, exported, and refused without."""

from __future__ import annotations

import csv
import hashlib
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pydicom
import pytest
from PIL import Image

from synth.departures import Departures
from synth.engine import Engine
from synth.errors import BusyError, PolicyError
from synth.export.dataset import COLUMNS
from synth.generate import compatible, generate_batch
from synth.governance.protocols import Protocol
from synth.governance.release import Fitness, State, Use
from synth.governance.roles import Role, User
from synth.models.tiny import TinyModel
from synth.research import Research, Write
from synth.store import Store
from synth.types import Finding, GeneratedImage, GenerationRequest, Modality, Sex, View
from tests.painting import Painter, start
from tests.validated import GITA, RHEA, judge, release

ADA = User("ada", frozenset({Role.RESEARCHER}))
NODULE = GenerationRequest(model_id="tiny", steps=4, sex=Sex.FEMALE, age=61, findings=(Finding("nodule"),), note="x y")


@pytest.fixture
def writers(store: Store, tmp_path: Path) -> dict[str, Write]:
    leaves = Departures(store, tmp_path)
    return {"dcm": leaves.dicom, "png": leaves.png}


@pytest.fixture
def research(store: Store, writers: dict[str, Write]) -> Iterator[Research]:
    engine = Engine(store, TinyModel, generate_batch, compatible)
    yield Research(store, engine, writers)
    engine.close()


def opened(store: Store, **changes: object) -> str:
    """A protocol on nodules in films, of ada, open since yesterday. Returns its id."""
    now = datetime.now(UTC)
    made = Protocol(
        "p", "Nodules", "EK 12/26", "Does it help?", now - timedelta(days=2), now + timedelta(days=30), ("DX",),
        ("nodule",), ("ada",),
    )  # fmt: skip
    store.protocols.add(replace(made, **changes), GITA)
    return "p"


def drawn(research: Research, store: Store, *requests: GenerationRequest) -> list[str]:
    """Ask for images under the protocol and wait for them."""
    jobs = research.submit_all(requests, ADA, "p")
    until = time.monotonic() + 60
    while not all(store.job(job.id).image_id for job in jobs):
        assert time.monotonic() < until
        time.sleep(0.05)
    return [job.id for job in jobs]


def test_from_the_request_to_the_data_set(research: Research, store: Store) -> None:
    opened(store)
    nodule, normal, left = drawn(
        research, store, NODULE, GenerationRequest(model_id="tiny", steps=4, seed=5), replace(NODULE, seed=6)
    )
    assert {one.state for one in store.validation.releases([nodule, normal]).values()} == {State.CHECKED}
    with pytest.raises(PolicyError, match=r"^The protocol 'Nodules' has 0 such images; a data set has 1 to 5000"):
        research.dataset("p", ADA, "dcm")
    release(store, nodule, normal)
    judge(store, left)  # validated, and not released
    assert research.ready("p", ADA) == 2

    data = research.dataset("p", ADA, "dcm")

    archive = zipfile.ZipFile(io.BytesIO(data))
    assert set(archive.namelist()) == {
        f"images/{nodule}.dcm", f"images/{normal}.dcm", "metadata.csv", "metadata.parquet", "datasheet.txt",
        "SHA256SUMS",
    }  # fmt: skip
    sums = dict(line.split("  ")[::-1] for line in archive.read("SHA256SUMS").decode().splitlines())
    assert sums == {
        name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if name != "SHA256SUMS"
    }
    rows = list(csv.DictReader(io.StringIO(archive.read("metadata.csv").decode("utf-8-sig"))))
    assert pq.read_table(io.BytesIO(archive.read("metadata.parquet"))).to_pylist() == rows
    assert tuple(rows[0]) == COLUMNS
    wanted = ("image_id", "mark", "findings", "sex", "age", "view", "state", "fit_for", "protocol")
    assert [tuple(row[name] for name in wanted) for row in rows] == [
        (nodule, "SYNTHETIC", "nodule", "F", "61", "PA", "released", "exam;practice;research", "p"),
        (normal, "SYNTHETIC", "normal", "", "", "PA", "released", "exam;practice;research", "p"),
    ]
    assert "x y" not in archive.read("metadata.csv").decode()  # the prompt as typed stays here
    sheet = archive.read("datasheet.txt").decode()
    for told in ("EK 12/26", "Findings      nodule 1, normal 1", "Sex           F 1, not stated 1", "60-79 years 1"):
        assert told in sheet, sheet
    ds = pydicom.dcmread(io.BytesIO(archive.read(f"images/{nodule}.dcm")))
    assert (ds.SyntheticData, ds.BurnedInAnnotation) == ("YES", "YES")
    (event,) = store.protocols.exports("p")
    detail = {"images": 2, "format": "dcm", "sha256": hashlib.sha256(data).hexdigest()}
    assert (event.who, event.detail) == ("ada", detail)


def test_a_data_set_of_pngs_is_marked_and_leaves_out_what_was_withdrawn(research: Research, store: Store) -> None:
    opened(store)
    names = drawn(research, store, NODULE, replace(NODULE, seed=2))
    release(store, *names)
    store.validation.withdraw(names[0], RHEA, "The heart is drawn twice", datetime.now(UTC))
    archive = zipfile.ZipFile(io.BytesIO(research.dataset("p", ADA, "png")))
    assert [name for name in archive.namelist() if name.startswith("images/")] == [f"images/{names[1]}.png"]
    text = Image.open(io.BytesIO(archive.read(f"images/{names[1]}.png"))).text
    assert text["Title"] == "SYNTHETIC"


def test_jobs_events_and_images_name_the_protocol(research: Research, store: Store) -> None:
    opened(store)
    (name,) = drawn(research, store, NODULE)
    assert store.validation.release(name).protocol == "p"
    done = next(event for event in store.events(subject=name) if event.action == "done")
    assert done.detail["protocol"] == "p"
    (asked,) = (event for event in store.events(subject="p") if event.action == "research.ask")
    assert (asked.who, asked.detail) == ("ada", {"jobs": [name]})


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("changes", "user", "request_", "sentence"),
    [
        ({"expires_at": NOW - timedelta(hours=1)}, ADA, NODULE, "The protocol 'Nodules' expired on "),
        ({"ended_at": NOW - timedelta(hours=1)}, ADA, NODULE, "The protocol 'Nodules' was ended on "),
        ({"people": ("bob",)}, ADA, NODULE, "ada is not one of the people of the protocol 'Nodules'."),
        ({}, User("ada", frozenset({Role.EDUCATOR})), NODULE, "ada may not make images for research"),
        (
            {},
            ADA,
            replace(NODULE, modality=Modality.CT, view=View.AXIAL),
            "The protocol 'Nodules' does not cover the modality CT; it covers DX.",
        ),
        (
            {},
            ADA,
            replace(NODULE, findings=(Finding("mass"),)),
            "The protocol 'Nodules' does not cover the finding mass",
        ),
    ],
)
def test_research_is_refused_without_a_valid_protocol(
    research: Research, store: Store, changes: dict, user: User, request_: GenerationRequest, sentence: str
) -> None:
    opened(store, **changes)
    with pytest.raises(PolicyError) as refused:
        research.submit_all([NODULE, request_], user, "p")
    assert str(refused.value).startswith(sentence)
    assert (store.open_jobs(), store.history(9)) == ([], [])


@pytest.mark.parametrize(
    "changes", [{"expires_at": NOW - timedelta(hours=1)}, {"ended_at": NOW}, {"people": ()}], ids=lambda c: str(list(c))
)
def test_no_data_set_leaves_without_a_valid_protocol(
    research: Research, store: Store, make_image: Callable[..., GeneratedImage], changes: dict
) -> None:
    opened(store, **changes)
    with pytest.raises(PolicyError):
        research.dataset("p", ADA, "dcm")
    assert store.protocols.exports("p") == []


def test_research_without_a_protocol_says_where_to_get_one(research: Research) -> None:
    with pytest.raises(PolicyError, match=r"^Research needs a protocol; a governance officer opens one"):
        research.submit_all([NODULE], ADA, "")


def test_education_needs_none_and_stays_out_of_data_sets(
    research: Research, store: Store, make_image: Callable[..., GeneratedImage]
) -> None:
    opened(store)
    store.add_image(make_image("own"))
    release(store, "own")
    assert store.validation.release("own").allows(Use.RESEARCH)
    assert research.ready("p", ADA) == 0


def test_an_image_that_is_not_fit_for_research_stays_out(
    research: Research, store: Store, make_image: Callable[..., GeneratedImage]
) -> None:
    opened(store)
    store.protocols.claim("p", ["i"], ADA, NOW)
    store.add_image(make_image("i"))
    judge(store, "i", fit=frozenset({Fitness.PRACTICE, Fitness.EXAM}))
    store.validation.set_released(["i"], GITA, NOW)
    assert research.ready("p", ADA) == 0


def test_the_open_protocols_of_a_person_are_listed(research: Research, store: Store) -> None:
    opened(store)
    assert [one.id for one in research.protocols(ADA)] == ["p"]
    assert research.protocols(User("bob")) == []
    store.protocols.end("p", GITA, datetime.now(UTC))
    assert research.protocols(ADA) == []


def test_a_full_queue_refuses_research_and_draws_nothing(store: Store, writers: dict[str, Write]) -> None:
    opened(store)
    engine = start(store, Painter(steps=0), queue_size=1)
    try:
        with pytest.raises(BusyError):
            Research(store, engine, writers).submit_all([NODULE, replace(NODULE, seed=2)], ADA, "p")
        assert store.open_jobs() == []
    finally:
        engine.close()
