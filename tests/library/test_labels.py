import pytest

from synth.library import labels


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("No Finding", ("normal",)),
        ("", ()),
        ("Effusion", ("pleural_effusion",)),
        ("Pleural_Thickening|Lung Opacity", ("pleural_thickening", "lung_opacity")),
        ("COVID-19", ("covid_19",)),
        ("Lung cancer", ("lung_cancer",)),
        ("Effusion|Pleural Effusion", ("pleural_effusion",)),
        ("No Finding|Hernia", ("hernia",)),
        (" Edema | Pneumonia |", ("edema", "pneumonia")),
        ("Swallowed Coin (left)", ("swallowed_coin_left",)),
    ],
)
def test_finding_words_become_codes(text: str, codes: tuple[str, ...]) -> None:
    assert labels.findings(text) == codes


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("58", 58),
        ("058Y", 58),
        ("58.0", 58),
        ("006M", 0),
        ("030M", 2),
        ("104W", 2),
        ("400D", 1),
        ("0", 0),
        ("120", 120),
    ],
)
def test_ages_become_whole_years(text: str, years: int) -> None:
    assert labels.age(text) == years


@pytest.mark.parametrize("text", ["", "411", "121", "adult", "-3", "58 or 59"])
def test_other_ages_are_unknown(text: str) -> None:
    assert labels.age(text) is None


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("PA", "PA"),
        ("AP Supine", "AP"),
        ("ap", "AP"),
        ("axial", "AXIAL"),
        ("LL", "LATERAL"),
        ("", None),
        ("odd", "ODD"),
    ],
)
def test_views_are_named_as_in_dicom(text: str, view: str | None) -> None:
    assert labels.view(text) == view


@pytest.mark.parametrize(("text", "modality"), [("CR", "DX"), ("dx", "DX"), ("CT", "CT"), ("MRI", "MR"), ("", "")])
def test_modalities_are_named_as_in_dicom(text: str, modality: str) -> None:
    assert labels.modality(text) == modality


@pytest.mark.parametrize(("text", "sex"), [("F", "F"), ("male", "M"), ("", None), ("O", None)])
def test_sexes_are_named_as_in_dicom(text: str, sex: str | None) -> None:
    assert labels.sex(text) == sex
