"""A real PostgreSQL, started for these tests on the loopback address, and a store on an empty database of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from synth.store import Store


def programs() -> Path | None:
    """The folder of initdb and postgres, Debian's newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """URL of a PostgreSQL without databases of ours. Missing programs skip the tests, in CI they fail them."""
    folder = programs()
    if folder is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed")
    home = Path(tempfile.mkdtemp(prefix="synth-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None  # postgres refuses to run as root
    if user is not None:
        shutil.chown(home, user)
    data, port = home / "data", free_port()
    init = [folder / "initdb", "-D", data, "-U", "synth", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run(init, check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)
    serve = [folder / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", home, "-c", "fsync=off"]
    with (home / "log").open("wb") as log, subprocess.Popen(serve, user=user, cwd=home, stderr=log) as process:
        try:
            _wait_until_ready([folder / "pg_isready", "-h", "127.0.0.1", "-p", str(port)], home / "log")
            yield f"postgresql://synth@127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: does not wait for clients
            process.wait(30)
            shutil.rmtree(home)


def _wait_until_ready(question: list[Path | str], log: Path) -> None:
    for _ in range(300):
        if subprocess.run(question, stdout=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")


@pytest.fixture
def urls(server: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A new empty database, and a folder for the pixels."""
    admin = sa.create_engine(f"{server}/postgres".replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE synth"))
    yield f"{server}/synth", f"file://{tmp_path / 'blobs'}"
    with admin.connect() as connection:
        connection.execute(sa.text("DROP DATABASE synth WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def store(urls: tuple[str, str]) -> Iterator[Store]:
    opened = Store(*urls)
    yield opened
    opened.close()
