"""Every role against every service call: what the table gives and nothing more."""

from __future__ import annotations

import inspect
from itertools import product

import pytest

from synth.casework.desk import Desk
from synth.casework.maker import Maker
from synth.departures import Departures
from synth.errors import PolicyError, StoreError
from synth.governance.calls import CALLS, TABLE
from synth.governance.guard import guarded
from synth.governance.release import Release, State
from synth.governance.roles import MAY, Role, User
from synth.heads import Heads
from synth.intake.archives import Archives
from synth.intake.downloads import Downloads
from synth.intake.importer import Importer
from synth.intake.looks import Looks
from synth.intake.model_files import ModelFiles
from synth.intake.transfers import Transfers
from synth.library.collections import Collections
from synth.library.folders import Library
from synth.meter import Meter
from synth.monitor import Monitor
from synth.people import Register
from synth.research import Research
from synth.store import Store
from synth.store.casebook import Casebook
from synth.store.holdings import Holdings
from synth.store.imports import Imports
from synth.store.model_register import ModelRegister
from synth.store.protocols import Protocols
from synth.store.sittings import Sittings
from synth.store.trail import Trail
from synth.store.validation import Validation

SERVICES: dict[str, type] = {
    "store": Store,
    "store.casebook": Casebook,
    "store.sittings": Sittings,
    "store.holdings": Holdings,
    "store.imports": Imports,
    "store.trail": Trail,
    "heads": Heads,
    "departures": Departures,
    "store.model_register": ModelRegister,
    "store.validation": Validation,
    "store.protocols": Protocols,
    "research": Research,
    "engine": Meter,
    "register": Register,
    "monitor": Monitor,
    "model_files": ModelFiles,
    "maker": Maker,
    "desk": Desk,
    "importer": Importer,
    "archives": Archives,
    "transfers": Transfers,
    "downloads": Downloads,
    "collections": Collections,
    "library": Library,
    "looks": Looks,
}


def public(service: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(service) if not name.startswith("_")}


class Everything:
    """A service with whatever method one asks for."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: name


def test_the_table_names_methods_that_are_there() -> None:
    for path in CALLS:
        service, _, method = path.rpartition(".")
        assert method in public(SERVICES[service]), path
    assert {name for name in SERVICES if name.startswith("store.")} == TABLE.parts


@pytest.mark.parametrize(
    ("service", "method"),
    [(name, method) for name, service in SERVICES.items() for method in sorted(public(service))],
)
def test_a_method_that_the_table_does_not_name_is_refused_to_everybody(service: str, method: str) -> None:
    path = f"{service}.{method}"
    if path in CALLS:
        return
    everybody = User("ada", frozenset(Role))
    with pytest.raises(PolicyError, match=r"is not open to pages\.$"):
        getattr(guarded(Everything(), service, everybody, TABLE), method)


@pytest.mark.parametrize(("path", "role"), list(product(sorted(CALLS), Role)))
def test_a_role_may_call_what_its_permission_gives(path: str, role: Role) -> None:
    service, _, method = path.rpartition(".")
    user, needs = User("ada", frozenset({role})), CALLS[path].needs
    if role in MAY[needs]:
        assert getattr(guarded(Everything(), service, user, TABLE), method) is not None
    else:
        with pytest.raises(PolicyError, match=f"^ada may not {needs}; the role "):
            getattr(guarded(Everything(), service, user, TABLE), method)


def test_nobody_without_a_role_calls_anything() -> None:
    for path in CALLS:
        service, _, method = path.rpartition(".")
        with pytest.raises(PolicyError):
            getattr(guarded(Everything(), service, User("eve"), TABLE), method)


class Kept:
    """A store of one image and one session, an engine of one job: all ada's."""

    name, plan, open, reader, user = "ada", None, False, "ada", "ada"

    class Plan:
        study = ""

    def __init__(self, shown: bool = False, opened: bool = False, state: State = State.CHECKED) -> None:
        self.casebook, self._shown, self.open, self.plan = self, shown, opened, Kept.Plan()
        self.validation, self._state = self, state

    def asked_by(self, image_id: str) -> str:
        return "ada"

    def release(self, image_id: str) -> Release:
        return Release(image_id, self._state, reason="a doubled heart")

    def shows(self, image_id: str) -> bool:
        return self._shown

    def image(self, image_id: str) -> str:
        return image_id

    def job(self, job_id: str) -> Kept:
        return self

    def cancel(self, job_id: str) -> str:
        return job_id

    def session(self, session_id: str) -> Kept:
        return self

    def sessions(self, reader: str | None = None, study: str = "") -> str | None:
        return reader

    def case_set(self, set_id: str) -> Kept:
        return self

    def history(self, limit: int, offset: int = 0, user: str | None = None) -> int:
        return limit

    def submit(self, request: str, user: str) -> str:
        return request


def as_role(role: Role, name: str = "tom") -> User:
    return User(name, frozenset({role}))


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("store", "image", ("i",)),
        ("engine", "job", ("j",)),
        ("engine", "cancel", ("j",)),
        ("store.sittings", "session", ("s",)),
        ("store.casebook", "case_set", ("c",)),
    ],
)
def test_what_is_another_trainees_is_not_there(service: str, method: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(StoreError, match=f"'{arguments[0]}'"):
        getattr(guarded(Kept(), service, as_role(Role.TRAINEE), TABLE), method)(*arguments)
    if method != "case_set":
        assert getattr(guarded(Kept(), service, as_role(Role.TRAINEE, "ada"), TABLE), method)(*arguments) is not None
    assert getattr(guarded(Kept(), service, as_role(Role.EDUCATOR), TABLE), method)(*arguments) is not None


def test_an_image_of_an_open_set_is_for_everybody() -> None:
    assert guarded(Kept(shown=True), "store", as_role(Role.TRAINEE), TABLE).image("i") == "i"


@pytest.mark.parametrize("role", Role)
def test_a_withdrawn_image_is_for_its_maker_and_for_oversight(role: Role) -> None:
    kept = Kept(shown=True, state=State.WITHDRAWN)
    assert guarded(kept, "store", as_role(role, "ada"), TABLE).image("i") == "i"
    store = guarded(kept, "store", as_role(role), TABLE)
    if role in (Role.RADIOLOGIST, Role.GOVERNANCE, Role.ADMINISTRATOR):
        assert store.image("i") == "i"
    else:
        with pytest.raises(PolicyError, match=r"^Image i was withdrawn: a doubled heart\.$"):
            store.image("i")


def test_nobody_asks_in_the_name_of_another() -> None:
    engine = guarded(Kept(), "engine", as_role(Role.EDUCATOR), TABLE)
    assert engine.submit("request", "tom") == "request"
    for wrong in (("request", "ada"), ("request",)):
        with pytest.raises(PolicyError, match=r"^tom may not ask in the name of another\.$"):
            engine.submit(*wrong)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add", ("account",)),
        ("change", ("ada", frozenset(), frozenset())),
        ("set_disabled", ("ada", True)),
        ("reset", ("ada",)),
        ("unlock", ("ada",)),
        ("end_stays", ("ada",)),
    ],
)
def test_what_an_administrator_does_is_done_in_their_own_name(method: str, arguments: tuple[object, ...]) -> None:
    register, tom = guarded(Everything(), "register", as_role(Role.ADMINISTRATOR), TABLE), as_role(Role.ADMINISTRATOR)
    assert getattr(register, method)(*arguments, by=tom) == method
    assert getattr(register, method)(*arguments, tom) == method
    for others in ({"by": User("ada")}, {}):
        with pytest.raises(PolicyError, match=r"^tom may not ask in the name of another\.$"):
            getattr(register, method)(*arguments, **others)


def test_folders_of_the_server_are_imported_by_administrators_only() -> None:
    class Order:
        def __init__(self, own_copy: bool) -> None:
            self.own_copy = own_copy

    for role in (Role.EDUCATOR, Role.RESEARCHER, Role.ADMINISTRATOR):
        importer = guarded(Everything(), "importer", as_role(role), TABLE)
        assert importer.begin(Order(True), "tom") == "begin"
        with pytest.raises(PolicyError, match=r"^tom may not ask in the name of another\.$"):
            importer.begin(Order(True), "ada")
        if role is Role.ADMINISTRATOR:
            assert importer.begin(Order(False), "tom") == "begin"
        else:
            with pytest.raises(PolicyError, match=r"^tom may not import from folders of the server; send the files"):
                importer.begin(Order(False), "tom")


def test_a_second_factor_is_set_up_for_oneself_only() -> None:
    register = guarded(Everything(), "register", as_role(Role.TRAINEE), TABLE)
    assert register.begin_second_factor("tom") == "begin_second_factor"
    with pytest.raises(PolicyError):
        register.begin_second_factor("ada")
    with pytest.raises(PolicyError):
        register.keep_second_factor("ada", "secret", "code", "password")


def test_a_trainee_lists_the_own_images_and_readings_only() -> None:
    store = guarded(Kept(), "store", as_role(Role.TRAINEE), TABLE)
    assert store.history(3, 0, "tom") == 3
    assert store.history(3, user="tom") == 3
    sittings = guarded(Kept(), "store.sittings", as_role(Role.TRAINEE), TABLE)
    assert sittings.sessions("tom") == "tom"
    for refused in (
        lambda: store.history(3),
        lambda: store.history(3, 0, "ada"),
        lambda: sittings.sessions("ada"),
        lambda: sittings.sessions(),
    ):
        with pytest.raises(PolicyError, match=r"^tom may not see "):
            refused()
