"""What a study's report says in sentences: the protocol, what could not be computed, and the methods with sources."""

from __future__ import annotations

from synth.reading.analysis import StudyReport
from synth.reading.answers import Shape, Task
from synth.reading.studies import Protocol

TASK_NAMES = {
    Task.REAL_OR_SYNTHETIC: "Real or synthetic",
    Task.FINDINGS: "Findings",
    Task.WHERE: "Where is the lesion",
    Task.REPORT: "Report",
    Task.CHANGE: "What has changed",
    Task.SEVERITY: "Order of severity",
}
SHAPE_NAMES = {Shape.POINT: "point", Shape.BOX: "box", Shape.OUTLINE: "outline"}

METHODS = (
    "Positive cases are synthetic ones in the task real or synthetic, else those with a finding, lesion or change. A "
    "score is the rating 1 to 6, or the confidence 1 to 6, negative where the reader saw nothing.",
    "AUC: Mann-Whitney, with DeLong's variance (Biometrics 44, 1988, 837-845) and an interval on the logit scale "
    "(Pepe, 2003); exact by Clopper and Pearson (Biometrika 26, 1934, 404-413) where the variance collapses. All "
    "readers thrown together: variance of clustered data (Obuchowski, Biometrics 53, 1997, 567-578).",
    "Mean AUC and comparison of conditions: Obuchowski and Rockette (Commun Stat Simul Comput 24, 1995, 285-308), "
    "jackknife covariances, degrees of freedom of Hillis (Stat Med 26, 2007, 596-619); readers and cases random. This "
    "is the interval to quote.",
    "Shares: Wilson (J Am Stat Assoc 22, 1927, 209-212); those of all readers together take answers as independent "
    "and are a little narrow. d' and criterion: log-linear correction (Hautus, Behav Res Methods Instrum Comput 27, "
    "1995, 46-51).",
    "Agreement: Fleiss' kappa of positive against negative (Psychol Bull 76, 1971, 378-382), jackknife interval. "
    "Calibration: Brier score (Mon Weather Rev 78, 1950, 1-3) and expected error (Naeini et al., AAAI 2015), the "
    "answer on six points from surely negative, 1/12, to surely positive, 11/12.",
    "Localisation: a hit lies within 3 % of the longer side of a lesion; Dice of drawn areas; LROC area (Swensson, "
    "Med Phys 23, 1996, 1709-1725), where guessing gives nearly 0.",
    "Before and after: McNemar's exact test (Psychometrika 12, 1947, 153-157), interval of Newcombe (Stat Med 17, "
    "1998, 2635-2650, method 10). Readers remember cases: without other cases or readers beside, a gain is not yet "
    "learning.",
)


def protocol_rows(protocol: Protocol) -> tuple[tuple[str, str], ...]:
    """What every reader did, as pairs of a name and its words."""
    rows = [
        ("Tasks", ", ".join(TASK_NAMES[task].lower() for task in protocol.tasks)),
        ("Readers invited", str(protocol.readers)),
        ("Order", "each reader's own, shuffled" if protocol.shuffled else "that of the sets, the same for all"),
        ("Phases", str(protocol.phases)),
    ]
    if protocol.phases > 1:
        rows += [("Washout", _counted(protocol.washout_days, "day", "days")), ("Clues", protocol.clues or "none")]
    if Task.WHERE in protocol.tasks:
        rows.append(("A place is shown by", SHAPE_NAMES[protocol.shape]))
    rows += [("Second opinion", "the classifier's, after each answer" if protocol.opinion else "none")]
    return (*rows, ("Consent text", protocol.consent))


def notes(report: StudyReport) -> tuple[str, ...]:
    """Everything that could not be computed or was left out, each sentence once."""
    found = list(report.notes)
    for task in report.tasks:
        told = [(one.name, one.notes) for one in task.conditions]
        told += [(f"{one.second} against {one.first.lower()}", one.notes) for one in task.comparisons]
        found += [f"{TASK_NAMES[task.task]}, {name.lower()}: {note}" for name, rows in told for note in rows]
    return tuple(dict.fromkeys(found))


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
