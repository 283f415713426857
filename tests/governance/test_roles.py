"""The table of roles: every permission has a holder, and duties that must be apart are."""

import pytest

from synth.errors import PolicyError
from synth.governance.roles import LOCAL_USER, MAY, Permission, Role, User, require


def test_every_permission_is_in_the_table_and_held_by_somebody() -> None:
    assert set(MAY) == set(Permission)
    assert all(MAY.values())
    assert all(LOCAL_USER.may(permission) for permission in Permission)


def test_somebody_without_a_role_may_nothing() -> None:
    assert not any(User("nobody").may(permission) for permission in Permission)


def test_who_manages_people_neither_validates_nor_releases() -> None:
    administrator = User("ada", frozenset({Role.ADMINISTRATOR}))
    assert not administrator.may(Permission.VALIDATE)
    assert not administrator.may(Permission.RELEASE)


def test_a_refusal_names_the_deed_and_who_may() -> None:
    with pytest.raises(PolicyError) as refused:
        require(User("tom", frozenset({Role.TRAINEE})), Permission.STUDY)
    assert str(refused.value) == "tom may not run reader studies; the role educator or researcher may."
