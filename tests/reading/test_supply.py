"""What case sets give to a study."""

from __future__ import annotations

import pytest

from synth.errors import RequestError
from synth.reading.answers import Change, Direction, Task
from synth.reading.cases import Case
from synth.reading.items import Truth
from synth.reading.supply import check, supply
from synth.types import Finding

READ = (Task.REAL_OR_SYNTHETIC, Task.FINDINGS)


def case(name: str, synthetic: bool, *findings: str, tasks: tuple[Task, ...] = READ) -> Case:
    truth = Truth(tuple(Finding(code) for code in findings), synthetic=synthetic)
    return Case(name, (f"synthetic:{name}",), truth, tasks, name, "DX")


CASES = [
    case("a", True, "edema"),
    case("b", True),
    case("c", False, tasks=(Task.REAL_OR_SYNTHETIC,)),
    Case("d", ("x", "y"), Truth(changes=(Change("edema", Direction.LARGER),)), (Task.CHANGE,), "d", "DX"),
]


def test_each_task_counts_its_cases_by_class() -> None:
    found = supply([*CASES, CASES[0]], (Task.REAL_OR_SYNTHETIC, Task.FINDINGS, Task.CHANGE))
    assert [(one.positives, one.negatives, one.one_class) for one in found] == [
        (2, 1, False), (1, 1, False), (1, 0, True),
    ]  # fmt: skip
    assert [one.sentence for one in found] == [
        "Real or synthetic: 3 cases, 2 synthetic and 1 real.",
        "Findings: 2 cases, 1 abnormal and 1 normal.",
        "What has changed: 1 case, all with a change: no ROC curve can come of it.",
    ]


def test_a_task_without_a_case_is_refused() -> None:
    with pytest.raises(RequestError, match="can be asked 'Where is the lesion'"):
        check(supply(CASES, (Task.FINDINGS, Task.WHERE)))


def test_more_than_a_sitting_holds_is_refused_with_the_number() -> None:
    many = [case(f"case-{number}", bool(number % 2)) for number in range(101)]
    with pytest.raises(RequestError, match="A reader would give 202 answers in a phase; at most 200"):
        check(supply(many, READ))
    check(supply(many[:100], READ))
