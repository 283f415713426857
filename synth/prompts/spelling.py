"""From text as typed to plain words: one case, one dash, British spelling and abbreviations levelled, typos mended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection

_WORD_JOINERS = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'", "&": " and ", "\u00df": "ss"})
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")

_LEVEL: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"\b(n't|nt)\b", " not"),
    (r"\bcan'?t\b|\bcannot\b", "can not"),
    (r"\b(is|are|was|were|does|do|has|have|could)n'?t\b", r"\1 not"),
    (r"oedema", "edema"),
    (r"haem", "hem"),
    (r"tumour", "tumor"),
    (r"paedi", "pedi"),
    (r"aluminium", "aluminum"),
    (r"\b(ground)glass\b", r"\1 glass"),
    (r"\bnon-? ?covid(?:-? ?19)?\b", "noncovid"),
    (r"\bb/l\b|\bbilat\b\.?", "bilateral"),
    (r"\bpulm\b", "pulmonary"),
    (r"\b(?:pl )?effs?\b", "effusion"),
    (r"\bfx\b", "fracture"),
    (r"\bnm?l\b", "normal"),
    (r"\bposs\b", "possible"),
    (r"\bsusp\b", "suspected"),
    (r"\bw/o\b", "without"),
    (r"\bc/w\b", "consistent with"),
    (r"\bs/p\b", "status post"),
    (r"\b(h/o|hx of|hx)\b", "history of"),
    (r"\br/o\b", "rule out"),
    (r"\be/o\b", "evidence of"),
    (r"\bf/u\b", "follow up"),
    (r"\by/o\b", "yo"),
    (r"\bc/o\b", "complains of"),
    (r"\bw/", "with "),
    (r"\+ve\b", "positive"),
    (r"-ve\b", "negative"),
    (r"\((?=-\))-\)", " no "),
    (r"\(([rl])\)", r" \1 "),
    (r"\((right|left|bilateral)\)", r" \1 "),
    (r"\b((?:[a-z]\.){2,})(?![a-z])", lambda m: m[1].replace(".", "") + " "),
    (r"\b([a-z]|rt|lt|vs|pt|approx|dx|incl|mod|sev)\.(?=\s|$)", r"\1"),
    (r"\b(yes|positive|present)\s*:", r"\1 "),
    (r":\s*(?:no|none|nil|negative|absent|neg)\b(?=\s*(?:[,;.)\n]|$))", " absent"),
    (r":\s*(?:yes|positive|present|pos|\+)(?=\s*(?:[,;.)\n]|$))", " present"),
    (r"(?<=[a-z\d])\s+(?:no|negative)(?=\s*(?:[,;.)]|$))", " absent"),
    (r"\s-+\s|\s-(?=[a-z])|^-(?=\s*[a-z])", " , "),
    (r"[\u2022\u00b7*|]|\.{3}|\u2026", " , "),
)


def plain(text: str) -> str:
    """`text` in lower case, NFKC, without accents, with abbreviations written out. Pure; never fails."""
    text = unicodedata.normalize("NFKC", text).translate(_WORD_JOINERS)
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cf") and c != "\n" else c for c in text)
    text = _DASHES.sub("-", text).lower()
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return re.sub(r"[ \t]+", " ", text).strip()


_RULES = tuple((re.compile(pattern), replacement) for pattern, replacement in _LEVEL)


def mend(text: str, known: Collection[str], wanted: Collection[str]) -> tuple[str, list[tuple[str, str]]]:
    """Replace words that nobody knows by the one wanted word that they nearly are.

    Returns the text and the pairs (typed, read). One edit is allowed from 6 letters, two from 9; a swap of neighbours
    is one edit (optimal string alignment distance); short words must keep their first letter.
    """
    mended: list[tuple[str, str]] = []

    def fix(match: re.Match[str]) -> str:
        word = match[0]
        if word in known:
            return word
        best = _nearest(word, wanted)
        if best is None:
            return word
        mended.append((word, best))
        return best

    return re.sub(r"(?<![\w'])[a-z]{6,}(?![\w'])", fix, text), mended


def _nearest(word: str, wanted: Collection[str]) -> str | None:
    """The closest wanted word; None when none is near or two are equally near."""
    scored = sorted((d, w) for w in wanted if (d := _distance(word, w)) <= _allowed(word, w))
    if not scored or (len(scored) > 1 and scored[0][0] == scored[1][0]):
        return None
    return scored[0][1]


def _allowed(word: str, target: str) -> int:
    shorter = min(len(word), len(target))
    if abs(len(word) - len(target)) > 2 or shorter < 6 or (shorter < 8 and word[0] != target[0]):
        return 0
    return 2 if shorter >= 9 else 1


def _distance(a: str, b: str) -> int:
    """Edits (insert, delete, replace, swap of neighbours) from a to b; 3 stands for "3 or more"."""
    if abs(len(a) - len(b)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        following = [i]
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        if min(following) > 2:
            return 3
        before, row = row, following
    return min(row[-1], 3)
