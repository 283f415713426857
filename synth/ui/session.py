"""What one browser tab is looking at. The address is the truth, so a reload or a sent link shows the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from synth.governance.roles import LOCAL_USER, Permission, User
from synth.reading.sessions import reader_name
from synth.types import COUNT_MAX
from synth.ui import house, sign_in


@dataclass(frozen=True, slots=True)
class Shown:
    """Jobs of the request on screen, the image opened from it or from the history, and one to compare it with."""

    jobs: tuple[str, ...] = ()  # ?request=
    image: str | None = None  # ?image=
    beside: str | None = None  # ?beside=


def user() -> str:
    """The name of who asks."""
    return person().name


def person() -> User:
    """Who asks, with what they may do. Who is not signed in (any more) reads so, and the run ends here."""
    found = known()
    if found is None:
        sign_in.ask()
    if st.session_state.setdefault("person", found.name) != found.name:
        st.session_state.clear()  # what another person had open in this browser is not for this one
        st.session_state["person"] = found.name
    return found


def known() -> User | None:
    """Who asks, None where nobody is signed in."""
    auth = house.settings().auth
    if auth == "local":
        return LOCAL_USER
    return sign_in.of_cookie() if auth == "accounts" else sign_in.of_token()


def arrive() -> None:
    """At the start of a whole run: somebody did something, so the idle time begins anew. Pollers rerun parts only."""
    who, auth = person().name, house.settings().auth
    if auth == "accounts":
        house.register().touch(sign_in.token())
    elif auth == "oidc" and not st.session_state.get("entered"):  # the service signs in, so the trail is told here
        st.session_state["entered"] = True
        house.register().entered(who, "oidc")


def shown() -> Shown:
    """What the address asks for."""
    params = st.query_params
    jobs = tuple(part for part in params.get("request", "").split(",") if part)
    return Shown(jobs[:COUNT_MAX], params.get("image") or None, params.get("beside") or None)


def show(jobs: tuple[str, ...] = (), image: str | None = None, beside: str | None = None) -> None:
    """Write the address; the next run shows it."""
    wanted = {"request": ",".join(jobs), "image": image, "beside": beside}
    st.query_params.from_dict({key: value for key, value in wanted.items() if value})


def first_run() -> bool:
    """True once in the life of a session."""
    seen = bool(st.session_state.get("seen"))
    st.session_state["seen"] = True
    return not seen


def reopen(image_id: str) -> None:
    """Show a kept image, and have the next run fill the form with its request."""
    show(image=image_id)
    st.session_state["reopen"] = image_id


def reopened() -> str | None:
    """The image that was reopened since the last run, once."""
    image_id: str | None = st.session_state.pop("reopen", None)
    return image_id


def may_read_as() -> bool:
    """Whether one may read under another name: on one's own computer, or who teaches or runs studies."""
    return house.settings().auth == "local" or person().may(Permission.TEACH) or person().may(Permission.STUDY)


def reader() -> str:
    """Who reads: the name that the address gives, which stays for this visit, else who asks."""
    if not may_read_as():
        return user()
    if given := st.query_params.get("reader"):
        st.session_state["reader"] = reader_name(given)
    return st.session_state.get("reader") or user()


def read_as(name: str) -> str:
    """Read under a name from here on; an empty one is the own again. Raises RequestError on a bad one."""
    st.session_state["reader"] = reader_name(name) if name.strip() else ""
    if "reader" in st.query_params:
        del st.query_params["reader"]
    return reader()


def zone() -> tzinfo:
    """The time zone of the browser, UTC where it names none that is known."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC
