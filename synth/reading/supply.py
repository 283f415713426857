"""What case sets can give to a reader study: for each task how many cases, and of which class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synth.errors import RequestError
from synth.reading.answers import Task
from synth.reading.cases import Case
from synth.reading.reads import positive_of
from synth.reading.sessions import LENGTH_MAX
from synth.reading.study_words import TASK_NAMES

CLASSES = {
    Task.REAL_OR_SYNTHETIC: ("synthetic", "real"),
    Task.FINDINGS: ("abnormal", "normal"),
    Task.WHERE: ("with a lesion", "without"),
    Task.REPORT: ("abnormal", "normal"),
    Task.CHANGE: ("with a change", "without"),
}


@dataclass(frozen=True, slots=True)
class Supply:
    """The cases that a task would be asked on; an order of severity counts as positive."""

    task: Task
    positives: int
    negatives: int

    @property
    def total(self) -> int:
        """Answers that one reader would give in one phase."""
        return self.positives + self.negatives

    @property
    def one_class(self) -> bool:
        """True where all cases are alike, so that there can be no ROC curve."""
        return self.task in CLASSES and self.total > 0 and 0 in (self.positives, self.negatives)

    @property
    def sentence(self) -> str:
        """As "Findings: 12 cases, 8 abnormal and 4 normal."."""
        told = f"{TASK_NAMES[self.task]}: {self.total} {'case' if self.total == 1 else 'cases'}"
        if self.task not in CLASSES or not self.total:
            return f"{told}."
        positive, negative = CLASSES[self.task]
        if self.one_class:
            return f"{told}, all {positive if self.positives else negative}: no ROC curve can come of it."
        return f"{told}, {self.positives} {positive} and {self.negatives} {negative}."


def supply(cases: Iterable[Case], tasks: Sequence[Task]) -> tuple[Supply, ...]:
    """For each task the cases that can serve it; a case that stands in two sets is read once."""
    found = {case.id: case for case in cases}.values()
    counts = []
    for task in tasks:
        classes = [positive_of(task, case.truth) is not False for case in found if task in case.tasks]
        counts.append(Supply(task, sum(classes), len(classes) - sum(classes)))
    return tuple(counts)


def check(supplies: Sequence[Supply]) -> None:
    """Raises RequestError where a task has no case, or a reader would have to answer too much in one phase."""
    for one in supplies:
        if not one.total:
            name = TASK_NAMES[one.task]
            raise RequestError(f"No case of these sets can be asked {name!r}; leave the task out or choose other sets.")
    total = sum(one.total for one in supplies)
    if total > LENGTH_MAX:
        raise RequestError(
            f"A reader would give {total} answers in a phase; at most {LENGTH_MAX} are asked, so choose fewer sets or "
            "tasks."
        )
