"""The identifier guard: a prompt that looks like it names a person is refused, with the part that does.

It looks for the HIPAA Safe Harbor identifiers that can stand in free text (45 CFR 164.514(b)(2)): names, addresses,
dates other than a year, telephone, e-mail, record, insurance and social security numbers, web and network addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from synth.errors import PolicyError
from synth.prompts.lexicon import KNOWN
from synth.prompts.names import EPONYM_NOUNS, EPONYMS, GIVEN_NAMES, MEDICAL_ENDING

_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_DATE = (
    r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}\b|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2}\b"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ .-]*(?:of )?{_MONTH}\b[ .,-]*(?:(?:19|20)\d{{2}}|'\d\d)\b"
    rf"|{_MONTH}\b\.? ?\d{{1,2}}(?:st|nd|rd|th)?,? *(?:19|20)\d{{2}}\b"
)
_RECORD = (
    r"(?:mrn|m\.r\.n\.?|medical record|hospital|patient|chart|case|record|accession|acc|study|nhs|insurance|policy"
    r"|account|member|health|social security|passport|file|national|unit|ssn|pid|pat|visit|encounter|id|exam)"
)
_KEY = r"(?: ?(?:numbers?|num|nr|no|id|ids|card|#))?\.?"

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
        ("a date", rf"\b(?:on|from|dated|since) (?:the )?(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}|{_MONTH} \d{{1,2}})\b"),
        ("a record number",
         rf"\b{_RECORD}(?<!\bno){_KEY}\s*[:#=]+\s*(?=[\w/-]*\d)[\w][\w/-]*"
         rf"|\b{_RECORD} ?(?:number|num|nr|no|id|#)\.?\s*(?:is )?(?=[\w/-]*\d)\w[\w/-]*"
         r"|\b(?:mrn|ssn|pid)\b\W{0,3}(?=[\w/-]*\d)\w[\w/-]*|\bid ?#? ?(?=[\w-]*\d{3})[\w-]+|#\s?\d{4,}"),
        ("a telephone number",
         r"(?:\b(?:tel|telephone|phone|mobile|cell|fax|call)\b\W{0,3}(?:no|number|nr)?\W{0,3}|(?<!\w)\+)[\d(][\d ()./-]{4,}\d"
         r"|(?<!\w)\(\d{3}\) ?\d{3}[ .-]\d{4}\b|\b\d{3}[ .-]\d{3}[ .-]\d{4}\b|(?<![\d.-])\b[2-9]\d{2}-\d{4}\b"
         r"|\b0\d{2,4}[ /-]\d{3,}[ \d-]*\b"),
        ("an address",
         r"\b\d{1,5}[a-z]?,? (?:[a-z'.]+ ){1,3}(?:street|avenue|road|boulevard|strasse)\b|\baddress\s*[:=]\s*\S+"
         r"|\b(?:lives|living|resident|residing) (?:at|in) [\w' ]+|\b(?:zip|postcode|postal code)\b\W{0,3}\w+"),
        ("a record number", r"\b(?!\d+x\d+\b)(?=[a-z0-9/-]*\d{5})[a-z]{0,4}[-/]?\d[\d/-]*\d[a-z]?\b"),
    )
)
_CASED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("an address", re.compile(
        r"\b\d{1,5}[A-Za-z]?,? (?:[A-Z][\w'.]+ ){1,3}(?:St|Ave|Rd|Ln|Lane|Dr|Drive|Blvd|Court|Ct|Square|Way|Place)\b\.?"
        r"|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")),
    ("a name", re.compile(r"\b(?:Miss|Ms\.?|Sir|Madam|Herr|Frau|Señor|Señora) [A-Z][\w'-]+(?: [A-Z][\w'-]+)?")),
    ("a name", re.compile(r"(?<![\w.])[A-Z]\. ?[A-Z][a-z][\w'-]+")),
)  # fmt: skip
_TITLE = re.compile(r"\b(?:mr|mrs|mister|dr|doctor|prof|professor)\b\.?\s+(?P<word>[^\W\d_][\w'-]*)(?: (?P<next>[A-Z][\w'-]*))?", re.I)
_NAMED = re.compile(
    r"\b(?:(?:patient|pt|full|first|last|family|sur)(?:'s)?[ -]?names?|names?)\b\s*(?:is|:|=|-)\s*(?P<word>[^\W\d_][\w'-]+)"
    r"|\b(?<!so-)(?<!so )(?:named|called)\s+(?P<called>[^\W\d_][\w'-]+)", re.I
)  # fmt: skip
_PATIENT = re.compile(r"\b(?:[Pp]atient|PATIENT|[Pp]t\.?|PT\.?)\s*[:,]?\s+(?P<word>[A-Z][a-z'-]+[\w'-]*|[A-Z]{3,}\b)")
_AGE_AFTER = re.compile(r"^\W{0,3}\(?(?:aged? )?\d{1,3}\b(?! ?(?:mm|cm|ml|%))")
_WORDS = re.compile(r"[^\W\d_][\w'\u2019-]*")


def guard(text: str) -> None:
    """Pass a text that identifies nobody. Raises PolicyError naming the first part that looks as if it did."""
    for found in (_by_pattern(text), _by_name(text)):
        for kind, part in found:
            raise PolicyError(f"{part.strip()!r} looks like {kind}; leave out everything that identifies a person.")


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
            word = groups.get("word") or groups.get("called") or ""
            if not _medical(word) or (groups.get("next") and not _medical(groups["next"])):
                yield "a name", match[0]
    shouting = _capitals(text)
    for match in _PATIENT.finditer(text):
        if not shouting and not _medical(match["word"]):
            yield "a name", match[0]
    yield from _loose_names(text, shouting)


def _loose_names(text: str, shouting: bool) -> Iterator[tuple[str, str]]:
    words = list(_WORDS.finditer(text))
    for i, match in enumerate(words):
        word = match[0]
        following = words[i + 1] if i + 1 < len(words) else None
        adjacent = following is not None and text[match.end() : following.start()] in (" ", "  ", ", ")
        if _eponym(words, i):
            continue
        if word.lower() in GIVEN_NAMES:
            part = f"{word} {following[0]}" if adjacent and following and not _medical(following[0]) else word
            yield "a name", part
        if shouting or not word[0].isupper() or _medical(word):
            continue
        if adjacent and following and following[0][0].isupper() and not _medical(following[0]) and not _eponym(words, i + 1):
            yield "a name", text[match.start() : following.end()]
        if word[1:].islower() and _AGE_AFTER.match(text[match.end() :]) and not MEDICAL_ENDING.search(word.lower()):
            yield "a name", word


def _eponym(words: list[re.Match[str]], i: int) -> bool:
    """True for a person's name that names a sign, a disease or a device: "Kerley B lines", "Ghon focus"."""
    bare = words[i][0].lower().replace("\u2019", "'").removesuffix("'s")
    if any(part in EPONYMS for part in bare.split("-")):
        return True
    return any(word[0].lower().rstrip("s") in EPONYM_NOUNS for word in words[i + 1 : i + 3])


def _medical(word: str) -> bool:
    """True for a word of the prompt's own vocabulary, or one that ends as medical words do."""
    bare = word.lower().strip(".'").replace("\u2019", "'").removesuffix("'s")
    parts = [part for part in re.split(r"[-']", bare) if part]
    if all(part in KNOWN or part in EPONYMS for part in parts):
        return True
    return bool(MEDICAL_ENDING.search(bare)) or len(bare) < 2 or any(c.isdigit() for c in bare) or _short_caps(word)


def _short_caps(word: str) -> bool:
    """An abbreviation such as CTPA or NSCLC."""
    return word.isupper() and len(word) <= 5


def _capitals(text: str) -> bool:
    """True for ALL CAPS and Title Case prompts, where a capital says nothing about a name."""
    words = [w for w in _WORDS.findall(text) if len(w) > 3]
    capital: Callable[[str], bool] = lambda w: w[0].isupper()  # noqa: E731
    return len(words) >= 4 and sum(map(capital, words)) >= 0.75 * len(words)
