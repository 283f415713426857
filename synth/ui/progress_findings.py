"""What a reader knows of each finding: a table, the learning curve, and what was taken for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import streamlit as st

from synth.findings import VOCABULARY
from synth.reading import progress
from synth.reading.answers import Task
from synth.reading.choice import NORMAL, SYNTHETIC
from synth.reading.progress import NOT_THERE, UNNAMED, Confusion, FindingSkill, Read
from synth.reading.reads import REAL
from synth.store.sittings import Skill
from synth.ui import progress_plots, resources
from synth.ui.quiz_words import SHORT

NAMES = {
    NORMAL: "normal",
    REAL: "real image",
    SYNTHETIC: "synthetic image",
    UNNAMED: "nothing of it",
    NOT_THERE: "nothing there",
}


def name(code: str) -> str:
    """A finding, or what stands for none, in a reader's words."""
    return VOCABULARY[code].name if code in VOCABULARY else NAMES.get(code, code)


def skills(reader: str) -> dict[str, Skill]:
    """What a reader knows by code; of "real or synthetic" under REAL and SYNTHETIC."""
    sittings = resources.store().sittings
    origins = {NORMAL: REAL, SYNTHETIC: SYNTHETIC}
    told = {origins.get(code, code): skill for code, skill in sittings.skills(reader, "real_or_synthetic").items()}
    return sittings.skills(reader, "findings") | told


def cards(known: Mapping[str, Skill]) -> dict[str, str]:
    """The cards of spaced repetition by code."""
    return {code: skill.card for code, skill in known.items() if skill.card}


def show(known: Mapping[str, Skill], answers: Sequence[Read], now: datetime) -> None:
    """A row a finding, the weakest first."""
    estimates = {code: skill.estimate for code, skill in known.items()}
    rows = progress.findings(answers, estimates, cards(known), now)
    if not rows:
        return
    st.subheader("Findings", anchor=False)
    st.dataframe(
        _table(rows),
        hide_index=True,
        key="progress_findings",
        placeholder="",
        alt=f"What is known of {len(rows)} findings",
        column_config={
            "Right": _bar("Share of your answers"),
            "95 % interval": st.column_config.TextColumn(help="Where that share lies with 95 % certainty (Wilson)"),
            "Skill": _bar("Chance of a right answer on an average case"),
            "Recall": _bar("How likely you still know it now (FSRS)"),
            "Due": st.column_config.DatetimeColumn(format="distance"),
        },
    )


def _bar(words: str) -> Any:
    return st.column_config.ProgressColumn(help=words, min_value=0, max_value=100, format="%.0f %%")


def _table(rows: Sequence[FindingSkill]) -> dict[str, list[Any]]:
    rights = [row.right for row in rows]
    return {
        "Finding": [_capital(name(row.code)) for row in rows],
        "Answers": [right.total if right else 0 for right in rights],
        "Right": [100 * right.value if right else None for right in rights],
        "95 % interval": [f"{r.interval.low:.0%} to {r.interval.high:.0%}" if r else "" for r in rights],
        "Skill": [None if row.chance is None else 100 * row.chance for row in rows],
        "Recall": [None if row.recall is None else 100 * row.recall for row in rows],
        "Due": [row.due for row in rows],
    }


def weeks(answers: Sequence[Read], zone: tzinfo) -> None:
    """Share right week by week, findings apart from real or synthetic."""
    groups = {
        "Findings": [read for read in answers if read.task is not Task.REAL_OR_SYNTHETIC],
        SHORT[Task.REAL_OR_SYNTHETIC]: [read for read in answers if read.task is Task.REAL_OR_SYNTHETIC],
    }
    series = {title: weeks for title, reads in groups.items() if (weeks := progress.weekly(reads, zone))}
    if not series:
        return
    st.subheader("Week by week", anchor=False)
    last = "; ".join(f"{title}: {weeks[-1].right.value:.0%} right in the last week" for title, weeks in series.items())
    st.plotly_chart(
        progress_plots.curve(series), theme=None, config=progress_plots.CONFIG, key="progress_curve", alt=last
    )


def confusions(answers: Sequence[Read]) -> None:
    """What was taken for what: findings in a table, real and synthetic in a sentence."""
    pairs = progress.confusions(read for read in answers if read.task is not Task.REAL_OR_SYNTHETIC)
    origins = progress.confusions(read for read in answers if read.task is Task.REAL_OR_SYNTHETIC)
    if not (pairs or origins):
        return
    st.subheader("What was taken for what", anchor=False)
    if pairs:
        wrong = [f"{name(pair.true)} named {name(pair.named)}: {pair.count}" for pair in pairs if _wrong(pair)]
        st.plotly_chart(
            progress_plots.confusion(pairs, name),
            theme=None,
            config=progress_plots.CONFIG,
            key="progress_confusion",
            alt=f"Confusions: {'; '.join(wrong[:3]) or 'none'}",
        )
        st.caption("A row for what is so, a column for what was named.")
    for so, other in ((REAL, SYNTHETIC), (SYNTHETIC, REAL)):
        total = sum(pair.count for pair in origins if pair.true == so)
        taken = sum(pair.count for pair in origins if pair.true == so and _wrong(pair))
        if total:
            st.caption(f"{_capital(name(so))}s taken for {other}: {taken} of {total}.")


def _wrong(pair: Confusion) -> bool:
    return pair.true != pair.named


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
