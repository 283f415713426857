"""From plain words to a list of items: anatomy said in pieces is joined first, then the longest known phrase wins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from synth.prompts.lexicon import KNOWN, LEXICON, LONGEST, Item, Kind

_GAP = r"((?: (?!(?:and|or|but|with|without|lungs?)\b)[\w-]+){0,5}?)"  # a few words of the same phrase
_WIDE = r"((?: (?!(?:but|with|without)\b)[\w-]+){0,6}?)"
_HEART = (
    r"(?:(?:heart|cardiac|cardiomediastinal|cardiopericardial)(?: (?:silhouette|shadow|size|contour|outline))?"
    r"|cardio-?thoracic (?:ratio|index)|ctr)"
)
_PLEURA = r"(?:pleural (?:space|cavity|cavities|sac)s?|pleura|hemithorax|hemithoraces|chest cavity)"
_ANGLE = r"(?:costo-?phrenic|costo-?diaphragmatic|cp)(?: (?:angle|sulcus|recess|sulci))?s?"
_LUNGS = r"(?:lungs?(?: (?:fields?|zones?|parenchyma))?|airspaces?)"
_IS = r"(?: (?:is|are|was|were|appears?|remains?|looks?|both|all|entirely|otherwise|grossly|bilaterally))*"
_QUALIFIER = (
    r"(?:evidence of|signs? of|any|acute|active|significant|obvious|focal|definite|gross|radiographic|ct|§|visible"
    r"|cardio-? ?pulmonary|cardio-? ?respiratory|pulmonary|lung|intra-?thoracic|thoracic|chest|parenchymal|cardiac"
    r"|pleural|demonstrable|identifiable|discernible|relevant|specific|appreciable|radiological|overt|major"
    r"|in the|the|or|and)"
)
_NORMAL_PART = (
    r"(?:mediastin\w+|hil(?:a|ar|um)|bones?|bony \w+|skelet\w+|osseous \w+|soft tissues?|trachea|diaphragms?|aorta"
    r"|hemidiaphragms?|pulmonary (?:vasculature|vascularity|vessels)|vasculature|vascularity|airways?|ribs?|pleura"
    r"|lung volumes?|inspiration|contours?)"
)

# What a finding looks like when its noun and its place stand apart; "\1" keeps the words between.
_LABEL = re.compile(  # "Heart: enlarged." in a report with headings
    r"\b(hearts?|cardiac silhouette|lungs?|pleura|mediastinum|bones|diaphragm|cardiomediastinal silhouette) ?: ?"
)
_JOINED = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (rf"\b(?:normal|unremarkable)(?: sized| size)? {_HEART}(?: (?:size|and {_NORMAL_PART}))*\b", "normalheart"),
        (rf"\b{_HEART}(?:,? (?:and|or) (?:the )?{_NORMAL_PART})*{_IS}"
         r" (?:normal(?:(?: in)? size)?|unremarkable|not enlarged|within normal limits|of normal size)\b",
         "normalheart"),
        (rf"\b(?:heart|cardiac) (?:size )?of normal size\b|\bno {_HEART} enlargement\b", "normalheart"),
        (rf"\b(?:clear|sharp|normal|preserved) {_ANGLE}|\b(?:both )?{_ANGLE}{_IS} (?:clear|sharp|normal|preserved)\b",
         "sharpangles"),
        (rf"\bnormal {_NORMAL_PART}(?:(?:,| and|, and) {_NORMAL_PART})*\b", "normalpart"),
        (rf"\b{_NORMAL_PART}(?:(?:,| and|, and) (?:the )?{_NORMAL_PART})*{_IS} (?:normal|unremarkable|intact)\b",
         "normalpart"),
        (rf"\b{_HEART}(?: is)?(?: at)?(?: the)? upper limits? of normal\b", "normalheart"),
        (r"(?:§|\bchest)(?: is)? absent\b", "normalstudy"),
        (r"\b(?:free )?(?:air|gas)(?: \w+)? (?:under|below|beneath)(?: \w+){0,3} (?:hemi-?)?diaphragms?\b",
         "pneumoperitoneum"),
        (r"\b(?:sparing|spares)(?: of)?(?: (?!(?:and|with|but|or)\b)\w+){1,4}", "sparing"),
        (r"\bhil(?:ar|a|um) (?:enlargement|prominence|fullness)|\b(?:enlarged|prominent|bulky) hil(?:a|um)\b",
         "hilar lymphadenopathy"),
        (r"\bnot (?:a )?(?:normal|unremarkable|clear)\b", "abnormal"),
        (r"\b(?:otherwise|other|remaining|rest)(?: \w+){0,4}? (?:normal|unremarkable|clear)\b", "otherwisenormal"),
        (rf"\b(?:the )?(?:right|left|other|opposite|contralateral) {_LUNGS}{_IS} (?:normal|clear|unremarkable)\b"
         rf"|\b(?:normal|clear) (?:right|left) {_LUNGS}", "otherwisenormal"),
        (rf"\b(?:clear|healthy|normal) {_LUNGS}\b|\b(?:both )?{_LUNGS}{_IS} (?:clear|normal|unremarkable)\b",
         "normalstudy"),
        (rf"\b(?:no|without|nil|free of|negative for|absence of)(?: other| further| additional)(?: {_QUALIFIER}){{0,8}}"
         r" (?:abnormalit(?:y|ies)|disease|findings?|patholog(?:y|ies))\b", "otherwisenormal"),
        (rf"\b(?:no|without|nil|free of|negative for|absence of|lack of)(?: {_QUALIFIER}){{0,9}}"
         r" (?:abnormalit(?:y|ies)|disease(?:s)?|process(?:es)?|findings?|patholog(?:y|ies)|problems?)\b",
         "normalstudy"),
        (r"\bwithin normal limits\b|\bnothing (?:acute|abnormal|wrong)\b|\bdisease[- ]free\b|\bnormal study\b"
         r"|\bnegative(?= ?(?:§|chest|study|exam)(?! ?for))|\bno findings\b|\b(?:without|no) abnormality\b",
         "normalstudy"),
        (rf"\b(?:fluid|liquid|water|effusion)\b{_GAP} {_PLEURA}\b", r"pleural effusion\1"),
        (rf"\b{_PLEURA}{_GAP} (?:filled with|contains?|full of)(?: some| a lot of)? (?:fluid|liquid)\b",
         r"\1 pleural effusion"),
        (rf"\b(?:air|gas)\b{_GAP} {_PLEURA}\b", r"pneumothorax\1"),
        (r"\bfluid (?:around|surrounding|outside)((?: the| both| her| his)?(?: right| left)?) lungs?\b",
         r"pleural effusion \1"),
        (r"\b(?:fluid|water) (?:in|on) (?:the |his |her )?lungs\b", "edema"),
        (r"\b(?:fluid|water) (?:in|on) (?:the |his |her )?heart\b|\bfluid around (?:the |his |her )?heart\b",
         "pericardial effusion"),
        (r"\bair (?:around|outside)((?: the| both| her| his)?(?: right| left)?) lung\b", r"pneumothorax \1"),
        (rf"\bblunt(?:ed|ing)\b{_WIDE}(?= {_ANGLE})", r"pleural effusion\1"),
        (rf"\b({_ANGLE}){_GAP} blunt(?:ed|ing)\b", r"\1\2 pleural effusion"),
        (rf"\b(?:enlarged|big|large|dilated|bulky|enlargement of|increased)\b{_GAP} {_HEART}\b", r"\1 cardiomegaly"),
        (rf"\b{_HEART}\b{_GAP} (?:enlarged|big|large|dilated|bulky|increased|enlargement)\b",
         r"present\1 cardiomegaly"),
        (r"\b(breast|adrenal|liver|hepatic|renal|kidney|splenic|bone|rib|skin|thyroid|brain|vertebral|spinal)"
         r" (lesion|mass|nodule|shadow|tumor|density|opacity|cyst|metastas[ie]s)(?:s|es)?\b", r"\1'\2"),
        (r"\bwhite ((?:right |left )?)(?:lung|hemithorax)\b", r"\1 whiteout"),
        (rf"\b(?:opacif(?:ied|ication of)|white-?out of)\b{_GAP} hemithorax", r"whiteout\1 hemithorax"),
        (rf"\bthicken(?:ed|ing)\b{_GAP} pleurae?\b|\bpleurae?\b{_GAP} thicken(?:ed|ing)\b", r"pleural thickening \1\2"),
        (rf"\b(?:collapsed|collapse of)\b{_GAP} (?=lungs?\b|lobes?\b)", r"atelectasis\1 "),
        (rf"\b(?:elevat(?:ed|ion of)|raised)\b{_GAP} (?:hemi-?)?diaphragm\b|\b(?:hemi-?)?diaphragm\b{_GAP}"
         r" (?:elevat(?:ed|ion)|raised)\b", r"\1\2 elevated hemidiaphragm"),
        (rf"\bmediastinum\b{_GAP} (?:widened|wide)\b|\bwidened{_GAP} mediastinum\b", r"\1\2 widened mediastinum"),
        (rf"\b(?:fractures?|broken)\b{_GAP} (?:ribs?|clavicles?|sternum|vertebrae?)\b", r"fracture\1"),
        (rf"\b(bacterial|viral|covid(?:[- ]19)?|pneumocystis)\b{_GAP} (?:pneumonias?|pna)\b", r"\2 \1 pneumonia"),
        (r"\b(?:bullet|coin|screw|needle|button battery|battery)\b(?! lesion)", "foreign body"),
        (r"\b(?:shift(?:ed|ing)?|deviat\w+|displac\w+)(?: of the (?:mediastinum|trachea))?"
         r"(?: (?:to|towards?) the (?:right|left))?(?: side)?\b", "shift"),
        (r"\bpost-? ?covid(?:[- ]?19)?\b", "postcovid"),
        (r"\b(?:and|or) ground[- ]?glass (?=consolidation)", "and ground glass opacity and "),
    )
)  # fmt: skip
_SIZE = re.compile(
    r"(?<![\w.])(?:approximately |about )?\d+(?:[.,]\d+)?(?: ?(?:x|by|to|-) ?\d+(?:[.,]\d+)?)*"
    r" ?-? ?(?:mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?|ml|cc|l|%|percent|hu)(?!\w)"
)
_RATIO = re.compile(  # above one half the heart is large
    r"\b(?:cardio-?thoracic (?:ratio|index)|ctr)(?: of| is|,|:)? ?(?:>|over|above)? ?(?:0?[.,][5-9]\d*|[5-9]\d ?%)"
)
_ASYMMETRY = re.compile(
    r"\b(?:right|left|r|l)(?: side[d]?| lung)?,? ?(?:>|more than|greater than|larger than|worse than|bigger than"
    r"|greater|larger|worse|bigger|more)(?: than)?(?: the| on the)? ?(?:(?:left|right|r|l)\b)?"
    r"|\b(?:larger|greater|worse|more|bigger|more marked|more extensive|more pronounced)(?: \w+)?"
    r" (?:on|in|at) the (?:right|left)(?: side)?(?: than (?:on |in )?(?:the )?(?:left|right))?"
)
_TOKEN = re.compile(r"[^\W_]+(?:'[a-z]+)?|\S|\n")


def join_pieces(text: str) -> tuple[str, list[str]]:
    """Write findings said in pieces ("heart is mildly enlarged") as one word, and take sizes out. Returns notes too."""
    text = _RATIO.sub("cardiomegaly", _LABEL.sub(r"\1 is ", text))
    notes = [f"Sizes are not drawn to scale: {m[0].strip()}." for m in _SIZE.finditer(text)]
    text = _SIZE.sub(" ", text)
    if _ASYMMETRY.search(text):
        notes.append("A difference between the sides cannot be set; both sides are drawn.")
        text = _ASYMMETRY.sub(" asymmetric ", text)
    text = re.sub(r"[ \t]+", " ", text)
    for pattern, replacement in _JOINED:
        text = pattern.sub(lambda m, r=replacement: _fill(m, r), text)  # type: ignore[misc]
    return _questions(text), notes


def _fill(match: re.Match[str], replacement: str) -> str:
    """`match.expand`, with groups that took no part as nothing."""
    return re.sub(r"\\(\d)", lambda m: match[int(m[1])] or "", replacement)


def _questions(text: str) -> str:
    """A question mark before a word doubts it, one after a word doubts that; a polite question doubts nothing."""
    text = re.sub(r"(?:^|(?<=\s|,|§))\?+\s?(?=\w)", " possible ", text)
    polite = re.search(r"\b(?:can|could|would|will|may|please|what|how)\b", text)
    return re.sub(r"\?+", " , " if polite else " doubted , ", text)


def scan(text: str) -> list[Item]:
    """Items in reading order; a word outside the lexicon becomes UNKNOWN, a bare number a DESCRIPTOR."""
    tokens = [t for t in _TOKEN.findall(text.replace("-", " ").replace("'s ", " ")) if t not in "'\"_ \t\r"]
    items: list[Item] = []
    i = 0
    while i < len(tokens):
        for length in range(min(LONGEST, len(tokens) - i), 0, -1):
            item = LEXICON.get(tuple(tokens[i : i + length]))
            if item is not None:
                break
        else:
            length, item = 1, _stranger(tokens[i])
        items.append(item)
        i += length
    return _prefixed(items)


def _prefixed(items: Sequence[Item]) -> list[Item]:
    """The prefix "non-" denies only the word it is tied to: "non-COVID pneumonia", "non-contrast"."""
    done: list[Item] = []
    for item in items:
        if done and done[-1].text == "non" and done[-1].kind is Kind.NEGATE:
            kind = Kind.DENIED if item.kind is Kind.FINDING else Kind.DESCRIPTOR
            done[-1] = replace(item, kind=kind, text=f"non-{item.text}")
        else:
            done.append(item)
    return done


def _stranger(token: str) -> Item:
    if token.isdigit():
        return Item(Kind.DESCRIPTOR, token)
    if token.isascii() and not token.isalnum() and "'" not in token:
        return Item(Kind.FILLER, token)
    return Item(Kind.UNKNOWN, token.replace("'", " "))


__all__ = ["KNOWN", "join_pieces", "scan"]
