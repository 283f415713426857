"""One walk over a dataset and its sequences: each element stays, changes or goes by `deidentify_table`."""

from __future__ import annotations

import re
from collections import Counter
from copy import copy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import get_entry
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from synth.dicom import codes, pseudonyms
from synth.dicom import deidentify_table as table
from synth.dicom.deidentify_table import Action
from synth.dicom.taken import Retain, Rules

OLDEST = 89  # years; above it 90 stands for all (45 CFR 164.514(b)(2)(i)(C))
DEEPEST = 16  # sequences within sequences; objects of the standard stay below ten
_CS = re.compile(r"[A-Z0-9 _]{0,16}")  # PS3.5 table 6.2-1
_AGE = re.compile(r"\d{3}[DWMY]")
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_TIME = re.compile(r"\d\d(\d\d(\d\d(\.\d{1,6})?)?)?")
_DATETIME = re.compile(r"(\d{8})((?:\d\d){1,3}(?:\.\d{1,6})?)?([+-]\d{4})?")
_ZONE = re.compile(r"[+-]\d{4}")
_NUMBERS = {"AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV", "US or SS"}
_BYTES = {"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW", "US or OW"}
_NAMES = ("PatientName", "PatientID", "OtherPatientIDs", "PatientBirthName", "AccessionNumber", "PatientBirthDate")
_DUMMIES = {"DA": "19000101", "TM": "000000", "DT": "19000101000000", "AS": "000Y"}


@dataclass(frozen=True, slots=True)
class Walk:
    """One pass over a dataset: what may stay, how far dates move, and what was removed so far."""

    rules: Rules
    kept: frozenset[int]
    days: int
    names: frozenset[str] = frozenset()  # words of the patient's name and numbers, in capitals: never in a code string
    removed: Counter[str] = field(default_factory=Counter)

    def dataset(self, ds: Dataset, depth: int) -> Dataset:
        """A cleaned copy of a dataset or of an item of a sequence, `depth` sequences below the file."""
        clean = Dataset()
        for tag in sorted(ds.keys()):
            if Tag(tag).is_private:
                self._private(ds, Tag(tag), clean)
                continue
            element = self._element(ds, Tag(tag), depth)
            if element is not None:
                clean[tag] = element
        return clean

    def _element(self, ds: Dataset, tag: BaseTag, depth: int) -> DataElement | None:
        """The element as it stays; None where it goes."""
        action = table.TABLE.get(tag)
        if tag.element == 0 or tag in table.REMOVED or tag.group & 0xFF00 in table.REMOVED_GROUPS:
            return self._gone("elements that no picture needs")
        if action is Action.REMOVE and tag not in self.kept and tag not in table.TEMPORAL:
            return self._gone("elements of the table")
        try:
            vrs, _, _, retired, _ = get_entry(tag)
            element = ds[tag]
        except Exception as error:  # not in the dictionary, or a value that its type does not allow
            return self._gone("unknown elements" if isinstance(error, KeyError) else "elements with invalid values")
        if retired or element.VR not in (vrs, *vrs.split(" or ")):
            return self._gone("unknown elements")
        if element.VR == "SQ":
            return self._sequence(element, action, depth)
        if element.is_empty:
            return DataElement(tag, element.VR, None)
        if element.VR == "UI":
            return self._uid(element)
        if tag in self.kept or tag in table.TEMPORAL:
            return self._retained(element)
        if action is not None:
            return self._by_table(element, action)
        return self._beyond(element)

    def _gone(self, what: str) -> DataElement | None:
        self.removed[what] += 1
        return None

    def _sequence(self, element: DataElement, action: Action | None, depth: int) -> DataElement | None:
        if element.tag in self.kept:
            kept = [_three_words(item) for item in element.value]
            return DataElement(element.tag, "SQ", Sequence(kept))
        if action is Action.EMPTY or not element.value:
            return DataElement(element.tag, "SQ", Sequence())
        if action is Action.DUMMY or depth >= DEEPEST:
            return self._gone("elements of the table")
        items = [item for item in (self._item(item, depth + 1) for item in element.value) if item is not None]
        if not items:
            return self._gone("codes of private schemes")
        return DataElement(element.tag, "SQ", Sequence(items))

    def _item(self, item: Dataset, depth: int) -> Dataset | None:
        """A cleaned item; None for a code of no public scheme, whose text could say anything."""
        clean = self.dataset(item, depth)
        for keyword in ("PatientID", "PatientName"):
            if keyword in clean:
                clean[keyword].value = ""
        if not {"CodeValue", "LongCodeValue", "URNCodeValue", "CodeMeaning"} & set(item.dir()):
            return clean
        value, scheme = str(item.get("CodeValue") or "").strip(), str(item.get("CodingSchemeDesignator") or "").strip()
        meaning = codes.meaning(value, scheme)
        if meaning is None:
            return None
        clean.update(codes.code(value, scheme, meaning[:64]))
        return clean

    def _uid(self, element: DataElement) -> DataElement:
        given = element.value if isinstance(element.value, MultiValue) else [element.value]
        return DataElement(element.tag, "UI", [self._new_uid(str(one), element.keyword) for one in given])

    def _new_uid(self, old: str, keyword: str) -> str:
        known = old in UID_dictionary or (keyword.endswith("SOPClassUID") and pseudonyms.well_formed(old))
        kept = Retain.UIDS in self.rules.retain and pseudonyms.well_formed(old)
        return old if known or kept or not old else pseudonyms.new_uid(self.rules.key, old)

    def _retained(self, element: DataElement) -> DataElement:
        """What an option keeps: dates moved or as they are, sex and age by their closed words, text as it is."""
        value = element.value
        if element.VR in ("DA", "DT", "TM"):
            days = 0 if Retain.FULL_DATES in self.rules.retain else self.days
            value = [moved(str(one), element.VR, days) for one in _several(value)]
        elif element.keyword == "PatientSex":
            value = str(value) if str(value) in ("M", "F", "O") else ""
        elif element.keyword == "PatientAge":
            value = age_text(str(value))
        elif element.keyword == "TimezoneOffsetFromUTC":
            value = str(value) if _ZONE.fullmatch(str(value)) else ""
        return DataElement(element.tag, element.VR, value)

    def _by_table(self, element: DataElement, action: Action) -> DataElement | None:
        vr = element.VR
        if action is Action.DUMMY and vr in _BYTES:
            return self._gone("elements of the table")
        self.removed["elements of the table"] += 1
        if action is Action.EMPTY or vr == "PN" or vr in _NUMBERS:
            return DataElement(element.tag, vr, None)
        return DataElement(element.tag, vr, _DUMMIES.get(vr, table.DUMMY_TEXT))

    def _beyond(self, element: DataElement) -> DataElement | None:
        """Attributes that the table does not name: numbers and code strings stay, text by the short list only."""
        tag, vr = int(element.tag), element.VR
        if vr in _NUMBERS or (vr in _BYTES and tag in table.BINARY):
            return copy(element)
        if vr == "CS":
            words = [str(one).strip() for one in _several(element.value)]
            return DataElement(tag, vr, [word if self._harmless(word) else "" for word in words])
        if vr == "PN":
            self.removed["person names"] += 1
            return DataElement(tag, vr, None)
        pattern = table.TEXT.get(tag)
        if pattern is not None and all(pattern.fullmatch(str(one).strip()) for one in _several(element.value)):
            return copy(element)
        self.removed["texts"] += 1
        if tag in table.EMPTIED or tag in table.INSTEAD:
            return DataElement(tag, vr, table.INSTEAD.get(tag))
        return None

    def _harmless(self, word: str) -> bool:
        """True for a code string of allowed letters in which no name or number of the patient stands."""
        return _CS.fullmatch(word) is not None and not self.names & {word, *re.split(r"[ _]", word)}

    def _private(self, ds: Dataset, tag: BaseTag, clean: Dataset) -> None:
        """Numbers of known safe private elements, where the option keeps them; all others go."""
        if Retain.SAFE_PRIVATE in self.rules.retain and tag.element >= 0x1000:
            creator = _text(ds, Tag(tag.group, tag.element >> 8))
            vr = table.SAFE_PRIVATE.get((tag.group, creator, tag.element & 0xFF))
            if vr is not None and vr == ds[tag].VR:
                clean.private_block(tag.group, creator, create=True).add_new(tag.element & 0xFF, vr, ds[tag].value)
                return
        self.removed["private elements"] += 1


def age_text(text: str) -> str:
    """A DICOM age (PS3.5 6.2 AS), 090Y for all above 89 years; empty where it is none."""
    if not _AGE.fullmatch(text):
        return ""
    return f"{OLDEST + 1:03d}Y" if text[3] == "Y" and int(text[:3]) > OLDEST else text


def day(text: str) -> date | None:
    """The day of a DICOM date, None for a wrong or partial one."""
    found = _DATE.fullmatch(text.strip())
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def moved(text: str, vr: str, days: int) -> str:
    """A date or date and time `days` earlier, a time as it is; empty for what is none of its VR (DA, DT or TM)."""
    text = text.strip()
    if vr == "TM":
        return text if _TIME.fullmatch(text) else ""
    found = _DATETIME.fullmatch(text) if vr == "DT" else _DATE.fullmatch(text)
    seen = day(text[:8]) if found else None
    if seen is None or seen.toordinal() <= days:
        return ""
    return (seen - timedelta(days)).strftime("%Y%m%d").rjust(8, "0") + text[8:]


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, MultiValue) else [value]


def _text(ds: Dataset, tag: BaseTag) -> str:
    return str(ds[tag].value or "").strip() if tag in ds else ""


def _three_words(item: Dataset) -> Dataset:
    return codes.code(*(str(item.get(word) or "") for word in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")))


def names(ds: Dataset) -> frozenset[str]:
    """Words of at least four letters or digits of the patient's names and numbers, in capitals."""
    said = [str(ds.get(keyword) or "") for keyword in _NAMES]
    words = {word for text in said for word in re.split(r"[\W_]+", text.upper())} | {
        text.upper().strip() for text in said
    }
    return frozenset(word for word in words if len(word) >= 4)
