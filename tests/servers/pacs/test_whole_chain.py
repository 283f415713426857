"""One film followed from its request to a PACS, back from there, to Verify, to its audit row, to the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from synth import keys
from synth.departures import Departures
from synth.dicom.objects import Kind
from synth.engine import Engine
from synth.generate import Order, compatible, generate_batch
from synth.governance.roles import LOCAL_USER
from synth.intake import orders
from synth.intake.archives import Push, Wish
from synth.models.tiny import TinyModel
from synth.recreate import Likeness, compared, recreate
from synth.store.holding_records import Outcome
from synth.store.trail import Sought
from synth.types import Finding, GeneratedImage, GenerationRequest, Step
from synth.verify import Answer, Proofs, examine
from tests.painting import wait_for
from tests.servers.pacs.house import House, raw
from tests.servers.pacs.orthanc import Orthanc
from tests.validated import judge

pytestmark = pytest.mark.server
REASON = "teaching file for the residents' course"
REQUEST = GenerationRequest(seed=7, steps=4, model_id="tiny", findings=(Finding("pneumonia"),))


@pytest.fixture
def engine(house: House) -> Iterator[Engine]:
    """As the app draws: under the key of the home."""
    key = keys.secret(house.home, keys.WATERMARK)

    def marked(
        model: TinyModel, asked: Sequence[Order], created_at: datetime, on_step: Callable[[Step], None]
    ) -> list[GeneratedImage]:
        return generate_batch(model, [replace(order, key=key) for order in asked], created_at, on_step)

    running = Engine(house.store, TinyModel, marked, compatible)
    yield running
    running.close()


def test_from_the_request_to_the_pacs_and_back_to_the_same_pixels(
    house: House, orthanc: Orthanc, engine: Engine
) -> None:
    job = wait_for(engine, engine.submit(REQUEST, "ada").id)
    image = house.store.image(job.id)
    judge(house.store, image.id)
    house.configure(orthanc.web())
    archives = house.open()
    sent = house.ended(archives.push(Push("teaching", (image.id,), Kind.DX, REASON), LOCAL_USER))
    assert sent.outcomes == ((image.id, "moved", ""),)

    # Back from the PACS: no real image, and known as ours.
    (instance,) = orthanc.get("/instances")
    data = raw(orthanc, instance)
    study = orthanc.get("/studies?expand")[0]["MainDicomTags"]["StudyInstanceUID"]
    order = orders.Order(house.home, "back", "PACS teaching", "CC0")
    fetched = house.ended(archives.fetch(Wish("teaching", study, None, "back", order), "ada"))
    made = house.imported(fetched.import_id)
    (refused,) = house.store.imports.report(made.id, Outcome.REFUSED, 9, 0)
    assert "synthetic" in refused.reason.lower() and house.count() == 0

    leaves = Departures(house.store, house.home)
    verdict = examine(data, "back.dcm", Proofs(leaves.marks(), leaves.roots()), leaves.with_payload)
    assert verdict.answer is Answer.OURS
    assert [one.id for one in verdict.images] == [image.id]

    # Its rows, and the picture once more.
    rows = house.store.trail.page(Sought(subject=image.id), 99)
    assert {"submit", "done", "review", "state", "pacs.push"} <= {row.action for row in rows}
    copy = house.store.image(wait_for(engine, recreate(engine, house.store, image, "grace")).id)
    assert compared(image, copy) == Likeness(image.pixels.size, 0, 0)
