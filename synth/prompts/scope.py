"""Which findings are there, denied, doubted or past: phrases cut into chunks, and how far each "no" reaches.

The rules follow NegEx and ConText (Chapman 2001; Harkema 2009) for what opens and closes a scope; new here is that a
comma or "and" ends a negation as soon as the next phrase has a side, zone, degree or article of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from synth.prompts.lexicon import Item, Kind

_JOINTS = (Kind.PATIENT, Kind.COMMA, Kind.SLASH, Kind.AND, Kind.OR, Kind.BREAK, Kind.STOP)  # weak to strong
_TRIGGERS = (Kind.NEGATE, Kind.DOUBT, Kind.HISTORY)
_CONTENT = (Kind.FINDING, Kind.PLACE, Kind.DEGREE, Kind.DENIED, Kind.NORMAL, Kind.NEGATED, Kind.DOUBTED, Kind.ASSERT,
            Kind.UNKNOWN, Kind.CLINICAL)  # fmt: skip
_NAMED = (Kind.FINDING, Kind.UNKNOWN, Kind.CLINICAL)  # what a trigger can be meant for


class Polarity(Enum):
    """What the prompt says about a finding."""

    PRESENT = "present"
    ABSENT = "absent"
    DOUBTED = "doubted"
    PAST = "past"


@dataclass(slots=True)
class Chunk:
    """A phrase between two joints, with the triggers before it and, once judged, its polarity."""

    joint: Kind | None = None
    comma: bool = False  # a comma stands beside a stronger joint
    first: Kind | None = None  # of several joints in a row, the one next to the chunk before
    triggers: list[Kind] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    polarity: Polarity = Polarity.PRESENT

    def has(self, *kinds: Kind) -> bool:
        """True when an item of one of the kinds is in the chunk."""
        return any(item.kind in kinds for item in self.items)

    @property
    def bare(self) -> bool:
        """True when nothing but the finding is said: no place, degree, article or "is present"."""
        return not self.has(Kind.PLACE, Kind.DEGREE, Kind.ARTICLE, Kind.ASSERT)


def chunks(items: Sequence[Item]) -> list[Chunk]:
    """Cut the items at joints and before triggers; judge each chunk."""
    cut: list[Chunk] = []
    now = Chunk()
    for item in items:
        if item.kind in _JOINTS:
            if now.has(*_CONTENT):
                cut.append(now)
                now = Chunk(joint=item.kind)
            else:
                now = _joined(now, item.kind)
            now.comma |= item.kind is Kind.COMMA
            now.first = now.first or item.kind
        elif item.kind in _TRIGGERS:
            if now.has(*_CONTENT):
                cut.append(now)
                now = Chunk()
            now.triggers.append(item.kind)
        else:
            now.items.append(item)
    cut.append(now)
    _forward(cut)
    _backward(cut)
    return cut


def _joined(now: Chunk, kind: Kind) -> Chunk:
    """A chunk without content keeps its triggers and takes the stronger joint; a full stop clears it."""
    if kind is Kind.STOP:
        return Chunk(joint=kind)
    if kind is Kind.BREAK and now.triggers == [Kind.HISTORY]:  # "history of asthma, now with"
        now.triggers = []
    if now.joint is None or _JOINTS.index(kind) > _JOINTS.index(now.joint):
        now.joint = kind
    return now


def _forward(cut: list[Chunk]) -> None:
    """Carry each trigger as far as its scope goes."""
    state = Polarity.PRESENT
    met = False  # a finding has been met since the trigger
    for i, chunk in enumerate(cut):
        if chunk.joint in (Kind.STOP, Kind.BREAK) or (
            state is not Polarity.PRESENT and met and not chunk.triggers and not _goes_on(cut, i, state)
        ):
            state = Polarity.PRESENT
        if chunk.triggers:
            state = _opened(chunk.triggers)
            met = False
        chunk.polarity = state
        met |= chunk.has(*_NAMED)


def _opened(triggers: Sequence[Kind]) -> Polarity:
    if Kind.NEGATE in triggers:
        return Polarity.ABSENT
    return Polarity.PAST if Kind.HISTORY in triggers else Polarity.DOUBTED


def _goes_on(cut: Sequence[Chunk], i: int, state: Polarity) -> bool:
    """True when the scope that covers chunk i-1 also covers chunk i."""
    chunk = cut[i]
    if chunk.joint is Kind.PATIENT:
        return False
    if not chunk.has(*_NAMED):
        return True
    if state is not Polarity.ABSENT:
        return chunk.joint in (Kind.OR, Kind.SLASH) or (chunk.joint is Kind.AND and not chunk.comma and chunk.bare)
    if chunk.joint in (Kind.OR, Kind.SLASH) or chunk.bare:
        return True
    return not chunk.has(Kind.PLACE, Kind.ASSERT) and _or_follows(cut, i)


def _or_follows(cut: Sequence[Chunk], i: int) -> bool:
    """True when the list that chunk i stands in ends with "or"."""
    for later in cut[i + 1 :]:
        if later.joint in (Kind.STOP, Kind.BREAK, Kind.PATIENT) or later.triggers:
            return False
        if later.joint is Kind.OR:
            return True
    return False


def _backward(cut: list[Chunk]) -> None:
    """Words after the finding ("is absent", "cannot be excluded", "present") change what stands before them."""
    for i, chunk in enumerate(cut):
        verdict = next((it.kind for it in chunk.items if it.kind in (Kind.NEGATED, Kind.DOUBTED, Kind.ASSERT)), None)
        if verdict is None:
            continue
        if chunk.has(Kind.FINDING):
            start = i
        else:
            start = next((k for k in range(i - 1, -1, -1) if cut[k].has(Kind.FINDING)), -1)
            if start < 0 or chunk.joint is Kind.STOP or chunk.has(Kind.PLACE):  # "absent on the left": there at all
                continue
        if verdict is Kind.ASSERT:
            if not cut[start].triggers and start == i and not _negated_list(cut, start):
                cut[start].polarity = Polarity.PRESENT
            continue
        said = Polarity.ABSENT if verdict is Kind.NEGATED else Polarity.DOUBTED
        for k in _listed(cut, start) if chunk.items[0].kind is not verdict or start != i else [start]:
            if cut[k].polarity is Polarity.PRESENT or k == start:
                cut[k].polarity = said


def _negated_list(cut: Sequence[Chunk], i: int) -> bool:
    """True when chunk i continues a list under "no" by "or"."""
    return cut[i].polarity is Polarity.ABSENT and cut[i].joint in (Kind.OR, Kind.SLASH)


def _listed(cut: Sequence[Chunk], start: int) -> list[int]:
    """Chunk `start` and the bare findings joined to it by "and" or "or", with the commas of such a list."""
    listed = [start]
    conjunction = False
    for k in range(start, 0, -1):
        joint = cut[k].joint
        conjunction |= joint in (Kind.AND, Kind.OR, Kind.SLASH)
        before = cut[k - 1]
        if not (joint in (Kind.AND, Kind.OR, Kind.SLASH) or (joint is Kind.COMMA and conjunction)):
            break
        if not before.bare or not before.has(Kind.FINDING) or before.has(Kind.NEGATED, Kind.ASSERT):
            break
        listed.append(k - 1)
    return listed
