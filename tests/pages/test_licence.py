"""The sidebar while a model of others waits for its licence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from synth.ui import house, views
from tests.models.conftest import save_checkpoint as save_checkpoint
from tests.pages.conftest import finish
from tests.painting import until


def test_the_licence_is_shown_and_one_click_loads_the_model(
    app: Callable[..., AppTest],
    save_checkpoint: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = save_checkpoint(name="net", usable=True)
    (folder / "README.md").write_text(
        "---\nlicense: other\nlicense_name: rad *net* 1\nlicense_link: https://x.org/l\n---\n# Net"
    )
    for name, value in {"MODELS": str(tmp_path), "MODEL": "net", "DEVICE": "cpu"}.items():
        monkeypatch.setenv(f"SYNTH_{name}", value)
    until(lambda: house.engine().status().model_state == "failed", "the refusal")

    page = app()
    assert not page.exception
    said = " ".join(part.value for part in (*page.sidebar.markdown, *page.sidebar.caption))
    assert "**net** waits for its licence" in said
    assert r"Licence: rad \*net\* 1. [Its text](https://x.org/l)" in said
    assert "what it has learnt has not been measured here" in said
    assert any("nobody has accepted here yet" in error.value for error in page.error)

    page = page.sidebar.button(key="accept-licence").click().run()
    assert not page.exception and not page.sidebar.button
    until(lambda: house.engine().status().model_state == "ready", "the model")
    page = app()
    assert any("model net ready" in caption.value for caption in page.sidebar.caption)
    page = finish(page)
    assert not page.exception and not page.error
    assert house.store().history(1)[0].request.model_id == "net"
    assert [event.who for event in house.store().events() if event.action == "licence.accepted"] == ["local"]


def test_text_of_a_stranger_is_shown_as_it_is() -> None:
    assert views.escaped("[a](b) <i> *c* `d` e\\f") == r"\[a\]\(b\) \<i\> \*c\* \`d\` e\\f"
