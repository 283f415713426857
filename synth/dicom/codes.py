"""Coded entries (PS3.3 8.8) of public coding schemes, with the meaning that the dictionary gives them."""

from __future__ import annotations

import re
from functools import lru_cache

from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts  # the public `codes` cannot be asked by value
from pydicom.sr._snomed_dict import mapping

# What a code of the scheme looks like (PS3.16 section 8); UCUM units are any text: those of the dictionary only.
SCHEMES = {
    "DCM": re.compile(r"\d{6}"),
    "SCT": re.compile(r"\d{6,18}"),
    "SRT": re.compile(r"[A-Z]-[A-F0-9]{4,5}[A-Z]?"),
    "SNM3": re.compile(r"[A-Z]-[A-F0-9]{4,5}"),
    "99SDM": re.compile(r"[A-Z]-[A-F0-9]{4,5}"),
    "LN": re.compile(r"\d{1,5}-\d"),
    "RADLEX": re.compile(r"RID\d{1,6}"),
    "FMA": re.compile(r"\d{3,6}"),
    "UMLS": re.compile(r"C\d{7}"),
    "UCUM": re.compile(r"(?!)"),
}


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """The basic coded entry of the three words."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def meaning(value: str, scheme: str) -> str | None:
    """The meaning of the dictionary, the code itself where only its form is right, None for what is no such code."""
    pattern = SCHEMES.get(scheme)
    if pattern is None:
        return None
    known = _meanings(scheme).get(value)
    if known is None and scheme in ("SRT", "SNM3", "99SDM"):
        known = _meanings("SCT").get(mapping["SRT"].get(value, ""))
    return known or (value if pattern.fullmatch(value) else None)


@lru_cache(maxsize=16)
def _meanings(scheme: str) -> dict[str, str]:
    known: dict[str, dict[str, tuple[str, list[int]]]] = concepts.get(scheme, {})  # type: ignore[assignment]
    return {value: entry[0] for entries in known.values() for value, entry in entries.items()}
