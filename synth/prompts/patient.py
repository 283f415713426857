"""Who is on the picture: sex and age out of plain words, and the text that is left."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from synth.errors import RequestError
from synth.types import Sex

AGE_MAX = 120  # years
MARK = " \u00a7 "  # stands where words were taken out


def _counted(words: str, start: int = 0) -> dict[str, int]:
    return {word: number for number, word in enumerate(words.split(), start)}


_ONES = _counted(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = {w: 10 * n for w, n in _counted("twenty thirty forty fifty sixty seventy eighty ninety", 2).items()}
_TENS["fourty"] = 40
_DECADES = {"teens": 10, "twenties": 20, "thirties": 30, "forties": 40, "fourties": 40, "fifties": 50, "sixties": 60,
            "seventies": 70, "eighties": 80, "nineties": 90}  # fmt: skip
_ORDINALS = _counted("first second third fourth fifth sixth seventh eighth ninth tenth", 1)

_MALE = r"man|men|male|males|gentleman|gentlemen|gent|boy|boys|schoolboy|father|grandfather|husband|son|brother|guy"
_FEMALE = (
    r"woman|women|female|females|lady|ladies|girl|girls|schoolgirl|mother|grandmother|wife|daughter|sister|pregnant"
)
_NUM = rf"(?:\d{{1,3}}|(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(list(_ONES)[1:10])}))?|{'|'.join(_ONES)})"
_UNIT = r"(?:mm|cm|ml|l|%|kg|m|hu|kvp?|px|mas|degrees?|percent|pack|days?|weeks?|months?|hours?)"
_YEARS = r"(?:[- ]?(?:years?|yrs?)(?:[- ]?(?:old|of[- ]age))?\b|[- ]?(?:yo|y[- ]?o|y)\b)\.?"
_PERSON = rf"(?:{_MALE}|{_FEMALE}|patient|pt|person|adult|child|m|f)"

# Times that are not an age; taken out first.
_CONTEXT = re.compile(
    rf"\b{_NUM}[- ]?pack[- ]?years?\b(?: (?:of smoking|smoker|smoking history))?"
    rf"|\b(?:for|since|over the|within|during|past|last|every|after)(?: the)?(?: (?:last|past))? {_NUM} ?-?"
    r"(?:hours?|days?|weeks?|months?|years?)\b(?! ?-?(?:old|of age))"
    rf"|\b{_NUM}[- ]?(?:hours?|days?|weeks?|months?|years?)[- ]"
    r"(?:ago|history|hx|duration|later|prior|follow[- ]?up|of (?:smoking|cough|fever))\b"
    rf"|\bday {_NUM}\b"
)
# Patterns in falling order of certainty; group "n" is a number of years, "n" and "m" a range.
_RANGE = re.compile(
    rf"\b(?:(?:aged?|ages|between)(?: from| between)? ?:? ?(?P<n>{_NUM})(?: to | and | or )(?P<m>{_NUM})(?:{_YEARS})?"
    rf"|(?:aged?|ages) ?:? ?(?P<n3>\d{{1,3}}) ?- ?(?P<m3>\d{{1,3}})(?:{_YEARS})?"
    rf"|(?P<n2>\d{{1,3}})(?: ?- ?| to )(?P<m2>\d{{1,3}})(?:{_YEARS}))"
)
_YOUNG = re.compile(
    rf"\b(?P<n>{_NUM})[- ]?(?P<unit>hours?|days?|d|weeks?|wks?|wk|w|months?|mos?|mths?|m)[- ]?"
    r"(?:old|o\b|of age|(?= ?(?:infant|baby|newborn|neonate|boy|girl|child|toddler)))"
    r"(?: ?(?P<sex>m|f)\b)?|\b(?P<n2>\d{1,2})(?P<unit2>mo)\b"
)
_EXACT = (
    re.compile(rf"\b(?P<n>{_NUM}){_YEARS}(?: ?[,/]? ?(?P<sex>[mf])\b(?!\w))?"),
    re.compile(rf"\b(?:aged?|age of|aged about)(?: is)? ?[:=]? ?(?:about |around |approximately )?(?P<n>{_NUM})\b"),
    re.compile(r"\b(?P<n>\d{1,3})[ /,-]{0,2}(?P<sex>[mf])\b(?!')"),
    re.compile(rf"\b(?P<sex>[mf])[ /,-]{{0,2}}(?P<n>\d{{1,3}})\b(?! ?{_UNIT}\b)"),
    re.compile(
        rf"\b{_PERSON}\b(?: ?[,(] ?|(?<!mother)(?<!father) of | )(?P<n>{_NUM})\b"
        rf"(?! ?-? ?{_UNIT}\b)(?![- ]?(?:nod|mass|les|rib|eff))"
    ),
    re.compile(rf"\b(?P<n>\d{{1,3}}) ?,? ?(?=(?:{_MALE}|{_FEMALE})\b)"),
    re.compile(r"(?:^|, ?)(?P<n>\d{1,3})(?=$| ?,)|(?<=[.;/] )(?P<n2>\d{2,3})(?=$| ?[.;/])"),
)
_DECADE = re.compile(
    r"\b(?:in )?(?:(?:his|her|their|the) )?(?:(?P<part>early|mid|middle|late)[- ])?"
    rf"(?:to late )?(?P<word>{'|'.join(_DECADES)}|[1-9]0(?:'?s|[- ]?(?:something|ish|odd)))\b"
)
_NTH = re.compile(rf"\b(?:in )?(?:(?:his|her|their|the) )(?P<nth>{'|'.join(_ORDINALS)}) decade\b(?: of life)?")
_GROUPS = tuple(
    (re.compile(rf"\b(?:{pattern})\b"), years)
    for pattern, years in (
        (r"(?:preterm |premature |term )?(?:newborns?|neonates?|neonatal)(?: baby| infant)?", 0),
        (r"infants?|bab(?:y|ies)|infantile", 0),
        (r"toddlers?", 2),
        (r"pre-?schoolers?|pre-?school child", 4),
        (r"young child(?:ren)?|little (?:boy|girl)|young (?:boy|girl)|small child", 4),
        (r"school-?(?:child|children|boy|girl)|school-?age[d]?(?: child)?", 9),
        (r"teen-?agers?|teenaged?|teens?|adolescents?", 15),
        (r"child(?:ren)?|kids?|pediatric|boys?|girls?", 8),
        (r"young adults?|young (?:man|woman|men|women|male|female|person|patient|lady)", 25),
        (r"middle[- ]?aged?", 50),
        (r"octogenarian", 85),
        (r"nonagenarian", 95),
        (r"septuagenarian", 75),
        (r"centenarian", 100),
        (r"elderly|geriatric|aged (?=man|woman|patient|lady)|senior(?: citizen)?|frail old|very old"
         r"|old(?:er)? (?=man|woman|lady|gentleman|patient|person|male|female|adult|men|women|people)"
         r"|pensioner|grandfather|grandmother", 75),
        (r"adults?|grown[- ]?ups?", 40),
    )
)  # fmt: skip
_MEN = re.compile(rf"\b(?:{_MALE})\b|\b(?:sex|gender) ?[:=]? ?m\b|§ ?,? ?\(?m\b(?=\W*(?:$|[,.;)§]))")
_WOMEN = re.compile(rf"\b(?:{_FEMALE})\b|\b(?:sex|gender) ?[:=]? ?f\b|§ ?,? ?\(?f\b(?=\W*(?:$|[,.;)§]))")
_HE, _SHE = re.compile(r"\b(?:he|his|him|himself)\b"), re.compile(r"\b(?:she|her|hers|herself)\b")
_LETTER = {"m": Sex.MALE, "f": Sex.FEMALE}


@dataclass(frozen=True, slots=True)
class Patient:
    """Sex and age in years (0-120) as far as they are said; `rest` is the text with their words taken out."""

    sex: Sex | None
    age: int | None
    rest: str
    notes: tuple[str, ...]


def read_patient(text: str) -> Patient:
    """Read sex and age from plain text (`spelling.plain`). Raises RequestError for an age above 120 years."""
    notes: list[str] = []
    pronouns = _pronoun(text)
    age, letter, text = _age(_CONTEXT.sub(" , ", text), notes)
    if age is not None and age > AGE_MAX:
        raise RequestError(f"Age is {age}; it must lie between 0 and {AGE_MAX} years.")
    male, female = _MEN.search(text), _WOMEN.search(text)
    sex: Sex | None = letter or pronouns
    if male and female:
        sex = letter or (Sex.MALE if male.start() < female.start() else Sex.FEMALE)
        notes.append(f"Both sexes are named; {'male' if sex is Sex.MALE else 'female'} is used.")
    elif male or female:
        sex = Sex.MALE if male else Sex.FEMALE
    text = _WOMEN.sub(MARK, _MEN.sub(MARK, _groups(text)[1]))
    return Patient(sex, age, text, tuple(notes))


def _pronoun(text: str) -> Sex | None:
    he, she = _HE.search(text), _SHE.search(text)
    if bool(he) == bool(she):
        return None
    return Sex.MALE if he else Sex.FEMALE


def _age(text: str, notes: list[str]) -> tuple[int | None, Sex | None, str]:
    """Years, a sex letter standing with them, and the text without both."""
    for pattern, value, told in _READERS:
        match = pattern.search(text)
        if match:
            years = value(match)
            if told:
                notes.append(f"Age {match[0].strip()!r} is read as {_years(years)}.")
            letter = _LETTER.get(match.groupdict().get("sex") or "")
            rest = pattern.sub(MARK, text) if pattern is not _EXACT[4] else _cut(text, match)
            return years, letter, rest
    group, _ = _groups(text)
    if group is not None:
        word = next(m[0].strip() for p, y in _GROUPS if y == group and (m := p.search(text)))
        notes.append(f"Age {word!r} is read as {_years(group)}.")
    return group, None, text


def _years(years: int) -> str:
    return f"{years} year{'' if years == 1 else 's'}"


def _cut(text: str, match: re.Match[str]) -> str:
    """Take the number out and keep the word for the person."""
    return text[: match.start("n")] + MARK + text[match.end("n") :]


def _groups(text: str) -> tuple[int | None, str]:
    """The age that the first matching word for an age group stands for, and the text without such words."""
    found = next((years for pattern, years in _GROUPS if pattern.search(text)), None)
    for pattern, _ in _GROUPS:
        text = pattern.sub(MARK, text)
    return found, text


def _number(words: str) -> int:
    if words.isdigit():
        return int(words)
    return sum(_TENS.get(word, _ONES.get(word, 0)) for word in re.split("[- ]", words))


def _exact(match: re.Match[str]) -> int:
    return _number(match["n"] or match.groupdict().get("n2") or "0")


def _middle(match: re.Match[str]) -> int:
    low, high = match["n"] or match["n2"] or match["n3"], match["m"] or match["m2"] or match["m3"]
    return (_number(low) + _number(high)) // 2


def _young(match: re.Match[str]) -> int:
    unit = match["unit"] or match["unit2"]
    number = _number(match["n"] or match["n2"])
    return number // (12 if unit[0] == "m" else 52 if unit[0] == "w" else 365 * (24 if unit[0] == "h" else 1))


def _decade(match: re.Match[str]) -> int:
    word = match["word"]
    start = _DECADES[word] if word in _DECADES else int(word[:2])
    return start + {"early": 2, "late": 8}.get(match["part"] or "", 5)


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int], bool], ...] = (
    (_RANGE, _middle, True),
    (_YOUNG, _young, True),
    *((pattern, _exact, False) for pattern in _EXACT),
    (_DECADE, _decade, True),
    (_NTH, lambda match: 10 * _ORDINALS[match["nth"]] - 5, True),
)
