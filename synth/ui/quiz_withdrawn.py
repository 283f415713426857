"""Cases whose image was withdrawn: not read any more, and said so where they were read before."""

from __future__ import annotations

import streamlit as st

from synth.errors import StoreError
from synth.governance.release import Release, State
from synth.reading.sessions import Dealt
from synth.ui import resources, views


def require(dealt: Dealt) -> None:
    """Pass a case that may be read; raises StoreError, which tells nothing of the case."""
    if _withdrawn(dealt):
        raise StoreError("it was withdrawn.")


def tell(dealt: Dealt) -> None:
    """Say of a case that was read that its image was withdrawn since, and why."""
    for release in _withdrawn(dealt):
        st.warning(f"This image was withdrawn after you read it: {views.escaped(release.reason)}")


def _withdrawn(dealt: Dealt) -> list[Release]:
    names = [name for kind, _, name in (source.partition(":") for source in dealt.sources) if kind == "synthetic"]
    releases = resources.store().validation.releases(names)
    return [release for release in releases.values() if release.state is State.WITHDRAWN]
