"""`python -m tests.store.writing DATABASE BLOBS WHO THREADS COUNT`: writers of the audit trail in another process.

Says "writing" when it begins. A count of 0 goes on until the process is killed.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from synth.origins import AuditEvent
from synth.store import Store

ROOT = Path(__file__).parents[2]


def start(urls: tuple[str, str], who: str, threads: int, count: int) -> subprocess.Popen[str]:
    """The process, writing."""
    command = [sys.executable, "-m", "tests.store.writing", *urls, who, str(threads), str(count)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == "writing\n"
    return process


def main() -> None:
    database, blobs, who, threads, count = sys.argv[1:]
    store = Store(database, blobs)
    print("writing", flush=True)

    def write(thread: int) -> None:
        for number in range(int(count)) if int(count) else itertools.count():
            store.add_event(AuditEvent(datetime.now(UTC), f"{who}-{thread}", "test", f"{number}", ""))

    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(int(threads))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store.close()


if __name__ == "__main__":
    main()
