"""The page on access says what the code does: the table of permissions and every rule with its default."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from synth.governance.roles import MAY, Role
from synth.governance.rules import Rules

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "access.md").read_text(encoding="utf-8")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_the_table_of_permissions_is_that_of_the_code() -> None:
    lines = TEXT[TEXT.index("| may |") :].split("\n\n")[0].splitlines()
    assert cells(lines[0]) == ["may", *Role]
    told = {
        row[0]: {role for role, mark in zip(Role, row[1:], strict=True) if mark == "yes"}
        for row in map(cells, lines[2:])
    }
    assert told == {str(permission): set(roles) for permission, roles in MAY.items()}


def test_every_rule_is_told_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|", TEXT, re.MULTILINE))
    assert told == {name: json.dumps(value) for name, value in asdict(Rules()).items()}
