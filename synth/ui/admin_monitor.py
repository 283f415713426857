"""Monitoring on the screen: alarms first, then what was made, refused and failed, waiting times, and drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import streamlit as st

from synth.governance.drift import BATCH, IMAGES
from synth.governance.monitoring import Period, Spread, by_day
from synth.governance.roles import Permission, require
from synth.monitor import Watched
from synth.ui import monitor_plots, resources, session, views

PERIODS = {"Day": 1, "Week": 7, "Month": 30, "Quarter": 90}
NOTHING = "None in this period."
WHAT_DRIFT_IS = (
    "Distance of each new picture (no edits) to the mean of the reference in the feature space of the readers. "
    "An alarm says that pictures look different now: the model does, or people ask for something else."
)


def panel() -> None:
    """Everything. Raises PolicyError for those who may not see how the app is used."""
    require(session.person(), Permission.MONITOR)
    _alarms()
    name = st.segmented_control("Period", list(PERIODS), default="Week", key="monitor_period", required=True)
    period = resources.monitor().period(PERIODS[name])
    _numbers(period)
    st.markdown("**Images a day** (UTC)")
    if period.images:
        _chart(monitor_plots.days(by_day(period)), "days")
    else:
        st.caption(NOTHING)
    _counts(period)
    _tables(period, resources.monitor().by_group(PERIODS[name]))
    st.markdown("**Drift**", help=WHAT_DRIFT_IS)
    watched = resources.monitor().watched()
    if not watched:
        st.caption(f"Drift is watched once {IMAGES} images of a kind were drawn and looked at.")
    for one in watched:
        _drift(one)


def sidebar() -> None:
    """One line for those who look after the app, while something needs them."""
    if session.person().may(Permission.MONITOR) and (alarms := resources.monitor().alarms()):
        more = f" And {len(alarms) - 1} more." if len(alarms) > 1 else ""
        st.markdown(f":small[:orange[:material/notifications: {alarms[0].sentence}{more}]]")


def _alarms() -> None:
    alarms = resources.monitor().alarms()
    for alarm in alarms:
        st.warning(f"{alarm.sentence} Rule: {alarm.rule}.", icon=":material/notifications:")
    if not alarms:
        st.caption("No alarm: nothing in the last day passes its limit.")


def _numbers(period: Period) -> None:
    refused = sum(count for _, count in period.refusals)
    for column, (label, value, told) in zip(
        st.columns(6),
        (
            ("Images", str(period.images), f"{period.asked} jobs were asked for, {period.cancelled} cancelled."),
            ("Failed jobs", str(period.failures), "Jobs that ended in an error."),
            ("Refused", str(refused), "Refusals shown on a page; one of a kind and user in ten seconds counts."),
            ("Failed checks", f"{period.failing} of {period.checked}", "Images with at least one failed check."),
            ("Waiting", _seconds(period.waiting), "In the queue: median, and what 95 % stay below."),
            ("Drawing", _seconds(period.drawing), "The batch of an image: median, and what 95 % stay below."),
        ),
        strict=True,
    ):
        column.metric(label, value, help=told)


def _seconds(spread: Spread) -> str:
    if spread.median is None or spread.most is None:
        return "not measured"
    return f"{spread.median:.1f} / {spread.most:.1f} s"


def _counts(period: Period) -> None:
    for column, (title, counts) in zip(
        st.columns(2, gap="large"),
        (("Refusals by kind", period.refusals), ("Failed checks by name", period.checks)),
        strict=True,
    ):
        with column:
            st.markdown(f"**{title}**")
            if counts:
                _chart(monitor_plots.bars(counts), title)
            else:
                st.caption(NOTHING)


def _tables(period: Period, groups: dict[str, int]) -> None:
    users: Counter[str] = Counter()
    for volume in period.volumes:
        users[volume.who] += volume.images
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Images by user**")
        _table(("User", "Images"), users.most_common())
        if groups:
            st.markdown("**Images by group**", help="Who is in several groups counts in each.")
            _table(("Group", "Images"), [*groups.items()])
    with right:
        st.markdown("**Errors**", help="What is in quotation marks is left out, as it may be of a prompt.")
        _table(("Sentence", "Jobs"), period.errors)


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, int]]) -> None:
    listed = [dict(zip(heads, row, strict=True)) for row in rows]
    if listed:
        st.dataframe(listed, hide_index=True, width="stretch", height="content")
    else:
        st.caption(NOTHING)


def _drift(one: Watched) -> None:
    model, revision, modality = one.kind
    st.markdown(f"{views.escaped(model)} {views.escaped(revision)}, **{modality}**")
    if one.reference is None or one.chart is None:
        st.progress(min(1.0, one.collected / IMAGES), f"{one.collected} of {IMAGES} images for the reference")
        return
    made = one.reference
    who = "by itself" if made.made_by == "synthread" else f"by {views.escaped(made.made_by)}"
    why = views.escaped(made.reason)
    st.caption(f"Reference of {made.count} images, made {made.made_at:%Y-%m-%d %H:%M} UTC {who}. {why}")
    if one.chart.points:
        _chart(monitor_plots.drift(one.chart), f"drift {modality}")
    else:
        st.caption(f"{one.chart.images} of {BATCH} images for the first point.")
    if session.person().may(Permission.MODELS):
        _renewal(one)


def _renewal(one: Watched) -> None:
    modality = one.kind[2]
    with st.popover("New reference", icon=":material/restart_alt:"):
        st.caption(f"The latest {IMAGES} images become what is compared with from now on. Who, when and why is kept.")
        reason = st.text_input("Why", key=f"renew_reason_{modality}")
        if st.button("Make it the reference", key=f"renew_{modality}"):
            with views.show_error():
                resources.monitor().renew(one.kind, session.user(), reason)
                st.rerun()


def _chart(figure: object, key: str) -> None:
    st.plotly_chart(figure, width="stretch", config=monitor_plots.CONFIG, key=f"monitor {key}")
