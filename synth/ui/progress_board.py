"""The board of progress: the days read, what comes next, each finding, weeks, confusions, and every case again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import streamlit as st

from synth.reading import progress
from synth.reading.performance import proportion
from synth.reading.progress import Read
from synth.reading.sessions import Mode
from synth.ui import progress_findings, progress_history, progress_plots, resources, session, views
from synth.ui.progress_findings import name
from synth.ui.progress_history import QUIZ, params


@dataclass(frozen=True, slots=True)
class Kept:
    """The answers of one session, and when its time is up; None where it has no limit, or is over."""

    reads: tuple[Read, ...]
    until: datetime | None


def show() -> None:
    """The board of whoever reads here, or how to begin."""
    now, zone = datetime.now(UTC), session.zone()
    reader = _reader()
    answers = _answers(reader, now)
    if not answers:
        _empty()
        return
    days, coming = st.columns([5, 4], gap="large")
    with days:
        _days(answers, now, zone)
    with coming, views.show_error():
        _coming(reader, now)
    with views.show_error():
        progress_findings.show(progress_findings.skills(reader), answers, now)
    curve, confusion = st.columns(2, gap="large")
    with curve:
        progress_findings.weeks(answers, zone)
    with confusion:
        progress_findings.confusions(answers)
    progress_history.show(answers, zone)


def _reader() -> str:
    """Who reads: a name can be given here, and stands in the address so that a reload shows the same."""
    here = session.reader()
    if not session.may_read_as():
        return here
    known = "" if here == session.user() else here
    # Without a key the field is a new one under each name: it never goes against the address.
    typed = st.text_input("Your name or pseudonym", known, placeholder="whose progress this is", width=280)
    if " ".join(typed.split()) != known:
        session.read_as(typed)
        st.rerun()
    if here != session.user() and st.query_params.get("reader") != here:
        st.query_params["reader"] = here
    return here


def _answers(reader: str, now: datetime) -> tuple[Read, ...]:
    """Everything read so far, the latest first. An exam whose time is up is ended."""
    sittings = resources.store().sittings
    answers: list[Read] = []
    for name_, stamp in sittings.stamps(reader):
        kept = _kept(name_, stamp)
        if kept.until is not None and kept.until <= now:
            over = sittings.session(name_)
            resources.desk(over).end(over, now)
            kept = _kept(name_, f"{stamp}, over")
        answers.extend(kept.reads)
    return progress.latest_first(answers)


@st.cache_resource(show_spinner=False, max_entries=4096)
def _kept(session_id: str, stamp: str) -> Kept:
    """A session as its stamp found it: lesion masks are large, and only what progress needs of them is held."""
    found = resources.store().sittings.session(session_id)
    until = None
    if found.plan.limit_s is not None and found.ended_at is None:
        until = found.started_at + timedelta(seconds=found.plan.limit_s)
    return Kept(progress.reads(found), until)


def _empty() -> None:
    """Nothing was read under this name: what to do."""
    st.subheader("Nothing read yet", anchor=False)
    st.markdown(
        "Read a few cases, and this page shows your days in a row, what you know of each finding, what to repeat, "
        "and every case to look at again. If you read under a name, give it above."
    )
    st.page_link(
        QUIZ, label="Read ten cases", icon=":material/play_arrow:", query_params=params({"mode": Mode.DAILY.value})
    )


def _days(answers: Sequence[Read], now: datetime, zone: tzinfo) -> None:
    today = now.astimezone(zone).date()
    counts = progress.days(answers, zone)
    streak = progress.streak(counts, today)
    told = [read.correct for read in answers if read.correct is not None]
    with st.container(horizontal=True, gap="small"):
        st.metric("Days in a row", streak.days, border=True, width=130)
        st.metric("Longest", streak.longest, border=True, width=130)
        st.metric("Cases read", len(answers), border=True, width=130)
        share = proportion(sum(told), len(told))
        if share:
            low, high = share.interval.low, share.interval.high
            st.metric(
                "Right", f"{share.value:.0%}", border=True, width=130, help=f"95 % interval {low:.0%} to {high:.0%}"
            )
    if streak.days and not streak.today:
        st.caption("One case today keeps the row.")
    strip = progress.strip(counts, today)
    recent = sum(count for _, count in strip)
    st.plotly_chart(
        progress_plots.strip(strip),
        theme=None,
        config=progress_plots.CONFIG,
        key="progress_strip",
        alt=f"Calendar of {progress.STRIP_WEEKS} weeks: {recent} cases on {sum(count > 0 for _, count in strip)} days",
    )


def _coming(reader: str, now: datetime) -> None:
    """What is due, with the way there, and what follows. An exam that runs has not taught anything yet."""
    st.subheader("What comes next", anchor=False)
    coming = progress.coming_up(progress_findings.cards(progress_findings.skills(reader)), now)
    if coming.due:
        count = len(coming.due)
        names = ", ".join(name(entry.code) for entry in coming.due)
        st.markdown(f"**{count} finding{'' if count == 1 else 's'} to repeat now:** {names}.")
        if st.button("Repeat what is due", type="primary", key="progress_due"):
            st.switch_page(QUIZ, query_params=params({"mode": Mode.SPACED.value}))
    else:
        st.markdown("Nothing is due now.")
        st.page_link(QUIZ, label="Practise", query_params=params({"mode": Mode.PRACTICE.value}))
    if coming.later:
        st.caption("Then: " + ", ".join(f"{name(code)} {_in(due - now)}" for code, due in coming.later[:4]) + ".")
    elif not coming.due:
        st.caption("Findings that you read are repeated before they are forgotten; read some first.")


def _in(wait: timedelta) -> str:
    """A time to wait, in the largest unit that is not below 1."""
    minutes = max(1, round(wait.total_seconds() / 60))
    if minutes < 60:
        return f"in {minutes} min"
    return f"in {round(minutes / 60)} h" if minutes < 36 * 60 else f"in {round(minutes / 1440)} days"
