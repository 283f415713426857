"""What is counted: images by day and model, refusals, errors, times; and nothing outside the period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from synth.governance.monitoring import Period, Spread, Volume
from synth.origins import AuditEvent
from synth.store import Store
from synth.store.figures import Buckets, Origin
from synth.types import GeneratedImage, Job, JobState, QualityCheck, QualityReport
from tests.holdings import image as real

AT = datetime(2026, 5, 4, 23, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
Make = Callable[..., GeneratedImage]
BAD = QualityReport((QualityCheck("grid", 9.0, 0, 1.5), QualityCheck("contrast", 0.5, 0, 0.4)))


def made(make_image: Make, name: str, at: datetime, user: str = "ada", **changes: object) -> GeneratedImage:
    image = make_image(name, user)
    return replace(image, provenance=replace(image.provenance, created_at=at, requested_by=user, **changes))  # type: ignore[arg-type]


def ended(store: Store, image: GeneratedImage, state: JobState = JobState.DONE, error: str | None = None) -> None:
    """A job that was asked for and ended, an hour after AT."""
    user = image.provenance.requested_by
    job = Job(image.id, image.request, user, JobState.QUEUED)
    store.add_jobs([job], "engine", [job.event("submit", AT + HOUR)])
    assert store.start_jobs([job.id], "engine") == {job.id}
    if state is JobState.DONE:
        assert store.finish_job(job.id, "engine", image, job.event("done", AT + HOUR))
    else:
        assert store.end_job(replace(job, state=state, error=error), job.event(state.value, AT + HOUR))


def test_a_period_holds_what_happened_in_it(store: Store, make_image: Make) -> None:
    store.add_image(made(make_image, "before", AT - HOUR))
    store.add_image(replace(made(make_image, "late", AT), quality=BAD))
    store.add_image(made(make_image, "next day", AT + HOUR, "tom", seconds=2.125))
    store.add_image(made(make_image, "after", AT + 2 * HOUR))
    for name, error in (("f1", "The prompt 'Anna Miller' is refused."), ("f2", "The prompt 'Tom Weber' is refused.")):
        ended(store, make_image(name), JobState.FAILED, error)
    ended(store, make_image("c"), JobState.CANCELLED)
    for kind, at in (("busy", AT), ("policy", AT), ("busy", AT), ("busy", AT - HOUR)):
        store.add_event(AuditEvent(at, "ada", "refused", "", "", {"kind": kind}))
    assert store.figures.period(AT, AT + 2 * HOUR) == Period(
        since=AT,
        until=AT + 2 * HOUR,
        volumes=(
            Volume(date(2026, 5, 4), "ada", "tiny", "1", "DX", 1, 1, 1),
            Volume(date(2026, 5, 5), "tom", "tiny", "1", "DX", 1, 0, 1),
        ),
        asked=3,
        done=0,
        failures=2,
        cancelled=1,
        checks=(("contrast", 1), ("grid", 1)),
        refusals=(("busy", 2), ("policy", 1)),
        errors=(("The prompt ... is refused.", 2),),
        waiting=Spread(),
        drawing=Spread(2, 0.125, 2.125),
    )


def test_how_long_a_job_waited_is_kept_with_its_image(store: Store, make_image: Make) -> None:
    image = make_image("i")
    ended(store, made(make_image, "i", datetime.now(UTC) + timedelta(seconds=90)))
    waiting = store.figures.period(AT, datetime.now(UTC) + HOUR).waiting
    assert waiting.count == 1 and waiting.median is not None and 89 < waiting.median < 91
    ended(store, replace(image, id="clock that went back"))
    assert store.figures.totals((0.0, 100.0), (1.0,)).waiting.below == ((0.0, 1), (100.0, 2))


def test_an_edit_and_a_picture_without_checks_are_told_apart(store: Store, make_image: Make) -> None:
    store.add_image(replace(made(make_image, "i", AT), quality=QualityReport()))
    (volume,) = store.figures.period(AT, AT + HOUR).volumes
    assert (volume.images, volume.failed, volume.checked) == (1, 0, 0)


def test_the_totals_name_nobody_and_hold_everything(store: Store, make_image: Make) -> None:
    store.add_image(replace(made(make_image, "i", AT, model_id="other"), quality=BAD))
    ended(store, make_image("j"))
    ended(store, make_image("k"), JobState.FAILED, "No.")
    store.add_event(AuditEvent(AT, "ada", "refused", "", "", {"kind": "identifier"}))
    totals = store.figures.totals((1e9,), (0.1, 1.0))
    assert (totals.images, totals.refusals) == ((("other", "DX", 1), ("tiny", "DX", 1)), (("identifier", 1),))
    assert totals.ended == (("done", 1), ("failed", 1), ("cancelled", 0))
    assert totals.checks == (("contrast", 1), ("grid", 1))
    assert totals.drawing == Buckets(((0.1, 0), (1.0, 2)), 2, 0.25)
    assert (totals.waiting.count, totals.trail) == (1, 5)
    assert "ada" not in repr(totals)


def test_an_empty_store_counts_nothing(store: Store) -> None:
    assert store.figures.period(AT, AT + HOUR) == Period(AT, AT + HOUR)
    totals = store.figures.totals((1.0,), ())
    assert (totals.images, totals.waiting, totals.trail) == ((), Buckets(((1.0, 0),), 0, 0.0), 0)
    assert store.figures.of_model("tiny", "1") == (0, 0, 0, None)


def test_a_revision_knows_its_images(store: Store, make_image: Make) -> None:
    store.add_image(made(make_image, "i", AT))
    store.add_image(replace(made(make_image, "j", AT - HOUR), quality=BAD))
    store.add_image(made(make_image, "k", AT, model_revision="2"))
    assert store.figures.of_model("tiny", "1") == (2, 2, 1, AT - HOUR)


def test_origins_of_the_library_leave_the_bin_out(store: Store) -> None:
    store.holdings.register([real("a"), real("b"), real("c", origin="Other", licence="CC0"), real("d")])
    store.holdings.remove(["d"], [])
    assert store.figures.origins() == (
        Origin("Collection", "CC0 1.0", "DX", 2),
        Origin("Other", "CC0", "DX", 1),
    )
