"""A real Orthanc, started for a test on free ports of this machine, that can be killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from synth.library.pacs import Node
from synth.library.pacs.nodes import Kind

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "reader", "open sesame"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Orthanc:
    """Speaks DICOMweb and DIMSE, knows one AE title (SYNTHREAD, at `listener_port`), refuses all remote HTTP."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.http, self.dicom, self.listener_port = free_port(), free_port(), free_port()
        self.folder, self._process = folder, None
        settings: dict[str, Any] = {
            "Name": "test",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "index"),
            "HttpPort": self.http,
            "DicomPort": self.dicom,
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowStore": False,
            "DicomAlwaysAllowEcho": False,
            "DicomModalities": {"ours": ["SYNTHREAD", "127.0.0.1", self.listener_port]},
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "OverwriteInstances": True,  # a file that comes twice shows among the changes
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "orthanc.json").write_text(json.dumps(settings | changes))
        self._auth = (USER, PASSWORD) if changes.get("AuthenticationEnabled") else None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(["Orthanc", self.folder / "orthanc.json"], stdout=log, stderr=log)
        for _ in range(300):
            try:
                if requests.get(f"{self.url}/system", auth=self._auth, timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        pytest.fail(f"Orthanc did not start:\n{(self.folder / 'log').read_text()[-3000:]}")

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}{path}", auth=self._auth, timeout=10).json()

    def arrivals(self) -> int:
        """How often a file was stored, also one that was there."""
        changes = self.get("/changes?limit=10000")["Changes"]
        return sum(change["ChangeType"] == "NewInstance" for change in changes)

    def instances(self) -> int:
        return int(self.get("/statistics")["CountInstances"])

    def put(self, data: bytes) -> None:
        requests.post(f"{self.url}/instances", data=data, timeout=10).raise_for_status()

    def empty(self) -> None:
        for study in self.get("/studies"):
            requests.delete(f"{self.url}/studies/{study}", timeout=10)
        requests.delete(f"{self.url}/changes", timeout=10)

    def web(self, **changes: Any) -> Node:
        settings = {"allow_push": True, "timeout_s": 10.0, "retries": 2} | changes
        return Node("teaching", Kind.DICOMWEB, url=f"{self.url}/dicom-web", **settings)

    def dimse(self, **changes: Any) -> Node:
        settings = {"allow_push": True, "timeout_s": 10.0, "retries": 2, "aet": "ORTHANC"} | changes
        return Node("ward", Kind.DIMSE, host="127.0.0.1", port=self.dicom, **settings)


def needed() -> None:
    """Without Orthanc the test is skipped, in CI it fails."""
    if shutil.which("Orthanc") is not None and PLUGIN.is_file():
        return
    if os.environ.get("CI") == "true":
        pytest.fail("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    pytest.skip("Orthanc is not installed")
