"""The shipped starter set: requests, seeds and outlines without pixels, drawn on the first start of the app."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from synth.errors import RequestError
from synth.reading.cases import CaseSet, Entry, Recipe
from synth.reading.items import opaque_id

STARTER_ID, STARTER_CODE, STARTER_OWNER = "starter", "STARTER", "synthread"
TITLE = "Starter set"
FILE = Path(__file__).resolve().parents[2] / "assets" / "starter.json"


def starter(model_id: str = "", file: Path = FILE) -> CaseSet:
    """The set as it ships, its entries waiting to be drawn; by `model_id` where another model than the file's draws.

    Raises RequestError where the file cannot be read or two of its cases are one.
    """
    try:
        shipped: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        entries = tuple(_entry(row, shipped["drawn_with"], model_id) for row in shipped["cases"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(f"The starter set {file.name} cannot be read: {error}.") from error
    if len({entry.id for entry in entries}) < len(entries):
        raise RequestError(f"The starter set {file.name} names a case twice; name each once.")
    return CaseSet(STARTER_ID, STARTER_CODE, TITLE, STARTER_OWNER, entries, open=True)


def _entry(row: dict[str, Any], drawn_with: dict[str, Any], model_id: str) -> Entry:
    recipe = Recipe.from_json(json.dumps(row["recipe"] | {"request": drawn_with | row["recipe"]["request"]}))
    entry_id = opaque_id(STARTER_ID, recipe.to_json())
    if model_id:
        recipe = replace(recipe, request=replace(recipe.request, model_id=model_id))
    return Entry(entry_id, recipe, history=str(row["history"]), teaching=str(row["teaching"]))
