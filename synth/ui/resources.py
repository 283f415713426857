"""The services as whoever looks at the page may use them: those of `house` under the guard of the table of calls."""

from __future__ import annotations

from synth.casework.desk import Desk
from synth.casework.maker import Maker
from synth.departures import Departures
from synth.export.documents.about import About
from synth.governance.calls import TABLE
from synth.governance.guard import guarded
from synth.governance.roles import Permission, require
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
from synth.origins import Licence
from synth.people import Register
from synth.reading.sessions import ReadingSession
from synth.research import Research
from synth.store import Store
from synth.ui import house, session
from synth.ui.house import begin_work as begin_work
from synth.ui.house import device_name as device_name
from synth.ui.house import rules as rules
from synth.ui.house import settings as settings
from synth.ui.house import waiting_cases as waiting_cases


def store() -> Store:
    """Database and blobs."""
    return guarded(house.store(), "store", session.person(), TABLE)


def engine() -> Meter:
    """The one queue and device thread of this process, counting what each user asks for."""
    return guarded(house.meter(), "engine", session.person(), TABLE)


def register() -> Register:
    """The accounts."""
    return guarded(house.register(), "register", session.person(), TABLE)


def heads() -> Heads:
    """Who signs the end of the audit trail."""
    return guarded(house.heads(), "heads", session.person(), TABLE)


def departures() -> Departures:
    """The door through which images leave."""
    return guarded(house.departures(), "departures", session.person(), TABLE)


def maker() -> Maker:
    """Who draws the cases of case sets."""
    return guarded(house.maker(), "maker", session.person(), TABLE)


def research() -> Research:
    """Who asks for images, and exports data sets, under protocols."""
    return guarded(house.research(), "research", session.person(), TABLE)


def importer() -> Importer:
    """Who imports real images."""
    return guarded(house.importer(), "importer", session.person(), TABLE)


def library() -> Library:
    """The real images."""
    return guarded(house.library(), "library", session.person(), TABLE)


def looks() -> Looks:
    """What the images of the library look like."""
    return guarded(house.looks(), "looks", session.person(), TABLE)


def monitor() -> Monitor:
    """What is made, refused and failed here."""
    return guarded(house.monitor(), "monitor", session.person(), TABLE)


def model_files() -> ModelFiles:
    """Whether the files of models are those of their cards."""
    return guarded(house.model_files(), "model_files", session.person(), TABLE)


def transfers() -> Transfers:
    """What is being fetched, sent and downloaded."""
    return guarded(house.transfers(), "transfers", session.person(), TABLE)


def archives() -> Archives:
    """The PACS."""
    return guarded(house.archives(), "archives", session.person(), TABLE)


def collections() -> Collections:
    """The index of the open collections."""
    return guarded(house.collections(), "collections", session.person(), TABLE)


def downloads() -> Downloads:
    """Series of the open collections on their way into the library."""
    return guarded(house.downloads(), "downloads", session.person(), TABLE)


def desk_of(sets: tuple[str, ...]) -> Desk:
    """The desk that deals from case sets, or without any from the room's cases."""
    return guarded(house.desk_of(sets), "desk", session.person(), TABLE)


def desk(sitting: ReadingSession) -> Desk:
    """The desk of a session."""
    return guarded(house.desk(sitting), "desk", session.person(), TABLE)


def opinion(source: str) -> dict[str, float]:
    """What the classifier reads in an image: see `house.opinion`."""
    require(session.person(), Permission.PRACTISE)
    return house.opinion(source)


def accept_licence(licence: Licence) -> None:
    """Accept the licence of the model that waits."""
    person = session.person()
    require(person, Permission.MODELS)
    house.accept_licence(licence, person.name)


def about() -> About | None:
    """The model that draws, as documents tell of it; None until it is loaded."""
    require(session.person(), Permission.PRACTISE)
    return house.about()


def count_refusal(kind: str) -> None:
    """Keep that something was refused to whoever looks at the page."""
    house.count_refusal(session.user(), kind)
