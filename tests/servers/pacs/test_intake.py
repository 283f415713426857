"""The library and a real Orthanc: fetched de-identified, pushed under the rules, sent to us and imported."""

from __future__ import annotations

import io
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import generate_uid

from synth.dicom.objects import Kind
from synth.errors import BusyError, DicomError, PolicyError, RequestError
from synth.governance.roles import LOCAL_USER, Role, User
from synth.intake import inbox
from synth.intake.archives import Push, Wish
from synth.intake.orders import Order
from synth.intake.transfers import Line, Stage
from synth.library.pacs import Query
from synth.store import ImportState, Search, Store
from synth.types import Edit, GeneratedImage, Modality, View
from tests.phantoms import axial_slice, dicom_bytes, film
from tests.servers.pacs.house import House, raw
from tests.servers.pacs.orthanc import Orthanc, free_port
from tests.validated import NOON, judge

pytestmark = [
    pytest.mark.server,
    # pynetdicom leaves a socket that could not be connected to the garbage collector, which closes it at once
    pytest.mark.filterwarnings("ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning"),
]

STUDY, SERIES = "1.2.840.99.1", "1.2.840.99.1.1"
REASON = "teaching file for the residents' course"


def study(count: int, canary: str = "Canary") -> list[bytes]:
    """Slices of one series of a person, with identifiers in the usual places."""
    return [
        dicom_bytes(
            axial_slice(64, number),
            PatientName=f"{canary}^Yellow", PatientID=f"{canary}-1", InstitutionName=f"{canary} Hospital",
            StudyDescription=f"for {canary}", StudyInstanceUID=STUDY, SeriesInstanceUID=SERIES,
            SOPInstanceUID=f"{SERIES}.{number}", StudyDate="20260101", PatientSex="F", PatientAge="061Y",
            SeriesNumber=3, InstanceNumber=number, BodyPartExamined="CHEST", AccessionNumber=f"{canary}9",
        )
        for number in range(count)
    ]  # fmt: skip


def wish(home: Path, node: str = "teaching", series: str | None = None) -> Wish:
    return Wish(node, STUDY, series, f"CT from {node}", Order(home, f"CT from {node}", f"PACS {node}", "CC0"))


def events(store: Store, action: str) -> list[Any]:
    return [event for event in store.events(200) if event.action == action]


# ---- fetch


@pytest.mark.parametrize("node", ["teaching", "ward"])
def test_a_fetched_study_is_in_the_library_without_its_identifiers(
    house: House, orthanc: Orthanc, caplog: pytest.LogCaptureFixture, node: str
) -> None:
    for data in study(4):
        orthanc.put(data)
    house.configure(orthanc.web(), orthanc.dimse())
    archives = house.open()
    one = house.ended(archives.fetch(wish(house.home, node), "ada"))
    assert (one.stage, one.sentence, one.problems) == (
        Stage.DONE, "4 of 4 files were transferred, 0 were there before.", (),
    )  # fmt: skip
    assert house.imported(one.import_id).state is ImportState.DONE
    _, held = house.store.holdings.search(Search(), 10)
    assert {(one.image.modality, one.image.origin, one.image.licence) for one in held} == {
        ("CT", f"PACS {node}", "CC0")
    }
    assert len(held) == 4 and all(one.patient.startswith("ANON-") for one in held)
    kept = [path.read_bytes() for path in (house.home / "blobs").rglob("*") if path.is_file()]
    assert not any(b"anary" in data or STUDY.encode() in data for data in kept)
    assert not any("anary" in str(event) or STUDY in str(event) for event in house.store.events(200))
    assert "anary" not in caplog.text
    assert not list((house.home / "arriving").iterdir())


def test_what_the_library_has_does_not_travel_again(house: House, orthanc: Orthanc) -> None:
    for data in study(3):
        orthanc.put(data)
    house.configure(orthanc.web())
    archives = house.open()
    house.imported(house.ended(archives.fetch(wish(house.home), "ada")).import_id)
    again = house.ended(archives.fetch(wish(house.home), "ada"))
    assert (again.sentence, again.import_id) == ("0 of 3 files were transferred, 3 were there before.", "")
    assert house.count() == 3 and not list((house.home / "arriving").iterdir())
    orthanc.put(study(4)[3])
    more = house.ended(archives.fetch(wish(house.home), "ada"))
    assert more.sentence == "1 of 4 files were transferred, 3 were there before."


def test_a_study_that_is_on_its_way_is_not_fetched_beside_itself(
    house: House, orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in study(3):
        orthanc.put(data)
    house.configure(orthanc.web())
    archives = house.open()
    keep = Line.progress

    def slow(self: Line, done: int, total: int | None = None) -> None:
        time.sleep(0.2)
        keep(self, done, total)

    monkeypatch.setattr(Line, "progress", slow)
    first = archives.fetch(wish(house.home), "ada")
    with pytest.raises(BusyError, match="on its way into the library already"):
        archives.fetch(wish(house.home), "ada")
    house.imported(house.ended(first).import_id)
    assert house.ended(archives.fetch(wish(house.home), "ada")).stage is Stage.DONE


@pytest.mark.parametrize("node", ["teaching", "ward"])
def test_when_the_pacs_dies_half_way_what_arrived_is_imported_and_only_the_rest_is_fetched(
    house: House, fragile: Orthanc, monkeypatch: pytest.MonkeyPatch, node: str
) -> None:
    for data in study(8):
        fragile.put(data)
    house.configure(fragile.web(), fragile.dimse())
    archives = house.open()
    tell = Line.progress

    def killing(self: Line, done: int, total: int | None = None) -> None:
        tell(self, done, total)
        if done == 3 and total is None:
            fragile.kill()

    monkeypatch.setattr(Line, "progress", killing)
    one = house.ended(archives.fetch(wish(house.home, node), "ada"))
    house.imported(one.import_id)
    arrived = house.count()
    assert 3 <= arrived < 8
    assert one.sentence.startswith(f"{arrived} of 8 files were transferred, 0 were there before, {8 - arrived} are ")
    assert len(one.problems) == 1 and one.problems[0].startswith(f"{8 - arrived} files are missing: {node} ")
    monkeypatch.setattr(Line, "progress", tell)
    fragile.start()
    again = house.ended(archives.fetch(wish(house.home, node), "ada"))
    assert again.sentence == f"{8 - arrived} of 8 files were transferred, {arrived} were there before."
    house.imported(again.import_id)
    assert house.count() == 8


def test_a_fetch_that_is_stopped_keeps_what_arrived(
    house: House, orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in study(6):
        orthanc.put(data)
    house.configure(orthanc.web())
    archives = house.open()
    tell = Line.progress

    def stopping(self: Line, done: int, total: int | None = None) -> None:
        tell(self, done, total)
        if done == 2:
            (one,) = house.transfers.latest("retrieve")
            house.transfers.stop(one.id)

    monkeypatch.setattr(Line, "progress", stopping)
    one = house.ended(archives.fetch(wish(house.home), "ada"))
    assert one.stage is Stage.STOPPED and "The transfer was cancelled." in one.sentence
    house.imported(one.import_id)
    assert house.count() == 2


def test_what_a_killed_server_had_fetched_is_imported_at_the_next_start(house: House, orthanc: Orthanc) -> None:
    house.configure(orthanc.web())
    archives = house.open()
    from synth.intake import arriving

    folder = house.importer.arriving("fetch-")  # as a fetch leaves it when its process is killed
    arriving.write_order(folder, Order(folder, "CT from ward", "PACS ward", "CC0", own_copy=True), "ada")
    (folder / "000000.dcm").write_bytes(study(1)[0])
    (folder / ".000001.dcm.part").write_bytes(study(2)[1][:700])
    empty = house.importer.arriving("fetch-")
    arriving.write_order(empty, Order(empty, "CT from ward", "PACS ward", "CC0", own_copy=True), "ada")
    archives.start()
    (one,) = house.store.imports.latest(10)
    assert (house.imported(one.id).user, house.count()) == ("ada", 1)
    assert not empty.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"aet": "NOBODY"}, "ward does not have the AE title 'NOBODY'; correct its aet."),
        ({"port": 1}, "ward cannot be reached; is it running, and is its address right?"),
    ],
)
def test_why_a_pacs_does_not_answer_is_one_sentence(
    house: House, orthanc: Orthanc, change: dict[str, Any], sentence: str
) -> None:
    house.configure(replace(orthanc.dimse(), **change))
    archives = house.open()
    for question in (archives.echo("ward"), archives.studies("ward", Query(), "ada")):
        with pytest.raises(Exception) as raised:
            question.answer()
        assert str(raised.value) == sentence
    one = house.ended(archives.fetch(wish(house.home, "ward"), "ada"))
    assert (one.stage, one.sentence) == (Stage.FAILED, sentence)


def test_a_search_leaves_no_identifier_behind(house: House, orthanc: Orthanc) -> None:
    orthanc.put(study(1)[0])
    house.configure(orthanc.web())
    archives = house.open()
    (row,) = archives.studies("teaching", Query(patient_name="Canary*", modality="CT"), "ada").answer()
    assert (row.patient_name, row.patient_id) == ("Canary^Yellow", "Canary-1")
    assert [one.instances for one in archives.series("teaching", row.study_uid).answer()] == [1]
    (event,) = events(house.store, "pacs.query")
    assert (event.who, event.subject, event.detail) == ("ada", "teaching", {"fields": ["patient_name", "modality"]})


# ---- push


def pictures(make_image: Callable[..., GeneratedImage], store: Store) -> dict[str, GeneratedImage]:
    made = {
        "film": make_image("film", seed=1),
        "slice": make_image("slice", seed=2, modality=Modality.CT, view=View.AXIAL),
        "altered": make_image(
            "altered", seed=3, edit=Edit("variation", store.add_picture(film(64)), "real:1", strength=0.5)
        ),
    }
    for number, (name, image) in enumerate(made.items()):
        made[name] = replace(image, pixels=film(256, number))
        store.add_image(made[name])
        judge(store, name)
    return made


def test_an_image_too_small_for_the_invisible_mark_stays_here(
    house: House, orthanc: Orthanc, make_image: Callable[..., GeneratedImage]
) -> None:
    house.store.add_image(make_image("small", side_px=128))
    judge(house.store, "small")
    house.configure(orthanc.web())
    with pytest.raises(PolicyError, match="small is too small for the invisible mark; 256 x 128 px are needed"):
        house.open().push(Push("teaching", ("small",), Kind.DX, REASON), LOCAL_USER)
    assert (events(house.store, "pacs.push.begin"), orthanc.arrivals()) == ([], 0)


@pytest.mark.parametrize("node", ["teaching", "ward"])
def test_synthetic_images_arrive_marked_once_and_are_noted(
    house: House, orthanc: Orthanc, make_image: Callable[..., GeneratedImage], node: str
) -> None:
    pictures(make_image, house.store)
    house.configure(orthanc.web(), orthanc.dimse())
    archives = house.open()
    sends = [(("film",), Kind.SECONDARY_CAPTURE), (("film", "film"), Kind.DX), (("slice",), Kind.CT)]
    for names, kind in sends:
        one = house.ended(archives.push(Push(node, names, kind, REASON), LOCAL_USER))
        assert (one.stage, one.sentence) == (Stage.DONE, "1 of 1 files were transferred, 0 were there before.")
        assert one.outcomes == ((names[0], "moved", ""),)
    files = [pydicom.dcmread(io.BytesIO(raw(orthanc, name))) for name in orthanc.get("/instances")]
    assert sorted(ds.Modality for ds in files) == ["CT", "DX", "OT"]
    for ds in files:
        assert ds.SyntheticData == "YES" and ds.StudyDescription == "SYNTHETIC - NOT FOR DIAGNOSIS"
        assert str(ds.PatientName).startswith("SYNTHETIC^") and ds.BurnedInAnnotation == "YES"
    told = [(event.subject, event.reason, event.detail) for event in reversed(events(house.store, "pacs.push"))]
    assert told == [(names[0], REASON, {"node": node, "as": kind.value, "outcome": "moved"}) for names, kind in sends]
    again = house.ended(archives.push(Push(node, ("film",), Kind.DX, REASON), LOCAL_USER))
    assert (again.outcomes, orthanc.arrivals()) == ((("film", "present", ""),), 3)


TRAINEE = User("tom", frozenset({Role.TRAINEE, Role.EDUCATOR, Role.RADIOLOGIST, Role.RESEARCHER}))


@pytest.mark.parametrize(
    ("changes", "user", "error", "sentence"),
    [
        ({"node": "closed"}, LOCAL_USER, PolicyError, "closed takes no synthetic images"),
        ({}, TRAINEE, PolicyError, "tom is not an administrator"),
        ({"reason": " "}, LOCAL_USER, PolicyError, "The reason has 0 characters; at least 10 are needed"),
        ({"reason": "for the file of patient id 4711234"}, LOCAL_USER, PolicyError, "record number"),
        ({"images": ("altered",)}, LOCAL_USER, PolicyError, "was made out of a real one"),
        ({"images": ("film", "altered")}, LOCAL_USER, PolicyError, "was made out of a real one"),
        (
            {"images": ("checked",)},
            LOCAL_USER,
            PolicyError,
            "Image checked is checked; for a PACS it must be validated",
        ),
        ({"images": ("film", "gone")}, LOCAL_USER, PolicyError, "Image gone was withdrawn: a doubled contour"),
        ({"images": ()}, LOCAL_USER, RequestError, "No image is chosen"),
        ({"images": ("slice",), "kind": Kind.DX}, LOCAL_USER, DicomError, "Only a PA or AP film"),
    ],
)
def test_what_the_rules_forbid_never_travels(
    house: House,
    orthanc: Orthanc,
    make_image: Callable[..., GeneratedImage],
    changes: dict[str, Any],
    user: User,
    error: type[Exception],
    sentence: str,
) -> None:
    pictures(make_image, house.store)
    house.store.add_image(make_image("checked", seed=5))
    house.store.add_image(make_image("gone", seed=6))
    house.store.validation.withdraw("gone", LOCAL_USER, "a doubled contour", NOON)
    house.configure(orthanc.web(), replace(orthanc.web(), name="closed", allow_push=False))
    archives = house.open()
    wanted = {"node": "teaching", "images": ("film",), "kind": Kind.SECONDARY_CAPTURE, "reason": REASON} | changes
    with pytest.raises(error, match=sentence):
        archives.push(Push(**wanted), user)
    assert (orthanc.arrivals(), events(house.store, "pacs.push"), house.transfers.latest("push")) == (0, [], [])


def test_a_real_image_never_travels(house: House, orthanc: Orthanc) -> None:
    orthanc.put(study(1)[0])
    house.configure(orthanc.web())
    archives = house.open()
    house.imported(house.ended(archives.fetch(wish(house.home), "ada")).import_id)
    _, (held,) = house.store.holdings.search(Search(), 1)
    with pytest.raises(RequestError, match="is real; only synthetic images"):
        archives.push(Push("teaching", (held.image.id,), Kind.SECONDARY_CAPTURE, REASON), LOCAL_USER)
    assert orthanc.arrivals() == 1


def test_a_push_to_a_pacs_that_is_down_is_noted_as_failed_for_every_image(
    house: House, fragile: Orthanc, make_image: Callable[..., GeneratedImage]
) -> None:
    pictures(make_image, house.store)
    house.configure(fragile.web())
    archives = house.open()
    fragile.kill()
    one = house.ended(archives.push(Push("teaching", ("film",), Kind.DX, REASON), LOCAL_USER))
    why = "teaching cannot be reached; is it running, and is its address right?"
    assert (one.stage, one.sentence, one.outcomes) == (Stage.FAILED, why, (("film", "failed", why),))
    (event,) = events(house.store, "pacs.push")
    assert (event.subject, event.reason, event.detail["outcome"]) == ("film", REASON, "failed")


# ---- the listener


@pytest.fixture
def sent(tmp_path: Path) -> Callable[[int, list[bytes]], int]:
    """Sends files as dcmtk does; returns its exit status."""
    if shutil.which("storescu") is None:
        pytest.skip("dcmtk is not installed")

    def send(port: int, files: list[bytes]) -> int:
        folder = tmp_path / f"out-{generate_uid()[-8:]}"
        folder.mkdir()
        for number, data in enumerate(files):
            (folder / f"{number}.dcm").write_bytes(data)
        command = ["storescu", "-aet", "SENDER", "-aec", "SYNTHREAD", "127.0.0.1", str(port), "+sd", str(folder)]
        return subprocess.run(command, capture_output=True, timeout=60).returncode

    return send


def listening(port: int, more: str = "") -> str:
    return f'[listener]\naet = "SYNTHREAD"\nport = {port}\n{more}'


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_what_is_sent_to_us_is_in_the_library_after_a_pause(
    house: House, sent: Callable[[int, list[bytes]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    house.configure(head=listening(port, '[deidentify]\nretain = ["device_identity"]\n'))
    monkeypatch.setattr(inbox, "QUIET_S", 1.0)
    archives = house.open()
    archives._inbox._quiet_s = 0.7
    archives.start()
    assert (archives.listening().running, archives.listening().problem) == (True, "")
    assert sent(port, study(5)) == 0
    until(lambda: house.count() == 5)
    (one,) = house.store.imports.latest(10)
    assert (one.user, one.order["origin"], one.order["retain"]) == ("pacs:SENDER", "PACS SENDER", ["device_identity"])
    assert {held.image.sex for held in house.store.holdings.search(Search(), 10)[1]} == {None}
    assert not any("anary" in str(event) for event in house.store.events(200))


def test_what_a_killed_server_was_sent_is_imported_at_the_next_start(
    house: House, sent: Callable[[int, list[bytes]], int]
) -> None:
    port = free_port()
    house.configure(head=listening(port))
    first = house.open()
    first.start()
    assert sent(port, study(3)) == 0
    assert first._listener is not None
    for timer in first._inbox._timers.values():
        timer.cancel()  # as SIGKILL does: nothing is imported, nothing tidied up
    first._listener.stop()
    first._inbox._folders.clear()
    assert house.count() == 0
    second = house.open()
    second.start()
    until(lambda: house.count() == 3)
    assert [one.user for one in house.store.imports.latest(10)] == ["pacs:SENDER"]


def test_a_port_that_is_taken_is_one_sentence_and_not_a_crash(house: House) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        house.configure(head=listening(port))
        archives = house.open()
        archives.start()
        now = archives.listening()
    assert (now.running, now.port) == (False, port)
    assert now.problem.startswith(f"The listener cannot use 127.0.0.1:{port}: ") and now.problem.endswith(".")


def test_a_full_disk_leaves_the_file_with_its_sender(house: House, sent: Callable[[int, list[bytes]], int]) -> None:
    port = free_port()
    house.configure(head=listening(port))
    archives = house.open()
    archives.start()
    (house.home / "arriving").write_bytes(b"in the way")
    sent(port, study(1))
    assert archives.listening().problem.startswith("There is no place for arriving files in ")
    (house.home / "arriving").unlink()
    assert sent(port, study(1)) == 0  # its sender has it still
    archives.close()
    until(lambda: house.count() == 1)
