"""Free text to a structured request: what the user typed, understood, with notes on everything that was not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from synth.errors import OutOfScope, RequestError
from synth.findings import VOCABULARY
from synth.prompts.identifiers import guard
from synth.prompts.lexicon import KNOWN, WANTED, Item, Kind
from synth.prompts.patient import read_patient
from synth.prompts.phrases import join_pieces, scan
from synth.prompts.places import Mention, mentions
from synth.prompts.scope import Chunk, Polarity, chunks
from synth.prompts.spelling import mend, plain
from synth.prompts.spots import Spot
from synth.prompts.technique import read_technique
from synth.types import NOTE_MAX, Finding, Modality, Sex, Side, View

EXAMPLE = "PA chest X-ray, 65-year-old man, right lower lobe pneumonia"


@dataclass(frozen=True, slots=True)
class ParsedPrompt:
    """A prompt as understood. `modality` is None when the one named cannot be made here; empty `findings`: normal.

    `age` is in whole years, `absent` holds the codes that the prompt denies, `unknown_words` what is in no word list,
    `notes` one sentence each on everything that was read loosely, guessed or left out.
    """

    modality: Modality | None
    view: View | None
    sex: Sex | None
    age: int | None
    findings: tuple[Finding, ...]
    absent: tuple[str, ...]
    unknown_words: tuple[str, ...]
    notes: tuple[str, ...]


def parse(text: str) -> ParsedPrompt:
    """Understand a prompt of at most NOTE_MAX characters.

    Raises RequestError when it is empty, too long, in another script or names nothing that can be drawn, and
    PolicyError when a part of it looks like it identifies a person.
    """
    _readable(text)
    words, mended = mend(plain(text), KNOWN, WANTED)
    notes = [f"{typed!r} is read as {read!r}." for typed, read in mended]
    patient = read_patient(words)
    technique = read_technique(patient.rest)
    joined, told = join_pieces(technique.rest)
    items = scan(joined)
    cut = chunks(items)
    found, lost = mentions(cut)
    findings, absent = _settle(found, cut, notes)
    unknown = _unique(item.text for item in items if item.kind is Kind.UNKNOWN)
    normal = any(item.kind in (Kind.NORMAL, Kind.DENIED) for item in items)
    if not (findings or absent or normal or technique.said or patient.sex or patient.age is not None or found):
        words = f" ({', '.join(map(repr, unknown[:5]))})" if unknown else ""
        raise OutOfScope(f"The prompt names no image, patient or finding that is known{words}; try {EXAMPLE!r}.")
    notes += [*patient.notes, *technique.notes, *told]
    notes += _remarks(items, found, lost, findings, normal=normal, unknown=unknown)
    return ParsedPrompt(
        technique.modality, technique.view, patient.sex, patient.age, findings, absent, unknown, _unique(notes)
    )


def named_modality(text: str) -> Modality | None:
    """The modality that a prompt names or implies by a view; None where it says nothing of either."""
    words, _ = mend(plain(text), KNOWN, WANTED)
    technique = read_technique(read_patient(words).rest)
    return technique.modality if technique.said else None


def _readable(text: str) -> None:
    """Refuse what identifies a person or holds no words that can be read."""
    if len(text) > NOTE_MAX:
        raise RequestError(f"The prompt has {len(text)} characters; at most {NOTE_MAX} are read.")
    if not text.strip():
        raise RequestError(f"The prompt is empty; try {EXAMPLE!r}.")
    guard(text)
    letters = [c for c in unicodedata.normalize("NFKC", text) if c.isalpha()]
    if not letters:
        raise RequestError(f"The prompt holds no words; try {EXAMPLE!r}.")
    foreign = [c for c in letters if not unicodedata.name(c, "").startswith(("LATIN", "GREEK SMALL", "MICRO"))]
    if 2 * len(foreign) > len(letters):
        script = unicodedata.name(foreign[0], "OTHER").split()[0].capitalize()
        raise RequestError(f"The prompt is written in {script} letters; it is read in English only.")


def _settle(
    found: Sequence[Mention], cut: Sequence[Chunk], notes: list[str]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Mentions to findings and absent codes; what is both keeps the finding."""
    present: list[Finding] = []
    denied = [
        (i, code, False) for i, c in enumerate(cut) for it in c.items if it.kind is Kind.DENIED for code in it.codes
    ]
    for mention in found:
        spots = mention.spots()
        partly = any(spot.side or spot.zone or spot.severity for spot in spots)
        if mention.polarity is Polarity.ABSENT:
            denied += [(mention.chunk, code, partly) for code in mention.item.codes]
        elif mention.polarity is Polarity.PAST:
            notes.append(f"{mention.item.text!r} is told as history and is not drawn.")
        else:
            present += [_finding(code, spot, notes) for code in mention.item.codes for spot in spots]
    denied.sort(key=lambda entry: entry[0])
    findings = _merged(present)
    codes = {finding.code for finding in findings}
    for code in _unique(code for _, code, partly in denied if code in codes and not partly):
        notes.append(f"{VOCABULARY[code].name!r} is both named and denied; it is kept.")
    return findings, _unique(code for _, code, _ in denied if code not in codes)


def _finding(code: str, spot: Spot, notes: list[str]) -> Finding:
    """A finding with only what can be said of it."""
    row = VOCABULARY[code]
    side = spot.side if row.sided else None
    zone = spot.zone if row.zoned else None
    severity = spot.severity if row.graded else None
    for said, kept, word in ((spot.side, side, "side"), (spot.zone, zone, "zone"), (spot.severity, severity, "degree")):
        if said and not kept and not (word == "side" and said is Side.BOTH):
            notes.append(f"A {word} cannot be chosen for {row.name}; {said.value!r} is left out.")
    return Finding(code, side, zone, severity)


def _merged(present: Sequence[Finding]) -> tuple[Finding, ...]:
    """No finding twice; left and right of the same kind become bilateral; a bare repeat adds nothing."""
    kept: list[Finding] = []
    placed = {f.code for f in present if f != Finding(f.code)}
    distinct = [f for f in dict.fromkeys(present) if f != Finding(f.code) or f.code not in placed]
    for finding in distinct:
        same = [f for f in distinct if f.code == finding.code]
        pair = len(same) == 2 and _twins(*same)
        kept.append(replace(finding, side=Side.BOTH) if pair else finding)
    return tuple(dict.fromkeys(kept))


def _twins(a: Finding, b: Finding) -> bool:
    return a == replace(b, side=a.side) and {a.side, b.side} == {Side.LEFT, Side.RIGHT}


def _remarks(
    items: Sequence[Item],
    found: Sequence[Mention],
    lost: Sequence[Spot],
    findings: Sequence[Finding],
    *,
    normal: bool,
    unknown: Sequence[str],
) -> list[str]:
    """What was read loosely or left out, one sentence each."""
    notes = [
        f"{m.item.text!r} is read as {' and '.join(VOCABULARY[c].name for c in m.item.codes)}."
        for m in found
        if m.item.loose and m.polarity is not Polarity.PAST
    ]
    notes += [f"{m.item.text!r} is named as uncertain; it is drawn." for m in found if m.polarity is Polarity.DOUBTED]
    for kind, phrase in (
        (Kind.DESCRIPTOR, "Read but not drawn from words"),
        (Kind.CLINICAL, "Not part of the picture"),
    ):
        words = _unique(item.text for item in items if item.kind is kind)
        if words:
            notes.append(f"{phrase}: {', '.join(words)}.")
    if "pe" in unknown:
        notes.append("'PE' may mean pleural effusion or pulmonary embolism; write it out.")
    if lost:
        said = _unique(v.value for spot in lost for v in (spot.side, spot.zone, spot.severity) if v)
        notes.append(f"No finding goes with {', '.join(map(repr, said))}; it is left out.")
    if findings and any(item.kind is Kind.NORMAL and item.text == "normal" for item in items):
        notes.append("The prompt says normal and names a finding; the finding is drawn.")
    if unknown and not findings and not normal:
        notes.append("No known finding is named; a normal picture is drawn unless one is added.")
    return notes


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
