"""The store: images, jobs and the audit trail. Sessions never leave this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import CursorResult, Update, and_, func, or_, select, update
from sqlalchemy.orm import Session

from synth.errors import RequestError, StoreError
from synth.imaging import to_uint8
from synth.origins import Licence
from synth.store import records, states
from synth.store.blobs import Blobs, decode_png, digest_of, encode_png, shrink
from synth.store.casebook import Casebook
from synth.store.database import Database
from synth.store.facts import keep_fact
from synth.store.figures import Figures
from synth.store.holdings import Holdings
from synth.store.imports import Imports
from synth.store.model_register import ModelRegister
from synth.store.people import People
from synth.store.protocols import Protocols
from synth.store.records import StoredImage
from synth.store.references import References
from synth.store.sittings import Sittings
from synth.store.tables import ImageRow, JobRow
from synth.store.trail import Sought, Trail, append
from synth.store.validation import Validation
from synth.types import AuditEvent, Base, GeneratedImage, GenerationRequest, Job, JobState, Pixels

ACCEPTED = "licence.accepted"
OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)


class Store:
    """One database and one place for pixels. Every method may be called from any thread.

    `casebook` holds case sets and studies, `sittings` what was read, `holdings` real images, `imports` how they came,
    `figures` counts, `references` are what drift is measured from, `model_register` says which models were used,
    `trail` who did what, `validation` what each image may be used for, `protocols` under what research is made,
    `people` who may sign in.
    Every method raises StoreError, in one sentence, when the database or the place of the pixels fails.
    """

    def __init__(self, database_url: str, blob_url: str) -> None:
        """Open both and migrate the database. `blob_url` is any fsspec URL."""
        self._database = Database(database_url)
        self._blobs = Blobs(blob_url)
        self.casebook = Casebook(self._database)
        self.sittings = Sittings(self._database)
        self.holdings = Holdings(self._database, self._blobs)
        self.imports = Imports(self._database)
        self.figures = Figures(self._database)
        self.references = References(self._database)
        self.model_register = ModelRegister(self._database)
        self.trail = Trail(self._database)
        self.validation = Validation(self._database)
        self.protocols = Protocols(self._database)
        self.people = People(self._database)

    def close(self) -> None:
        """Give all database connections back."""
        self._database.close()

    def add_image(self, image: GeneratedImage, event: AuditEvent | None = None) -> None:
        """Keep an image, and the event with it or neither. An id that is already kept raises StoreError."""
        png = encode_png(image.pixels)
        with self._database.writing() as session:
            self._keep_image(session, image, png, event)

    def image(self, image_id: str) -> GeneratedImage:
        """The whole image. Raises StoreError when it is unknown or its pixels are damaged."""
        row = self._image_row(image_id)
        return GeneratedImage(
            id=row.id,
            pixels=decode_png(self._blobs.get(row.blob)),
            request=records.stored_image(row).request,
            provenance=records.provenance(row.provenance),
            quality=records.quality(row.quality),
        )

    def asked_by(self, image_id: str) -> str:
        """Who asked for an image. Raises StoreError when it is unknown."""
        return self._image_row(image_id).requested_by

    def image_of(self, subject: str) -> str | None:
        """The id of the image that has this id, or that the job of this id made; None where there is none."""
        with self._database.reading() as session:
            made = session.scalar(select(JobRow.image_id).where(JobRow.id == subject))
            return made or session.scalar(select(ImageRow.id).where(ImageRow.id == subject))

    def drawn_with(self, image_id: str) -> list[StoredImage]:
        """The images of one batch, this one among them, in their order: they have the same time to the microsecond."""
        row = self._image_row(image_id)
        query = select(ImageRow).where(ImageRow.created_at == row.created_at).order_by(ImageRow.seq)
        with self._database.reading() as session:
            return [records.stored_image(mate) for mate in session.scalars(query)]

    def add_picture(self, pixels: Pixels) -> str:
        """Keep a picture or a mask that requests name; returns its sha256."""
        return self._blobs.put(encode_png(pixels))

    def picture(self, digest: str) -> Pixels:
        """The picture of `add_picture`, (H, W) uint8 or uint16. Raises StoreError when it is missing or damaged."""
        return decode_png(self._blobs.get(digest))

    def base(self, request: GenerationRequest) -> Base | None:
        """What the edit of `request` names, loaded; None where a new image is asked for."""
        edit = request.edit
        if edit is None:
            return None
        lesion, keep = (None if name is None else self.picture(name) > 127 for name in (edit.lesion, edit.keep))
        return Base(to_uint8(self.picture(edit.base)), lesion, keep)

    def thumbnail(self, image_id: str, px: int) -> npt.NDArray[np.uint8]:
        """(h, w) uint8 with at most `px` pixels on the longer side."""
        return shrink(decode_png(self._blobs.get(self._image_row(image_id).blob)), px)

    def history(self, limit: int, offset: int = 0, user: str | None = None) -> list[StoredImage]:
        """Images without pixels, newest first, of one user or of all."""
        query = select(ImageRow).order_by(ImageRow.seq.desc()).limit(limit).offset(offset)
        if user is not None:
            query = query.where(ImageRow.requested_by == user)
        with self._database.reading() as session:
            return [records.stored_image(row) for row in session.scalars(query)]

    def images_of_digest(self, prefix: str, limit: int = 8) -> list[StoredImage]:
        """Images whose request has a digest that begins like this (hex), the oldest first: replays share one."""
        begins = ImageRow.request_digest.startswith(prefix, autoescape=True)
        with self._database.reading() as session:
            found = session.scalars(select(ImageRow).where(begins).order_by(ImageRow.seq).limit(limit))
            return [records.stored_image(row) for row in found]

    def count_images(self, user: str | None = None) -> int:
        """How many images are kept, of one user or of all."""
        query = select(func.count()).select_from(ImageRow)
        if user is not None:
            query = query.where(ImageRow.requested_by == user)
        with self._database.reading() as session:
            return session.scalars(query).one()

    def add_jobs(self, jobs: Sequence[Job], owner: str, events: Sequence[AuditEvent] = ()) -> None:
        """Keep new jobs in this order, owned by the engine `owner`, together with their events or not at all."""
        with self._database.writing() as session:
            for job in jobs:
                session.add(
                    JobRow(
                        id=job.id,
                        user=job.user,
                        request=job.request.canonical_json(),
                        state=job.state.value,
                        owner=owner,
                        seen_at=_now(),
                        asked_at=_now(),
                    )
                )
            append(session, events)

    def job(self, job_id: str) -> Job:
        """The job as last written. Raises StoreError when it is unknown."""
        with self._database.reading() as session:
            row = session.scalar(select(JobRow).where(JobRow.id == job_id))
            if row is None:
                raise StoreError(f"There is no job {job_id!r} in the store.")
            return records.job(row)

    def open_jobs(self) -> list[Job]:
        """Jobs that are queued or running, whoever owns them, oldest first."""
        query = select(JobRow).where(JobRow.state.in_(OPEN)).order_by(JobRow.seq)
        with self._database.reading() as session:
            return [records.job(row) for row in session.scalars(query)]

    def start_jobs(self, job_ids: Sequence[str], owner: str) -> set[str]:
        """Mark queued jobs of `owner` as running. Returns those that were still queued and still its own."""
        with self._database.writing() as session:
            return {job_id for job_id in job_ids if _changed(session, _start(job_id, owner))}

    def finish_job(self, job_id: str, owner: str, image: GeneratedImage, event: AuditEvent) -> bool:
        """Keep the image, its event and the end of the job, all or nothing.

        Returns False, and keeps nothing, when the job is no longer running for `owner` (cancelled or taken over).
        """
        png = encode_png(image.pixels)
        with self._database.writing() as session:
            if not _changed(session, _done(job_id, owner)):
                return False
            self._keep_image(session, image, png, event)  # before the job points to it: a foreign key
            session.execute(update(JobRow).where(JobRow.id == job_id).values(image_id=image.id))
        return True

    def end_job(self, job: Job, event: AuditEvent) -> bool:
        """Write the failed or cancelled state of `job`. Returns False when the job had already ended."""
        ended = (
            update(JobRow)
            .where(JobRow.id == job.id, JobRow.state.in_(OPEN))
            .values(state=job.state.value, error=job.error, owner=None)
        )
        with self._database.writing() as session:
            if not _changed(session, ended):
                return False
            append(session, [event])
        return True

    def renew_jobs(self, owner: str) -> None:
        """Say that `owner` is alive and still works on its open jobs."""
        renewed = update(JobRow).where(JobRow.owner == owner, JobRow.state.in_(OPEN)).values(seen_at=_now())
        with self._database.writing() as session:
            session.execute(renewed)

    def adopt_jobs(self, owner: str, silence: timedelta) -> list[Job]:
        """Claim, as queued jobs of `owner`, open jobs without an owner or whose owner was silent for `silence`.

        Oldest first. Two engines that call this at once never get the same job: the UPDATE repeats the condition.
        A job whose request this program cannot read becomes failed instead.
        """
        orphaned = and_(JobRow.state.in_(OPEN), or_(JobRow.owner.is_(None), JobRow.seen_at < _now() - silence))
        with self._database.reading() as session:
            found = session.scalars(select(JobRow.id).where(orphaned).order_by(JobRow.seq)).all()
        if not found:
            return []
        claim = update(JobRow).values(state=JobState.QUEUED.value, owner=owner, seen_at=_now()).where(orphaned)
        with self._database.writing() as session:
            mine = [job_id for job_id in found if _changed(session, claim.where(JobRow.id == job_id))]
            rows = session.scalars(select(JobRow).where(JobRow.id.in_(mine)).order_by(JobRow.seq)).all()
            return [job for row in rows if (job := _readable(row))]

    def release_jobs(self, owner: str) -> None:
        """Give the open jobs of `owner` back to the queue, for any engine to adopt at once."""
        released = update(JobRow).where(JobRow.owner == owner, JobRow.state.in_(OPEN))
        with self._database.writing() as session:
            session.execute(released.values(owner=None, state=JobState.QUEUED.value))

    def add_event(self, event: AuditEvent) -> None:
        """Append one event."""
        self.trail.add(event)

    def events(self, limit: int = 100, offset: int = 0, subject: str | None = None) -> list[AuditEvent]:
        """Events, newest first, about one subject or all."""
        return [entry.event() for entry in self.trail.page(Sought(subject=subject or ""), limit, offset)]

    def submitted(self, user: str, since: datetime) -> list[datetime]:
        """When a user asked for images since a time, one entry an image, oldest first."""
        with self.trail.snapshot(Sought(who=user, action="submit", since=since)) as (_, entries):
            return [entry.event().at for entry in entries]

    def accept_licence(self, licence: Licence, who: str, at: datetime) -> None:
        """Keep who accepted the licence of a revision of a model, and when; once."""
        if not self.licence_accepted(licence):
            detail = {"model": licence.model_id, "revision": licence.revision, "licence": licence.name}
            self.add_event(AuditEvent(at, who, ACCEPTED, licence.digest(), "", detail))

    def licence_accepted(self, licence: Licence) -> bool:
        """Whether anybody has accepted this licence for this revision of the model."""
        return any(event.action == ACCEPTED for event in self.events(subject=licence.digest()))

    def _image_row(self, image_id: str) -> ImageRow:
        with self._database.reading() as session:
            row = session.scalar(select(ImageRow).where(ImageRow.id == image_id))
            if row is None:
                raise StoreError(f"There is no image {image_id!r} in the store.")
            session.expunge(row)
            return row

    def _keep_image(self, session: Session, image: GeneratedImage, png: bytes, event: AuditEvent | None) -> None:
        # Rows first: when the disk refuses the pixels the transaction rolls back and nothing is half kept.
        pictures = {name: encode_png(pixels) for name, pixels in image.pictures.items()}
        named = {name: digest_of(data) for name, data in pictures.items()}
        session.add(records.image_row(image, digest_of(png), named))
        keep_fact(session, image)
        session.flush()
        protocol = states.begin(session, image)
        session.flush()
        for data in (png, *pictures.values()):
            self._blobs.put(data)
        if event is not None:
            append(session, [replace(event, detail=event.detail | {"protocol": protocol}) if protocol else event])


def _start(job_id: str, owner: str) -> Update:
    queued = and_(JobRow.id == job_id, JobRow.owner == owner, JobRow.state == JobState.QUEUED.value)
    return update(JobRow).where(queued).values(state=JobState.RUNNING.value, seen_at=_now())


def _done(job_id: str, owner: str) -> Update:
    running = and_(JobRow.id == job_id, JobRow.owner == owner, JobRow.state == JobState.RUNNING.value)
    return update(JobRow).where(running).values(state=JobState.DONE.value, owner=None)


def _readable(row: JobRow) -> Job | None:
    """The job, or None for one of another program version: it ends as failed, or it would come back for ever."""
    try:
        return records.job(row)
    except RequestError as error:
        row.state, row.error, row.owner = JobState.FAILED.value, str(error), None
        return None


def _changed(session: Session, statement: Update) -> bool:
    """True when the conditional UPDATE met its row: the claim is won."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _now() -> datetime:
    return datetime.now().astimezone()
