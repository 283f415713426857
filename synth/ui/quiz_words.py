"""The words of the reading room: what is asked, what was right, and what is so."""

from __future__ import annotations

from synth.findings import VOCABULARY
from synth.reading.answers import (
    Answer,
    Change,
    ChangesSeen,
    FindingsChosen,
    FreeReport,
    Place,
    RealOrSynthetic,
    SeverityOrder,
    Shape,
    Task,
)
from synth.reading.drafts import LETTERS, NOTHING, Draft
from synth.reading.grading import Grade
from synth.reading.items import Item
from synth.reading.matching import Match, Outcome
from synth.reading.sessions import Mode
from synth.types import Finding

BANNER = "This set contains synthetic images, unmarked until they are answered."
TASKS = {
    Task.REAL_OR_SYNTHETIC: "Real or synthetic?",
    Task.FINDINGS: "Which findings?",
    Task.WHERE: "Where is the lesion?",
    Task.REPORT: "Report this image",
    Task.CHANGE: "What changed from the first image to the second?",
    Task.SEVERITY: "Order the images, mildest first",
}
SHORT = {
    Task.REAL_OR_SYNTHETIC: "Real or synthetic",
    Task.FINDINGS: "Findings",
    Task.WHERE: "Where",
    Task.REPORT: "Report",
    Task.CHANGE: "What changed",
    Task.SEVERITY: "Severity",
}
MODES = {
    Mode.PRACTICE: "Practice",
    Mode.DAILY: "Daily ten",
    Mode.SPACED: "Due again",
    Mode.EXAM: "Exam",
    Mode.STUDY: "Study",
}
HOW = {
    Task.REAL_OR_SYNTHETIC: "1 to 6, then Enter",
    Task.FINDINGS: "the keys before the findings, N for normal, then Enter",
    Task.WHERE: "mark it on the image, or X and the arrows; N for none; then Enter",
    Task.REPORT: "write as you would dictate; Ctrl Enter hands it in",
    Task.CHANGE: "a key once: appeared, twice: resolved, three times: larger, four times: smaller; N for none",
    Task.SEVERITY: "the numbers of the images in order, then Enter",
}
SCORES = ("surely real", "probably real", "perhaps real", "perhaps synthetic", "probably synthetic", "surely synthetic")
CONFIDENCE = ("a guess", "doubtful", "rather", "likely", "quite sure", "sure")
SHAPES = {Shape.POINT: "a point", Shape.BOX: "a box", Shape.OUTLINE: "an outline"}


def finding(seen: Finding) -> str:
    """A finding in a reader's words, as "moderate left lower nodule"."""
    said = (seen.severity, seen.side, seen.zone)
    return " ".join([*(str(part) for part in said if part), VOCABULARY[seen.code].name])


def change(seen: Change) -> str:
    """A change in a reader's words, as "nodule appeared"."""
    words = {"larger": "is larger", "smaller": "is smaller"}.get(seen.direction, str(seen.direction))
    return f"{VOCABULARY[seen.code].name} {words}"


def truth(item: Item) -> str:
    """What is so, in one sentence."""
    so = item.truth
    if item.task is Task.REAL_OR_SYNTHETIC:
        return f"This image is {'synthetic' if so.synthetic else 'real'}."
    if item.task is Task.CHANGE:
        return f"{_sentence([change(seen) for seen in so.changes]) or 'Nothing changed'}."
    if item.task is Task.SEVERITY:
        order = sorted(range(len(so.severities)), key=lambda number: so.severities[number])
        return f"Mildest first: {', '.join(str(number + 1) for number in order)}."
    named = _sentence([finding(seen) for seen in so.findings]) or "Normal"
    return f"{named}." if so.synthetic is not False else f"{named}, by the labels of its collection."


def choices(item: Item, draft: Draft) -> list[tuple[str, str, bool]]:
    """What can be chosen for an item: key, label with its key, and whether it is chosen."""
    if item.task is Task.REAL_OR_SYNTHETIC:
        return [(str(n), f"{n} {words}", draft.score == n) for n, words in enumerate(SCORES, start=1)]
    if item.task is Task.SEVERITY:
        return [(LETTERS[n], f"Image {n + 1}", n in draft.order) for n in range(len(item.pictures))]
    ways = {seen.code: str(seen.direction) for seen in draft.changes}
    chosen = ways if item.task is Task.CHANGE else dict.fromkeys(draft.codes, "")
    listed = [
        (key, f"{key.upper()} {VOCABULARY[code].name} {chosen.get(code, '')}".strip(), code in chosen)
        for key, code in zip(LETTERS, item.options, strict=False)
    ]
    nothing = {Task.FINDINGS: "Normal", Task.CHANGE: "No change", Task.WHERE: "No lesion"}[item.task]
    return [*listed, (NOTHING, f"{NOTHING.upper()} {nothing}", draft.nothing)]


def answer(given: Answer, item: Item) -> str:
    """What was answered, in one sentence."""
    match given:
        case RealOrSynthetic():
            return f"{given.score}: {SCORES[given.score - 1]}."
        case FindingsChosen():
            return f"{_sentence([finding(seen) for seen in given.findings]) or 'Normal'}."
        case Place():
            return "No lesion." if given.shape is Shape.NONE else f"Marked by {SHAPES[given.shape]}."
        case FreeReport():
            return given.text
        case ChangesSeen():
            return f"{_sentence([change(seen) for seen in given.changes]) or 'Nothing changed'}."
        case SeverityOrder():
            return f"Mildest first: {', '.join(str(number + 1) for number in given.order)}."


def verdicts(done: Grade) -> list[str]:
    """What was found, missed and over-called, a line each."""
    groups = (
        ("Found", (Outcome.FOUND,)),
        ("Partly found", (Outcome.PARTLY,)),
        ("Missed", (Outcome.MISSED,)),
        ("Not there", (Outcome.OVER_CALLED,)),
    )
    lines = []
    for words, outcomes in groups:
        codes = [code for outcome in outcomes for code in done.codes(outcome)]
        if codes:
            lines.append(f"{words}: {', '.join(VOCABULARY[code].name for code in codes)}")
    wrong = [verdict for verdict in done.verdicts if verdict.side is Match.WRONG]
    lines += [f"Wrong side: {VOCABULARY[verdict.code].name}" for verdict in wrong]
    measures = {"iou": "overlap of the boxes {:.0%}", "dice": "Dice {:.2f}", "tau": "Kendall's tau {:.2f}"}
    lines += [text.format(value) for name, text in measures.items() if (value := done.measure(name)) is not None]
    return lines


def _sentence(parts: list[str]) -> str:
    joined = ", ".join(parts)
    return joined[:1].upper() + joined[1:]
