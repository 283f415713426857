"""A bucket with phantom series, as the open collections keep theirs, behind a gate that a test can close."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from moto.server import ThreadedMotoServer
from pydicom.uid import generate_uid

from synth.library.collections import Series
from tests.phantoms import axial_slice, dicom_bytes, film

BUCKET = "idc-open-data"
BAD = b"<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>"


@dataclass
class Bucket:
    """A CT series of six slices and a film. `let` files pass the gate; the next ones wait until it is opened."""

    app: Callable[..., Iterable[bytes]]
    url: str = ""
    series: list[Series] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    failing: str = ""  # part of an address that is answered by 500
    let: int = 1_000_000
    gate: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.endswith(".dcm"):
            self.asked.append(path)
            if self.failing and self.failing in path:
                start("500 Internal Server Error", [("Content-Length", str(len(BAD)))])
                return [BAD]
            if len(self.asked) > self.let:
                self.gate.wait(30)
        return self.app(environ, start)


@contextmanager
def opened() -> Iterator[Bucket]:
    """The server, for the time of a test."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    client.create_bucket(Bucket=BUCKET)
    files = {
        "aaaa": [dicom_bytes(axial_slice(96, number), PatientID="IDC-1") for number in range(6)],
        "bbbb": [dicom_bytes(film(128, 1), PatientID="IDC-2")],
    }
    assert server._server is not None
    gate = Bucket(server._server.app, url)
    for folder, parts in files.items():
        for number, data in enumerate(parts):
            client.put_object(Bucket=BUCKET, Key=f"{folder}/{number:04d}.dcm", Body=data, ACL="public-read")
        gate.series.append(_series(folder, parts))
    server._server.app = gate
    yield gate
    gate.gate.set()
    client.delete_objects(
        Bucket=BUCKET,
        Delete={"Objects": [{"Key": f"{f}/{n:04d}.dcm"} for f, parts in files.items() for n in range(len(parts))]},
    )
    client.delete_bucket(Bucket=BUCKET)
    server.stop()


def _series(folder: str, parts: list[bytes]) -> Series:
    ct = len(parts) > 1
    return Series(
        uid=generate_uid(), collection="lung" if ct else "films", patient="IDC-1", study_uid=generate_uid(),
        modality="CT" if ct else "DX", body_part="LUNG" if ct else "CHEST", description="phantom",
        licence="CC BY 4.0" if ct else "CC BY 3.0", doi="10.1/ct" if ct else "10.1/dx", instances=len(parts),
        size_bytes=sum(map(len, parts)), bucket=BUCKET, folder=folder,
        title="Phantom lungs" if ct else "Phantom films", release="v25",
    )  # fmt: skip
