"""Accounts: names, passwords, second factors, lock-out and how long one stays. Time and chance are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from argon2 import PasswordHasher

from synth.errors import PolicyError, RequestError, StoreError
from synth.governance import accounts, claims, passwords, second
from synth.governance.accounts import Account, Lock, Stay
from synth.governance.quotas import require_room
from synth.governance.roles import Role, User
from synth.governance.rules import Rules

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RULES = Rules()
SALT = bytes(range(16))


# Names


@pytest.mark.parametrize(
    ("typed", "kept"), [("Ada", "ada"), (" ada@example.org ", "ada@example.org"), ("\uff21da", "ada"), ("Jörg", "jörg")]
)
def test_a_name_is_kept_in_small_letters_however_it_was_typed(typed: str, kept: str) -> None:
    assert accounts.account_name(typed) == kept


@pytest.mark.parametrize("typed", ["", " ", "a b", "../x", "a\n", "a/b", "<b>", "a" * 65, "a\x00", "-a", "ada\u202e"])
def test_what_cannot_be_a_name_is_refused(typed: str) -> None:
    with pytest.raises(RequestError, match="cannot be a name"):
        accounts.account_name(typed + "\x01" if typed == "a\n" else typed)


@pytest.mark.parametrize("typed", ["local", "starter", "Starter", "system", "unknown"])
def test_nobody_is_called_as_the_house_itself(typed: str) -> None:
    with pytest.raises(RequestError, match="is the name of the house itself"):
        accounts.account_name(typed)


def test_groups_are_cleaned_and_bounded() -> None:
    assert accounts.groups_of([" year  one ", "", "year one", "x"]) == {"year one", "x"}
    with pytest.raises(RequestError, match=r"^33 groups were given; an account has at most 32\.$"):
        accounts.groups_of(map(str, range(33)))
    with pytest.raises(RequestError, match="must be at most 64 printable characters"):
        accounts.groups_of(["x" * 65])
    with pytest.raises(RequestError, match="must be at most 64 printable characters"):
        accounts.groups_of(["x\x07"])


# Passwords


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "The password has 5 characters; at least 12 are needed."),
        ("x" * 257, "The password has 257 characters; at most 256 are read."),
        ("I am ADALINE today", "The password holds the name of the account; choose one that does not."),
        ("Password1234", "The password is one of the commonest; choose one that nobody else has."),
        ("qwerty-1234-56", "The password is one of the commonest; choose one that nobody else has."),
        ("abababababab", "The password has fewer than 5 different characters; choose another."),
    ],
)
def test_a_bad_password_is_refused_in_one_sentence(password: str, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        passwords.check(password, "adaline", 12)
    assert str(refused.value) == sentence


def test_the_house_says_how_long_a_password_must_be() -> None:
    passwords.check("harmless", "ada", 8)
    with pytest.raises(RequestError, match="at least 9 are needed"):
        passwords.check("harmless", "ada", 9)


def test_a_hash_is_argon2id_and_fits_its_password_only() -> None:
    kept = passwords.hashed("a long harmless phrase", SALT)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.fits(kept, "a long harmless phrase")
    assert not passwords.fits(kept, "a long harmless phrasE")
    assert not passwords.fits(kept, "x" * 257)
    assert not passwords.fits("not a hash", "a long harmless phrase")


def test_one_password_is_the_same_from_every_keyboard() -> None:
    kept = passwords.hashed("Cafe\u0301 au lait \ufb01n", SALT)
    assert passwords.fits(kept, "Caf\u00e9 au lait fin")


def test_nobody_signs_in_with_the_password_of_nobody() -> None:
    assert not passwords.fits("", "nobody has this password")


def test_a_hash_of_weaker_parameters_is_outdated() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a long harmless phrase", salt=SALT)
    assert passwords.outdated(weak)
    assert not passwords.outdated(passwords.hashed("a long harmless phrase", SALT))


def test_a_one_time_password_passes_the_rules_and_follows_its_bytes() -> None:
    once = accounts.one_time(bytes(range(20)))
    assert once == "abcde-fghjk-mnpqr-stuvw"
    passwords.check(once, "ada", 12)


# Second factors

KEY = second.secret(bytes(range(20)))


def test_a_code_of_this_period_and_its_neighbours_counts_once() -> None:
    here = int(NOW.timestamp()) // 30
    for shift in (-1, 0, 1):
        code = pyotp.TOTP(KEY).at(NOW + timedelta(seconds=30 * shift))
        assert second.period_of(KEY, code, NOW, 0) == here + shift
        assert second.period_of(KEY, code, NOW, here + shift) is None
    for shift in (-2, 2):
        assert second.period_of(KEY, pyotp.TOTP(KEY).at(NOW + timedelta(seconds=30 * shift)), NOW, 0) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "-12345"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert second.period_of(KEY, code, NOW, 0) is None


def test_a_code_may_be_typed_with_a_gap() -> None:
    code = pyotp.TOTP(KEY).at(NOW)
    assert second.period_of(KEY, f"{code[:3]} {code[3:]}", NOW, 0) == int(NOW.timestamp()) // 30


def test_the_address_of_a_secret_names_account_and_house() -> None:
    assert second.address("ada@example.org", KEY) == (
        "otpauth://totp/SynthRead:ada%40example.org?secret=AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT&issuer=SynthRead"
    )


def test_a_kept_secret_opens_for_its_account_and_key_only() -> None:
    kept = second.sealed("ada", KEY, b"k" * 32, b"n" * 12)
    assert KEY not in kept
    assert second.opened("ada", kept, b"k" * 32) == KEY
    for name, key in (("tom", b"k" * 32), ("ada", b"l" * 32)):
        with pytest.raises(StoreError, match=f"The second factor of {name} cannot be read with this key"):
            second.opened(name, kept, key)


# Lock-out


def test_five_tries_lock_for_a_quarter_of_an_hour_and_then_five_more_may_come() -> None:
    lock: Lock | None = Lock()
    for failures in range(1, 5):
        assert lock is not None
        lock = accounts.tried(lock, NOW, RULES)
        assert lock == Lock(failures, None)
    lock = accounts.tried(Lock(4), NOW, RULES)
    assert lock == Lock(5, NOW + timedelta(minutes=15))
    assert accounts.tried(lock, NOW + timedelta(minutes=14, seconds=59), RULES) is None
    assert accounts.tried(lock, NOW + timedelta(minutes=15), RULES) == Lock(1, None)


def test_one_try_only_where_the_house_says_so() -> None:
    assert accounts.tried(Lock(), NOW, replace(RULES, tries=1)) == Lock(1, NOW + timedelta(minutes=15))


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, counts_as: str) -> None:
    assert accounts.bucket(address) == counts_as


# How long one stays


@pytest.mark.parametrize(
    ("began", "seen", "ended"),
    [
        (timedelta(0), timedelta(0), False),
        (timedelta(hours=11, minutes=59), timedelta(0), False),
        (timedelta(hours=12), timedelta(0), True),
        (timedelta(hours=2), timedelta(minutes=59), False),
        (timedelta(hours=2), timedelta(minutes=60), True),
    ],
)
def test_a_stay_ends_with_its_hours_or_when_it_is_left_alone(began: timedelta, seen: timedelta, ended: bool) -> None:
    assert Stay(Account("ada"), NOW - began, NOW - seen).ended(NOW, RULES) is ended


def test_a_disabled_account_stays_nowhere() -> None:
    assert Stay(Account("ada", disabled=True), NOW, NOW).ended(NOW, RULES)


# Administrators


def test_nobody_changes_the_own_roles() -> None:
    accounts.may_change_roles(User("ada"), "tom")
    with pytest.raises(PolicyError, match=r"^ada may not change the own roles or groups; another "):
        accounts.may_change_roles(User("ada"), "ada")


def test_the_last_administrator_remains() -> None:
    ada, tom = (Account(name, roles=frozenset({Role.ADMINISTRATOR})) for name in ("ada", "tom"))
    accounts.keeps_an_administrator([ada, tom], replace(ada, disabled=True))
    for others in ([ada], [ada, replace(tom, disabled=True)], [ada, replace(tom, roles=frozenset({Role.TRAINEE}))]):
        with pytest.raises(PolicyError, match=r"^ada is the last administrator; make another one first\.$"):
            accounts.keeps_an_administrator(others, replace(ada, disabled=True))


# Quotas


def test_a_quota_counts_the_last_hour_and_says_when_it_opens_again() -> None:
    asked = [NOW - timedelta(minutes=50), NOW - timedelta(minutes=20), NOW]
    require_room("ada", asked, 2, 5)
    with pytest.raises(PolicyError) as refused:
        require_room("ada", asked, 4, 5)
    assert str(refused.value) == (
        "ada has asked for 3 images in the last hour and may ask for 5; 4 more can be asked for at 12:40:00 UTC."
    )
    with pytest.raises(PolicyError, match=r"^6 images were asked for at once; ada may ask for 5 an hour\.$"):
        require_room("ada", [], 6, 5)


# OIDC

CLAIMS = {"email": "Ada@example.org", "email_verified": True, "exp": NOW.timestamp() + 60, "roles": ["staff", "x"]}


def test_a_token_ends_when_it_says_and_one_that_does_not_say_counts_as_ended() -> None:
    assert not claims.expired(CLAIMS, NOW)
    assert claims.expired(CLAIMS, NOW + timedelta(seconds=60))
    for wrong in (None, "9999999999", True):
        assert claims.expired(CLAIMS | {"exp": wrong}, NOW)


def test_roles_come_from_the_account_else_the_claim_else_a_trainees() -> None:
    rules = replace(RULES, role_names=("staff = educator", "cn=a,dc=b = researcher"))
    account = Account("ada@example.org", roles=frozenset({Role.GOVERNANCE}))
    assert claims.user_of(CLAIMS, account, rules) == User("ada@example.org", frozenset({Role.GOVERNANCE}))
    assert claims.user_of(CLAIMS, None, rules) == User("ada@example.org", frozenset({Role.EDUCATOR}))
    assert claims.user_of(CLAIMS | {"roles": "cn=a,dc=b"}, None, rules).roles == {Role.RESEARCHER}
    for unknown in ("educator", "administrator", ["administrator"], None, 7, {"administrator": 1}):
        assert claims.user_of(CLAIMS | {"roles": unknown}, None, rules).roles == {Role.TRAINEE}


def test_a_bearer_without_a_usable_name_is_refused() -> None:
    with pytest.raises(PolicyError, match="has not verified your e-mail address"):
        claims.name_of(CLAIMS | {"email_verified": False}, RULES)
    for name in (None, "", "local", "starter", "a b"):
        with pytest.raises(PolicyError, match="which is no name"):
            claims.name_of(CLAIMS | {"email": name}, RULES)
    with pytest.raises(PolicyError, match=r"^The account ada@example\.org is disabled; ask an administrator\.$"):
        claims.user_of(CLAIMS, Account("ada@example.org", disabled=True), RULES)


def test_a_wrong_rule_for_roles_is_named() -> None:
    for entry in ("staff", "staff = chief", "= educator"):
        with pytest.raises(RequestError, match=r"role_names has .* it must be like 'teachers = educator'\.$"):
            claims.mapping(replace(RULES, role_names=(entry,)))
