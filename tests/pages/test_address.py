"""An address that was just written holds against a rerun that the browser sent before it heard of it."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from synth.ui import address


def _page() -> None:
    import streamlit as st

    from synth.ui import address, trail

    if st.button("Go"):
        trail.go(trail.Place("synthetic:a", ("job",)))
        st.rerun()
    st.text(repr(address.read()))
    st.text(repr(trail.place()))


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_function(_page)
    app.query_params["base"] = "synthetic:a"
    return app.run()


def _shown(app: AppTest) -> list[Any]:
    assert not app.exception
    return [text.value for text in app.text]


def _late(app: AppTest) -> AppTest:
    app.query_params.clear()
    app.query_params["base"] = "synthetic:a"
    return app.run()


def test_the_address_before_brought_by_a_late_rerun_does_not_undo_the_one_just_written(app: AppTest) -> None:
    after = _shown(app.button[0].click().run())
    assert after == [
        "{'base': 'synthetic:a', 'request': 'job'}",
        "Place(base='synthetic:a', jobs=('job',), tip=())",
    ]
    assert _shown(_late(app)) == after


def test_going_back_later_goes_back(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _shown(app)
    app.button[0].click().run()
    clock: Callable[[], float] = address.time.monotonic
    now = clock()
    monkeypatch.setattr(address.time, "monotonic", lambda: now + address.LATE_S + 1)
    assert _shown(_late(app)) == before


def test_the_back_button_goes_back_at_once(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _shown(app)
    app.button[0].click().run()
    monkeypatch.setattr(address, "_went_back", lambda: True)
    assert _shown(_late(app)) == before


def test_any_other_address_is_taken_as_it_is(app: AppTest) -> None:
    app.button[0].click().run()
    app.query_params.clear()
    app.query_params["base"] = "real:b"
    assert _shown(app.run())[0] == "{'base': 'real:b'}"
