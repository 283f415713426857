"""Transfers from a bucket: whole files or none, a cancel and a second start, and failures told file by file."""

from __future__ import annotations

import errno
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from moto.server import ThreadedMotoServer

from synth.errors import CollectionError, StoreError
from synth.library import download
from synth.library.collections import Series
from synth.library.download import Download, Fetched

BUCKET = "idc-open-data"
ANSWER_500 = b"<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>"


@dataclass
class Faults:
    """A server in front of the server: counts what is asked and fails where the test wants it."""

    app: Callable[..., Iterable[bytes]]
    failing: dict[str, int] = field(default_factory=dict)  # part of an address -> answers of 500 that are left
    damaged: dict[str, int] = field(default_factory=dict)  # the same for answers with another byte
    asked: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        if self._is_due(self.failing, path):
            start("500 Internal Server Error", [("Content-Length", str(len(ANSWER_500)))])
            return [ANSWER_500]
        answer = self.app(environ, start)
        if self._is_due(self.damaged, path):
            return [bytes([byte ^ 1 for byte in b"".join(answer)])]
        return answer

    @staticmethod
    def _is_due(faults: dict[str, int], path: str) -> bool:
        for name, left in faults.items():
            if left and path.endswith(name):
                faults[name] = left - 1
                return True
        return False


@dataclass
class Place:
    """A bucket with two series of three files each, and where they lie as bytes."""

    url: str
    faults: Faults
    client: Any
    objects: dict[str, bytes]
    series: list[Series]

    def fetch(self, place: Path, done: Iterable[str] = ()) -> list[Fetched]:
        return list(Download(self.series, place, self.url).files(set(done)))


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadedMotoServer]:
    started = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def client(server: ThreadedMotoServer) -> Any:
    return boto3.client(
        "s3", endpoint_url=address(server), region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )


def address(server: ThreadedMotoServer) -> str:
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


@pytest.fixture
def bucket(server: ThreadedMotoServer, client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    client.create_bucket(Bucket=BUCKET)
    rng = np.random.default_rng(0)
    sizes = {"aa": (1000, 5000, 0), "bb": (30_000, 7, 250)}
    objects = {
        f"{folder}/{name}.dcm": rng.bytes(size)
        for folder, lengths in sizes.items()
        for name, size in zip(("one", "two", "zero"), lengths, strict=True)
    }
    for key, data in objects.items():
        client.put_object(Bucket=BUCKET, Key=key, Body=data, ACL="public-read")
    monkeypatch.setattr(download, "CHUNK", 4096)  # so that 30 kB are several
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.01)
    assert server._server is not None
    plain = server._server.app
    server._server.app = faults = Faults(plain)
    made = [series(folder, sum(lengths)) for folder, lengths in sizes.items()]
    yield Place(address(server), faults, client, {f"{BUCKET}/{key}": data for key, data in objects.items()}, made)
    server._server.app = plain
    for key in objects:
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)


def series(folder: str, size_bytes: int, instances: int = 3) -> Series:
    uid = f"1.2.{len(folder)}.{ord(folder[0])}"
    return Series(
        uid, "c", "p", "1.2", "DX", "CHEST", "", "CC BY 4.0", "10.1/x", instances, size_bytes, BUCKET, folder, "C", "v1"
    )


def contents(fetched: Iterable[Fetched]) -> dict[str, bytes]:
    return {one.key: one.path.read_bytes() for one in fetched if one.path}


def left_over(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.suffix == ".part"]


def test_every_file_arrives_byte_for_byte(bucket: Place, tmp_path: Path) -> None:
    transfer = Download(bucket.series, tmp_path, bucket.url)
    fetched = list(transfer.files())
    assert contents(fetched) == bucket.objects and [one.error for one in fetched] == [None] * 6
    assert [one.key for one in fetched] == sorted(bucket.objects)
    assert left_over(tmp_path) == []
    size = sum(map(len, bucket.objects.values()))
    assert transfer.progress == download.Progress(6, 6, size, size)


def test_a_cancel_in_the_middle_keeps_whole_files_and_a_second_start_fetches_only_the_rest(
    bucket: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "AT_ONCE", 1)
    transfer = Download(bucket.series, tmp_path, bucket.url)
    first = []
    for one in transfer.files():
        first.append(one)
        if len(first) == 2:
            transfer.cancel()
    assert 2 <= len(first) <= 4 and transfer.progress.files == len(first)
    assert left_over(tmp_path) == []
    assert all(bucket.objects[key] == data for key, data in contents(first).items())
    done = {one.key for one in first}
    there = {f"{BUCKET}/{path.relative_to(tmp_path).as_posix()}" for path in tmp_path.rglob("*.dcm")}
    bucket.faults.asked.clear()
    second = bucket.fetch(tmp_path, done)
    assert {one.key for one in second} == set(bucket.objects) - done
    asked = {f"{path[1:]}" for path in bucket.faults.asked if path.endswith(".dcm")}
    assert asked.isdisjoint(done | there)
    assert contents([*first, *second]) == bucket.objects


def test_a_cancel_inside_a_file_leaves_nothing_of_it(
    bucket: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = Download(bucket.series[1:], tmp_path, bucket.url)
    receive = transfer._add

    def after_two_chunks(**more: int) -> None:
        receive(**more)
        if transfer.progress.arriving >= 8192:
            transfer.cancel()

    monkeypatch.setattr(transfer, "_add", after_two_chunks)
    fetched = list(transfer.files())
    assert f"{BUCKET}/bb/one.dcm" not in {one.key for one in fetched}
    assert not (tmp_path / "bb" / "one.dcm").exists() and left_over(tmp_path) == []
    assert transfer.progress.arriving == 0


def test_what_a_killed_process_left_half_is_fetched_again(bucket: Place, tmp_path: Path) -> None:
    (tmp_path / "aa").mkdir()
    (tmp_path / "aa" / "one.dcm.part").write_bytes(b"half")
    (tmp_path / "aa" / "two.dcm").write_bytes(b"of another size")
    assert contents(bucket.fetch(tmp_path)) == bucket.objects
    assert left_over(tmp_path) == []


def test_a_caller_that_stops_iterating_stops_the_transfer(bucket: Place, tmp_path: Path) -> None:
    files = Download(bucket.series, tmp_path, bucket.url).files()
    next(files)
    files.close()
    count = len(bucket.faults.asked)
    assert left_over(tmp_path) == [] and len(bucket.faults.asked) == count


def test_an_error_of_the_server_that_passes_is_waited_for(bucket: Place, tmp_path: Path) -> None:
    bucket.faults.failing = {"aa/two.dcm": 2, "bb/one.dcm": 1}
    assert contents(bucket.fetch(tmp_path)) == bucket.objects


def test_an_error_of_the_server_that_stays_is_told_for_its_file_and_the_rest_goes_on(
    bucket: Place, tmp_path: Path
) -> None:
    bucket.faults.failing = {"aa/two.dcm": 99}
    transfer = Download(bucket.series, tmp_path, bucket.url)
    fetched = list(transfer.files())
    failed = [one for one in fetched if one.error]
    assert [one.key for one in failed] == [f"{BUCKET}/aa/two.dcm"] and failed[0].path is None
    assert "aa/two.dcm could not be fetched: " in str(failed[0].error)
    assert len(contents(fetched)) == 5 and transfer.progress.failed == 1
    assert 99 - bucket.faults.failing["aa/two.dcm"] == download.TRIES


def test_a_damaged_file_is_fetched_again(bucket: Place, tmp_path: Path) -> None:
    bucket.faults.damaged = {"bb/one.dcm": 1}
    assert contents(bucket.fetch(tmp_path)) == bucket.objects
    shutil.rmtree(tmp_path / "bb")
    bucket.faults.damaged = {"bb/one.dcm": 99}
    failed = [one for one in bucket.fetch(tmp_path) if one.error]
    assert [one.key for one in failed] == [f"{BUCKET}/bb/one.dcm"] and "damaged" in str(failed[0].error)
    assert not (tmp_path / "bb" / "one.dcm").exists()


def test_a_file_that_the_bucket_lacks_is_told_with_its_series(bucket: Place, tmp_path: Path) -> None:
    bucket.client.delete_object(Bucket=BUCKET, Key="aa/two.dcm")
    fetched = bucket.fetch(tmp_path)
    assert [one.error for one in fetched if one.error] == ["The bucket lacks 1 files of the series 1.2.2.97."]
    assert len(contents(fetched)) == 5


def test_a_file_that_vanishes_meanwhile_is_told(bucket: Place, tmp_path: Path) -> None:
    transfer = Download(bucket.series, tmp_path, bucket.url)
    listed = list(transfer_objects(transfer, bucket))
    bucket.client.delete_object(Bucket=BUCKET, Key="aa/one.dcm")
    found = transfer._fetch(listed[0])
    assert found is not None and found.path is None and "aa/one.dcm could not be fetched" in str(found.error)


def transfer_objects(transfer: Download, bucket: Place) -> Iterator[Any]:
    transfer._bucket = download._bucket(bucket.url)
    return transfer._objects(())


def test_a_series_that_is_not_there_is_told_and_the_others_arrive(bucket: Place, tmp_path: Path) -> None:
    bucket.series.insert(0, series("gone", 5))
    fetched = bucket.fetch(tmp_path)
    assert fetched[0].key == f"{BUCKET}/gone" and "The series 1.2.4.103 could not be listed" in str(fetched[0].error)
    assert contents(fetched[1:]) == bucket.objects


def test_a_name_that_leads_out_of_the_folder_is_not_written(bucket: Place, tmp_path: Path) -> None:
    wanted = download._Object(series("..", 3), f"{BUCKET}/../evil.dcm", 3, None)
    found = Download([], tmp_path / "in", bucket.url)._fetch(wanted)
    assert found is not None and "is not the name of a file" in str(found.error)
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_cannot_be_reached_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.01)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(CollectionError, match=r"cannot be reached; check the connection to the internet\.$"):
        list(Download([series("aa", 5)], tmp_path, f"http://127.0.0.1:{port}").files())


def test_a_disk_that_is_too_small_is_refused_before_the_transfer(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is too small: 1000000\.0 GB are wanted") as caught:
        list(Download([series("aa", 10**15)], tmp_path, "http://127.0.0.1:9").files())
    assert "\n" not in str(caught.value)


def test_a_disk_that_fills_up_is_one_sentence(bucket: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StoreError, match=r"is full; free some space and start again: what has arrived stays\.$"):
        bucket.fetch(tmp_path)
    assert left_over(tmp_path) == []
