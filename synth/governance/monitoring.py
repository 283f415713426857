"""The figures of a period and the alarms that follow from them, each a sentence with its rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from synth.governance.drift import BATCH, LAMBDA, SIGMAS, Chart

REFUSED = "refused"  # the action of the audit event
APART = timedelta(seconds=10)  # one refusal of a kind a user is counted in it, so that nobody fills the trail
ALONE = "no group"


@dataclass(frozen=True, slots=True)
class Volume:
    """Images of one day, user, model and modality. `failed` of them failed a check."""

    day: date  # UTC
    who: str
    model: str
    revision: str
    modality: str
    images: int
    failed: int
    checked: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, s: median and the time that 95 % kept below; None where nobody measured."""

    count: int = 0
    median: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """What happened from `since` up to, not including, `until` (UTC)."""

    since: datetime
    until: datetime
    volumes: tuple[Volume, ...] = ()
    asked: int = 0  # jobs
    done: int = 0
    failures: int = 0
    cancelled: int = 0
    checks: tuple[tuple[str, int], ...] = ()  # failed checks by name, most frequent first
    refusals: tuple[tuple[str, int], ...] = ()  # by kind, most frequent first
    errors: tuple[tuple[str, int], ...] = ()  # sentences of failed jobs, most frequent first
    waiting: Spread = Spread()
    drawing: Spread = Spread()

    @property
    def images(self) -> int:
        """All images."""
        return sum(volume.images for volume in self.volumes)

    @property
    def checked(self) -> int:
        """Images that were checked."""
        return sum(volume.checked for volume in self.volumes)

    @property
    def failing(self) -> int:
        """Images that failed at least one check."""
        return sum(volume.failed for volume in self.volumes)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a figure is an alarm."""

    fewest: int = 20  # jobs or images below which a share says nothing
    failures: float = 0.05  # of the jobs that ended by themselves
    failing: float = 0.30  # of the checked images; about every fifth film is hazy by the shipped card
    refusals: float = 0.50  # of all that was asked for
    waiting_s: float = 120.0  # that 95 % must keep below


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sentence for the screen and the rule behind it."""

    sentence: str
    rule: str


def alarms(period: Period, charts: Collection[Chart], limits: Limits) -> tuple[Alarm, ...]:
    """What somebody must look at, drift first."""
    found = [alarm for chart in charts for alarm in _drifts(chart)]
    ended, refused = period.done + period.failures, sum(count for _, count in period.refusals)
    for part, whole, limit, what in (
        (period.failures, ended, limits.failures, "jobs failed"),
        (period.failing, period.checked, limits.failing, "checked images failed a quality check"),
        (refused, refused + period.asked, limits.refusals, "requests were refused"),
    ):
        if whole >= limits.fewest and part > limit * whole:
            rule = f"more than {limit:.0%} of at least {limits.fewest}"
            found.append(Alarm(f"{part} of {whole} {what}.", rule))
    if period.waiting.most is not None and period.waiting.most > limits.waiting_s:
        rule = f"95 % wait less than {limits.waiting_s:.0f} s"
        found.append(Alarm(f"One in twenty images waited longer than {period.waiting.most:.0f} s.", rule))
    return tuple(found)


def _drifts(chart: Chart) -> list[Alarm]:
    told = []
    if chart.sudden:
        rule = f"Shewhart: the mean of {BATCH} images within {SIGMAS:.0f} standard errors of the reference"
        told.append(Alarm(f"The latest {BATCH} {chart.modality} images look unlike the reference.", rule))
    if chart.slow:
        rule = f"EWMA with lambda {LAMBDA:g} within {SIGMAS:.0f} standard errors of the reference"
        told.append(Alarm(f"{chart.modality} images have drifted away from the reference.", rule))
    return told


def by_day(period: Period) -> dict[str, dict[date, int]]:
    """Images a day, one series a model and modality, days without images as 0."""
    days = [period.since.date() + timedelta(days=n) for n in range((period.until - period.since).days + 1)]
    series: dict[str, dict[date, int]] = {}
    for volume in period.volumes:
        line = series.setdefault(f"{volume.model} {volume.modality}", dict.fromkeys(days, 0))
        line[volume.day] = line.get(volume.day, 0) + volume.images
    return series


def by_group(period: Period, groups: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Images a group of users, most first; who is in several counts in each, who is in none as "no group"."""
    counts: Counter[str] = Counter()
    for volume in period.volumes:
        for group in groups.get(volume.who) or (ALONE,):
            counts[group] += volume.images
    return dict(counts.most_common())


class Gate:
    """Lets one refusal of a kind through for each user in ten seconds."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], datetime] = {}

    def passes(self, who: str, kind: str, at: datetime) -> bool:
        """True where this one is to be counted."""
        last = self._last.get((who, kind))
        if last is not None and at - last < APART:
            return False
        if len(self._last) > 10_000:  # of users who have long gone
            self._last = {key: seen for key, seen in self._last.items() if at - seen < APART}
        self._last[who, kind] = at
        return True
