"""What a radiologist says of the image on screen: realism, findings and their places, artefacts, fitness, comment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.governance.release import Fitness
from synth.governance.reviews import (
    COMMENT_MAX,
    REALISM,
    SIGNATURE,
    Artefact,
    Judged,
    Point,
    Presence,
    Review,
    said_blind,
)
from synth.types import GeneratedImage
from synth.ui import viewer

KINDS: dict[str, viewer.Kind] = {"Box": "box", "Point": "point"}


def show(image: GeneratedImage, blind: bool) -> None:
    """The fields, each of this image alone; in blind reading none of them tells what was asked for."""
    st.segmented_control(
        "Realism",
        range(REALISM[0], REALISM[1] + 1),
        key=_realism_key(image),
        help="1 surely synthetic, 5 as a real one; keys 1 to 5",
    )
    if blind:
        _codes("Seen", "seen", image, "no finding")
        _codes("Not sure of", "unsure", image, "nothing")
    else:
        for number, finding in enumerate(image.request.findings):
            name = VOCABULARY[finding.code].name
            st.segmented_control(
                f"{name.capitalize()} is there", tuple(Presence), key=_key(f"present-{number}", image), format_func=str
            )
        _codes("Others seen", "seen", image, "no other finding")
    _place(image, blind)
    st.multiselect(
        "Artefacts",
        tuple(Artefact),
        key=_key("artefacts", image),
        format_func=str,
        placeholder="none",
        select_all=False,
    )
    st.pills("Fit for", tuple(Fitness), selection_mode="multi", key=_key("fit", image), format_func=str)
    st.text_area(
        "Comment",
        key=_key("comment", image),
        max_chars=COMMENT_MAX,
        height=68,
        placeholder="no names, no numbers of patients",
    )
    st.caption(f'Your signature means: {SIGNATURE[0].lower()}{SIGNATURE[1:]} Leave "Fit for" empty to refuse.')


def rate(image: GeneratedImage, realism: int) -> None:
    """Choose a realism by key. The choice is a new widget: what a browser without it yet still sends must not count."""
    st.session_state[_key("rated", image)] = st.session_state.get(_key("rated", image), 0) + 1
    st.session_state[_realism_key(image)] = realism


def said(image: GeneratedImage, blind: bool) -> Review:
    """The review that the fields give. Raises RequestError where realism or a finding is not judged yet."""
    realism = st.session_state.get(_realism_key(image))
    if realism is None:
        raise RequestError("Realism is not judged yet; choose 1 to 5.")
    marked, seen = places(image), _value("seen", image) or []
    asked = image.request.findings
    if blind:
        judged, others = said_blind(asked, seen, _value("unsure", image) or [], marked)
    else:
        present = [_value(f"present-{number}", image) for number in range(len(asked))]
        if None in present:
            name = VOCABULARY[asked[present.index(None)].code].name
            raise RequestError(f"Say whether {name} is there: yes, no or uncertain.")
        pairs = zip(asked, present, strict=True)
        judged = tuple(Judged(finding.code, Presence(one), marked.get(finding.code, ())) for finding, one in pairs)
        others = tuple(code for code in seen if code not in {finding.code for finding in asked})
    return Review(
        image=image.id,
        reader="",
        at=datetime.now(UTC),
        model=image.provenance.model_id,
        revision=image.provenance.model_revision,
        realism=int(realism),
        judged=judged,
        others=others,
        artefacts=frozenset(_value("artefacts", image) or ()),
        fit=frozenset(_value("fit", image) or ()),
        comment=str(_value("comment", image) or "").strip(),
        blind=blind,
    )


def places(image: GeneratedImage) -> dict[str, tuple[Point, ...]]:
    """Where findings were marked, by code, as shares of the sides."""
    found: dict[str, tuple[Point, ...]] = st.session_state.get(_key("places", image), {})
    return found


def mark_kind(image: GeneratedImage) -> viewer.Kind | None:
    """What a mark on the film is now; None until a finding is chosen that it belongs to."""
    return KINDS[_value("kind", image) or "Box"] if _value("place", image) else None


def keep_mark(image: GeneratedImage, mark: viewer.Mark | None) -> None:
    """Give a new mark to the finding that is chosen for it."""
    code, last = _value("place", image), _key("last-mark", image)
    if mark is None or not code or st.session_state.get(last) == mark:
        return
    height, width = image.pixels.shape
    st.session_state[last] = mark
    place = tuple((x / width, y / height) for x, y in mark.points)
    st.session_state[_key("places", image)] = places(image) | {code: place}
    st.rerun()  # the film shows it


def _place(image: GeneratedImage, blind: bool) -> None:
    """Which finding the next mark on the film belongs to."""
    asked = () if blind else tuple(finding.code for finding in image.request.findings)
    codes = tuple(dict.fromkeys((*asked, *(_value("seen", image) or ()), *(_value("unsure", image) or ()))))
    if not codes:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Mark the place of",
            codes,
            None,
            key=_key("place", image),
            format_func=lambda code: VOCABULARY[code].name,
            placeholder="none",
        )
        st.segmented_control(
            "Mark as", tuple(KINDS), default="Box", key=_key("kind", image), label_visibility="collapsed"
        )


def _codes(label: str, name: str, image: GeneratedImage, none: str) -> None:
    """Findings of the image's modality to choose from."""
    codes = [code for code, term in VOCABULARY.items() if image.request.modality.value in term.modalities]
    st.multiselect(
        label,
        sorted(codes, key=lambda code: VOCABULARY[code].name),
        key=_key(name, image),
        format_func=lambda code: VOCABULARY[code].name,
        placeholder=none,
        select_all=False,
    )


def _realism_key(image: GeneratedImage) -> str:
    rated = st.session_state.get(_key("rated", image), 0)
    return _key(f"realism-{rated}", image)


def _key(name: str, image: GeneratedImage) -> str:
    return f"review-{name}-{image.id}"


def _value(name: str, image: GeneratedImage) -> Any:
    return st.session_state.get(_key(name, image))
