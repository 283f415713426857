"""Where on the Real images page somebody is: the address holds the tab, the filters, the page and what is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.store.holding_records import Search

# name in the address -> field of `Search`
WORDS = {
    "q": "text",
    "finding": "finding",
    "modality": "modality",
    "view": "view",
    "part": "body_part",
    "sex": "sex",
    "origin": "origin",
    "licence": "licence",
    "flag": "flag",
    "of": "import_id",
}
NUMBERS = {"from": "age_from", "to": "age_to"}
FILTERS = (*WORDS, *NUMBERS)
FLAGS = {"face": "face could be rendered", "burnt_in": "text burnt in"}
LONGEST = 200  # of one value in the address


def search() -> Search:
    """The filters of the address. Raises RequestError where an age is none."""
    asked: dict[str, Any] = {field: st.query_params[name][:LONGEST] for name, field in WORDS.items() if given(name)}
    asked |= {field: number(name) for name, field in NUMBERS.items() if given(name)}
    return Search(**asked, removed=given("bin"))


def given(name: str) -> bool:
    """True where the address says something of it."""
    return bool(st.query_params.get(name))


def number(name: str, default: int = 0) -> int:
    """A whole number of the address. Raises RequestError where it is none."""
    text = st.query_params.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise RequestError(f"The address says {name}={text[:20]!r}, which must be a whole number.")
    return int(text)


def go(**changes: str | None) -> None:
    """Change the address; None takes a name out of it. The next run shows it."""
    for name, value in changes.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def clear_filters() -> None:
    """Take every filter out of the address."""
    go(**dict.fromkeys((*FILTERS, "page")))


def words(code: str) -> str:
    """A code as people say it."""
    return VOCABULARY[code].name if code in VOCABULARY else code.replace("_", " ")


def choice(
    label: str, name: str, options: Sequence[str], show: Callable[[str], str] = str, width_px: int = 150
) -> None:
    """A filter that stands in the address under `name`; one that fits nothing any more is still shown."""
    key, value = f"shelf_{name}", st.query_params.get(name) or None
    st.session_state[key] = value
    offered = [*options, value] if value and value not in options else options
    st.selectbox(
        label,
        offered,
        index=None,
        placeholder="all",
        format_func=show,
        key=key,
        on_change=noted,
        args=(name,),
        width=width_px,
    )


def noted(name: str) -> None:
    """Write what was chosen under `name` into the address; another filter begins at the first page."""
    value = st.session_state.get(f"shelf_{name}")
    go(**{name: "" if value is None else str(value).strip(), "page": None, "image": None})


def pages(count: int, page: int, name: str) -> None:
    """Paging that stands in the address."""
    key = f"{name}-page-{page}-{count}"  # a page has a widget of its own, so that the address alone says which it is
    st.pagination(count, default=page, key=key, on_change=_turned, args=(key,))


def _turned(key: str) -> None:
    go(page=str(st.session_state[key]))
