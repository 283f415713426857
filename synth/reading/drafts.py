"""An answer on its way: what the keys and buttons have set so far, and the answer that comes of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from synth.errors import RequestError
from synth.reading.answers import (
    SCALE_MAX,
    Answer,
    Change,
    ChangesSeen,
    Direction,
    FindingsChosen,
    FreeReport,
    Place,
    RealOrSynthetic,
    SeverityOrder,
    Shape,
    Task,
    placed,
)
from synth.reading.items import Item
from synth.reading.shapes import Point
from synth.types import Finding

ENTER, BACK, NOTHING = "Enter", "Backspace", "n"
LETTERS = "123456789agjqstuy"  # of the options in turn; the rest has a meaning in the viewer
SCORES = tuple(str(score) for score in range(1, SCALE_MAX + 1))


@dataclass(frozen=True, slots=True)
class Draft:
    """What has been chosen for one item. `asking`: the answer stands, and the confidence in it is asked."""

    item: str = ""
    score: int | None = None
    codes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    order: tuple[int, ...] = ()
    nothing: bool = False  # normal, no lesion, or no change
    text: str = ""
    asking: bool = False


def keys(item: Item, rated: bool) -> tuple[str, ...]:
    """The keys that mean something for this item; `rated`: those of the confidence that follows among them."""
    of_task: dict[Task, tuple[str, ...]] = {
        Task.REAL_OR_SYNTHETIC: SCORES,
        Task.FINDINGS: (*LETTERS[: len(item.options)], NOTHING),
        Task.CHANGE: (*LETTERS[: len(item.options)], NOTHING),
        Task.WHERE: (NOTHING,),
        Task.SEVERITY: (*LETTERS[: len(item.pictures)], BACK),
        Task.REPORT: (),
    }
    after = (*SCORES, BACK) if rated and item.task is not Task.REAL_OR_SYNTHETIC else ()
    return tuple(dict.fromkeys((*of_task[item.task], ENTER, *after)))


def pressed(draft: Draft, key: str, item: Item) -> Draft:
    """The draft after a key; one without a meaning here changes nothing."""
    if draft.asking:
        return replace(draft, asking=False) if key == BACK else draft
    if key not in keys(item, rated=False) or key == ENTER:
        return draft
    if key == NOTHING and item.task is not Task.SEVERITY:
        return replace(draft, nothing=not draft.nothing, codes=(), changes=())
    if key == BACK:
        return replace(draft, order=draft.order[:-1])
    if item.task is Task.REAL_OR_SYNTHETIC:
        return replace(draft, score=int(key))
    return _with_option(draft, LETTERS.index(key), item)


def _with_option(draft: Draft, number: int, item: Item) -> Draft:
    """A finding chosen or not, a change one direction on, a picture next in the order."""
    if item.task is Task.SEVERITY:
        kept = tuple(other for other in draft.order if other != number)
        return replace(draft, order=kept if number in draft.order else (*draft.order, number))
    code = item.options[number]
    if item.task is Task.FINDINGS:
        return replace(draft, codes=_toggled(draft.codes, code), nothing=False)
    directions = [change.direction for change in draft.changes if change.code == code]
    others = tuple(change for change in draft.changes if change.code != code)
    way = list(Direction)
    following = way.index(directions[0]) + 1 if directions else 0
    after = (*others, Change(code, way[following])) if following < len(way) else others
    return replace(draft, changes=after, nothing=False)


def answer_of(draft: Draft, item: Item, place: tuple[Shape, Sequence[Point]] | None, size: tuple[int, int]) -> Answer:
    """The answer without a confidence. `place` is the mark on the picture of `size` (width, height) px.

    Raises RequestError, in one sentence, where something is missing.
    """
    match item.task:
        case Task.REAL_OR_SYNTHETIC:
            if draft.score is None:
                raise RequestError(f"No score is chosen; press 1 (surely real) to {SCALE_MAX} (surely synthetic).")
            return RealOrSynthetic(draft.score)
        case Task.FINDINGS:
            return FindingsChosen(tuple(Finding(code) for code in draft.codes), draft.nothing)
        case Task.WHERE:
            return _place(draft, place, size)
        case Task.REPORT:
            return FreeReport(draft.text)
        case Task.CHANGE:
            if not draft.changes and not draft.nothing:
                raise RequestError("Nothing is chosen; choose what changed, or that nothing did.")
            return ChangesSeen(draft.changes)
        case Task.SEVERITY:
            if len(draft.order) < len(item.pictures):
                missing = len(item.pictures) - len(draft.order)
                raise RequestError(
                    f"The order lacks {missing} of {len(item.pictures)} pictures; name all, mildest first."
                )
            return SeverityOrder(draft.order)


def rated(answer: Answer, confidence: int) -> Answer:
    """The answer with a confidence of 1 (a guess) to 6 (sure); a real-or-synthetic score is one already."""
    return answer if isinstance(answer, RealOrSynthetic) else replace(answer, confidence=confidence)


def again(answer: Answer, item: Item) -> Draft:
    """A draft that would give the answer, for a second look at it."""
    draft = Draft(item.id)
    match answer:
        case RealOrSynthetic():
            return replace(draft, score=answer.score)
        case FindingsChosen():
            return replace(draft, codes=tuple(f.code for f in answer.findings), nothing=answer.normal)
        case Place():
            return replace(draft, nothing=answer.shape is Shape.NONE)
        case FreeReport():
            return replace(draft, text=answer.text)
        case ChangesSeen():
            return replace(draft, changes=answer.changes, nothing=not answer.changes)
        case SeverityOrder():
            return replace(draft, order=answer.order)


def _place(draft: Draft, place: tuple[Shape, Sequence[Point]] | None, size: tuple[int, int]) -> Place:
    if place is not None and not draft.nothing:
        return placed(place[0], place[1], *size)
    if draft.nothing:
        return placed(Shape.NONE, (), *size)
    raise RequestError("Nothing is marked; mark the lesion, or say that there is none.")


def _toggled(codes: tuple[str, ...], code: str) -> tuple[str, ...]:
    return tuple(other for other in codes if other != code) if code in codes else (*codes, code)
