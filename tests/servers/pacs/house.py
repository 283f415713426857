"""A server process without its pages: a home, a store, and what reaches for the PACS."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from synth.intake.archives import Archives
from synth.intake.importer import Importer
from synth.intake.transfers import Transfer, Transfers
from synth.store import Import, ImportState, Search, Store
from tests.servers.pacs.orthanc import Orthanc

ENDED = (ImportState.DONE, ImportState.FAILED, ImportState.STOPPED)


@dataclass
class House:
    """One server process after another on the same home and store."""

    store: Store
    home: Path
    toml: Path
    opened: list[Any] = field(default_factory=list)

    def open(self) -> Archives:
        self.transfers = Transfers()
        self.importer = Importer(self.store, self.home, f"file://{self.home / 'blobs'}", workers=1)
        made = Archives(self.store, self.importer, self.transfers, self.home, self.toml)
        self.opened += [made, self.transfers, self.importer]
        return made

    def configure(self, *nodes: Any, head: str = "") -> None:
        """Write the file of the nodes; a listener or other tables stand in `head`."""
        parts = [head]
        for node in nodes:
            place = (
                f'url = "{node.url}"' if node.url else f'host = "{node.host}"\nport = {node.port}\naet = "{node.aet}"'
            )
            push = str(node.allow_push).lower()
            parts.append(
                f'[[node]]\nname = "{node.name}"\nkind = "{node.kind}"\n{place}\nallow_push = {push}\n'
                "timeout_s = 5\nretries = 1\n"
            )
        self.toml.write_text("\n".join(parts))

    def ended(self, name: str) -> Transfer:
        until = time.monotonic() + 60
        while (one := self.transfers.get(name)) is None or one.live:
            assert time.monotonic() < until, one
            time.sleep(0.02)
        return one

    def imported(self, import_id: str) -> Import:
        until = time.monotonic() + 60
        while (one := self.store.imports.get(import_id)).state not in ENDED:
            assert time.monotonic() < until, one
            time.sleep(0.02)
        return one

    def count(self) -> int:
        return self.store.holdings.search(Search(), 1)[0]

    def close(self) -> None:
        for part in self.opened:
            part.close()
        self.opened.clear()


def raw(orthanc: Orthanc, name: str) -> bytes:
    return requests.get(f"{orthanc.url}/instances/{name}/file", timeout=10).content
