"""The audit trail on the Administration page without a browser: found, verified, exported, an image drawn once more."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from synth.governance import Role, User
from synth.origins import AuditEvent
from synth.store.model_register import ModelRegister
from synth.store.trail import Sought
from synth.types import GeneratedImage, GenerationRequest
from synth.ui import admin_audit, house, session
from tests.pages.conftest import ROOT, address
from tests.painting import wait_for

Visit = Callable[..., AppTest]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def page(app: Visit, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """Opens the page at an address, without the first page, which would have an example drawn."""
    monkeypatch.setattr(ModelRegister, "add", lambda *_: False)  # a row of its own, whenever the model is ready
    visited = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)

    def visit(**params: str) -> AppTest:
        visited.switch_page("pages/admin.py")
        visited.query_params.clear()
        visited.query_params["tab"] = "audit"
        for key, value in params.items():
            visited.query_params[key] = value
        return visited.run()

    return visit


def note(number: int, who: str = "ada", action: str = "done", reason: str = "") -> None:
    detail = {"model": "tiny", "seed": number, "digest": "ab"}
    event = AuditEvent(NOON + timedelta(days=number), who, action, f"image{number}", reason, detail)
    house.store().add_event(event)


def rows(page: AppTest) -> list[str]:
    """The numbers of the rows on screen."""
    assert not page.exception and not page.error
    return [button.label for button in page.button if (button.key or "").removeprefix("audit-").isdigit()]


def said(page: AppTest) -> str:
    return "\n".join(part.value for part in [*page.markdown, *page.caption, *page.success, *page.error, *page.warning])


def spoil(home: Path, sql: str) -> None:
    engine = sa.create_engine(f"sqlite:///{home / 'synth.db'}")
    with engine.begin() as connection:
        for name in ("events_no_update", "events_no_delete"):
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
        connection.execute(sa.text(sql))
    engine.dispose()


def drawn() -> GeneratedImage:
    request = GenerationRequest(seed=7, steps=4, model_id="tiny")
    job = wait_for(house.engine(), house.engine().submit(request, "ada").id)
    return house.store().image(job.id)


def test_rows_are_listed_newest_first_with_who_what_why_and_from_which_model_and_seed(page: Visit) -> None:
    for number in (1, 2, 3):
        note(number, reason="for *the* course")
    shown = page()
    assert rows(shown) == ["3", "2", "1"]
    for text in (
        "**3** rows",
        "2026\\-05\\-07 12\\:00\\:00",
        "ada",
        "done",
        "image3",
        "tiny, 3",
        "for \\*the\\* course",
    ):
        assert text in said(shown)


def test_filters_stand_in_the_address(page: Visit) -> None:
    for number in range(1, 5):
        note(number, who="eve" if number > 2 else "ada", action="pacs.push" if number == 3 else "done")
    assert rows(page(who="eve")) == ["4", "3"]
    assert rows(page(who="eve", action="pacs.push")) == ["3"]
    assert rows(page(subject="image2")) == ["2"]
    assert rows(page(q="EVE image4")) == ["4"]
    assert rows(page(**{"from": "2026-05-06", "to": "2026-05-07"})) == ["3", "2"]
    nothing = page(q="nowhere")
    assert (rows(nothing), "No row fits." in said(nothing)) == ([], True)
    nothing.button(key="audit_clear").click().run()
    assert rows(nothing) == ["4", "3", "2", "1"]


def test_a_filter_that_is_chosen_comes_into_the_address(page: Visit) -> None:
    note(1, who="ada")
    note(2, who="eve")
    shown = page()
    shown.selectbox(key="shelf_who").set_value("ada").run()
    assert (rows(shown), address(shown, "who")) == (["1"], "ada")


@pytest.mark.parametrize("day", ["yesterday", "9999-12-31", "0001-01-01"])
def test_a_day_that_is_none_is_one_sentence(page: Visit, day: str) -> None:
    shown = page(**{"from": day})
    assert not shown.exception
    assert [error.value for error in shown.error] == [
        f"The address says from='{day}', which must be a day like 2026-05-04."
    ]


def test_long_trails_have_pages(page: Visit) -> None:
    for number in range(1, admin_audit.PAGE + 4):
        note(number)
    assert rows(page(page="2")) == ["3", "2", "1"]
    assert rows(page(page="99")) == ["3", "2", "1"]


def test_a_whole_trail_is_verified_and_the_verification_is_a_row(page: Visit) -> None:
    note(1)
    house.heads().sign()
    note(2)
    shown = page().button(key="audit_verify").click().run()
    assert not shown.exception
    assert shown.success[0].value.startswith("Valid: all 2 rows are as they were written. Verified at ")
    assert "1 signed heads; the last that fits is of row 1" in said(shown)
    assert "Rows after 1 are protected by the chain and the database's own tip alone." in said(shown)
    event = house.store().events(1)[0]
    assert (event.who, event.action, event.detail) == (
        "local", "audit.verify", {"rows": 2, "heads": 1, "valid": True, "row": None},
    )  # fmt: skip


def test_the_first_broken_row_is_named_and_opens(page: Visit, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        note(number)
    spoil(tmp_path, "UPDATE events SET who = 'nobody', detail = 'x' WHERE seq = 2")
    shown = page().button(key="audit_verify").click().run()
    assert shown.error[0].value.startswith("Row 2 was changed after it was written. Verified at ")
    shown.button(key="audit_broken").click().run()
    assert not shown.exception
    assert (address(shown, "row"), "**Row 2**: done by nobody" in said(shown)) == ("2", True)


def test_a_trail_that_lost_its_end_warns_on_the_page(page: Visit, tmp_path: Path) -> None:
    note(1)
    note(2)
    page()
    house.heads().sign()
    spoil(tmp_path, "DELETE FROM events WHERE seq = 2")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'synth.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_tip_grows"))
        connection.execute(sa.text("UPDATE audit_tip SET seq = 1, hash = (SELECT hash FROM events WHERE seq = 1)"))
    engine.dispose()
    house.heads().sign()
    shown = page()
    assert shown.warning[0].value.startswith(
        "The audit trail could not be signed: it ends after row 1, but row 2 was signed at "
    )
    shown.button(key="audit_verify").click().run()
    assert shown.error[0].value.startswith("The trail ends after row 1, but row 2 was signed at ")


def test_an_export_holds_what_fits_runs_no_formula_and_is_a_row_itself(page: Visit) -> None:
    note(1, who="eve")
    note(2, reason="=HYPERLINK(1)")
    note(3, reason='@SUM(1), "x"')
    page()
    data = admin_audit.exported(house.store().trail, "csv", Sought(who="ada"), "local")
    table = [*csv.DictReader(io.StringIO(data.decode("utf-8-sig")))]
    assert [(row["seq"], row["who"], row["reason"]) for row in table] == [
        ("2", "ada", "'=HYPERLINK(1)"), ("3", "ada", "'@SUM(1), \"x\""),
    ]  # fmt: skip
    event = house.store().events(1)[0]
    assert (event.who, event.action, event.detail) == ("local", "audit.export", {"format": "csv", "who": "ada"})

    lines = admin_audit.exported(house.store().trail, "jsonl", Sought(), "local").decode().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4]
    first = house.store().trail.entry(1)
    assert first is not None and json.loads(lines[0]) == {
        "seq": 1, "at": "2026-05-05T12:00:00.000000Z", "who": "eve", "action": "done", "subject": "image1",
        "reason": "", "detail": first.detail, "previous": "0" * 64, "hash": first.hash,
    }  # fmt: skip


def test_an_image_is_drawn_once_more_from_its_row_and_is_identical(page: Visit) -> None:
    image = drawn()
    shown = page(row="2")
    assert "**Row 2**: done by ada" in said(shown)
    shown.button(key="audit_recreate").click().run()
    wait_for(house.engine(), address(shown, "copy"))
    shown.run()
    assert not shown.exception
    assert [part.value for part in shown.success] == [f"Identical: all {image.pixels.size:,} pixels are the same."]
    event = next(one for one in house.store().events() if one.action == "recreate")
    assert (event.who, event.subject, event.detail["copy"]) == ("local", image.id, address(shown, "copy"))


def test_what_is_not_as_it_was_is_told_before_the_image_is_drawn(page: Visit) -> None:
    image = drawn()
    old = replace(image.provenance, model_revision="0", batch=2)
    house.store().add_image(replace(image, id="old", provenance=old), replace_event("old"))
    shown = page(row="3")
    assert "It was drawn by tiny revision 0, now tiny revision 1 is loaded." in said(shown).replace("\\", "")
    assert "It was drawn in a batch of 2" in said(shown)


def replace_event(image_id: str) -> AuditEvent:
    return AuditEvent(NOON, "ada", "done", image_id, "")


def test_a_row_about_no_image_says_so_and_a_row_that_is_not_there_too(page: Visit) -> None:
    note(1)
    assert "This row is about no image that was made here." in said(page(row="1"))
    assert "The trail has no row 9." in [part.value for part in page(row="9").info]


def test_a_copy_of_another_request_is_not_compared(page: Visit) -> None:
    drawn()
    other = house.engine().submit(GenerationRequest(seed=8, steps=4, model_id="tiny"), "ada")
    wait_for(house.engine(), other.id)
    shown = page(row="2", copy=other.id)
    assert "was drawn from another request" in shown.error[0].value


def test_those_who_may_not_read_the_trail_see_nothing_of_it(page: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    note(1)
    monkeypatch.setattr(session, "person", lambda: User("tom", frozenset({Role.TRAINEE})))
    shown = page()
    refusal = "The administration has nothing for tom, who is trainee."
    assert ([error.value for error in shown.error], [*shown.selectbox]) == ([refusal], [])


def test_an_export_of_all_is_verified_by_the_lines_that_the_documentation_gives(
    page: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        note(number, who="Åsa", reason='"quoted" \\ \n')
    page()
    script = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    lines = admin_audit.exported(house.store().trail, "jsonl", Sought(), "local")
    (tmp_path / "audit-trail.jsonl").write_bytes(lines)
    exec(compile(script, "docs/audit.md", "exec"), {})
    (tmp_path / "audit-trail.jsonl").write_bytes(lines.replace(b"image2", b"image9"))
    with pytest.raises(AssertionError, match="2"):
        exec(compile(script, "docs/audit.md", "exec"), {})
