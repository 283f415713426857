"""Transfers: started, looked at, stopped, waiting their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from synth.errors import ArchiveError, BusyError
from synth.intake import questions
from synth.intake.questions import Question
from synth.intake.transfers import WAITING_MAX, Line, Stage, Transfer, Transfers


@pytest.fixture
def transfers() -> Iterator[Transfers]:
    opened = Transfers()
    yield opened
    opened.close()


def ended(transfers: Transfers, name: str) -> Transfer:
    until = time.monotonic() + 20
    while (one := transfers.get(name)) is None or one.live:
        assert time.monotonic() < until, one
        time.sleep(0.01)
    return one


def test_a_transfer_tells_how_far_it_is_and_how_it_ended(transfers: Transfers) -> None:
    half, on = threading.Event(), threading.Event()

    def work(line: Line) -> str:
        line.progress(1, 2)
        line.size(10, 20)
        half.set()
        on.wait(20)
        line.problem("b.dcm is missing.")
        line.arrived("import-1")
        line.outcome("i1", "moved", "")
        return "1 of 2 files."

    name = transfers.start("retrieve", "CT from ward", "ada", work)
    assert half.wait(20)
    now = transfers.get(name)
    assert now is not None and (now.stage, now.done, now.total, now.done_bytes, now.total_bytes) == (
        Stage.RUNNING, 1, 2, 10, 20,
    )  # fmt: skip
    on.set()
    one = ended(transfers, name)
    assert (one.stage, one.sentence, one.problems, one.import_id, one.outcomes) == (
        Stage.DONE, "1 of 2 files.", ("b.dcm is missing.",), "import-1", (("i1", "moved", ""),),
    )  # fmt: skip


def test_a_failure_is_its_sentence_and_a_bug_is_one_too(transfers: Transfers) -> None:
    def down(line: Line) -> str:
        raise ArchiveError("ward cannot be reached.")

    def broken(line: Line) -> str:
        raise KeyError("x")

    one, other = (ended(transfers, transfers.start("push", "t", "ada", work)) for work in (down, broken))
    assert (one.stage, one.sentence) == (Stage.FAILED, "ward cannot be reached.")
    assert (other.stage, other.sentence) == (Stage.FAILED, "It ended by an error of the program: KeyError('x').")


def test_a_stop_reaches_work_under_way_and_work_that_waits(transfers: Transfers) -> None:
    begun: list[str] = []

    def until_stopped(name: str) -> Callable[[Line], str]:
        def work(line: Line) -> str:
            begun.append(name)
            while not line.stopped():
                time.sleep(0.01)
            return "Stopped."

        return work

    names = [transfers.start("download", text, "ada", until_stopped(text)) for text in "abc"]
    while len(begun) < 2:
        time.sleep(0.01)
    for name in reversed(names):  # the one that waits first
        transfers.stop(name)
    assert [ended(transfers, name).stage for name in names] == [Stage.STOPPED] * 3
    assert sorted(begun) == ["a", "b"]


def test_too_many_that_wait_are_refused_in_one_sentence(transfers: Transfers) -> None:
    on = threading.Event()
    for number in range(WAITING_MAX):
        transfers.start("push", str(number), "ada", lambda line: str(on.wait(20)))
    with pytest.raises(BusyError, match="20 transfers wait already; try again"):
        transfers.start("push", "one more", "ada", lambda line: "")
    on.set()
    assert next(one.title for one in transfers.latest("push")) == "19" and transfers.latest("retrieve") == []


def test_a_question_is_asked_once_and_its_failure_is_raised_to_the_one_who_asked() -> None:
    silent = threading.Event()
    question = Question(lambda: str(silent.wait(20)))
    assert not question.over and not question.wait(0.01)
    silent.set()
    assert question.answer() == "True" and question.over

    def refused() -> str:
        raise ArchiveError("ward does not know our AE title.")

    with pytest.raises(ArchiveError, match="does not know our AE title"):
        Question(refused).answer()


def test_questions_that_nobody_answers_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_free", threading.BoundedSemaphore(1))
    silent = threading.Event()
    first = Question(lambda: silent.wait(20))
    with pytest.raises(BusyError, match="wait for their answers"):
        Question(lambda: True)
    silent.set()
    assert first.answer()
    until = time.monotonic() + 5
    while True:
        try:
            assert Question(lambda: 7).answer() == 7
            return
        except BusyError:
            assert time.monotonic() < until
