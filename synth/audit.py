"""`python -m synth.audit verify`: is the audit trail as it was written? It reads alone and changes nothing.

Ends with 0 where it is, with 1 where it is not or where it could not be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from synth import heads, home
from synth.config import Settings
from synth.errors import StoreError, SynthError
from synth.governance.audit import Verdict
from synth.store.database import DatabaseAsItIs
from synth.store.trail import Trail


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    plan = _parser().parse_args(arguments)
    try:
        settings = Settings.from_env()
        file = plan.heads or heads.place(settings.home, home.rules(settings.home).heads)
        if plan.heads and not plan.heads.is_file():
            raise StoreError(f"There is no file {plan.heads} of heads.")
        found, unreadable = heads.read(file)
        database = DatabaseAsItIs(plan.database or settings.database_url)
        try:
            verdict = heads.verified(Trail(database), found, heads.read_keys(plan.key or settings.home / heads.PUBLIC))
        finally:
            database.close()
    except SynthError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(sentences(verdict, unreadable)))
    return 0 if verdict.valid else 1


def sentences(verdict: Verdict, unreadable: int = 0) -> list[str]:
    """A verdict in words, for the screen and the command; the first says whether the trail is whole."""
    last = verdict.last
    told = [f"Valid: all {verdict.rows:,} rows are as they were written." if verdict.valid else verdict.problem]
    if not verdict.valid:
        told.append(f"{verdict.rows:,} rows were read until that was found.")
    if last is None:
        tip = "the chain and the database's own tip alone protect them"
        told.append(f"{verdict.heads:,} signed heads; none of them covers these rows: {tip}.")
    else:
        told.append(f"{verdict.heads:,} signed heads; the last that fits is of row {last.seq:,}, signed at {last.at}.")
        if verdict.rows > last.seq:
            told.append(f"Rows after {last.seq:,} are protected by the chain and the database's own tip alone.")
    if unreadable:
        told.append(f"{unreadable:,} lines of the heads cannot be read, as a power cut may leave them.")
    return told


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m synth.audit", description=__doc__)
    commands = parser.add_subparsers(required=True)
    verify = commands.add_parser("verify", help="walk all rows and say which is the first broken one")
    verify.add_argument("--database", metavar="URL", help="instead of DATABASE_URL or the one in the home")
    verify.add_argument("--heads", metavar="FILE", type=Path, help="signed heads, instead of those that the rules name")
    verify.add_argument("--key", metavar="PEM", type=Path, help="public key, instead of audit.pub in the home")
    return parser


if __name__ == "__main__":
    sys.exit(main())
