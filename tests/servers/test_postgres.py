"""The store and the engine on a real PostgreSQL, started for these tests on the loopback address."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from synth.errors import StoreError
from synth.store import Store, migrations
from synth.store.tables import Base
from synth.types import AuditEvent, GeneratedImage, GenerationRequest, Job, JobState
from tests.painting import Painter, pixels, start, wait_for
from tests.servers.conftest import free_port
from tests.sittings import at_once

pytestmark = pytest.mark.server

NEVER = timedelta(days=1)
MakeImage = Callable[..., GeneratedImage]


def test_the_schema_is_that_of_the_program_and_opening_again_changes_nothing(urls: tuple[str, str]) -> None:
    at_once(lambda _: Store(*urls).close(), 4)
    Store(*urls).close()

    engine = sa.create_engine(urls[0].replace("://", "+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == migrations.newest()
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_an_image_and_the_history_survive_reopening(urls: tuple[str, str], make_image: MakeImage) -> None:
    image = make_image("i1", user="Åsa 漢字 🫁", seed=7, note='"quoted" \\ und so')
    event = AuditEvent(datetime(2026, 1, 2, 3, tzinfo=UTC), "Åsa 漢字 🫁", "done", "i1", "", {"seed": 7})
    first = Store(*urls)
    first.add_image(image, event)
    first.close()

    second = Store(*urls)
    back = second.image("i1")

    np.testing.assert_array_equal(back.pixels, image.pixels)
    assert (back.request, back.provenance, back.quality) == (image.request, image.provenance, image.quality)
    assert [(light.id, light.created_at) for light in second.history(9, 0, "Åsa 漢字 🫁")] == [
        ("i1", image.provenance.created_at)
    ]
    assert second.events() == [event]
    second.close()


def test_a_second_image_of_the_same_id_is_refused_with_its_event(store: Store, make_image: MakeImage) -> None:
    event = AuditEvent(datetime(2026, 1, 2, tzinfo=UTC), "ada", "done", "i1", "")
    store.add_image(make_image("i1", seed=1), event)

    with pytest.raises(StoreError, match=r'^The database could not be used: .*unique constraint "uq_images_id"\.$'):
        store.add_image(make_image("i1", seed=2), event)

    assert store.events() == [event]
    np.testing.assert_array_equal(store.image("i1").pixels, make_image("i1", seed=1).pixels)


def test_eight_threads_store_at_once(store: Store, make_image: MakeImage) -> None:
    def insert(thread: int) -> None:
        for number in range(25):
            image_id, user = f"{thread}-{number}", f"user{thread}"
            store.add_image(make_image(image_id, user, side_px=8, seed=thread * 25 + number))

    at_once(insert, 8)

    assert store.count_images() == 200
    assert [store.count_images(f"user{thread}") for thread in range(8)] == [25] * 8


def test_engines_that_adopt_at_once_share_out_every_job_exactly_once(urls: tuple[str, str]) -> None:
    stores = [Store(*urls) for _ in range(4)]
    jobs = [Job(f"j{number:02}", GenerationRequest(), "ada", JobState.QUEUED) for number in range(40)]
    stores[0].add_jobs(jobs, "dead")
    stores[0].release_jobs("dead")
    gate = threading.Barrier(4)
    won: dict[int, list[str]] = {}

    def adopt(number: int) -> None:
        gate.wait()
        won[number] = [job.id for job in stores[number].adopt_jobs(f"engine{number}", NEVER)]

    at_once(adopt, 4)

    assert sorted(job_id for ids in won.values() for job_id in ids) == [job.id for job in jobs]
    for store in stores:
        store.close()


def test_an_engine_draws_and_cancels(store: Store) -> None:
    painter = Painter(steps=0)
    engine = start(store, painter)
    requests = [GenerationRequest(seed=seed, steps=2) for seed in (1, 2, 3)]

    jobs = engine.submit_all(requests, "ada")
    engine.cancel(jobs[1].id)
    painter.let()
    ends = [wait_for(engine, job.id).state for job in jobs]

    assert ends == [JobState.DONE, JobState.CANCELLED, JobState.DONE]
    np.testing.assert_array_equal(store.image(jobs[2].id).pixels, pixels(3))
    assert [(row.action, row.subject) for row in store.events()][:2] == [("done", jobs[2].id), ("done", jobs[0].id)]
    assert store.count_images() == 2
    engine.close()


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Store(f"postgresql://synth@127.0.0.1:{free_port()}/synth", f"file://{tmp_path}")

    sentence = str(caught.value)
    assert sentence.startswith("The database could not be used: connection failed:")
    assert "\n" not in sentence
