"""`python -m synth.people`: the first administrator, and what to do when nobody can sign in any more.

A password is read from the terminal, from SYNTH_PASSWORD_FILE or from SYNTH_PASSWORD, never from the command line.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from synth.config import Settings
from synth.errors import RequestError, SynthError
from synth.governance.accounts import Account
from synth.governance.roles import Role, User
from synth.people.register import Register, opened
from synth.store import Store

OPERATOR = User("system")  # whoever may run commands on the server


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    plan = _parser().parse_args(arguments)
    try:
        settings = Settings.from_env()
        store = Store(settings.database_url, settings.blob_url)
        try:
            print(_done(opened(settings, store), plan))
        finally:
            store.close()
    except SynthError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m synth.people", description="Accounts of this installation.")
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make an account; the password is asked for")
    add.add_argument("name")
    add.add_argument("--role", action="append", required=True, choices=[role.value for role in Role])
    add.add_argument("--group", action="append", default=[])
    for command, what in (
        ("reset", "give a one-time password, which is printed"),
        ("unlock", "let somebody try again who was locked out"),
        ("disable", "shut an account"),
        ("enable", "open it again"),
    ):
        commands.add_parser(command, help=what).add_argument("name")
    commands.add_parser("list", help="print the accounts")
    return parser


def _done(register: Register, plan: argparse.Namespace) -> str:
    match plan.command:
        case "list":
            return "\n".join(f"{one.name}: {', '.join(sorted(one.roles))}" for one in register.accounts())
        case "add":
            made = Account(plan.name, roles=frozenset(map(Role, plan.role)), groups=frozenset(plan.group))
            register.add_with(made, _password(), OPERATOR)
            return f"{plan.name} can sign in."
        case "reset":
            return f"One-time password of {plan.name}: {register.reset(plan.name, OPERATOR)}"
        case "unlock":
            register.unlock(plan.name, OPERATOR)
        case _:
            register.set_disabled(plan.name, plan.command == "disable", OPERATOR)
    return f"{plan.name}: {plan.command} done."


def _password() -> str:
    if file := os.environ.get("SYNTH_PASSWORD_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise RequestError(f"SYNTH_PASSWORD_FILE {file} cannot be read: {error}.") from error
    if given := os.environ.get("SYNTH_PASSWORD"):
        return given
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise RequestError("The two passwords differ.")
    return first


if __name__ == "__main__":
    sys.exit(main())
