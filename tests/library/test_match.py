from hypothesis import given
from hypothesis import strategies as st

from synth.library.match import match, overlap
from synth.types import Finding, GenerationRequest, Modality, RealImage, Sex, View

CODES = st.sets(st.sampled_from(["normal", "pneumonia", "covid_19", "pleural_effusion", "nodule", "mass"]), max_size=4)


def real(
    name: str,
    *findings: str,
    modality: str = "DX",
    view: str | None = "PA",
    sex: str | None = "M",
    age: int | None = 65,
) -> RealImage:
    return RealImage(name, f"{name}.png", modality, view, sex, age, findings, "", "")


def asked(
    *codes: str, age: int | None = 65, sex: Sex | None = Sex.MALE, view: View | None = View.PA
) -> GenerationRequest:
    return GenerationRequest(view=view, sex=sex, age=age, findings=tuple(Finding(code) for code in codes))


def names(images: list[RealImage], request: GenerationRequest, k: int = 9) -> list[str]:
    return [image.id for image in match(images, request, k)]


def test_the_same_findings_come_before_view_age_and_sex() -> None:
    images = [
        real("other", "edema"),
        real("both", "pneumonia", "edema", view="AP", sex="F", age=20),
        real("same", "pneumonia", view="AP", sex="F", age=20),
    ]
    assert names(images, asked("pneumonia")) == ["same", "both", "other"]


def test_view_comes_before_age_and_a_decade_before_sex() -> None:
    images = [
        real("ap", "pneumonia", view="AP"),
        real("old", "pneumonia", age=89),
        real("woman", "pneumonia", sex="F"),
        real("near", "pneumonia", age=61),
        real("exact", "pneumonia"),
        real("unknown", "pneumonia", view=None),
    ]
    assert names(images, asked("pneumonia")) == ["exact", "near", "woman", "old", "unknown", "ap"]


def test_normal_is_matched_with_normal() -> None:
    images = [real("ill", "pneumonia"), real("unlabelled"), real("well", "normal")]
    assert names(images, asked(), k=1) == ["well"]


def test_a_wider_finding_is_better_than_another() -> None:
    images = [real("effusion", "pleural_effusion"), real("well", "normal"), real("wider", "pneumonia")]
    assert names(images, asked("bacterial_pneumonia"), k=1) == ["wider"]


def test_another_modality_is_never_shown_and_an_unknown_one_last() -> None:
    images = [real("ct", "pneumonia", modality="CT"), real("unlabelled", modality=""), real("film", "normal")]
    assert names(images, asked("pneumonia")) == ["film", "unlabelled"]
    assert names(images, GenerationRequest(modality=Modality.CT), k=1) == ["ct"]


def test_what_was_not_asked_for_does_not_count() -> None:
    images = [real("b", "normal", sex="F", age=None, view="AP"), real("a", "normal")]
    assert names(images, asked(age=None, sex=None, view=None)) == ["a", "b"]


@given(
    st.permutations([real(f"{i}", *codes) for i, codes in enumerate([["normal"], ["mass"], [], ["mass"], ["edema"]])])
)
def test_the_order_of_the_library_does_not_matter(images: list[RealImage]) -> None:
    assert names(images, asked("mass")) == ["1", "3", "0", "2", "4"]


@given(CODES, CODES)
def test_overlap_is_symmetric_within_0_and_1_and_1_for_equal_sets(first: set[str], second: set[str]) -> None:
    assert overlap(first, second) == overlap(second, first)
    assert 0.0 <= overlap(first, second) <= 1.0
    assert overlap(first, first) == (1.0 if first else 0.0)
