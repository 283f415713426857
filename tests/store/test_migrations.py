"""The schema: from nothing to the newest, once, and never under a newer program's feet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from synth.errors import StoreError
from synth.governance.roles import LOCAL_USER
from synth.store import Store, migrations, records
from synth.store.schema.versions import v0005_request_digests, v0008_monitoring
from synth.store.tables import Base
from synth.types import AuditEvent, Edit, GeneratedImage, Job, JobState, Modality, QualityCheck, QualityReport
from tests.validated import NOON


def revision(path: Path) -> str | None:
    with sa.create_engine(f"sqlite:///{path}").connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def again(connection: sa.Connection, migration: ModuleType) -> None:
    """Run one migration on a database that has all the later ones."""
    with Operations.context(MigrationContext.configure(connection)):
        migration.upgrade()


def test_an_empty_database_gets_exactly_the_tables_of_the_program(urls: tuple[str, str], tmp_path: Path) -> None:
    assert revision(tmp_path / "synth.db") is None

    Store(*urls).close()

    assert revision(tmp_path / "synth.db") == migrations.newest()
    with sa.create_engine(urls[0]).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_opening_again_changes_nothing(
    urls: tuple[str, str], tmp_path: Path, make_image: Callable[..., GeneratedImage]
) -> None:
    first = Store(*urls)
    first.add_image(make_image("i1"))
    kept = first.history(9)
    first.close()

    for _ in range(2):
        again = Store(*urls)
        assert again.history(9) == kept
        again.close()
    assert revision(tmp_path / "synth.db") == migrations.newest()


def test_images_of_an_older_program_are_found_by_their_digest(
    urls: tuple[str, str], tmp_path: Path, make_image: Callable[..., GeneratedImage]
) -> None:
    first, image = Store(*urls), make_image("i1", seed=5)
    request = image.request
    first.add_jobs([Job("j1", request, "ada", JobState.QUEUED)], "engine")
    first.start_jobs(["j1"], "engine")
    first.finish_job("j1", "engine", image, AuditEvent(image.provenance.created_at, "ada", "done", "j1", ""))
    first.close()
    engine = sa.create_engine(urls[0])
    with engine.begin() as connection:
        connection.execute(sa.text("DROP INDEX ix_images_request_digest"))
        connection.execute(sa.text("ALTER TABLE images DROP COLUMN request_digest"))
        again(connection, v0005_request_digests)

    second = Store(*urls)

    assert [one.id for one in second.images_of_digest(request.digest()[:16])] == ["i1"]
    assert second.images_of_digest("_" * 16) == []
    second.close()


def test_a_database_of_a_newer_program_is_refused_in_one_sentence(urls: tuple[str, str], tmp_path: Path) -> None:
    Store(*urls).close()
    engine = sa.create_engine(urls[0])
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError) as caught:
        Store(*urls)

    assert str(caught.value) == (
        "The database has a schema that this program does not know (Can't locate revision identified by '9999'); "
        "update SynthRead or choose another DATABASE_URL."
    )
    assert revision(tmp_path / "synth.db") == "9999"


def test_a_migration_that_fails_leaves_the_database_as_it_was(urls: tuple[str, str], tmp_path: Path) -> None:
    engine = sa.create_engine(urls[0])
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE jobs (mine INTEGER)"))

    with pytest.raises(StoreError, match=r"^The database could not be used: table jobs already exists\.$"):
        Store(*urls)

    assert sa.inspect(engine).get_table_names() == ["jobs"]


def test_images_of_before_monitoring_are_counted(
    urls: tuple[str, str], tmp_path: Path, make_image: Callable[..., GeneratedImage]
) -> None:
    """A database of the schema before 0008 tells the same after the upgrade, but for how long people waited."""
    bad = QualityReport((QualityCheck("grid", 9.0, 0.0, 1.5), QualityCheck("mean", 1.0, 0.0, 2.0)))
    first = Store(*urls)
    first.add_image(replace(make_image("i1"), quality=bad))
    first.add_image(make_image("i2", "tom", modality=Modality.CT))
    first.close()
    engine = sa.create_engine(urls[0])
    columns = "image_id, at, who, model, revision, modality, mode, drawn, checks, failed, waited"
    asked = sa.text(f"SELECT {columns} FROM image_facts ORDER BY seq")
    with engine.begin() as connection:
        before = connection.execute(asked).all()
        for statement in ("DROP TABLE image_facts", "DROP TABLE drift_references", "DROP INDEX ix_events_action_at",
                          "ALTER TABLE jobs DROP COLUMN asked_at"):  # fmt: skip
            connection.execute(sa.text(statement))
        again(connection, v0008_monitoring)
    with engine.connect() as connection:
        assert connection.execute(asked).all() == before
    assert [row.failed for row in before] == ["|grid|", ""]


def test_images_that_were_there_get_the_state_of_their_checks(
    urls: tuple[str, str], make_image: Callable[..., GeneratedImage]
) -> None:
    edit = Edit("variation", "0" * 64, "altered:good")
    good, bad, unchecked = make_image("good"), make_image("bad", seed=2), make_image("unchecked", seed=3, edit=edit)
    bad = replace(bad, quality=QualityReport((QualityCheck("mean", 2.0, 0.0, 1.0),)))
    unchecked = replace(unchecked, quality=QualityReport())
    engine = sa.create_engine(urls[0])
    with engine.begin() as connection:
        command.upgrade(migrations._config(connection), "0003")
        for number, image in enumerate((good, bad, unchecked)):
            row = records.image_row(image, "0" * 64, {})
            names = ("id", "created_at", "requested_by", "request", "provenance", "quality", "blob")
            values = {name: getattr(row, name) for name in names}
            values |= {"seq": number + 1, "created_at": str(row.created_at.replace(tzinfo=None))}
            columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            connection.execute(sa.text(f"INSERT INTO images ({columns}) VALUES ({marks})"), values)
    engine.dispose()

    store = Store(*urls)
    states = {name: one.state for name, one in store.validation.releases(["good", "bad", "unchecked"]).items()}
    assert states == {"good": "checked", "bad": "draft", "unchecked": "draft"}
    assert store.validation.withdraw("good", LOCAL_USER, "a doubled contour", NOON).images == ("good", "unchecked")
    store.close()
