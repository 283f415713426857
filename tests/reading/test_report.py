"""Free reports, read by the words of the prompts and graded: found, missed, over-called, sides, zones, negations."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import PolicyError, RequestError, SynthError
from synth.findings import VOCABULARY
from synth.reading.answers import REPORT_MAX
from synth.reading.matching import FAMILY, Outcome
from synth.reading.report import graded, read
from synth.types import Finding, Side, Zone

TABLE = Path(__file__).parent.parent / "data" / "reports.tsv"


def rows():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def findings_of(text):
    """ "atelectasis left lower; cardiomegaly" as findings."""
    found = []
    for part in filter(None, text.split("; ")):
        code, *places = part.split()
        side = next((side for side in Side if side.value in places), None)
        zone = next((zone for zone in Zone if zone.value in places), None)
        found.append(Finding(code, side, zone))
    return found


def judged(text, truth):
    """A graded report as a row of the table."""
    done = graded(text, findings_of(truth))
    hedged = [verdict.code for verdict in done.verdicts if verdict.hedged]
    lists = [*(done.codes(outcome) for outcome in Outcome), done.side_errors, done.zone_errors, hedged, done.spared]
    return [sorted(codes) for codes in lists], f"{done.score:.3g}"


def test_every_report_of_the_table_is_graded_as_a_person_would():
    wrong = {}
    for row in rows():
        names = ("found", "partly", "missed", "over_called", "side_errors", "zone_errors", "hedged", "spared")
        wanted = [sorted(row[name].split()) for name in names], row["score"]
        found = judged(row["report"], row["truth"])
        if found != wanted:
            wrong[row["report"]] = (found, wanted)
    assert wrong == {}


def test_the_table_is_large_and_varied():
    table = rows()
    assert len(table) >= 60
    assert len({row["report"] for row in table}) >= 60
    assert sum(bool(row["side_errors"]) for row in table) >= 8
    assert sum(bool(row["spared"]) for row in table) >= 12
    assert sum(bool(row["hedged"]) for row in table) >= 5


def named(text):
    return [(n.finding.code, n.finding.side, n.hedged) for n in read(text).named]


def test_what_stands_under_indication_is_not_named():
    assert named("Indication: ?pneumonia. Findings: small left effusion.") == [("pleural_effusion", Side.LEFT, False)]
    assert named("Clinical history: known lung cancer\n\nFindings: right pneumothorax") == [
        ("pneumothorax", Side.RIGHT, False)
    ]


def test_a_hedge_covers_what_it_is_said_of_and_no_more():
    assert named("Possible left pneumonia. Right effusion.") == [
        ("pneumonia", Side.LEFT, True),
        ("pleural_effusion", Side.RIGHT, False),
    ]


def test_history_is_neither_named_nor_denied():
    report = read("History of tuberculosis. Normal chest.")
    assert (report.named, report.denied, report.past, report.normal) == ((), (), ("tuberculosis",), True)


def test_words_that_nobody_knows_are_told():
    assert read("Small left effusion with glorbulation.").unknown_words == ("glorbulation",)


def test_findings_outside_the_question_are_neither_right_nor_wrong():
    done = graded("Right pneumothorax. Chest drain. Scoliosis.", findings_of("pneumothorax right"), {"pneumothorax"})
    assert (done.score, done.correct) == (1.0, True)
    assert set(done.unjudged) == {"support_devices", "scoliosis"}


def test_a_report_that_names_a_person_is_refused():
    with pytest.raises(PolicyError):
        graded("Normal chest. Reported for Mr John Smith, DOB 12/03/1961.", [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ", "empty"),
        ("PA film of good quality", "names no finding"),
        ("x" * (REPORT_MAX + 1), f"at most {REPORT_MAX}"),
    ],
)
def test_a_report_that_says_nothing_is_refused_in_a_sentence(text, message):
    with pytest.raises(RequestError, match=message):
        read(text)


def test_a_long_report_is_read_to_its_end():
    assert named("The trachea is central. " * 60 + "Small left effusion.") == [("pleural_effusion", Side.LEFT, False)]


def test_what_is_said_of_the_trachea_or_the_positioning_is_no_place_of_a_finding():
    assert read("The trachea is central. Patient rotated to the left. Effusion.").named[0].finding == Finding(
        "pleural_effusion"
    )


def test_a_place_of_something_else_is_not_lent_to_the_next_sentence():
    assert read("Nipple shadow at the right base. Effusion.").named[0].finding == Finding("pleural_effusion")
    assert read("Consolidation. Right lower lobe.").named[0].finding == Finding("consolidation", Side.RIGHT, Zone.LOWER)


def test_a_broken_line_goes_on_with_its_sentence():
    report = read("There is no pneumothorax or\neffusion. Consolidation in the\nright lower lobe.\nHeart enlarged")
    assert {no.code for no in report.denied} == {"pneumothorax", "pleural_effusion"}
    assert [n.finding.code for n in report.named] == ["consolidation", "cardiomegaly"]


def test_families_hold_only_codes_and_never_the_finding_itself():
    for code, names in FAMILY.items():
        assert {code, *names} <= set(VOCABULARY)
        assert code not in names


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text):
    try:
        done = graded(text, [Finding("pneumonia", Side.LEFT)])
    except SynthError:
        return
    assert 0.0 <= done.score <= 1.0


SIDED = sorted(code for code in FAMILY if VOCABULARY[code].sided)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SIDED), st.sampled_from([Side.LEFT, Side.RIGHT]))
def test_the_vocabulary_names_each_finding_with_its_side(code, side):
    done = graded(f"There is {VOCABULARY[code].name} on the {side.value}.", [Finding(code, side)])
    assert (done.score, done.correct) == (1.0, True)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SIDED))
def test_a_denial_of_each_finding_is_respected(code):
    done = graded(f"No {VOCABULARY[code].name}.", [])
    assert (done.score, done.spared) == (1.0, (code,))
