"""The table of service calls: which permission each needs, and whose things it may touch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synth.errors import PolicyError, StoreError
from synth.governance.guard import Call, Check, Table
from synth.governance.release import State
from synth.governance.roles import Permission as P
from synth.governance.roles import User
from synth.types import AuditEvent

HOUSE = frozenset({"synthread"})  # who asks for images that are everybody's: `casework.starter.STARTER_OWNER`


def own_image(store: Any, user: User, /, image_id: str, *_: Any, **__: Any) -> None:
    """Pass whoever asked for the image, may see all, or finds it in an open case set; to others it is not there.

    A withdrawn one is for whoever asked for it and for oversight alone.
    """
    maker = store.asked_by(image_id)
    if not user.may(P.SEE_ALL) and maker not in {user.name} | HOUSE and not store.casebook.shows(image_id):
        raise StoreError(f"There is no image {image_id!r} in the store.")
    if maker != user.name and not (user.may(P.WITHDRAW) or user.may(P.AUDIT)):
        release = store.validation.release(image_id)
        if release.state is State.WITHDRAWN:
            raise PolicyError(release.words)


def own_job(engine: Any, user: User, /, job_id: str) -> None:
    """Pass whoever asked for the job or may see all; to others it is not there."""
    if not user.may(P.SEE_ALL) and engine.job(job_id).user not in {user.name} | HOUSE:
        raise StoreError(f"There is no job {job_id!r} in the store.")


def own_history(_store: Any, user: User, /, *args: Any, **named: Any) -> None:
    """Pass a list of one's own images; those of others or of all need more."""
    if not user.may(P.SEE_ALL) and user.name not in (*args, named.get("user")):
        raise PolicyError(f"{user.name} may not {P.SEE_ALL}.")


def own_name(position: int, called: str = "user") -> Check:
    """The check that the call names who makes it, as the argument at `position` or by its name."""

    def check(_service: Any, user: User, /, *args: Any, **named: Any) -> None:
        given = named.get(called, args[position] if len(args) > position else None)
        if (given.name if isinstance(given, User) else given) != user.name:
            raise PolicyError(f"{user.name} may not ask in the name of another.")

    return check


def own_events(store: Any, user: User, /, *_: Any, subject: str | None = None, **__: Any) -> None:
    """Pass what happened to an image that one asked for; the whole trail is for those who may read it."""
    if not user.may(P.AUDIT) and (subject is None or store.asked_by(subject) != user.name):
        raise PolicyError(f"{user.name} may not {P.AUDIT}.")


def own_event(_store: Any, user: User, /, event: AuditEvent) -> None:
    """Pass an event that names who makes the call as who did it."""
    if event.who != user.name:
        raise PolicyError(f"{user.name} may not write events in the name of another.")


def own_import(_importer: Any, user: User, /, order: Any, who: str) -> None:
    """Pass an import in the own name; folders of the server are for administrators, others send their files."""
    own_name(1)(_importer, user, order, who)
    if not order.own_copy and not user.may(P.PEOPLE):
        raise PolicyError(f"{user.name} may not import from folders of the server; send the files instead.")


def own_sitting(sittings: Any, user: User, /, session_id: str, *_: Any, **__: Any) -> None:
    """Pass the reader, whoever teaches or studies, and seats of studies, which their code opened."""
    if user.may(P.TEACH) or user.may(P.STUDY):
        return
    found = sittings.session(session_id)
    if found.reader != user.name and not found.plan.study:
        raise StoreError(f"There is no reading session {session_id!r}.")


def own_readings(_sittings: Any, user: User, /, reader: str | None = None, *_: Any, **named: Any) -> None:
    """Pass one's own readings, and those of a seat in a study; all others are for teachers and studies."""
    if user.may(P.TEACH) or user.may(P.STUDY) or reader == user.name or named.get("study"):
        return
    raise PolicyError(f"{user.name} may not see what others have read.")


def own_sitting_in(_desk: Any, user: User, /, sitting: Any, *_: Any, **__: Any) -> None:
    """As `own_sitting`, where the session itself is given."""
    if sitting.reader != user.name and not (sitting.plan.study or user.may(P.TEACH) or user.may(P.STUDY)):
        raise StoreError(f"There is no reading session {sitting.id!r}.")


def own_place(_desk: Any, user: User, /, _session_id: str, reader: str, plan: Any, *_: Any) -> None:
    """Pass whoever sits down under the own name or in the seat of a study."""
    if reader != user.name and not (plan.study or user.may(P.TEACH) or user.may(P.STUDY)):
        raise PolicyError(f"{user.name} may not read in the name of another.")


def open_set(casebook: Any, user: User, /, set_id: str) -> None:
    """Pass whoever teaches; to others a set that is not open is not there."""
    if not user.may(P.TEACH) and not casebook.case_set(set_id).open:
        raise StoreError(f"There is no case set {set_id!r}.")


def _all(service: str, needs: P, methods: Iterable[str], check: Check | None = None) -> dict[str, Call]:
    return {f"{service}.{method}": Call(needs, check) for method in methods}


CALLS: dict[str, Call] = {
    **_all("engine", P.PRACTISE, ("status",)),
    **_all("engine", P.GENERATE, ("submit", "submit_all"), own_name(1)),
    **_all("engine", P.PRACTISE, ("job", "cancel"), own_job),
    **_all("store", P.PRACTISE, ("image", "thumbnail", "asked_by"), own_image),
    **_all("store", P.PRACTISE, ("picture", "base")),  # by sha256: whoever can name it has it
    **_all("store", P.GENERATE, ("add_picture",)),
    **_all("store", P.GENERATE, ("history", "count_images"), own_history),
    **_all("store", P.PRACTISE, ("add_event",), own_event),
    **_all("store", P.PRACTISE, ("events",), own_events),
    **_all("store", P.AUDIT, ("image_of", "drawn_with")),
    **_all("store.trail", P.AUDIT, ("page", "count", "entry", "names", "snapshot", "tip")),
    **_all("store.trail", P.AUDIT, ("add",), own_event),
    **_all("departures", P.PRACTISE, ("png", "jpeg", "dicom", "manifest", "note"), own_name(1)),
    **_all("departures", P.PRACTISE, ("leaving", "marks", "roots", "with_payload")),
    **_all("heads", P.AUDIT, ("problem",)),
    **_all("store.casebook", P.PRACTISE, ("set_of_code", "study_of_code", "take_seat")),
    **_all("store.casebook", P.PRACTISE, ("case_set",), open_set),
    **_all("store.casebook", P.TEACH, ("add_set", "rename_set", "add_entries", "remove_entry", "change_entry")),
    **_all("store.casebook", P.TEACH, ("order_entries",)),
    **_all("store.casebook", P.PRACTISE, ("sets",)),
    **_all("store.casebook", P.STUDY, ("add_study", "study", "studies", "lock_study", "progress")),
    **_all("store.sittings", P.PRACTISE, ("session", "revise", "set_void"), own_sitting),
    **_all("store.sittings", P.PRACTISE, ("sessions", "stamps", "skills"), own_readings),
    **_all("store.holdings", P.LIBRARY, ("search", "ids", "facets", "holding", "holdings", "thumbnail", "file")),
    **_all("store.holdings", P.CURATE, ("add_mask", "edit", "remove", "restore")),
    **_all("store.imports", P.CURATE, ("get", "latest", "report")),
    **_all("store.model_register", P.MONITOR, ("entries",)),
    **_all("monitor", P.MONITOR, ("period", "by_group", "watched", "alarms", "use", "held")),
    **_all("model_files", P.MONITOR, ("check", "running", "result")),
    **_all("monitor", P.MODELS, ("renew",), own_name(1)),
    **_all("store.validation", P.PRACTISE, ("release", "releases")),
    **_all("store.validation", P.VALIDATE, ("makers",)),
    **_all("store.validation", P.VALIDATE, ("queue",), own_name(0)),
    **_all("store.validation", P.VALIDATE, ("judge",), own_name(1)),
    **_all("store.validation", P.WITHDRAW, ("in_state", "reviews", "history")),
    **_all("store.validation", P.RELEASE, ("set_released",), own_name(1)),
    **_all("store.validation", P.WITHDRAW, ("withdraw",), own_name(1)),
    **_all("store.protocols", P.PROTOCOLS, ("protocol", "protocols", "counts", "exports")),
    **_all("store.protocols", P.PROTOCOLS, ("add", "set_people", "end"), own_name(1)),
    **_all("research", P.RESEARCH, ("protocols",), own_name(0)),
    **_all("research", P.RESEARCH, ("submit_all", "ready", "dataset"), own_name(1)),
    **_all("library", P.LIBRARY, ("images", "image", "pixels", "whole", "readable", "hounsfield", "spacing_mm")),
    **_all("library", P.LIBRARY, ("revision", "problem", "refresh")),
    **_all("looks", P.LIBRARY, ("like_real", "like_synthetic", "embedder_id")),
    **_all("maker", P.TEACH, ("wake", "redraw")),
    **_all("importer", P.CURATE, ("begin",), own_import),
    **_all("importer", P.CURATE, ("stop", "resume"), own_name(1)),
    **_all("importer", P.CURATE, ("arriving", "forgotten")),
    **_all("archives", P.CURATE, ("network", "rules", "listening", "echo", "series")),
    **_all("archives", P.CURATE, ("fetch",), own_name(1)),
    **_all("archives", P.CURATE, ("studies",), own_name(2)),
    **_all("archives", P.PUSH, ("push",), own_name(1)),
    **_all("transfers", P.CURATE, ("get", "latest", "stop")),
    **_all("collections", P.CURATE, ("release", "choices", "collections", "amount", "series")),
    **_all("downloads", P.CURATE, ("free_bytes", "check", "unfinished")),
    **_all("downloads", P.CURATE, ("start",), own_name(3)),
    **_all("downloads", P.CURATE, ("resume", "import_arrived", "discard"), own_name(1)),
    **_all("register", P.PEOPLE, ("accounts",)),
    **_all("register", P.PEOPLE, ("add", "reset", "unlock", "end_stays"), own_name(1, "by")),
    **_all("register", P.PEOPLE, ("set_disabled",), own_name(2, "by")),
    **_all("register", P.PEOPLE, ("change",), own_name(3, "by")),
    **_all("register", P.PRACTISE, ("begin_second_factor", "keep_second_factor"), own_name(0, "name")),
    **_all("desk", P.PRACTISE, ("patients",)),
    **_all("desk", P.PRACTISE, ("begin",), own_place),
    **_all("desk", P.PRACTISE, ("case", "answer", "end"), own_sitting_in),
}

PARTS = ("casebook", "sittings", "holdings", "imports", "model_register", "trail", "validation", "protocols")
TABLE = Table(CALLS, frozenset(f"store.{part}" for part in PARTS))
