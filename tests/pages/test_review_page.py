"""The Validation page without a browser: what is asked, what is hidden, what is kept, and who may do what."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from synth.errors import PolicyError
from synth.governance.release import Fitness, Release, State
from synth.governance.reviews import Artefact, Judged, Presence
from synth.governance.roles import LOCAL_USER, Role, User
from synth.store.trail import Sought
from synth.types import Finding, GeneratedImage
from synth.ui import house, session, standing, viewer
from tests.validated import NOON, REMY, RHEA, judge

Visit = Callable[..., AppTest]
MakeImage = Callable[..., GeneratedImage]
NODULE = (Finding("nodule"),)


@pytest.fixture
def review(app: Visit) -> Callable[..., AppTest]:
    """Opens the page at an address; what the visit of Generate drew is not in the queue of anybody but its maker."""
    page: list[AppTest] = []

    def visit(**params: str) -> AppTest:
        if not page:
            page.append(app(image="none"))
        page[0].switch_page("pages/review.py")
        page[0].query_params.clear()
        for name, value in params.items():
            page[0].query_params[name] = value
        return page[0].run()

    return visit


def sign_in(monkeypatch: pytest.MonkeyPatch, user: User) -> None:
    monkeypatch.setattr(session, "person", lambda: user)


def said(page: AppTest) -> str:
    assert not page.exception
    return " ".join(part.value for part in (*page.markdown, *page.caption, *page.error))


def errors(page: AppTest) -> list[str]:
    assert not page.exception
    return [error.value for error in page.error]


def filled(page: AppTest, image_id: str, realism: int = 4, fit: tuple[Fitness, ...] = tuple(Fitness)) -> AppTest:
    page.segmented_control(key=f"review-realism-0-{image_id}").set_value(realism)
    return page.pills(key=f"review-fit-{image_id}").set_value(list(fit)).run()


def test_a_blind_reader_learns_the_request_after_signing_and_the_next_image_comes(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    sign_in(monkeypatch, RHEA)
    for number, name in enumerate(("one", "two")):
        house.store().add_image(make_image(name, user="ada", seed=number, findings=NODULE))
    page = review()
    assert "**2 wait** :gray[DX]" in said(page) and "nodule" not in said(page).lower()
    page.multiselect(key="review-seen-one").set_value(["nodule"])
    page.multiselect(key="review-artefacts-one").set_value([Artefact.GRID])
    page.text_area(key="review-comment-one").set_value("Rib 4 ends early")
    page.session_state["review-since-one"] -= 40
    page = filled(page, "one").button(key="review-sign").click().run()

    assert errors(page) == []
    assert house.store().validation.release("one") == Release("one", State.VALIDATED, frozenset(Fitness))
    (kept,) = house.store().validation.reviews("one")
    assert (kept.reader, kept.realism, kept.judged) == ("rhea", 4, (Judged("nodule", Presence.YES),))
    assert (kept.artefacts, kept.comment, kept.blind) == (frozenset({Artefact.GRID}), "Rib 4 ends early", True)
    assert 40 <= kept.seconds < 100
    assert "You said: realism 4, nodule yes, grid texture; fit for exam and practice and research" in said(page)
    assert "**1 waits** :gray[DX]" in said(page)
    assert page.multiselect(key="review-seen-two").value == []


def test_a_reader_who_sees_the_request_says_of_each_finding_whether_it_is_there(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    sign_in(monkeypatch, RHEA)
    house.store().add_image(make_image("one", user="ada", findings=NODULE))
    review()
    page = review().toggle(key="review-blind").set_value(False).run()
    assert "Asked for: " in said(page) and "nodule" in said(page)
    page = filled(page, "one").button(key="review-sign").click().run()
    assert errors(page) == ["Say whether nodule is there: yes, no or uncertain."]
    page.segmented_control(key="review-present-0-one").set_value(Presence.NO)
    page = page.run().button(key="review-sign").click().run()
    assert errors(page) == []
    assert house.store().validation.release("one") == Release("one", State.CHECKED, frozenset())
    assert house.store().validation.reviews("one")[0].blind is False


def test_whoever_filters_by_a_finding_is_not_blind(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    sign_in(monkeypatch, RHEA)
    house.store().add_image(make_image("one", user="ada", findings=NODULE))
    house.store().add_image(make_image("two", user="ada", seed=2))
    page = review().selectbox(key="review-finding").set_value("nodule").run()
    assert "**1 waits** :gray[DX]" in said(page) and "Asked for: " in said(page)


def test_what_is_not_judged_or_names_a_person_is_one_sentence_and_stays_as_typed(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    sign_in(monkeypatch, RHEA)
    house.store().add_image(make_image("one", user="ada"))
    page = review().button(key="review-sign").click().run()
    assert errors(page) == ["Realism is not judged yet; choose 1 to 5."]
    page.text_area(key="review-comment-one").set_value("as in Mr. John Miller")
    page = filled(page, "one").button(key="review-sign").click().run()
    assert len(errors(page)) == 1 and "leave out everything that identifies a person" in errors(page)[0]
    assert page.text_area(key="review-comment-one").value == "as in Mr. John Miller"
    assert house.store().validation.reviews() == []


def test_keys_judge_and_sign(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    sign_in(monkeypatch, RHEA)
    house.store().add_image(make_image("one", user="ada"))
    pressed: list[tuple[str, ...]] = [(), ("3",), ("5",), ("Enter",)]
    real = viewer.show

    def show(*args: object, **named: object) -> viewer.Reply:
        real(*args, **named)  # type: ignore[arg-type]
        return viewer.Reply(None, pressed.pop(0) if pressed else ())

    monkeypatch.setattr(viewer, "show", show)
    page = review().pills(key="review-fit-one").set_value([Fitness.EXAM]).run()
    before = page.segmented_control(key="review-realism-1-one")
    assert before.value == 3
    before.set_value(3)
    page.pills(key="review-fit-one").set_value([Fitness.EXAM])
    screen = page._tree
    page.run()
    page._tree = screen  # Enter comes before the browser has got what the key 5 did
    assert errors(page.run()) == []
    (kept,) = house.store().validation.reviews("one")
    assert (kept.realism, house.store().validation.release("one").fit) == (5, frozenset({Fitness.EXAM}))


def test_a_mark_on_the_film_is_kept_as_the_place_of_the_chosen_finding(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    sign_in(monkeypatch, RHEA)
    house.store().add_image(make_image("one", user="ada", findings=NODULE))
    mark = viewer.Mark("box", ((16.0, 32.0), (32.0, 48.0)))
    real, shown = viewer.show, list[object]()

    def show(panes: list[viewer.Pane], **named: object) -> viewer.Reply:
        real(panes, **named)  # type: ignore[arg-type]
        shown.append((named.get("mark"), [overlay.name for overlay in panes[0].overlays]))
        return viewer.Reply(mark if named.get("mark") else None)

    monkeypatch.setattr(viewer, "show", show)
    page = review()
    page = page.multiselect(key="review-seen-one").set_value(["nodule"]).run()
    page = page.selectbox(key="review-place-one").set_value("nodule").run()
    assert shown[0] == (None, []) and shown[-1] == ("box", ["nodule"])
    filled(page, "one").button(key="review-sign").click().run()
    (kept,) = house.store().validation.reviews("one")
    assert kept.judged == (Judged("nodule", Presence.YES, ((0.25, 0.5), (0.5, 0.75))),)


def test_the_one_local_user_judges_the_own_image_and_is_told_so(
    review: Callable[..., AppTest], make_image: MakeImage
) -> None:
    review()
    house.store().add_image(make_image("one", user="local"))
    page = review()
    assert "You asked for this image yourself." in said(page)
    filled(page, "one").button(key="review-sign").click().run()
    assert house.store().validation.release("one").state is State.VALIDATED


def test_an_adjudicator_sees_what_both_readers_said(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    (house.settings().home / "governance.toml").write_text("two_readers = true\n")
    house.rules.clear()  # as a new server reads them
    house.store().add_image(make_image("one", user="ada"))
    judge(house.store(), "one", RHEA, two=True)
    judge(house.store(), "one", REMY, two=True, realism=1, comment="Ribs end early")
    sign_in(monkeypatch, User("rose", frozenset({Role.RADIOLOGIST})))
    assert "No image waits for you here." in said(review())
    page = review().segmented_control(key="review-queue").set_value(True).run()
    words = said(page)
    assert "**Reader 1**: realism 4, normal; fit for" in words and "**Reader 2**: realism 1" in words
    assert "Ribs end early" in words
    filled(page, "one", fit=(Fitness.PRACTICE,)).button(key="review-sign").click().run()
    assert house.store().validation.release("one").state is State.VALIDATED
    assert [one.adjudicates for one in house.store().validation.reviews("one")] == [False, False, True]


def test_the_agreement_of_two_readers_is_a_table(review: Callable[..., AppTest], make_image: MakeImage) -> None:
    review()
    for number in range(4):
        house.store().add_image(make_image(f"i{number}", user="ada", seed=number, findings=NODULE))
        judge(house.store(), f"i{number}", RHEA, two=True, realism=number + 1)
        there = Presence.YES if number else Presence.NO
        judge(house.store(), f"i{number}", REMY, two=True, realism=number + 1, present=there)
    page = review()
    assert "8 judgements; 4 images were judged by two independent readers." in said(page)
    rows = page.dataframe[0].value.to_dict("records")
    assert [(row["Measure"], row["Agreement"], row["Kappa"]) for row in rows[:2]] == [
        ("findings there", "75%", "0.00"),
        ("realism, weighted", "100%", "1.00"),
    ]


def test_a_withdrawal_wants_a_reason_and_takes_the_image_from_the_queue(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    sign_in(monkeypatch, RHEA)
    house.store().add_image(make_image("one", user="ada"))
    page = review().button(key="withdraw-one").click().run()
    assert errors(page) == ["The reason has 0 characters; at least 10 are needed."]
    page.text_area(key="withdraw-reason-one").set_value("The heart is drawn twice")
    page = page.button(key="withdraw-one").click().run()
    assert errors(page) == [] and "No image waits for you here." in said(page)
    assert house.store().validation.release("one").reason == "The heart is drawn twice"


def test_a_case_is_shown_with_its_history_to_those_who_judged_it(
    review: Callable[..., AppTest], make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review()
    house.store().add_image(make_image("one", user="ada", findings=NODULE))
    judge(house.store(), "one", RHEA)
    house.store().validation.withdraw("one", RHEA, "The heart is drawn twice", NOON)
    sign_in(monkeypatch, REMY)
    assert "You have not judged this image" in said(review(case="one"))
    sign_in(monkeypatch, RHEA)
    page = review(case="one")
    assert errors(page) == ["WITHDRAWN. Image one was withdrawn\\: The heart is drawn twice."]
    assert page.dataframe[0].value["What"].tolist() == ["review", "checked to validated", "withdraw"]


@pytest.mark.parametrize("role", [Role.TRAINEE, Role.EDUCATOR, Role.ADMINISTRATOR, Role.GOVERNANCE])
def test_whoever_is_no_radiologist_has_no_queue(
    review: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    review()
    sign_in(monkeypatch, User("tom", frozenset({role})))
    assert errors(review())[0] == "tom may not judge images as a radiologist; the role radiologist may."


def test_a_withdrawn_image_is_marked_on_its_makers_screen_and_gives_no_file(app: Visit, make_image: MakeImage) -> None:
    page = app(image="none")
    house.store().add_image(make_image("one", user="local"))
    house.store().validation.withdraw("one", LOCAL_USER, "The heart is drawn twice", NOON)
    page.query_params["image"] = "one"
    page = page.run()
    assert errors(page) == ["WITHDRAWN. Image one was withdrawn\\: The heart is drawn twice."]
    files = {button.label: button.disabled for button in page.main.get("download_button")}
    assert files == dict.fromkeys(("PNG", "JPEG", "DICOM", "C2PA"), True)


def test_a_mask_that_leaves_is_a_row_of_the_trail_and_a_withdrawn_one_stays(app: Visit, make_image: MakeImage) -> None:
    app(image="none")
    house.store().add_image(make_image("one", user="local"))
    pressed = standing.permitted(house.store().image("one"), lambda: b"a mask", "SEG")
    assert pressed() == b"a mask"
    (row,) = house.store().trail.page(Sought(subject="one", action="export"), 9)
    assert (row.who, row.event().detail) == ("local", {"format": "SEG"})
    house.store().validation.withdraw("one", LOCAL_USER, "The heart is drawn twice", NOON)
    with pytest.raises(PolicyError, match=r"^Image one was withdrawn: The heart is drawn twice\.$"):
        pressed()
