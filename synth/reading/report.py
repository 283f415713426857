"""A free report, read by the same words and rules as the prompts, and graded against the truth.

What this module adds is the language of reports: sections that say nothing about the picture (indication, technique,
comparison) are left out, "the lungs are clear of ..." denies, "no change in the effusion" does not, "it lies in the
left base" goes on with the sentence before, "ipsilateral" is the side named last.

Hedges: "possible", "may represent", "suspicious for" and "cannot be excluded" name a finding as a possibility and
count half (`synth.reading.matching`); "probable", "likely" and "suggestive of" count as named; "unlikely" denies.
What is told as history ("previous pneumonia", "has resolved") is not named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.prompts import guard
from synth.prompts.lexicon import KNOWN, WANTED, Item, Kind
from synth.prompts.patient import read_patient
from synth.prompts.phrases import join_pieces, scan
from synth.prompts.places import Mention, mentions
from synth.prompts.scope import Polarity, chunks
from synth.prompts.spelling import mend, plain
from synth.prompts.technique import read_technique
from synth.reading.answers import REPORT_MAX
from synth.reading.matching import Comparison, Named, compare
from synth.types import Finding

_UNREAD = re.compile(  # a section about the patient or the film, up to the next heading, blank line or full stop
    r"(?:^|(?<=[.\n]))\s*(?:indications?|clinical (?:indication|history|information|details|context)|history"
    r"|reason for (?:exam\w*|study)|comparisons?|techniques?|exam(?:ination)?|procedure|view|question)\s*:"
    r"[^\n]*?(?=\s*(?:\.(?:\s|$)|\n|$|\b(?:findings?|report|impression|conclusion|opinion|technique|comparison)\s*:))",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"(?<![.;:!?\n])[ \t]*\n(?=[ \t]*[a-z])")  # a line broken within a sentence
_EARLIER = r"(?:the |a |an |any )?(?:previous|prior|earlier|last|old|preceding|most recent)"
_FILM = r"(?:studies|study|films?|radiographs?|exam(?:ination)?s?|x-?rays?|images?|imaging|ct|scans?|one|cxr)"

# Said in reports and not in prompts, in the plain spelling of the prompts' reader; applied in this order.
_REWORDED = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\b(?:findings?|impressions?|conclusions?|opinion|report|summary|result)\s*[:-]", " . "),
        (rf"\b(?:(?:as |when )?compared (?:with|to)|in comparison (?:with|to)|since|relative to|versus|from|than)"
         rf" {_EARLIER}(?: \w+)? ?{_FILM}\b", " "),
        (rf"\b(?:on|in) {_EARLIER} {_FILM}\b", " "),
        (r"\b(?:as )?(?:previously|formerly|earlier|again|already) (?:noted|seen|described|known|reported|demonstrated"
         r"|identified|mentioned|visualised|visualized)\b|\bas before\b", " "),
        (r"\b(?:no|without)(?: (?:significant|interval|appreciable|relevant|substantial|definite|real|obvious))*"
         r" (?:change|increase|decrease|progression|improvement|regression)s?\b(?: in(?: the)?(?: (?:size|extent|volume"
         r"|appearance)s?)?)?(?: of)?", " unchanged "),
        (r"\bnot(?: (?:significantly|appreciably|yet|much|substantially))*"
         r" (?:changed|increased|decreased|improved|progressed|larger|smaller|worse|better)\b", " unchanged "),
        (r"\b((?:lungs?|pleural spaces?|bases|apices|angles?|fields|zones)(?: (?:is|are|remain|appear))?)"
         r" (?:clear|free) (?:of|from)\b", r"\1 . no "),
        (r"\.\s+(?:it|this|these|they|which|the (?:lesion|opacity|abnormality|shadow|density))"
         r" (?:is|are|lies|lie|measures?|appears?|projects?|extends?|involves?|affects?)\b", " , "),
        (r"\b(?:most |very |highly |more |quite )?(?<!less )(?<!not )(?:likely|probably|probable|presumably"
         r"|suggestive of|suggests|suggesting|favou?red|favou?rs|favou?ring)"
         r"(?: (?:to be|to represent|representing|represents?|reflecting|reflects?|due to|secondary to|from))?\b",
         " with "),
        (r"(?:^|(?<=[.;,\n]))([^.;,?\n]+)\?\s*(?:no|none|nil)\b", r" no \1 "),
        (r"(?:^|(?<=[.;,\n]))([^.;,?\n]+)\?\s*yes\b", r" \1 "),
        (r"\b(?:must|should|needs? to|has to|have to) (?:still )?be (?:excluded|ruled out)\b", "can not be excluded"),
        (r"\b(?:ddx|d/d|differential(?: diagnos[ie]s)?)(?: (?:includes?|is|are))?\s*:?", " . possible "),
        (r",? more (?:marked|pronounced|extensive|severe|prominent|confluent) (?:in|at)"
         r"(?= the (?:upper|mid|lower|bas|ap))", " in"),
        (r"\b(?:may|might|could) (?:well )?(?:reflect|indicate|suggest|be (?:due|secondary|related) to|relate to)\b",
         " possible "),
        (r"\bnil acute\b", "normal study"),
        (r"\b(?:following|after)\b", " with "),
        (r"\b(nipple|breast|companion) shadows?\b", r"\1"),
        (r"\b(?:no|absent|absence of|without|loss of) (?:\w+ )?(?:lung|vascular|broncho-?vascular) markings?"
         r"(?: (?:beyond|peripheral|lateral)[^.,;\n]*)?", " "),
        (r"\b(?:visceral )?pleural (?:line|edge)s?\b", "pneumothorax"),
        (r"\b(?:to the )?(?:tip|apex) of the heart\b|\bcardiac apex\b", " "),
        (r"\b(?:trachea|mediastin\w+)[^.,;\n]{0,40}? (?:is|are|remains?|appears?|lies)"
         r" (?:central|centrally placed|mid-?line|in the mid-?line|cent(?:er|re)d|not (?:deviated|displaced|shifted))",
         "normal mediastinum"),
        (r"\b(?:slightly |mildly |markedly |somewhat )?rotat(?:ed|ion)(?: (?:to|towards?) the (?:left|right))?\b", " "),
    )
)  # fmt: skip
_OF_PLACES = {Kind.PLACE, Kind.DEGREE, Kind.ORGAN, Kind.IN, Kind.ARTICLE, Kind.FILLER, Kind.AND, Kind.COMMA, Kind.STOP}
_SIDE_WORD = re.compile(r"\b(?:(left|lt|l|lul|lll|lingula\w*)|(right|rt|r|rul|rml|rll))\b")
_SAME_SIDE = re.compile(
    r"\b(?:(ipsi-?lateral|(?:on |at )?(?:the )?same side|ipsi-?laterally)"
    r"|(contra-?lateral|(?:on |at )?(?:the )?(?:opposite|other) side|contra-?laterally))\b"
)


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A report as understood. `normal`: it says so of the whole picture or of the lungs; `past`: told as history."""

    named: tuple[Named, ...]
    denied: tuple[Finding, ...]
    past: tuple[str, ...]
    normal: bool
    unknown_words: tuple[str, ...]


def read(text: str) -> ReadReport:
    """Understand a report of at most REPORT_MAX characters.

    Raises RequestError when it is empty, too long or says nothing about a picture, and PolicyError when a part of it
    looks like it identifies a person.
    """
    if not text.strip():
        raise RequestError("The report is empty; write at least 'Normal.'")
    if len(text) > REPORT_MAX:
        raise RequestError(f"The report has {len(text)} characters; at most {REPORT_MAX} are read.")
    guard(text)
    words, _ = mend(_reworded(plain(_WRAPPED.sub(" ", _UNREAD.sub(" . ", text)))), KNOWN, WANTED)
    joined, _ = join_pieces(read_technique(read_patient(words).rest).rest)
    items = _without_other_places(scan(joined))
    cut = chunks(items)
    found, _ = mentions(cut)
    named = [
        Named(finding, mention.polarity is Polarity.DOUBTED)
        for mention in found
        if mention.polarity in (Polarity.PRESENT, Polarity.DOUBTED)
        for finding in _findings(mention)
    ]
    denied = [finding for m in found if m.polarity is Polarity.ABSENT for finding in _findings(m)]
    denied += [Finding(code) for item in items if item.kind is Kind.DENIED for code in item.codes]
    past = dict.fromkeys(code for m in found if m.polarity is Polarity.PAST for code in m.item.codes)
    unknown = dict.fromkeys(item.text for item in items if item.kind is Kind.UNKNOWN)
    normal = any(item.kind is Kind.NORMAL for item in items) or "otherwisenormal" in joined or "normalpart" in joined
    if not (named or denied or past or normal):
        raise RequestError("The report names no finding that is known; name one, deny one, or write 'Normal.'")
    said = {n.finding.code for n in named}
    kept = [no for no in dict.fromkeys(denied) if no.code not in said or no.side or no.zone]
    return ReadReport(tuple(dict.fromkeys(named)), tuple(kept), tuple(past), normal, tuple(unknown))


def graded(text: str, truth: Sequence[Finding], judged: Collection[str] = ()) -> Comparison:
    """The report against the true findings, empty for a normal picture; errors as in `read`.

    `judged` holds the codes that the truth speaks of, empty for all but devices; another is neither right nor wrong.
    """
    report = read(text)
    return compare(truth, report.named, report.denied, judged)


def _reworded(text: str) -> str:
    """The words of reports as words of prompts."""
    for pattern, words in _REWORDED:
        text = pattern.sub(words, text)
    return _SAME_SIDE.sub(lambda match: _resolved(match, text), text)


def _without_other_places(items: Sequence[Item]) -> list[Item]:
    """The items without the places of sentences that name no finding but something else: "The trachea is central."

    A sentence of nothing but places goes on with the one before and keeps them.
    """
    kept: list[Item] = []
    sentence: list[Item] = []
    for item in [*items, Item(Kind.STOP)]:
        sentence.append(item)
        if item.kind is Kind.STOP:
            kinds = {part.kind for part in sentence}
            other = Kind.FINDING not in kinds and not kinds <= _OF_PLACES
            kept += [part for part in sentence if not (other and part.kind in (Kind.PLACE, Kind.DEGREE))]
            sentence = []
    return kept


def _resolved(match: re.Match[str], text: str) -> str:
    """ "Ipsilateral" and "contralateral" as a side, by the one named last before them."""
    before = list(_SIDE_WORD.finditer(text, 0, match.start()))
    if not before:
        return " "
    left = bool(before[-1][1]) == bool(match[1])
    return " left " if left else " right "


def _findings(mention: Mention) -> list[Finding]:
    """A mention as findings, with only what can be said of each code."""
    return [
        Finding(
            code,
            spot.side if VOCABULARY[code].sided else None,
            spot.zone if VOCABULARY[code].zoned else None,
            spot.severity if VOCABULARY[code].graded else None,
        )
        for code in mention.item.codes
        for spot in mention.spots()
    ]
