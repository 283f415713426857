"""The Progress page without a browser, over a store filled by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from synth.reading.answers import Task
from synth.reading.sessions import Mode
from synth.ui import house
from tests.pages.conftest import ROOT, address
from tests.sittings import dealt, keep, named, rated, sitting, study

Visit = Callable[..., AppTest]
DAY = timedelta(days=1)
NODULE, EDEMA, CLEAR = dealt("nodule", "nodule"), dealt("edema", "edema"), dealt("clear")
DOUBT = dealt("doubt", "nodule", task=Task.REAL_OR_SYNTHETIC)


@pytest.fixture
def board(app: Visit) -> Callable[..., AppTest]:
    """Opens the page; the address may name a reader."""

    def visit(**params: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).switch_page("pages/progress.py")
        for key, value in params.items():
            page.query_params[key] = value
        return page.run()

    return visit


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def fill(reader: str = "local") -> None:
    """Yesterday a nodule found and one missed, today a normal called and a synthetic image told."""
    store, today = house.store(), now() - timedelta(minutes=10)
    keep(
        store, sitting("s1", NODULE, EDEMA, reader=reader), named("nodule"), named("nodule"), at=today - DAY, ended=True
    )
    plan = {"tasks": (Task.FINDINGS, Task.REAL_OR_SYNTHETIC), "mode": Mode.DAILY}
    keep(store, sitting("s2", CLEAR, DOUBT, reader=reader, **plan), named(), rated(6), at=today)


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def links(page: AppTest) -> list[dict[str, list[str]]]:
    """The parameters of every link to the reading room, from top to bottom."""
    return [parse_qs(link.proto.query_string) for link in page.get("page_link")]


def words(page: AppTest) -> str:
    return "\n".join(part.value for part in (*page.markdown, *page.caption, *page.subheader))


def test_an_empty_board_says_what_to_do(board: Visit) -> None:
    page = board()
    assert not page.exception and not page.error
    assert "Nothing read yet" in words(page)
    assert links(page) == [{"mode": ["daily"]}]
    assert not page.metric


def test_the_board_counts_days_cases_and_what_was_right(board: Visit) -> None:
    fill()
    page = board()
    assert not page.exception and not page.error
    assert metrics(page) == {"Days in a row": "2", "Longest": "2", "Cases read": "4", "Right": "75%"}


def test_each_finding_has_its_row_the_weakest_first(board: Visit) -> None:
    fill()
    table = board().dataframe[0].value
    assert table["Finding"].iloc[0] == "Pulmonary edema"
    assert sorted(table["Finding"]) == ["Nodule", "Normal", "Pulmonary edema", "Synthetic image"]
    row = table.set_index("Finding").loc["Nodule"]
    assert (row["Answers"], row["Right"], row["95 % interval"]) == (1, 100.0, "21% to 100%")
    assert row["Skill"] > 50 > table.set_index("Finding").loc["Pulmonary edema", "Skill"]
    assert 0 < row["Recall"] <= 100


def test_what_is_due_leads_to_a_block_of_it(board: Visit) -> None:
    fill()
    page = board()
    assert "findings to repeat now:** " in words(page)
    page.button(key="progress_due").click().run()
    assert (address(page, "mode"), page.exception) == ("spaced", [])


def test_figures_have_words_for_those_who_do_not_see_them(board: Visit) -> None:
    fill()
    charts = [chart.proto for chart in board().get("plotly_chart")]
    alts = [chart.alt for chart in charts]
    assert alts[0] == "Calendar of 12 weeks: 4 cases on 2 days"
    assert alts[1].startswith("Findings: ") and "Real or synthetic: 100% right" in alts[1]
    assert alts[2] == "Confusions: pulmonary edema named nodule: 1"


def test_every_case_can_be_opened_again(board: Visit) -> None:
    fill()
    page = board()
    assert links(page) == [
        {"session": ["s2"], "case": ["2"]},
        {"session": ["s2"], "case": ["1"]},
        {"session": ["s1"], "case": ["2"]},
        {"session": ["s1"], "case": ["1"]},
    ]


def test_the_history_is_filtered_by_task_and_by_what_was_right(board: Visit) -> None:
    fill()
    page = board()
    page.selectbox(key="progress_result").set_value("not right").run()
    assert links(page) == [{"session": ["s1"], "case": ["2"]}]
    page.selectbox(key="progress_result").set_value(None)
    page.selectbox(key="progress_task").set_value(Task.REAL_OR_SYNTHETIC).run()
    assert links(page) == [{"session": ["s2"], "case": ["2"]}]
    assert "1 of 4 answers" in words(page)
    page.selectbox(key="progress_result").set_value("not told").run()
    assert "0 of 4 answers" in words(page)
    assert not page.exception


def test_a_long_history_comes_in_pages(board: Visit) -> None:
    cases = [dealt(f"{number}") for number in range(30)]
    keep(house.store(), sitting("long", *cases), *[named()] * 30, at=now() - timedelta(hours=2))
    house.store().sittings.begin(sitting("other", reader="local"))
    page = board(reader="Ada")
    history = [link for link in links(page) if "session" in link]
    assert [link["case"] for link in history] == [[str(number)] for number in range(30, 18, -1)]
    assert history[0] == {"session": ["long"], "case": ["30"], "reader": ["Ada"]}
    assert [pages.proto.num_pages for pages in page.get("pagination")] == [3]


def test_a_running_exam_counts_as_read_and_tells_nothing(board: Visit) -> None:
    fill()
    exam = sitting("exam", NODULE, CLEAR, reader="local", mode=Mode.EXAM, limit_s=3600.0, start=now())
    keep(house.store(), exam, named("nodule"), at=now())
    page = board()
    assert metrics(page)["Cases read"] == "5"
    assert "not told" in words(page)
    assert {"session": ["exam"], "case": ["1"]} not in links(page)
    table = page.dataframe[0].value.set_index("Finding")
    assert table.loc["Nodule", "Answers"] == 1


def test_an_exam_whose_time_is_up_is_over_and_told(board: Visit) -> None:
    begun = now() - timedelta(hours=2)
    exam = sitting("exam", NODULE, CLEAR, reader="local", mode=Mode.EXAM, limit_s=600.0, start=begun)
    keep(house.store(), exam, named("nodule"), at=begun)
    page = board()
    assert metrics(page)["Right"] == "100%"
    assert links(page)[-1] == {"session": ["exam"], "case": ["1"]}
    assert house.store().sittings.session("exam").ended_at is not None


def test_a_study_never_tells(board: Visit) -> None:
    store = house.store()
    store.casebook.add_study(study())
    keep(store, sitting("st", NODULE, mode=Mode.STUDY, study="study-1"), named("nodule"), at=now(), ended=True)
    store.casebook.lock_study("study-1", now())
    page = board(reader="Ada")
    assert metrics(page) == {"Days in a row": "1", "Longest": "1", "Cases read": "1"}
    assert {"session": ["st"], "case": ["1"], "reader": ["Ada"]} not in links(page)
    assert len(page.dataframe) == 0 or page.dataframe[0].value["Right"].isna().all()


def test_a_new_answer_is_on_the_board_at_once(board: Visit) -> None:
    keep(house.store(), sitting("s1", NODULE, CLEAR, reader="local"), named("nodule"), at=now())
    page = board()
    assert metrics(page)["Cases read"] == "1"
    keep(house.store(), sitting("s2", EDEMA, reader="local"), named("edema"), at=now())
    assert metrics(page.run())["Cases read"] == "2"


def test_a_name_given_here_shows_that_readers_board_and_stands_in_the_address(board: Visit) -> None:
    fill("Bee")
    page = board()
    assert "Nothing read yet" in words(page)
    page.text_input[0].set_value(" Bee ").run()
    assert metrics(page)["Cases read"] == "4"
    assert address(page, "reader") == "Bee"
    page.text_input[0].set_value("").run()
    assert "Nothing read yet" in words(page)
    assert "reader" not in page.query_params


def test_a_name_in_the_address_is_kept_while_one_looks_around(board: Visit) -> None:
    fill("Bee")
    page = board(reader="Bee")
    assert metrics(page)["Cases read"] == "4"
    page.switch_page("pages/library.py").run()
    page.query_params.clear()
    page.switch_page("pages/progress.py").run()
    assert metrics(page)["Cases read"] == "4"


@pytest.mark.parametrize("name", ["7up", "<b>", "x" * 41])
def test_a_bad_name_is_one_sentence(board: Visit, name: str) -> None:
    sentence = "A reader's name has 1 to 40 letters, digits, spaces or .'- and begins with a letter."
    page = board()
    page.text_input[0].set_value(name).run()
    assert ([error.value for error in page.error], page.exception) == ([sentence], [])
    page = board(reader=name)
    assert ([error.value for error in page.error], page.exception) == ([sentence], [])


def test_a_card_that_cannot_be_read_leaves_the_rest_of_the_board(board: Visit) -> None:
    fill()
    with house.store()._database.writing() as db:
        db.connection().exec_driver_sql("UPDATE reader_skills SET card = '{}' WHERE code = 'nodule'")
    page = board()
    assert not page.exception
    assert [error.value.split(":")[0] for error in page.error] == ["The stored card cannot be read"] * 2
    assert metrics(page)["Cases read"] == "4"
    assert len(links(page)) == 4
