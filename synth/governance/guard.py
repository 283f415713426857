"""What stands between pages and services: every call is looked up in one table, and refused where it is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from synth.errors import PolicyError
from synth.governance.roles import Permission, User, require

T = TypeVar("T")
Check = Callable[..., None]  # (service, user, *arguments of the call); raises what refuses it


@dataclass(frozen=True, slots=True)
class Call:
    """What one method or property of a service needs, and a further look at who asks and for what."""

    needs: Permission
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The calls that pages may make, by "service.method", and the services that others hold, as "store.casebook"."""

    calls: Mapping[str, Call]
    parts: frozenset[str]


class Guarded:
    """A service as one user may use it. A method that the table does not name raises PolicyError for everybody."""

    __slots__ = ("_name", "_service", "_table", "_user")

    def __init__(self, service: object, name: str, user: User, table: Table) -> None:
        self._service, self._name, self._user, self._table = service, name, user, table

    def __getattr__(self, attribute: str) -> Any:
        path = f"{self._name}.{attribute}"
        if path in self._table.parts:
            return Guarded(getattr(self._service, attribute), path, self._user, self._table)
        call = self._table.calls.get(path)
        if call is None:
            raise PolicyError(f"{path} is not open to pages.")
        require(self._user, call.needs)
        found = getattr(self._service, attribute)
        if call.check is None or not callable(found):
            return found
        return partial(_checked, self._service, self._user, call.check, found)


def guarded(service: T, name: str, user: User, table: Table) -> T:
    """`service` under guard; it has the type of the service, so that pages read as if they held it."""
    return cast(T, Guarded(service, name, user, table))


def _checked(service: object, user: User, check: Check, method: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
    check(service, user, *args, **named)
    return method(*args, **named)
