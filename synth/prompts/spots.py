"""A place with its degree, and how several of them in a row complete one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from synth.prompts.lexicon import Item, Kind
from synth.types import Severity, Side, Zone

_BOTH_LUNGS = frozenset({"lungs", "lobes", "zones", "fields", "hemithoraces", "angles", "sulci"})


@dataclass(frozen=True, slots=True)
class Spot:
    """One place with its degree. An empty spot says nothing."""

    side: Side | None = None
    zone: Zone | None = None
    severity: Severity | None = None
    plural: bool = False  # "the lower lobes": both sides when none is said

    def clashes(self, other: Spot) -> bool:
        """True when both say the same kind of thing differently or twice."""
        return any(a is not None and b is not None and a != b for a, b in self._pairs(other))

    def filled(self, other: Spot) -> Spot:
        """This spot, with what it does not say taken from `other`."""
        severity = self.severity or other.severity
        return Spot(self.side or other.side, self.zone or other.zone, severity, self.plural or other.plural)

    def _pairs(self, other: Spot) -> tuple[tuple[object, object], ...]:
        return ((self.side, other.side), (self.zone, other.zone), (self.severity, other.severity))


def _apart(first: Spot, after: Sequence[Spot]) -> bool:
    """True when the place after the noun is another one than the place before it."""
    return first.side is not Side.BOTH and any(first.side and s.side and s.side != first.side for s in after)


def _settled(before: Spot, after: Spot) -> Spot:
    """Fill one from the other; "bilateral ... more on the right" stays bilateral."""
    return before.filled(after) if before.side is Side.BOTH and after.zone is None else after.filled(before)


def _shared(spots: Sequence[Spot]) -> list[Spot]:
    """Coordinated places lend each other what one leaves out: "right upper and middle lobe", "right and left base"."""
    whole = list(spots)
    for i in range(1, len(whole)):
        spare = replace(whole[i - 1], zone=None)
        whole[i] = whole[i].filled(spare)
    for i in range(len(whole) - 2, -1, -1):
        whole[i] = whole[i].filled(replace(whole[i + 1], severity=None))
    return whole


def spots_of(items: Sequence[Item]) -> list[Spot]:
    """Modifiers in a row as places: a second side, zone or degree opens the next place."""
    spots: list[Spot] = []
    last: Kind | None = None
    for item in items:
        if item.kind not in (Kind.PLACE, Kind.DEGREE):
            continue
        new = Spot(item.side, item.zone, item.severity)
        if not spots or (spots[-1].clashes(new) and not (item.kind is Kind.DEGREE and last is Kind.DEGREE)):
            spots.append(new)
        elif item.kind is Kind.DEGREE:  # "mildly severe": the word next to the noun counts
            spots[-1] = new.filled(spots[-1])
        else:
            spots[-1] = spots[-1].filled(new)
        last = item.kind
    if len(spots) == 1 and any(item.kind is Kind.ORGAN and item.text in _BOTH_LUNGS for item in items):
        spots = [replace(spots[0], plural=True)]
    return spots


def combined(before: Sequence[Spot], after: Sequence[Spot]) -> list[Spot]:
    """The places said before and after one finding word as one list; empty when none is said."""
    first, later = _shared(before), _shared(after)
    if len(first) == 1 and later:
        spots = first + later if _apart(first[0], later) else [_settled(first[0], spot) for spot in later]
    elif len(later) == 1 and first:
        spots = [spot.filled(later[0]) for spot in first]
    else:
        spots = first + later
    if len(spots) == 1 and spots[0].plural and spots[0].zone and not spots[0].side:
        return [replace(spots[0], side=Side.BOTH)]
    return spots
