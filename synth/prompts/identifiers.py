"""The identifier guard: a prompt that looks like it names a person is refused, with the part that does.

It looks for the HIPAA Safe Harbor identifiers that can stand in free text (45 CFR 164.514(b)(2)): names, addresses,
dates other than a year, telephone, e-mail, record, insurance and social security numbers, web and network addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from synth.errors import NamesPerson, PolicyError
from synth.prompts.lexicon import KNOWN
from synth.prompts.names import ANATOMY, EPONYM_NOUNS, EPONYMS, GIVEN_NAMES, MEDICAL_ENDING
from synth.prompts.purposes import purposes

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}\b|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2}\b"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ .-]*(?:of )?{_MONTH}\b[ .,-]*(?:(?:19|20)\d{{2}}|'\d\d)\b"
    rf"|{_MONTH}\b\.? ?\d{{1,2}}(?:st|nd|rd|th)?,? *(?:19|20)\d{{2}}\b"
)
_STRONG = (  # a number after one of these is always an identifier
    r"(?:mrn|m\.r\.n\.?|medical record|accession|acc|nhs|insurance|policy|account|member|social security|passport"
    r"|ssn|pid|(?:patient |study |hospital |case |chart )?ids?)"
)
_WEAK = r"(?:hospital|patient|chart|case|record|study|file|health|national|unit|visit|encounter|exam|phone|card)"
_NO = r"(?: ?(?:numbers?|num|nr|no|#))\.?"
_VALUE = r"(?=[\w/-]*\d)\w[\w/-]*(?: \d{3,})*"
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}|{_MONTH} \d{{1,2}})"

# What it looks like, and the pattern; case does not matter.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("an e-mail address", r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
        ("a web address", r"\bhttps?://\S+|\bwww\.\S+|\b\d{1,3}(?:\.\d{1,3}){3}\b"),
        ("a social security number", r"\b\d{3}-\d{2}-\d{4}\b|\b(?:ssn|social security)\b[^a-z]{0,3}\d[\d -]{3,}"),
        ("a date of birth",
         rf"\b(?:d\.?o\.?b\.?|date of birth|birth ?date|birthday)\b(?:\s*(?:is|:|=|-|,))?\s*[\w./' -]{{0,12}}\d[\w./-]*"
         rf"|\bborn\s*(?:on |in |:)?\s*(?:the )?(?:{_DATE}|(?:19|20)\d\d\b|{_MONTH}\b[ \d,]*)|\bb\. ?(?:19|20)\d\d\b"
         r"|\bd\.?o\.?b\b\.?\s*:"),
        ("a full date", rf"\b(?:{_DATE})"),
        ("a date", rf"\b(?:on|from|dated|since) (?:the )?{_DAY}\b"),
        ("a record number",
         rf"\b{_STRONG}(?:{_NO})?\s*(?:is |[:#=])+\s*{_VALUE}"
         rf"|\b(?:{_STRONG}|{_WEAK}){_NO}\s*(?:is |[:#=])*\s*{_VALUE}"
         rf"|\b(?:mrn|ssn|pid)\b\W{{0,3}}{_VALUE}|\b(?:patient )?id ?#? ?(?=[\w-]*\d{{3}})[\w-]+|#\s?\d{{4,}}"
         rf"|\b{_WEAK}\s*[:#=]+\s*(?=[\w-]*\d{{4}})[\w-]+"),
        ("a telephone number",
         r"(?:\b(?:tel|telephone|phone|mobile|cell|fax|call)\b\W{0,3}(?:no|number|nr)?\W{0,3}|(?<!\w)\+)"
         r"[\d(][\d ()./-]{4,}\d"
         r"|(?<!\w)\(\d{3}\) ?\d{3}[ .-]\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b|(?<![\d.-])\b[2-9]\d{2}-\d{4}\b"
         r"|\b0\d{2,4}[ /-]\d{3,}[ \d-]*\b"),
        ("an address",
         r"\b\d{1,5}[a-z]?,? (?:[a-z'.]+ ){1,3}(?:street|avenue|road|boulevard|strasse)\b|\baddress\s*[:=]\s*\S+"
         r"|\b(?:lives|living|resident|residing) (?:at|in) [\w' ]+|\b(?:zip|postcode|postal code)\b\W{0,3}\w+"),
        ("a record number", r"\b(?!\d+x\d+\b)(?=[a-z0-9/-]*\d{5})[a-z]{0,4}[-/]?\d[\d/-]*\d[a-z]?\b"),
    )
)  # fmt: skip
_CASED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("an address", re.compile(
        r"\b\d{1,5}[A-Za-z]?,? (?:[A-Z][\w'.]+ ){1,3}(?:St|Ave|Rd|Ln|Lane|Dr|Drive|Blvd|Court|Ct|Square|Way|Place)\b\.?"
        r"|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")),
    ("a name", re.compile(r"\b(?:Miss|Ms\.?|Sir|Madam|Herr|Frau|Señor|Señora) [A-Z][\w'-]+(?: [A-Z][\w'-]+)?")),
    ("a name", re.compile(r"(?<![\w.])[A-Z]\. ?[A-Z][a-z][\w'-]+")),
)  # fmt: skip
_TITLE = re.compile(
    r"\b(?:mr|mrs|mister|dr|doctor|prof|professor)\b\.?\s+(?P<word>[^\W\d_][\w'-]*)"
    r"(?: (?P<next>(?-i:[A-Z])[\w'-]*))?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:(?:patient|pt|full|first|last|family|sur)(?:'s)?[ -]?names?|names?)\b\s*(?:is|:|=|-)\s*"
    r"(?P<word>[^\W\d_][\w'-]+)"
    r"|\b(?<!so-)(?<!so )(?:named|called)\s+(?P<called>[^\W\d_][\w'-]+)",
    re.IGNORECASE,
)
_POINTED = re.compile(  # "patient Miller", "name Weber", "film of Miller"
    r"\b(?:[Pp]atient|[Pp]t\.?|[Nn]ame|of|for)\s*[:,]?\s+(?P<word>[A-Z][a-z'-]+[\w'-]*)"
)
_AGE_AFTER = re.compile(r"^\W{0,3}\(?(?:aged? )?\d{1,3}(?![\d.])(?! ?(?:mm|cm|ml|%|x\d))")
_WORDS = re.compile(r"[^\W\d_][\w'\u2019-]*")


def guard(text: str) -> None:
    """Pass a text that identifies nobody and asks for nothing that is to pass as real.

    Raises NamesPerson naming the first part that looks as if it identified somebody, PolicyError for the purpose.
    """
    for found in (_by_pattern(text), _by_name(text)):
        for kind, part in found:
            raise NamesPerson(f"{part.strip()!r} looks like {kind}; leave out everything that identifies a person.")
    for kind, part in purposes(text):
        raise PolicyError(f"{part.strip()!r} asks for {kind}; describe a patient by age, sex and findings instead.")


def _by_pattern(text: str) -> Iterator[tuple[str, str]]:
    for kind, pattern in (*_PATTERNS, *_CASED):
        for match in pattern.finditer(text):
            if kind != "a name" or not _medical(match[0].split()[-1]):
                yield kind, match[0]


def _by_name(text: str) -> Iterator[tuple[str, str]]:
    """Names by title, by announcement, after "patient", from the list of given names, and as two capitalised words."""
    for pattern in (_TITLE, _NAMED):
        for match in pattern.finditer(text):
            groups = match.groupdict()
            spoken = [groups.get("word") or groups.get("called") or "", groups.get("next") or "x-ray"]
            if not all(_medical(word) and not _stranger(word) for word in spoken):
                yield "a name", match[0]
    shouting = _capitals(text)
    for match in _POINTED.finditer(text):
        if not shouting and not _medical(match["word"]):
            yield "a name", match[0]
    yield from _loose_names(text, shouting)


def _loose_names(text: str, shouting: bool) -> Iterator[tuple[str, str]]:
    words = list(_WORDS.finditer(text))
    for i, match in enumerate(words):
        word = match[0]
        after = words[i + 1] if i + 1 < len(words) and words[i + 1].start() - match.end() <= 2 else None
        if word.lower().removesuffix("'s") in GIVEN_NAMES and not (after and _noun(after[0])):
            surname = after is not None and not _medical(after[0])
            yield "a name", text[match.start() : after.end()] if after and surname else word
        if shouting or not word[0].isupper() or _medical(word) or _eponym(words, i):
            continue
        if after and after[0][0].isupper() and not _medical(after[0]) and not _eponym(words, i + 1):
            yield "a name", text[match.start() : after.end()]
        if word[1:].islower() and _AGE_AFTER.match(text[match.end() :]):
            yield "a name", word


def _eponym(words: list[re.Match[str]], i: int) -> bool:
    """True for a person's name that names a sign, a disease or a device: "Kerley B lines", "Ghon focus"."""
    bare = words[i][0].lower().replace("\u2019", "'").removesuffix("'s")
    if any(part in EPONYMS for part in bare.split("-")):
        return True
    return any(_noun(word[0]) for word in words[i + 1 : i + 3])


def _noun(word: str) -> bool:
    """True for a word that makes the name before it an eponym: sign, disease, lines."""
    return word.lower().rstrip("s") in EPONYM_NOUNS


def _stranger(word: str) -> bool:
    """True for a short word in capitals that no list knows: after a title it is a name, elsewhere an abbreviation."""
    return _short_caps(word) and word.lower() not in KNOWN | EPONYMS | ANATOMY


def _medical(word: str) -> bool:
    """True for a word of the prompt's own vocabulary, or one that ends as medical words do."""
    bare = word.lower().strip(".'").replace("\u2019", "'").removesuffix("'s")
    parts = [part for part in re.split(r"[-']", bare) if part]
    if all(part in KNOWN or part in EPONYMS or part in ANATOMY for part in parts):
        return True
    return bool(MEDICAL_ENDING.search(bare)) or len(bare) < 2 or any(c.isdigit() for c in bare) or _short_caps(word)


def _short_caps(word: str) -> bool:
    return word.isupper() and len(word) <= 5


def _capitals(text: str) -> bool:
    """True for ALL CAPS and Title Case prompts, where a capital says nothing about a name."""
    words = [w for w in _WORDS.findall(text) if len(w) > 3]
    return len(words) >= 4 and sum(word[0].isupper() for word in words) >= 0.75 * len(words)
