"""The rules of this house as its home folder has them."""

from __future__ import annotations

from pathlib import Path

from synth.errors import RequestError
from synth.governance.rules import Rules

FILE = "governance.toml"


def rules(home: Path) -> Rules:
    """What `governance.toml` sets, the defaults where there is none. Raises RequestError where it cannot be read."""
    try:
        return Rules.from_text((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Rules()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{home / FILE} cannot be read: {error}.") from error
