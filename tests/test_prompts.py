"""Free text to structured request and back, and the guard against identifiers."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import PolicyError, RequestError, SynthError
from synth.findings import VOCABULARY
from synth.prompts import describe, guard, parse, render, render_unasked, to_request, unlearnt
from synth.types import (
    NOTE_MAX,
    Finding,
    GenerationRequest,
    Modality,
    ModelCard,
    Severity,
    Sex,
    Side,
    View,
    Zone,
)

TABLE = Path(__file__).parent / "data" / "phrasings.tsv"
COLUMNS = ("modality", "view", "sex", "age", "findings", "absent", "unknown")


def rows():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def understood(text):
    """A prompt as a row of the table."""
    p = parse(text)
    findings = "; ".join(" ".join(str(v) for v in (f.code, f.side, f.zone, f.severity) if v) for f in p.findings)
    age = "-" if p.age is None else str(p.age)
    return (
        p.modality or "-",
        p.view or "-",
        p.sex or "-",
        age,
        findings,
        ",".join(p.absent),
        ",".join(p.unknown_words),
    )


def notes(text):
    return parse(text).notes


def test_every_phrasing_of_the_table_is_understood_exactly():
    wrong = {}
    for row in rows():
        wanted = tuple(row[column] for column in COLUMNS)
        found = understood(row["prompt"])
        if found != wanted:
            wrong[row["prompt"]] = (found, wanted)
    assert wrong == {}


def test_the_table_is_large_and_free_of_repeats():
    prompts = [row["prompt"] for row in rows()]
    assert len(prompts) >= 280
    assert len({p.lower() for p in prompts}) == len(prompts)


def test_a_prompt_is_understood_whatever_its_case():
    for row in rows()[::5]:
        if not any(sign in row["prompt"] for sign in ("I ", "US")):
            assert understood(row["prompt"].upper())[:6] == understood(row["prompt"])[:6], row["prompt"]


# What was read loosely or left out is said


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("woman in her sixties, normal", "Age 'in her sixties' is read as 65 years."),
        ("aged 30 to 40, effusion", "Age 'aged 30 to 40' is read as 35 years."),
        ("portable film, edema", "'portable' is read as AP."),
        ("lateral chest X-ray, edema", "A lateral view cannot be drawn; a frontal film is made."),
        ("pnuemonia", "'pnuemonia' is read as 'pneumonia'."),
        ("CHF", "'chf' is read as pulmonary edema and cardiomegaly."),
        ("rule out pneumonia", "'pneumonia' is named as uncertain; it is drawn."),
        ("?pneumonia", "'pneumonia' is named as uncertain; it is drawn."),
        ("pneumonia cannot be excluded", "'pneumonia' is named as uncertain; it is drawn."),
        ("history of tuberculosis, normal film", "'tuberculosis' is told as history and is not drawn."),
        ("normal chest with pneumonia", "The prompt says normal and names a finding; the finding is drawn."),
        ("5 mm nodule", "Sizes are not drawn to scale: 5 mm."),
        ("spiculated mass", "Read but not drawn from words: spiculated."),
        ("cough, pneumonia", "Not part of the picture: cough."),
        ("effusions, larger on the right", "A difference between the sides cannot be set; both sides are drawn."),
        ("left cardiomegaly", "A side cannot be chosen for cardiomegaly; 'left' is left out."),
        ("severe rib fracture", "A degree cannot be chosen for fracture; 'severe' is left out."),
        ("pneumonia, no pneumonia", "'pneumonia' is both named and denied; it is kept."),
        ("PE in a woman of 40", "'PE' may mean pleural effusion or pulmonary embolism; write it out."),
        ("CXR with blastomycosis", "No known finding is named; a normal picture is drawn unless one is added."),
        ("large man with effusion", "No finding goes with 'severe'; it is left out."),
        ("mammogram", "A mammogram is not available on this page; it draws chest X-rays and CT slices."),
        ("knee X-ray", "An image of the knee is not available on this page; it draws the chest."),
        (
            "brain MRI with glioma",
            "MRI is not available on this page; the Translate page makes one from a CT or PET brain slice.",
        ),
        ("CT and X-ray of the chest", "Several modalities are named; the first, CT, is used."),
    ],
)
def test_a_loose_reading_is_told(text, note):
    assert note in notes(text)


def test_a_plain_prompt_needs_no_note():
    assert notes("PA chest X-ray, 65-year-old man, right lower lobe pneumonia") == ()


def test_unknown_words_are_named_and_emoji_tolerated():
    parsed = parse("chest X-ray with \U0001f600 pneumonia and blastomycosis")
    assert (parsed.findings, parsed.unknown_words) == ((Finding("pneumonia"),), ("\U0001f600", "blastomycosis"))


# Refusals


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The prompt is empty"),
        ("  \n\t ", "The prompt is empty"),
        ("x" * 10_000, rf"The prompt has 10000 characters; at most {NOTE_MAX} are read\."),
        ("\U0001f600\U0001f601", "The prompt holds no words"),
        (
            "\u0623\u0634\u0639\u0629 \u0627\u0644\u0635\u062f\u0631",
            r"written in Arabic letters; it is read in English only\.",
        ),
        (
            "\u05e6\u05d9\u05dc\u05d5\u05dd \u05d7\u05d6\u05d4",
            r"written in Hebrew letters; it is read in English only\.",
        ),
        ("hello lovely world", r"names no image, patient or finding that is known \('lovely', 'world'\); try"),
        ("150-year-old man", r"^Age is 150; it must lie between 0 and 120 years\.$"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(RequestError, match=sentence):
        parse(text)


@pytest.mark.parametrize(
    ("text", "part", "kind"),
    [
        ("MRN 1234567, pneumonia", "MRN 1234567", "a record number"),
        ("MRN: A12345 effusion", "MRN: A12345", "a record number"),
        ("patient id 4711 pneumonia", "patient id 4711", "a record number"),
        ("ID: 77 effusion", "ID: 77", "a record number"),
        ("accession number ACC-2024-00123", "accession number ACC-2024-00123", "a record number"),
        ("pneumonia 12345678", "12345678", "a record number"),
        ("DOB 12/03/1956, pneumonia", "DOB 12/03/1956", "a date of birth"),
        ("born 1956, effusion", "born 1956", "a date of birth"),
        ("film of 12-Mar-1956, pneumonia", "12-Mar-1956", "a full date"),
        ("CXR 2021-03-04", "2021-03-04", "a full date"),
        ("March 12, 1956 film", "March 12, 1956", "a full date"),
        ("film from 12 March", "from 12 March", "a date"),
        ("call 555-123-4567, pneumonia", "call 555-123-4567", "a telephone number"),
        ("tel +49 170 1234567", "tel +49 170 1234567", "a telephone number"),
        ("(555) 123-4567", "(555) 123-4567", "a telephone number"),
        ("jane.doe@example.com pneumonia", "jane.doe@example.com", "an e-mail address"),
        ("123-45-6789", "123-45-6789", "a social security number"),
        ("221B Baker Street, effusion", "221B Baker Street", "an address"),
        ("SW1A 1AA pneumonia", "SW1A 1AA", "an address"),
        ("Mr. John Smith, 65, pneumonia", "Mr. John Smith", "a name"),
        ("mr smith with pneumonia", "mr smith", "a name"),
        ("MR. SMITH, 65M, CXR", "MR. SMITH", "a name"),
        ("Jane Doe, 45, effusion", "Jane Doe", "a name"),
        ("maria gonzalez 45f pneumonia", "maria gonzalez", "a name"),
        ("Patient Miller has an effusion", "Patient Miller", "a name"),
        ("Patient name: Mueller, effusion", "Patient name: Mueller", "a name"),
        ("Miller, 65M, effusion", "Miller", "a name"),
        ("John has pneumonia", "John", "a name"),
        ("J. Smith, RLL pneumonia", "J. Smith", "a name"),
        ("X-ray of Obama with pneumonia", "of Obama", "a name"),
    ],
)
def test_an_identifier_is_refused_and_named(text, part, kind):
    with pytest.raises(PolicyError) as refusal:
        parse(text)
    assert str(refusal.value) == f"{part!r} looks like {kind}; leave out everything that identifies a person."


@pytest.mark.parametrize(
    "text",
    [
        "Kerley B lines",
        "Kerley B Lines and Bilateral Effusions",
        "Ghon focus",
        "Pancoast tumour of the Left Apex",
        "Hampton's hump",
        "Hodgkin's lymphoma with lymphadenopathy",
        "Swan-Ganz catheter",
        "Golden S sign, right upper lobe collapse",
        "Swyer-James syndrome, left lung, CXR",
        "Sarcoidosis, 45-year-old woman",
        "Asthma, 8 year old",
        "Portable AP Chest Radiograph Of A 65-Year-Old Man With Moderate Pulmonary Edema",
        "CHEST X-RAY SHOWING MASSIVE LEFT PLEURAL EFFUSION IN A 70-YEAR-OLD MALE",
        "Patient has RLL pneumonia",
        "Patient: 65-year-old man",
        "Rt lower lobe pneumonia",
        "frank pulmonary edema",
        "may represent pneumonia",
        "1024x1024 chest X-ray",
        "SARS-CoV-2 infection, 2020",
        "65",
        "Caucasian female, 50 years old, normal",
    ],
)
def test_eponyms_capitals_and_plain_numbers_are_no_identifiers(text):
    guard(text)


def test_no_phrasing_of_the_table_looks_like_an_identifier():
    for row in rows():
        guard(row["prompt"])
        guard(row["prompt"].title())
        guard(row["prompt"].upper())


# A request in words


def request(**fields):
    return GenerationRequest(**({"view": View.PA} | fields))


def test_an_understood_prompt_becomes_a_request():
    text = "65-year-old man, small left effusion, no pneumothorax"
    assert to_request(parse(text), text, seed=17, steps=20) == GenerationRequest(
        modality=Modality.DX,
        view=View.PA,
        sex=Sex.MALE,
        age=65,
        findings=(Finding("pleural_effusion", Side.LEFT, None, Severity.MILD),),
        absent=("pneumothorax",),
        note=text,
        seed=17,
        steps=20,
    )


def test_an_image_that_cannot_be_made_gives_no_request():
    with pytest.raises(RequestError, match=r"^An ultrasound image is not available on this page"):
        to_request(parse("breast ultrasound"), "breast ultrasound")


def test_a_note_with_an_identifier_gives_no_request():
    with pytest.raises(PolicyError, match=r"^'Jane Doe' looks like a name"):
        to_request(parse("pneumonia"), "Jane Doe has pneumonia")


def test_a_request_is_rendered_as_the_training_caption():
    finding = Finding("pneumonia", Side.RIGHT, Zone.LOWER, Severity.MODERATE)
    film = request(sex=Sex.MALE, age=65, findings=(finding,), absent=("pleural_effusion",))
    assert render(film) == "chest x ray, pa view, 65 year old man, moderate right lower pneumonia, no pleural effusion"
    assert render(request(modality=Modality.CT, view=View.AXIAL)) == "chest ct, no finding"
    assert render(request(modality=Modality.MR, view=None)) == "brain mr, no finding"
    assert render(request(modality=Modality.PET, view=None)) == "brain pet, no finding"


def test_a_request_is_described_in_one_sentence():
    findings = (Finding("pneumonia", Side.RIGHT, Zone.LOWER, Severity.MILD), Finding("covid_19"))
    film = request(sex=Sex.FEMALE, age=8, findings=findings, absent=("edema", "mass"))
    assert describe(film) == (
        "PA chest X-ray of an 8-year-old girl with mild right lower zone pneumonia and COVID-19, "
        "without pulmonary edema or mass."
    )
    assert describe(request(modality=Modality.CT, view=View.AXIAL)) == "Axial chest CT slice of a patient, normal."


def test_findings_that_the_model_has_not_learnt_are_named_with_their_images():
    card = ModelCard(
        **dict.fromkeys(("id", "title", "revision", "licence", "training_data", "intended_use", "limits"), ""),
        files={},
        native_px=256,
        text_findings=("pneumonia",),
        drawn_findings=("pneumothorax",),
        training_counts={"pneumonia": 2013, "pneumothorax": 15, "hernia": 1},
    )
    asked = [Finding(code) for code in ("pneumonia", "pneumothorax", "hernia", "fracture", "pneumothorax")]
    assert unlearnt(asked, card) == (
        "The model has not learnt pneumothorax from text: 15 training images; it can be drawn as a lesion with a mask.",
        "The model has not learnt hernia from text: 1 training image.",
        "The model has not learnt fracture from text: no training images.",
    )


# Properties


def findings(codes):
    rows_ = [VOCABULARY[code] for code in codes]
    one = st.sampled_from(rows_).flatmap(
        lambda row: st.builds(
            Finding,
            st.just(row.code),
            st.none() | st.sampled_from(Side) if row.sided else st.none(),
            st.none() | st.sampled_from(Zone) if row.zoned else st.none(),
            st.none() | st.sampled_from(Severity) if row.graded else st.none(),
        )
    )
    return st.lists(one, max_size=4, unique_by=lambda f: f.code).map(tuple)


CHEST = sorted(row.code for row in VOCABULARY.values() if "DX" in row.modalities)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_description_is_read_back_as_the_same_request(data):
    modality = data.draw(st.sampled_from([Modality.DX, Modality.CT]))
    asked = data.draw(findings(CHEST))
    others = [code for code in CHEST if code not in {f.code for f in asked}]
    before = GenerationRequest(
        modality=modality,
        view=View.AXIAL if modality is Modality.CT else data.draw(st.sampled_from([View.PA, View.AP])),
        sex=data.draw(st.none() | st.sampled_from(Sex)),
        age=data.draw(st.none() | st.integers(0, 120)),
        findings=asked,
        absent=tuple(data.draw(st.lists(st.sampled_from(others), max_size=3, unique=True))),
    )
    parsed = parse(describe(before))
    assert to_request(parsed, "") == before
    assert parsed.unknown_words == ()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_arbitrary_text_is_understood_or_refused(text):
    try:
        parsed = parse(text)
    except SynthError as error:
        assert str(error)
    else:
        assert all(finding.code in VOCABULARY for finding in parsed.findings)


WORDS = """
no or and but with without left right lower lobe small pneumonia effusion nodule resolved absent possible ? , ; . : /
history of the normal chest 65 year old man PA CT in both bases not seen present non - ( )
"""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=20).map(" ".join))
def test_any_order_of_known_words_is_understood_or_refused(text):
    try:
        parsed = parse(text)
    except SynthError as error:
        assert str(error)
    else:
        assert not {finding.code for finding in parsed.findings} & set(parsed.absent)


def test_what_guidance_leads_away_from_is_the_same_patient_without_a_word_on_findings() -> None:
    request = GenerationRequest(sex=Sex.FEMALE, age=58, view=View.AP, findings=(Finding("pneumonia"),))
    assert render(request) == "chest x ray, ap view, 58 year old woman, pneumonia"
    assert render_unasked(request) == "chest x ray, ap view, 58 year old woman"
    normal = replace(request, findings=(), absent=("nodule",))
    assert render(normal).endswith("no finding, no nodule")
    assert render_unasked(normal) == render_unasked(request)
