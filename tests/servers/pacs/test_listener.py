"""A PACS sends to us: everything arrives, strangers are turned away, what cannot be kept stays with its sender."""

from __future__ import annotations

import errno
import io
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import SecondaryCaptureImageStorage, Verification

from synth.errors import ArchiveError, StoreError
from synth.library.pacs import Listener, ListenerSettings

pytestmark = pytest.mark.server

STORESCU = shutil.which("storescu", path="/usr/local/bin:/usr/bin")  # pynetdicom brings one of the same name
SETTINGS = ListenerSettings("SYNTHREAD", port=0)
Start = Callable[..., Listener]


def read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data))


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a listener on a free port; keywords are its settings."""
    opened: list[Listener] = []

    def make(on_file: Callable[[bytes, str], None] = lambda data, caller: None, **changes: Any) -> Listener:
        listener = Listener(replace(SETTINGS, **changes), on_file)
        listener.start()
        opened.append(listener)
        return listener

    yield make
    for listener in opened:
        listener.stop()


def call(listener: Listener, ours: str = "TEACHING", theirs: str = "SYNTHREAD") -> Association:
    entity = AE(ae_title=ours)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
    entity.add_requested_context(Verification)
    entity.add_requested_context(SecondaryCaptureImageStorage)
    entity.add_requested_context(SecondaryCaptureImageStorage, [RLELossless])
    entity.add_requested_context(SecondaryCaptureImageStorage, [JPEG2000Lossless])
    return entity.associate("127.0.0.1", listener.port, ae_title=theirs)


def store(listener: Listener, *files: bytes) -> list[int | None]:
    """The status of each file on one association, None where the line was cut."""
    line = call(listener)
    assert line.is_established
    bare = line.dul.socket.socket
    answers = [line.send_c_store(read(data)) if line.is_established else {} for data in files]
    if line.is_established:
        line.release()
    bare.close()
    return [answer.Status if "Status" in answer else None for answer in answers]


def test_fifty_files_from_two_associations_at_once_all_arrive(start: Start, batch: Callable[..., list[bytes]]) -> None:
    came: list[tuple[str, str]] = []
    listener = start(lambda data, caller: came.append((str(read(data).SOPInstanceUID), caller)))
    files = batch(50)
    threads = [threading.Thread(target=store, args=(listener, *files[half::2])) for half in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(came) == sorted((str(read(data).SOPInstanceUID), "TEACHING") for data in files)


def test_storescu_of_dcmtk_can_send_to_us(start: Start, mixed: list[bytes], tmp_path: Path) -> None:
    if STORESCU is None:
        assert not os.environ.get("CI"), "storescu is missing on CI; apt-get install dcmtk"
        pytest.skip("storescu is not installed (apt-get install dcmtk)")
    came: list[bytes] = []
    listener = start(lambda data, caller: came.append(data), allowed=("DCMTK",))
    for number, data in enumerate(mixed):
        (tmp_path / f"{number}.dcm").write_bytes(data)
    # -R: propose only what is sent
    command = [STORESCU, "-R", "-aet", "DCMTK", "-aec", "SYNTHREAD", "127.0.0.1", str(listener.port)]
    done = subprocess.run([*command, *sorted(tmp_path.glob("*.dcm"))], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [read(data).SOPInstanceUID for data in came] == [read(data).SOPInstanceUID for data in mixed]
    assert [read(data).PixelData for data in came] == [read(data).PixelData for data in mixed]


def test_a_file_arrives_whole_and_compressed_as_it_was(start: Start, batch: Callable[..., list[bytes]]) -> None:
    came: list[bytes] = []
    listener = start(lambda data, caller: came.append(data))
    (plain,) = batch(1)
    packed = read(plain)
    packed.compress(RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    packed.save_as(buffer, enforce_file_format=True)
    assert store(listener, plain, buffer.getvalue()) == [0x0000, 0x0000]
    assert [read(data).file_meta.TransferSyntaxUID.name for data in came] == [
        "Explicit VR Little Endian",
        "RLE Lossless",
    ]
    assert read(came[0]) == read(plain)
    assert read(came[1]).PixelData == packed.PixelData


def test_an_echo_is_answered(start: Start) -> None:
    line = call(start())
    assert line.send_c_echo().Status == 0x0000
    line.release()


def test_only_those_on_the_list_who_ask_for_us_are_let_in(start: Start) -> None:
    listener = start(allowed=("TEACHING", "WARD"))
    lines = [call(listener, ours) for ours in ("TEACHING", "WARD", "STRANGER")] + [call(listener, theirs="ANYBODY")]
    assert [(line.is_established, line.is_rejected) for line in lines] == [
        (True, False),
        (True, False),
        (False, True),
        (False, True),
    ]
    for line in lines[:2]:
        line.release()


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 0xA700, "No space left"),
        (OSError(errno.EACCES, "Permission denied"), 0xC000, "Permission denied"),
        (StoreError("The store is closed."), 0xC000, "The store is closed."),
        (ZeroDivisionError(), 0xC000, "ZeroDivisionError"),
    ],
)
def test_a_file_that_is_not_kept_is_refused_and_told(
    start: Start, batch: Callable[..., list[bytes]], error: Exception, status: int, told: str
) -> None:
    kept: list[bytes] = []

    def keep(data: bytes, caller: str) -> None:
        if not kept:
            kept.append(data)
            raise error

    listener = start(keep)
    assert store(listener, *batch(2)) == [status, 0x0000]
    assert told in listener.last_error


def test_too_many_files_are_refused(start: Start, batch: Callable[..., list[bytes]]) -> None:
    listener = start(max_files=2)
    assert store(listener, *batch(3)) == [0x0000, 0x0000, 0xA700]
    assert listener.last_error == "More than 2 files came on one association."


def test_a_file_that_is_too_large_is_cut_off_before_it_is_kept_in_memory(
    start: Start, batch: Callable[..., list[bytes]]
) -> None:
    came: list[bytes] = []
    listener = start(lambda data, caller: came.append(data), max_bytes=20_000)
    small, large = batch(1)[0], batch(1, side_px=600)[0]
    assert store(listener, small, large, small) == [0x0000, None, None]
    assert store(listener, *[small] * 60) == [0x0000] * 60  # the limit is of one file, not of all
    assert len(came) == 61
    assert listener.last_error == "A file was larger than 20000 bytes; its sender was cut off."


def test_a_lie_about_the_length_of_a_message_ends_the_line(start: Start) -> None:
    listener = start()
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as line:
        line.sendall(b"\x01\x00\xff\xff\xff\xff" + b"\0" * 1000)
        assert line.recv(10) == b""


def test_nobody_outside_this_machine_can_reach_it_by_default(start: Start) -> None:
    listener = start()
    assert listener.settings.host == "127.0.0.1"
    socket.create_connection(("127.0.0.1", listener.port), timeout=5).close()
    for other in ("127.0.0.2", *_own_addresses()):
        with pytest.raises(OSError):
            socket.create_connection((other, listener.port), timeout=5)


def _own_addresses() -> list[str]:
    """Addresses of this machine in its networks, without asking any of them: no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


def test_a_taken_port_is_told_and_a_stopped_one_is_free(start: Start) -> None:
    first = start()
    with pytest.raises(ArchiveError, match=r"^The listener cannot use 127\.0\.0\.1:\d+: Address already in use\.$"):
        start(port=first.port)
    port = first.port
    assert first.running
    first.stop()
    first.stop()
    assert not first.running
    assert start(port=port).port == port


def test_a_study_that_was_asked_for_goes_to_who_asked(start: Start, batch: Callable[..., list[bytes]]) -> None:
    came: list[str] = []
    taken: list[str] = []
    listener = start(lambda data, caller: came.append(str(read(data).SOPInstanceUID)))
    (asked,), (other,) = batch(1), batch(1, age=40)

    def take(uid: str, data: bytes) -> bool:
        taken.append(uid)
        return len(taken) == 1

    with listener.diverted(str(read(asked).StudyInstanceUID), take):
        assert store(listener, asked, other, asked) == [0x0000, 0x0000, 0xC000]
        with (
            pytest.raises(ArchiveError, match="is being fetched already"),
            listener.diverted(str(read(asked).StudyInstanceUID), take),
        ):
            pass
    assert store(listener, asked) == [0x0000]
    assert taken == [str(read(asked).SOPInstanceUID)] * 2
    assert came == [str(read(other).SOPInstanceUID), str(read(asked).SOPInstanceUID)]
