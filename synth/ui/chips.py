"""The request as chips that can be corrected: modality, view, sex, age, findings with side, zone and severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

import streamlit as st

from synth.findings import VOCABULARY
from synth.prompts import ParsedPrompt
from synth.types import Finding, GenerationRequest, Modality, Severity, Sex, Side, View, Zone

MODALITY_NAMES = {
    Modality.DX: "X-ray",
    Modality.CT: "CT",
    Modality.MR: "MRI",
    Modality.PET: "PET",
    Modality.OTHER: "other",
}
SEX_NAMES = {Sex.FEMALE: "woman", Sex.MALE: "man"}


def load(source: ParsedPrompt | GenerationRequest) -> None:
    """Put what a prompt or a stored request says into the chips. Call it before `show` in a run.

    The chips are new ones: a browser that has not got them yet sends back the old ones, which must not count.
    """
    state = st.session_state
    for old in [key for key in state if str(key).startswith("chip_")]:
        del state[old]
    state["chips"] = state.get("chips", 0) + 1
    tokens = _tokens([finding.code for finding in source.findings])
    state[_key("modality")] = source.modality
    state[_key("view")] = source.view if source.view in (View.PA, View.AP) else None
    state[_key("sex")] = source.sex
    state[_key("age")] = "" if source.age is None else str(source.age)
    state[_key("findings")] = tokens
    state[_key("absent")] = list(source.absent)
    for token, finding in zip(tokens, source.findings, strict=True):
        state[_key(f"side {token}")] = finding.side
        state[_key(f"zone {token}")] = finding.zone
        state[_key(f"severity {token}")] = finding.severity


def show(modalities: Sequence[str]) -> None:
    """Draw the chips. `modalities` are those that the model can draw."""
    known = [modality for modality in Modality if modality.value in modalities]
    chosen = st.session_state.get(_key("modality"), Modality.DX)
    options = known if chosen in known else [*known, chosen]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _pick("Modality", options, _key("modality"), MODALITY_NAMES, required=True)
        if st.session_state[_key("modality")] == Modality.DX:
            _pick("View", [View.PA, View.AP], _key("view"), {})
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        _pick("Sex", list(Sex), _key("sex"), SEX_NAMES)
        st.text_input("Age", key=_key("age"), placeholder="any", width=72, persist_state="session")
    codes = [code for code, term in VOCABULARY.items() if st.session_state[_key("modality")] in term.modalities]
    tokens = st.session_state.get(_key("findings"), [])
    st.multiselect(
        "Findings",
        sorted({*codes, *tokens}, key=_name),
        key=_key("findings"),
        format_func=_name,
        placeholder="none: a normal image",
        select_all=False,
        persist_state="session",
    )
    for token in st.session_state[_key("findings")]:
        _place(token)
    st.multiselect(
        "Said to be absent",
        sorted({*codes, *st.session_state.get(_key("absent"), [])}, key=_name),
        key=_key("absent"),
        format_func=lambda code: f"no {_name(code)}",
        placeholder="nothing",
        select_all=False,
        persist_state="session",
    )


def corrected(parsed: ParsedPrompt, age: int | None) -> ParsedPrompt:
    """The prompt as the chips now have it; `age` in years."""
    state = st.session_state
    modality: Modality = state[_key("modality")]
    findings = tuple(_finding(token) for token in state[_key("findings")])
    return replace(
        parsed,
        modality=modality,
        view=state.get(_key("view")) if modality == Modality.DX else View.AXIAL,
        sex=state[_key("sex")],
        age=age,
        findings=findings,
        absent=tuple(state[_key("absent")]),
    )


def age_text() -> str:
    """What stands in the age field."""
    return str(st.session_state.get(_key("age")) or "").strip()


def _place(token: str) -> None:
    """Side, zone and severity of one finding, where its term has them."""
    term = VOCABULARY[_code(token)]
    parts: list[tuple[str, type[StrEnum]]] = []
    if term.sided:
        parts.append(("side", Side))
    if term.zoned:
        parts.append(("zone", Zone))
    if term.graded:
        parts.append(("severity", Severity))
    if not parts:
        return
    with st.container(gap="xxsmall"):
        for part, values in parts:
            st.segmented_control(
                f"{part.capitalize()} of {_name(token)}",
                list(values),
                key=_key(f"{part} {token}"),
                format_func=str,
                label_visibility="visible" if part == parts[0][0] else "collapsed",
                persist_state="session",
            )


def _finding(token: str) -> Finding:
    state, term = st.session_state, VOCABULARY[_code(token)]
    return Finding(
        code=_code(token),
        side=state.get(_key(f"side {token}")) if term.sided else None,
        zone=state.get(_key(f"zone {token}")) if term.zoned else None,
        severity=state.get(_key(f"severity {token}")) if term.graded else None,
    )


def _pick(label: str, options: Sequence[StrEnum], key: str, names: Mapping[Any, str], required: bool = False) -> None:
    st.segmented_control(
        label,
        options,
        key=key,
        format_func=lambda value: names.get(value, str(value)),
        required=required,
        persist_state="session",
    )


def _key(name: str) -> str:
    """The key of a chip among those that were loaded last."""
    return f"chip_{name} {st.session_state.get('chips', 0)}"


def _tokens(codes: Sequence[str]) -> list[str]:
    """One distinct token per finding: the code, and `code:2` where a prompt names the same finding twice."""
    return [code if code not in codes[:i] else f"{code}:{codes[:i].count(code) + 1}" for i, code in enumerate(codes)]


def _code(token: str) -> str:
    return token.partition(":")[0]


def _name(token: str) -> str:
    code, _, number = token.partition(":")
    return f"{VOCABULARY[code].name} ({number})" if number else VOCABULARY[code].name
