"""What goes into the store comes out again, equal to the last bit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth.errors import StoreError
from synth.store import Store
from synth.types import (
    SAMPLERS,
    AuditEvent,
    Edit,
    Finding,
    GeneratedImage,
    GenerationRequest,
    Modality,
    Provenance,
    QualityCheck,
    QualityReport,
    Severity,
    Sex,
    Side,
    View,
    Zone,
)

MakeImage = Callable[..., GeneratedImage]

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
codes = st.sampled_from(("pneumonia", "pleural_effusion", "nodule"))
findings = st.builds(
    Finding,
    codes,
    side=st.none() | st.sampled_from(Side),
    zone=st.none() | st.sampled_from(Zone),
    severity=st.none() | st.sampled_from(Severity),
)
requests = st.builds(
    GenerationRequest,
    modality=st.sampled_from(Modality),
    view=st.none() | st.sampled_from(View),
    sex=st.none() | st.sampled_from(Sex),
    age=st.none() | st.integers(0, 120),
    findings=st.lists(findings, max_size=3).map(tuple),
    absent=st.lists(codes, max_size=2).map(tuple),
    note=words,
    size_px=st.sampled_from((256, 512)),
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 200),
    guidance=st.floats(0, 15),
    sampler=st.sampled_from(SAMPLERS),
    model_id=words,
    edit=st.none()
    | st.builds(Edit, st.just("add"), words, words, words, st.none() | words, st.integers(0, 64), st.floats(0.01, 1)),
)
zones = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
times = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=zones | st.just(UTC))
provenances = st.builds(
    Provenance,
    request_digest=words,
    model_id=words,
    model_revision=words,
    weights_hash=words,
    sampler=words,
    seed=st.integers(0, 2**32 - 1),
    device=words,
    dtype=words,
    versions=st.dictionaries(words, words, max_size=3),
    created_at=times,
    requested_by=st.text("abc é漢🫁", min_size=1, max_size=8),
    seconds=st.floats(0, 1e6),
)
numbers = st.floats(allow_nan=False)
reports = st.lists(st.builds(QualityCheck, words, numbers, numbers, numbers), max_size=3).map(
    lambda checks: QualityReport(tuple(checks))
)
sides = st.integers(1, 12)
pictures = st.tuples(sides, sides).flatmap(lambda hw: arrays(np.uint8, hw) | arrays(np.uint16, hw))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pixels=pictures, request_=requests, provenance=provenances, quality=reports)
def test_an_image_comes_back_whole(
    store: Store,
    pixels: np.ndarray,
    request_: GenerationRequest,
    provenance: Provenance,
    quality: QualityReport,
) -> None:
    image_id = f"image-{store.count_images()}"

    store.add_image(GeneratedImage(image_id, pixels, request_, provenance, quality))
    back = store.image(image_id)

    assert back.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(back.pixels, pixels)
    assert (back.request, back.provenance, back.quality) == (request_, provenance, quality)
    assert back.request.digest() == request_.digest()
    light = store.history(1)[0]
    assert (light.id, light.request, light.created_at) == (image_id, request_, provenance.created_at)
    assert light.requested_by == provenance.requested_by


def test_history_is_newest_first_in_pages_and_by_user(store: Store, make_image: MakeImage) -> None:
    for number in range(5):
        store.add_image(make_image(f"i{number}", user="ada" if number % 2 else "bob", seed=number))

    assert [image.id for image in store.history(2)] == ["i4", "i3"]
    assert [image.id for image in store.history(2, 2)] == ["i2", "i1"]
    assert [image.id for image in store.history(9, 0, "ada")] == ["i3", "i1"]
    assert (store.count_images(), store.count_images("bob")) == (5, 3)


def test_history_survives_reopening(urls: tuple[str, str], make_image: MakeImage) -> None:
    first = Store(*urls)
    first.add_image(make_image("i1", seed=7))
    kept = first.history(9)
    first.close()

    second = Store(*urls)

    assert second.history(9) == kept
    np.testing.assert_array_equal(second.image("i1").pixels, make_image("i1", seed=7).pixels)
    second.close()


def test_a_thumbnail_fits_and_keeps_its_shape(store: Store, make_image: MakeImage) -> None:
    wide = np.full((100, 200), 256 * 200, dtype=np.uint16)
    model = make_image("wide")
    store.add_image(GeneratedImage("wide", wide, model.request, model.provenance))

    np.testing.assert_array_equal(store.thumbnail("wide", 50), np.full((25, 50), 200, dtype=np.uint8))
    assert store.thumbnail("wide", 1000).shape == (100, 200)


def test_eight_threads_store_at_once_without_a_lock_error(store: Store, make_image: MakeImage) -> None:
    failures: list[BaseException] = []

    def insert(thread: int) -> None:
        try:
            for number in range(25):
                image_id, user = f"{thread}-{number}", f"user{thread}"
                event = AuditEvent(datetime.now(UTC), user, "done", image_id, "")
                store.add_image(make_image(image_id, user, seed=thread * 25 + number), event)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=insert, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert store.count_images() == 200
    assert {user: store.count_images(user) for user in ("user0", "user7")} == {"user0": 25, "user7": 25}
    assert len(store.events(500)) == 200


def test_an_unknown_image_is_named_in_the_error(store: Store) -> None:
    with pytest.raises(StoreError, match=r"^There is no image 'nobody' in the store\.$"):
        store.image("nobody")
    with pytest.raises(StoreError, match=r"^There is no job 'nobody' in the store\.$"):
        store.job("nobody")


def test_an_image_id_is_kept_once_and_its_event_with_it(store: Store, make_image: MakeImage) -> None:
    event = AuditEvent(datetime(2026, 1, 2, tzinfo=UTC), "ada", "done", "i1", "", {"seed": 1, "digest": "ab"})
    store.add_image(make_image("i1", seed=1), event)

    with pytest.raises(StoreError, match=r"^The database could not be used: UNIQUE constraint failed: images\.id\.$"):
        store.add_image(make_image("i1", seed=2), event)

    assert store.events() == [event]
    np.testing.assert_array_equal(store.image("i1").pixels, make_image("i1", seed=1).pixels)


def test_events_are_newest_first_and_by_subject(store: Store) -> None:
    events = [AuditEvent(datetime(2026, 1, day, tzinfo=UTC), "ada", "submit", f"job{day % 2}", "") for day in (1, 2, 3)]
    for event in events:
        store.add_event(event)

    assert store.events() == events[::-1]
    assert store.events(1, 1) == [events[1]]
    assert store.events(subject="job1") == [events[2], events[0]]


def test_a_damaged_picture_is_one_sentence(urls: tuple[str, str], tmp_path: Path, make_image: MakeImage) -> None:
    store = Store(*urls)
    store.add_image(make_image("i1"))
    (file,) = (tmp_path / "blobs").rglob("*.png")
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)

    with pytest.raises(StoreError) as caught:
        store.image("i1")

    digest = store.history(1)[0].blob
    assert str(caught.value) == f"The picture file {digest[:12]} is damaged: its sha256 is not its name."
    store.close()


def test_a_full_database_is_one_sentence_and_keeps_nothing(urls: tuple[str, str], make_image: MakeImage) -> None:
    store = Store(*urls)
    with store._database.writing() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=20")
    long = AuditEvent(datetime(2026, 1, 1, tzinfo=UTC), "ada", "submit", "job", "", {"filling": "x" * 200_000})

    with pytest.raises(StoreError) as caught:
        store.add_image(make_image("i1"), long)

    assert str(caught.value) == "The disk is full: the database could not be written; free some space and try again."
    assert (store.count_images(), store.events()) == (0, [])
    store.close()


def test_what_is_not_a_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "synth.db").write_bytes(b"not a database, but long enough to have a header of one hundred bytes" * 9)

    with pytest.raises(StoreError, match=r"^The database could not be used: file is not a database\.$"):
        Store(f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path}")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "DATABASE_URL cannot be read; it must look like sqlite:///folder/synth.db."),
        ("sqlite://", "DATABASE_URL names an SQLite database in memory; it must be a file, or a restart loses it."),
    ],
)
def test_a_wrong_database_url_says_what_would_be_right(url: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Store(url, f"file://{tmp_path}")

    assert str(caught.value) == sentence


def test_a_write_waits_for_another_writer_of_the_same_file(
    urls: tuple[str, str], tmp_path: Path, make_image: MakeImage
) -> None:
    store = Store(*urls)
    other = sqlite3.connect(tmp_path / "synth.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, args=("COMMIT",))
    release.start()

    store.add_image(make_image("i1"))

    release.join()
    assert not other.in_transaction
    assert store.count_images() == 1
    other.close()
    store.close()


def test_transactions_that_read_before_they_write_take_turns(store: Store) -> None:
    with store._database.writing() as session:
        session.connection().exec_driver_sql("INSERT INTO counters VALUES ('test', 0)")
    failures: list[StoreError] = []

    def count_up() -> None:
        try:
            for _ in range(10):
                with store._database.writing() as session:
                    connection = session.connection()
                    now = int(connection.exec_driver_sql("SELECT value FROM counters").scalar_one())
                    connection.exec_driver_sql("UPDATE counters SET value = ?", (now + 1,))
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with store._database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT value FROM counters").scalar_one() == 40


def test_the_picture_of_a_check_is_kept_under_its_name(store: Store, make_image: MakeImage) -> None:
    made = make_image("edited")
    checks = QualityReport((*made.quality.checks, QualityCheck("codec error", 1.5, 0.0, 6.0)))
    picture = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    store.add_image(replace(made, quality=checks, pictures={"codec error": picture}))
    mean, error = store.image("edited").quality.checks
    assert mean.picture is None
    assert replace(error, picture=None) == checks.checks[1]
    assert error.picture is not None and np.array_equal(store.picture(error.picture), picture)
