"""What an image is asked for: one of a certain person, or one that is to pass as real, is refused.

Only unmistakable wordings: an eponym, a patient without a name and a teaching case pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSE = (
    r"(?:(?:ex|step|grand|late|former|dear|old|young|little|big)[ -]?)*(?:wife|husband|spouse|partner|father|mother|dad"
    r"|mum|mom|parents?|brother|sister|son|daughter|cousin|uncle|aunt|nephew|niece|neighbou?r|(?:girl|boy)?friend"
    r"|colleague|co-?worker|boss|employer|landlord|roommate|fianc[eé]e?|ex)\b"
)
_OFFICE = (
    r"(?:insurance|insurer|employer|boss|court|lawyer|attorney|solicitor|judge|jury|police|landlord|lawsuit"
    r"|(?:disability|injury|damage|insurance|benefit)s? claim|compensation|sick leave|asylum|embassy|authorities)\b"
)
_PAPER = r"(?:reports?|records?|certificates?|certification|evidence|proofs?|documents?|letters?|diagnos[ie]s)\b"
_FILM = r"(?:x-?rays?|films?|radiographs?|cts?|mris?|scans?|images?|pictures?)\b"
_WHO = r"(?:the |an? |my |his |her |our |their |your |some )?"
_PUBLIC = (
    r"donald trump|joe biden|barack obama|hillary clinton|kamala harris|george bush|bill clinton|angela merkel"
    r"|olaf scholz|friedrich merz|emmanuel macron|boris johnson|keir starmer|rishi sunak|theresa may\b|tony blair"
    r"|vladimir putin|volodymyr zelensky|xi jinping|narendra modi|kim jong[ -]un|benjamin netanyahu|recep erdogan"
    r"|elon musk|jeff bezos|bill gates|mark zuckerberg|steve jobs|taylor swift|michael jackson|britney spears"
    r"|beyonc[eé]|rihanna|kim kardashian|justin bieber|lady gaga|elvis presley|tom cruise|brad pitt|angelina jolie"
    r"|lionel messi|cristiano ronaldo|diego maradona|michael schumacher|tiger woods|muhammad ali"
    r"|pope (?:francis|leo|benedict)|king charles|queen elizabeth|prince (?:william|harry)|princess (?:diana|kate)"
    r"|greta thunberg|adolf hitler"
)

PERSON, REAL = "an image of a certain person", "an image that is to pass as real"

_PURPOSES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (PERSON, rf"\b(?:{_PUBLIC})"),
        (PERSON, rf"\b(?:my|our)\s+{_CLOSE}"),
        (PERSON, rf"\b(?:of|for|from|belongs? to|belonging to)\s+(?:his|her|their|your)\s+{_CLOSE}"),
        (PERSON, r"\b(?:of|for)\s+(?:the|our)\s+(?:\w+ )?(?:president|prime minister|chancellor|pope|king|queen)\b"),
        (PERSON, r"\b(?:of|for)\s+an?\s+(?:famous|well-known)\s+\w+|\b(?:of|for)\s+an?\s+(?:celebrity|politician)\b"),
        (PERSON, rf"\b{_FILM} (?:of|for) me\b|\bof myself\b|\bin (?:the|my|his|her) name of\b"),
        (REAL, rf"\b(?:fake|faked|bogus|made-up)\s+(?:\w+ ){{0,3}}{_PAPER}"),
        (REAL, rf"\b(?:fake|faked|bogus)\s+(?:\w+[ -]){{0,3}}{_FILM} for\b (?!teaching|training|practice|a quiz)"),
        (REAL, r"\b(?:forg(?:e|ed|ing|ery)|falsif\w+|counterfeit\w*|deep-?fakes?)\b"),
        (REAL, rf"\b(?:for|to|before|show|convince|fool|deceive|trick)\s+{_WHO}(?:\w+ )?{_OFFICE}"),
        (REAL, r"\b(?:sick|doctor'?s?) notes?\b|\bcertificates?\b"),
        (REAL, rf"\bas {_WHO}(?:proof|evidence) for\b"),
        (REAL, rf"\b(?:proof|evidence) (?:for|in) {_WHO}(?:\w+ )?(?:claim|trial)\b"),
        (REAL, rf"\bproves? (?:that )?(?:my|his|her|i)\b|\bpretend\b.{{0,40}}\b{_FILM}"),
    )
)  # fmt: skip


def purposes(text: str) -> Iterator[tuple[str, str]]:
    """What the text asks for that is refused, and the words that do."""
    for kind, pattern in _PURPOSES:
        for match in pattern.finditer(text):
            yield kind, match[0]
