"""Which side, zone and degree belong to which finding: modifiers before, after and apart from their noun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from synth.findings import VOCABULARY
from synth.prompts.lexicon import Item, Kind
from synth.prompts.scope import Chunk, Polarity
from synth.prompts.spots import Spot, combined, spots_of

_TIGHT = (Kind.AND, Kind.OR, Kind.SLASH)
_ADJECTIVES = ("ing", "ary", "ous", "ated", "ed", "ic", "ive")


@dataclass(slots=True)
class Mention:
    """A finding word in the prompt with its spots and polarity."""

    item: Item
    chunk: int
    polarity: Polarity
    before: list[Spot] = field(default_factory=list)
    after: list[Spot] = field(default_factory=list)

    def spots(self) -> list[Spot]:
        """The places of this mention; one empty spot when none is said."""
        said = combined(self.before, self.after)
        implied = Spot(self.item.side, self.item.zone, self.item.severity)
        whole = [spot.filled(implied) for spot in said or [Spot()]]
        return list({(spot.side, spot.zone): spot for spot in whole}.values())  # "mild or moderate": the last


def mentions(cut: Sequence[Chunk]) -> tuple[list[Mention], list[Spot]]:
    """Every finding with its places, in reading order, and the places that belong to none."""
    found: list[Mention] = []
    for i, chunk in enumerate(cut):
        found.extend(_inside(chunk, i))
    lost: list[Spot] = []
    i = 0
    while i < len(cut):
        if _only_places(cut[i]):
            end = i + 1
            while end < len(cut) and _only_places(cut[end]) and cut[end].joint in (*_TIGHT, Kind.COMMA):
                end += 1
            lost.extend(_place_run(cut, i, end, found))
            i = end
        else:
            i += 1
    _lend(cut, found)
    return found, lost


def _only_places(chunk: Chunk) -> bool:
    named = [item.kind for item in chunk.items if item.kind in (Kind.PLACE, Kind.DEGREE, Kind.UNKNOWN)]
    if not named or named[-1] is Kind.UNKNOWN:  # "left adrenal lesion": the place of something unknown
        return False
    return chunk.has(Kind.PLACE, Kind.DEGREE) and not chunk.has(Kind.FINDING, Kind.NORMAL, Kind.DENIED, Kind.NEGATED)


def _inside(chunk: Chunk, index: int) -> list[Mention]:
    """Findings of one chunk with the modifiers that stand beside them."""
    where = [k for k, item in enumerate(chunk.items) if item.kind is Kind.FINDING]
    found = [Mention(chunk.items[k], index, chunk.polarity) for k in where]
    if not found:
        return []
    found[0].before = spots_of(chunk.items[: where[0]])
    trailing = chunk.items[where[-1] + 1 :]
    found[-1].after = spots_of(trailing)
    loose_end = bool(found[-1].after) and not found[0].before and trailing[0].kind is not Kind.IN
    for n, (left, right) in enumerate(pairwise(where)):
        between = chunk.items[left + 1 : right]
        if any(item.kind is Kind.IN for item in between) or loose_end:
            found[n].after = spots_of(between)
        else:
            found[n + 1].before = spots_of(between)
    return found


def _place_run(cut: Sequence[Chunk], start: int, end: int, found: list[Mention]) -> list[Spot]:
    """Give the places of chunks start..end-1 to the finding before or after them; return those that fit neither."""
    places: list[Spot] = []
    for chunk in cut[start:end]:
        spots = spots_of(chunk.items)
        if places and chunk.joint not in _TIGHT and not places[-1].clashes(spots[0]):
            spots[0] = places.pop().filled(spots[0])
        places += spots
    if end < len(cut) and cut[end].first is Kind.PATIENT and not any(spot.side or spot.zone for spot in places):
        return places  # "a large man with ..."
    before = next((m for m in reversed(found) if m.chunk < start), None)
    after = next((m for m in found if m.chunk == end), None)
    if after is not None and (before is None or _belongs_ahead(cut, start, end, before, after)):
        if cut[end].joint is Kind.BREAK and cut[start].polarity is not cut[end].polarity:
            # "right but no left effusion"
            found.insert(found.index(after), Mention(after.item, end, cut[start].polarity, before=places))
        else:
            after.before = places + after.before
        return []
    if before is None or (cut[start].joint is Kind.PATIENT and not _said_after(cut, end)):
        return places
    if cut[start].joint is Kind.COMMA and before.polarity is Polarity.ABSENT:
        before = _unplaced(found, before)  # "pneumonia without effusion, left upper lobe"
    if cut[start].joint is Kind.COMMA:
        for mention in _conjuncts(cut, found, before):
            mention.after = list(places)
    _append(before, places, cut[start].joint)
    return []


def _unplaced(found: Sequence[Mention], last: Mention) -> Mention:
    """The nearest present finding before `last` when it still has no place, else `last`."""
    present = next((m for m in reversed(found[: found.index(last)]) if m.polarity is not Polarity.ABSENT), last)
    return last if present.before or present.after or last.before or last.after else present


def _conjuncts(cut: Sequence[Chunk], found: Sequence[Mention], last: Mention) -> list[Mention]:
    """Bare findings joined by "and" to `last`, itself bare: a place set apart by a comma is said of all of them."""
    joined: list[Mention] = []
    while not (last.before or last.after) and cut[last.chunk].joint is Kind.AND:
        before = next((m for m in found if m.chunk == last.chunk - 1), None)
        if before is None or before.before or before.after or before.polarity is not last.polarity:
            break
        joined.append(before)
        last = before
    return joined


def _said_after(cut: Sequence[Chunk], end: int) -> bool:
    """A place after words about the patient belongs to the finding before unless only a degree stands there."""
    return any(item.kind is Kind.PLACE for item in cut[end - 1].items)


def _belongs_ahead(cut: Sequence[Chunk], start: int, end: int, before: Mention, after: Mention) -> bool:
    left, right = cut[start].joint, cut[end].joint
    placed = bool(before.before or before.after)
    if right is Kind.STOP or left is Kind.STOP:
        return right is not Kind.STOP
    if right in _TIGHT:
        if left in _TIGHT and before.after:
            return False
        return bool(after.before)
    if right is Kind.PATIENT:
        return False
    if left in (None, Kind.BREAK):
        return True
    return placed and left is not Kind.AND


def _append(mention: Mention, places: list[Spot], joint: Kind | None) -> None:
    """Add later places to a finding: "and" opens another place, a comma completes the one there."""
    here = mention.after or mention.before
    if here and joint in _TIGHT:
        if mention.after:
            mention.after.extend(places)
        else:
            mention.before.extend(places)
    elif here and not here[-1].clashes(places[0]):
        here[-1] = here[-1].filled(places[0])
        here.extend(places[1:])
    else:
        here.extend(places)
        if not mention.after and not mention.before:
            mention.after = list(places)


def _lend(cut: Sequence[Chunk], found: list[Mention]) -> None:
    """Two names for one lesion ("atelectasis or consolidation", "cavitating pneumonia") share their place."""
    for first, second in pairwise(found):
        alternative = second.chunk == first.chunk + 1 and cut[second.chunk].joint in (Kind.OR, Kind.SLASH)
        if not alternative and not _neighbours(cut[second.chunk], first, second):
            continue
        if not alternative and first.item.text.endswith(_ADJECTIVES):  # the degree is that of the noun
            second.before = [*first.before, *second.before]
            first.before = []
        giver, taker = (first, second) if first.before or first.after else (second, first)
        if not (taker.before or taker.after) and VOCABULARY[taker.item.codes[0]].zoned:
            taker.before = [replace(s, severity=s.severity if alternative else None) for s in giver.spots()]


def _neighbours(chunk: Chunk, first: Mention, second: Mention) -> bool:
    """True when nothing stands between the two finding words."""
    items = [item for item in chunk.items if item.kind is not Kind.DESCRIPTOR]
    return first.chunk == second.chunk and any(a is first.item and b is second.item for a, b in pairwise(items))
