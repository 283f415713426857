"""What a reader named against what is so: found, missed, over-called, on which side, and one score for all of it.

The score is a soft Dice coefficient of the two sets of findings: twice the credit over the number of true findings
plus the number named. A true finding gives credit 1 when named, less where it is named only in part:

    a name of the same family (`FAMILY`), as consolidation for pneumonia    x 0.5
    hedged, as "possible" or "cannot be excluded"                           x 0.5
    on the wrong side                                                       x 0.5
    on one side of two, or on both of one                                   x 0.75
    without its side, where the reader was to say it                        x 0.75
    in the wrong zone                                                       x 0.75

An over-called finding counts as one named without credit, a hedged one as half. Of a normal picture the score is 1,
less 1 for each finding named (0.5 where hedged), and never below 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from synth.findings import VOCABULARY
from synth.types import Finding, Side, Zone

IN_FAMILY = HEDGED = WRONG_SIDE = 0.5
PART_SIDE = UNSAID_SIDE = WRONG_ZONE = 0.75

NO_DISEASE = frozenset({"support_devices"})  # over-called only where the case asks for them

_AIRSPACE = "lung_opacity infiltration consolidation ground_glass_opacity"
_INFECTION = "pneumonia bacterial_pneumonia viral_pneumonia"

# A true finding -> the names that find it in part. A choice for teaching: what the same shadow is plainly called.
FAMILY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        code: frozenset(names.split()) - {code}
        for code, names in {
            "pneumonia": f"{_AIRSPACE} {_INFECTION} covid_19",
            "bacterial_pneumonia": f"{_AIRSPACE} {_INFECTION}",
            "viral_pneumonia": f"{_AIRSPACE} {_INFECTION} covid_19 pneumocystis",
            "covid_19": f"{_AIRSPACE} {_INFECTION}",
            "pneumocystis": f"{_AIRSPACE} {_INFECTION}",
            "consolidation": f"{_AIRSPACE} {_INFECTION}",
            "infiltration": f"{_AIRSPACE} {_INFECTION} fibrosis",
            "ground_glass_opacity": f"{_AIRSPACE} viral_pneumonia covid_19 pneumocystis",
            "lung_opacity": f"{_AIRSPACE} {_INFECTION} covid_19 pneumocystis atelectasis edema ards nodule mass",
            "edema": f"{_AIRSPACE} ards",
            "ards": f"{_AIRSPACE} edema",
            "pleural_effusion": "lung_opacity",
            "atelectasis": "lung_opacity consolidation",
            "tuberculosis": f"{_AIRSPACE} {_INFECTION} cavity",
            "cavity": "tuberculosis lung_opacity nodule mass lung_cancer",
            "nodule": "mass lung_cancer metastases lung_opacity",
            "mass": "nodule lung_cancer metastases lung_opacity",
            "lung_cancer": "nodule mass lung_opacity",
            "metastases": "nodule mass lung_cancer",
            "fibrosis": "lung_opacity infiltration",
        }.items()
    }
)


class Outcome(StrEnum):
    """What became of one finding."""

    FOUND = "found"
    PARTLY = "partly"  # under a name of its family
    MISSED = "missed"
    OVER_CALLED = "over_called"


class Match(StrEnum):
    """How the side or zone named fits the true one."""

    RIGHT = "right"  # also where the truth has none
    PART = "part"
    WRONG = "wrong"
    UNSAID = "unsaid"


@dataclass(frozen=True, slots=True)
class Named:
    """A finding as the reader named it; `hedged`: as a possibility only."""

    finding: Finding
    hedged: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding judged. `named` is the code under which it was found, `credit` lies in [0, 1]."""

    code: str
    outcome: Outcome
    named: str | None = None
    side: Match = Match.RIGHT
    zone: Match = Match.RIGHT
    hedged: bool = False
    denied: bool = False  # missed, and said not to be there
    credit: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """All verdicts of one reading. `spared` are the codes rightly said to be absent, `unjudged` those not asked for."""

    verdicts: tuple[Verdict, ...]
    spared: tuple[str, ...]
    unjudged: tuple[str, ...]
    score: float  # [0, 1]

    def codes(self, outcome: Outcome) -> tuple[str, ...]:
        """The codes with one outcome."""
        return tuple(verdict.code for verdict in self.verdicts if verdict.outcome is outcome)

    @property
    def side_errors(self) -> tuple[str, ...]:
        """The codes named on the wrong side, on one of two, or on both of one."""
        return tuple(v.code for v in self.verdicts if v.side in (Match.WRONG, Match.PART))

    @property
    def zone_errors(self) -> tuple[str, ...]:
        """The codes named in the wrong zone."""
        return tuple(v.code for v in self.verdicts if v.zone is Match.WRONG)

    @property
    def correct(self) -> bool:
        """True when all is found by its own name, without a hedge or an error of place, and nothing over-called."""
        return all(
            v.outcome is Outcome.FOUND and not v.hedged and v.side in (Match.RIGHT, Match.UNSAID)
            and v.zone is not Match.WRONG
            for v in self.verdicts
        )  # fmt: skip


def compare(
    truth: Sequence[Finding],
    named: Sequence[Named],
    denied: Sequence[Finding] = (),
    judged: Collection[str] = (),
    *,
    sides_asked: bool = True,
) -> Comparison:
    """Judge what was named and denied against the truth.

    `judged` holds the codes that the truth speaks of, empty for all but devices: others are neither right nor wrong.
    Without `sides_asked` a finding named without its side loses nothing. Findings of one code are judged together:
    their sides and zones count as sets.
    """
    said = {code: [n for n in named if n.finding.code == code] for code in _codes(n.finding for n in named)}
    verdicts = _met(truth, said, sides_asked)
    for code in _codes(truth):
        if code not in verdicts:
            gone = any(_covers(no, finding) for no in denied for finding in truth if no.code == finding.code == code)
            verdicts[code] = Verdict(code, Outcome.MISSED, denied=gone)
    explained = {name for code in _codes(truth) for name in {code} | FAMILY.get(code, frozenset())}
    extra = {code: rows for code, rows in said.items() if code not in explained}
    aside = {code for code in extra if (code not in judged if judged else code in NO_DISEASE)}
    over = [
        Verdict(code, Outcome.OVER_CALLED, code, hedged=_only_hedged(rows))
        for code, rows in extra.items()
        if code not in aside
    ]
    spared = _codes(
        no for no in denied if no.code not in said and not any(f.code == no.code and _covers(no, f) for f in truth)
    )
    all_verdicts = (*(verdicts[code] for code in _codes(truth)), *over)
    return Comparison(all_verdicts, spared, tuple(code for code in extra if code in aside), _score(all_verdicts))


def _met(truth: Sequence[Finding], said: Mapping[str, Sequence[Named]], sides_asked: bool) -> dict[str, Verdict]:
    """Verdicts on the true findings that were named: by their own code first, then by a name of the family, once."""
    free = dict(said)
    verdicts: dict[str, Verdict] = {}
    for own in (True, False):
        for code in _codes(truth):
            family = FAMILY.get(code, frozenset())
            name = next((name for name in free if (name == code if own else name in family)), None)
            if code not in verdicts and name:
                true = [finding for finding in truth if finding.code == code]
                kin = [n.finding for other in family for n in said.get(other, ())]
                verdicts[code] = _verdict(true, free.pop(name), kin, sides_asked)
    return verdicts


def _verdict(true: Sequence[Finding], named: Sequence[Named], kin: Sequence[Finding], sides_asked: bool) -> Verdict:
    """The verdict on the findings of one code, named under one code.

    `kin` are the findings named of its family: in "left basal consolidation, likely pneumonia" they hold the place.
    """
    code, name = true[0].code, named[0].finding.code
    hedged = _only_hedged(named)
    places = [n.finding for n in named]
    sided = places if _sides(places) else kin
    zoned = places if any(place.zone for place in places) else kin
    side = _side(true, sided) if VOCABULARY[code].sided else Match.RIGHT
    zone = _zone(true, zoned) if VOCABULARY[code].zoned else Match.RIGHT
    credit = 1.0 if name == code else IN_FAMILY
    credit *= HEDGED if hedged else 1.0
    unsaid = UNSAID_SIDE if sides_asked else 1.0
    credit *= {Match.WRONG: WRONG_SIDE, Match.PART: PART_SIDE, Match.UNSAID: unsaid}.get(side, 1.0)
    credit *= WRONG_ZONE if zone is Match.WRONG else 1.0
    return Verdict(code, Outcome.FOUND if name == code else Outcome.PARTLY, name, side, zone, hedged, credit=credit)


def _score(verdicts: Sequence[Verdict]) -> float:
    over = sum(HEDGED if v.hedged else 1.0 for v in verdicts if v.outcome is Outcome.OVER_CALLED)
    true = [v for v in verdicts if v.outcome is not Outcome.OVER_CALLED]
    if not true:
        return max(0.0, 1.0 - over)
    met = sum(v.outcome is not Outcome.MISSED for v in true)
    return 2 * sum(v.credit for v in true) / (len(true) + met + over)


def _side(true: Sequence[Finding], named: Sequence[Finding]) -> Match:
    wanted, said = _sides(true), _sides(named)
    if not wanted or wanted == said:
        return Match.RIGHT
    if not said:
        return Match.UNSAID
    return Match.PART if wanted & said else Match.WRONG


def _zone(true: Sequence[Finding], named: Sequence[Finding]) -> Match:
    wanted: set[Zone] = {f.zone for f in true if f.zone}
    said: set[Zone] = {f.zone for f in named if f.zone}
    if not wanted or wanted & said:
        return Match.RIGHT
    return Match.WRONG if said else Match.UNSAID


def _sides(findings: Iterable[Finding]) -> set[Side]:
    both = {Side.LEFT, Side.RIGHT}
    return {side for f in findings if f.side for side in (both if f.side is Side.BOTH else {f.side})}


def _covers(no: Finding, finding: Finding) -> bool:
    """True when a denial, perhaps of one side only, speaks of this finding."""
    sides, true = _sides([no]), _sides([finding])
    return (not sides or (bool(true) and true <= sides)) and no.zone in (None, finding.zone)


def _only_hedged(named: Sequence[Named]) -> bool:
    return all(n.hedged for n in named)


def _codes(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.code for finding in findings))
