"""The pages without a browser, on the analytic model, in a home of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from synth.types import JobState
from synth.ui import house

NEW_MANAGER = PagesManager.__init__
ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Starts the app as a new visitor sees it; one server life for the whole test."""
    for name in [key for key in os.environ if key.startswith("SYNTH_") or key == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SYNTH_HOME", str(tmp_path))
    monkeypatch.setenv("SYNTH_MODEL", "tiny")
    monkeypatch.setenv("SYNTH_STARTER", "0")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(PagesManager, "__init__", of_a_server_that_runs)
    st.cache_resource.clear()
    st.cache_data.clear()

    def visit(**params: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        for key, value in params.items():
            app.query_params[key] = value
        return app.run()

    yield visit
    house.archives().close()
    house.transfers().close()
    house.importer().close()
    house.maker().close()
    house.importer().close()
    house.looks.clear()
    house.heads.clear()
    house.engine().close()
    house.store().close()
    st.cache_resource.clear()
    st.cache_data.clear()


def of_a_server_that_runs(manager: PagesManager, *args: Any, **settings: Any) -> None:
    """Every run of the test runner is the first of its server's life, which would pass app.py by."""
    NEW_MANAGER(manager, *args, **settings)
    PagesManager.uses_pages_directory = False


def finish(app: AppTest) -> AppTest:
    """Wait until the jobs of the address have ended, then run the page once more."""
    jobs = address(app, "request").split(",")
    deadline = time.monotonic() + 30
    while any(house.engine().job(job).state in (JobState.QUEUED, JobState.RUNNING) for job in jobs):
        assert time.monotonic() < deadline, "the job did not end"
        time.sleep(0.05)
    return app.run()


def address(app: AppTest, name: str) -> str:
    """A parameter of the address; the test runner gives one value as itself or as a list."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]
