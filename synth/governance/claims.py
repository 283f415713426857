"""What an OIDC token says about its bearer, in the terms of this house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from synth.errors import PolicyError, RequestError
from synth.governance.accounts import Account, account_name
from synth.governance.roles import Role, User
from synth.governance.rules import Rules


def expired(claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether the token's time is over; one that names no time has none (OpenID Connect Core, section 2: exp)."""
    until = claims.get("exp")
    return isinstance(until, bool) or not isinstance(until, int | float) or now.timestamp() >= until


def name_of(claims: Mapping[str, Any], rules: Rules) -> str:
    """What the bearer is called. Raises PolicyError where the claim is missing or an address is not verified."""
    text = claims.get(rules.name_claim)
    if rules.name_claim == "email" and claims.get("email_verified") is False:
        raise PolicyError("The sign-in service has not verified your e-mail address; nobody is let in without.")
    try:
        return account_name(text if isinstance(text, str) else "")
    except RequestError as error:
        raise PolicyError(f"The claim {rules.name_claim} of your sign-in is {text!r}, which is no name.") from error


def user_of(claims: Mapping[str, Any], account: Account | None, rules: Rules) -> User:
    """The bearer with the roles of the account of that name, else those that the claim gives, else a trainee's.

    Raises PolicyError on a name that cannot be used or whose account is disabled, RequestError on a wrong rule.
    """
    name = name_of(claims, rules)
    if account is not None:
        if account.disabled:
            raise PolicyError(f"The account {name} is disabled; ask an administrator.")
        return account.user()
    told = claims.get(rules.role_claim)
    texts = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    return User(name, frozenset(role for text, role in mapping(rules) if text in texts) or frozenset({Role.TRAINEE}))


def mapping(rules: Rules) -> list[tuple[str, Role]]:
    """What the claim may say, and the role it gives. Raises RequestError on an entry that cannot be read."""
    pairs = []
    for entry in rules.role_names:
        text, _, role = (part.strip() for part in entry.rpartition("="))
        if not text or role not in list(Role):
            raise RequestError(f"governance.toml: role_names has {entry!r}; it must be like 'teachers = educator'.")
        pairs.append((text, Role(role)))
    return pairs
