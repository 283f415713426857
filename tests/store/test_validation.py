"""States, reviews and protocols in the store: who moves what, what withdrawal reaches, and two readers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from synth.errors import PolicyError, RequestError, StoreError
from synth.governance.protocols import Protocol
from synth.governance.release import Fitness, Release, State, Use
from synth.governance.reviews import Outcome, Presence, Verdict
from synth.governance.roles import LOCAL_USER, Role, User
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.store import Store
from synth.store.validation import Sought
from synth.types import AuditEvent, Edit, Finding, GeneratedImage, QualityCheck, QualityReport
from tests.sittings import at_once, dealt, keep, named, sitting
from tests.validated import GITA, NOON, REMY, RHEA, ROSE, judge, release, review

MakeImage = Callable[..., GeneratedImage]
EVERYTHING = frozenset(Fitness)
REASON = "The heart is drawn twice"
NODULE = (Finding("nodule"),)
PROTOCOL = Protocol(
    "p",
    "Nodules",
    "EK 12/26",
    "Does it help?",
    NOON,
    NOON + timedelta(days=30),
    ("DX",),
    ("nodule",),
    ("ada",),
    ("team",),
)


def made_of(
    make_image: MakeImage, image_id: str, origin: str, kind: str = "synthetic", seed: int = 9
) -> GeneratedImage:
    return make_image(image_id, seed=seed, edit=Edit("variation", "0" * 64, f"{kind}:{origin}"))


def told(store: Store, image_id: str) -> list[tuple[str, str, str]]:
    return [(event.who, event.action, event.reason) for event in store.validation.history(image_id)]


def test_an_image_begins_checked_where_its_checks_passed_else_as_a_draft(store: Store, make_image: MakeImage) -> None:
    good = make_image("good")
    store.add_image(good)
    store.add_image(replace(make_image("bad"), quality=QualityReport((QualityCheck("mean", 2.0, 0.0, 1.0),))))
    store.add_image(replace(make_image("unchecked"), quality=QualityReport()))
    assert {
        name: one.state for name, one in store.validation.releases(["good", "bad", "unchecked", "none"]).items()
    } == {
        "good": State.CHECKED,
        "bad": State.DRAFT,
        "unchecked": State.DRAFT,
    }
    with pytest.raises(StoreError, match=r"^There is no image 'none' in the store\.$"):
        store.validation.release("none")


def test_an_image_goes_from_checked_to_released_and_each_step_is_noted(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("i", findings=NODULE))
    assert judge(store, "i") == Outcome(Verdict.PASSED, EVERYTHING)
    assert store.validation.release("i") == Release("i", State.VALIDATED, EVERYTHING)
    store.validation.set_released(["i"], GITA, NOON)
    assert store.validation.release("i") == Release("i", State.RELEASED, EVERYTHING)
    assert told(store, "i") == [("rhea", "review", ""), ("rhea", "state", ""), ("gita", "state", "")]
    assert [event.detail for event in store.validation.history("i")] == [
        {
            "realism": 4,
            "fit": ["exam", "practice", "research"],
            "blind": True,
            "adjudicates": False,
            "model": "tiny",
            "revision": "1",
        },
        {"from": "checked", "to": "validated"},
        {"from": "validated", "to": "released"},
    ]
    (kept,) = store.validation.reviews("i")
    assert kept == replace(review(store, "i"), reader="rhea", model="tiny", revision="1")


@pytest.mark.parametrize(
    ("said", "user", "error", "sentence"),
    [
        ({}, User("ada", frozenset({Role.RADIOLOGIST})), PolicyError, "ada asked for this image"),
        ({}, User("eve", frozenset({Role.ADMINISTRATOR})), PolicyError, "eve may not judge images"),
        ({"comment": "as in Mr. John Miller"}, RHEA, PolicyError, "identifies a person"),
        ({"judged": ()}, RHEA, RequestError, "of each finding asked for"),
        ({"adjudicates": True}, RHEA, StoreError, "judged this image meanwhile"),
    ],
)
def test_what_must_not_be_judged_is_refused_and_nothing_is_kept(
    store: Store, make_image: MakeImage, said: dict, user: User, error: type[Exception], sentence: str
) -> None:
    store.add_image(make_image("i", user="ada", findings=NODULE))
    with pytest.raises(error, match=sentence):
        judge(store, "i", user, **said)
    assert (store.validation.reviews("i"), told(store, "i")) == ([], [])
    assert store.validation.release("i") == Release("i", State.CHECKED)


def test_the_one_local_user_may_judge_the_own_image_and_finds_it_in_the_queue(
    store: Store, make_image: MakeImage
) -> None:
    store.add_image(make_image("i", user="local"))
    assert [entry.id for entry in store.validation.queue(LOCAL_USER, Sought())] == ["i"]
    assert judge(store, "i", LOCAL_USER).verdict is Verdict.PASSED


def test_a_reader_judges_once_and_what_was_rejected_is_fit_for_nothing(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("i", findings=NODULE))
    assert judge(store, "i", present=Presence.NO) == Outcome(Verdict.FAILED, frozenset())
    with pytest.raises(StoreError, match=r"^rhea has judged this image before; the first judgement counts\.$"):
        judge(store, "i")
    assert judge(store, "i", REMY).verdict is Verdict.FAILED
    assert store.validation.release("i") == Release("i", State.CHECKED, frozenset())
    assert [entry.id for entry in store.validation.queue(ROSE, Sought())] == []


def test_two_readers_who_disagree_wait_for_a_third(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("i"))
    assert judge(store, "i", two=True).verdict is Verdict.SECOND
    assert store.validation.release("i").state is State.CHECKED
    assert judge(store, "i", REMY, two=True, realism=1).verdict is Verdict.DISPUTED
    queues = [store.validation.queue(user, Sought(disputed=True)) for user in (RHEA, ROSE)]
    assert [[entry.id for entry in queue] for queue in queues] == [[], ["i"]]
    assert store.validation.queue(ROSE, Sought()) == []
    with pytest.raises(StoreError, match=r"^Another reader has judged this image meanwhile; look at it again\.$"):
        judge(store, "i", ROSE, two=True)
    exam = frozenset({Fitness.EXAM})
    assert judge(store, "i", ROSE, two=True, adjudicates=True, fit=exam) == Outcome(Verdict.PASSED, exam)
    assert store.validation.release("i") == Release("i", State.VALIDATED, exam)


def test_two_readers_at_once_are_both_heard_and_one_of_them_validates(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("i"))
    reached: dict[int, Verdict] = {}
    both = [(RHEA, REMY)[number] for number in (0, 1)]
    at_once(lambda number: reached.update({number: judge(store, "i", both[number], two=True).verdict}), 2)
    assert sorted(reached.values()) == [Verdict.PASSED, Verdict.SECOND]
    assert {one.reader for one in store.validation.reviews("i")} == {"rhea", "remy"}
    assert sorted(action for _, action, _ in told(store, "i")) == ["review", "review", "state"]


def test_one_reader_in_many_tabs_is_heard_once(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("i"))
    refused, lock = [], threading.Lock()

    def work(_: int) -> None:
        try:
            judge(store, "i")
        except StoreError as error:
            with lock:
                refused.append(str(error))

    at_once(work, 4)
    assert refused == ["rhea has judged this image before; the first judgement counts."] * 3
    assert len(store.validation.reviews("i")) == 1


def test_the_queue_is_filtered_and_leaves_out_what_is_ones_own(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("a", user="rhea"))
    store.add_image(make_image("b", user="ada", seed=2, findings=NODULE))
    store.add_image(make_image("c", user="bob", seed=3, absent=("nodule",)))
    store.add_image(make_image("d", user="bob", seed=4, model_id="other"))

    def seen(user: User = RHEA, **sought: object) -> list[str]:
        return [entry.id for entry in store.validation.queue(user, Sought(**sought))]  # type: ignore[arg-type]

    assert seen() == ["b", "c", "d"]
    assert seen(finding="nodule") == ["b"]
    assert seen(model="tiny") == ["b", "c"]
    assert seen(maker="bob") == ["c", "d"]
    assert seen(state=State.DRAFT) == []
    assert seen(REMY) == ["a", "b", "c", "d"]
    judge(store, "b")
    assert (seen(), seen(REMY), seen(REMY, state=State.VALIDATED)) == (["c", "d"], ["a", "c", "d"], ["b"])
    assert store.validation.makers() == ["ada", "bob", "rhea"]
    assert [entry.id for entry in store.validation.in_state(State.VALIDATED)] == ["b"]


def test_only_validated_images_are_released_and_all_or_none(store: Store, make_image: MakeImage) -> None:
    for number, name in enumerate(("a", "b")):
        store.add_image(make_image(name, seed=number))
    judge(store, "a")
    with pytest.raises(PolicyError, match=r"^Image b is checked and cannot become released\.$"):
        store.validation.set_released(["a", "b"], GITA, NOON)
    with pytest.raises(PolicyError, match=r"^rhea may not release images; the role governance officer may\.$"):
        store.validation.set_released(["a"], RHEA, NOON)
    assert store.validation.release("a").state is State.VALIDATED


@pytest.mark.parametrize(
    ("user", "reason", "sentence"),
    [
        (RHEA, "oops", "The reason has 4 characters; at least 10 are needed."),
        (RHEA, "for Mr. John Miller", "identifies a person"),
        (User("ada", frozenset({Role.RESEARCHER})), REASON, "ada may not withdraw images"),
    ],
)
def test_a_withdrawal_needs_a_reason_and_somebody_who_may(
    store: Store, make_image: MakeImage, user: User, reason: str, sentence: str
) -> None:
    store.add_image(make_image("i"))
    with pytest.raises(PolicyError, match=sentence):
        store.validation.withdraw("i", user, reason, NOON)
    assert (store.validation.release("i").state, told(store, "i")) == (State.CHECKED, [])


def test_a_withdrawal_is_final_and_reaches_all_that_was_made_of_the_image(store: Store, make_image: MakeImage) -> None:
    store.add_image(make_image("root"))
    store.add_image(made_of(make_image, "edit", "root"))
    store.add_image(made_of(make_image, "again", "edit", "altered"))
    store.add_image(made_of(make_image, "other", "root", "real"))
    release(store, "edit")

    done = store.validation.withdraw("root", GITA, f" {REASON} ", NOON)

    assert done.images == ("root", "edit", "again")
    of_it = f"it was made of image root: {REASON}"
    assert told(store, "root") == [("gita", "withdraw", REASON)]
    assert told(store, "edit")[-1] == told(store, "again")[-1] == ("gita", "withdraw", of_it)
    assert store.validation.release("other").state is State.CHECKED
    assert store.validation.release("edit") == Release("edit", State.WITHDRAWN, EVERYTHING, of_it)
    with pytest.raises(PolicyError, match=r"^Image root is withdrawn and cannot become withdrawn\.$"):
        store.validation.withdraw("root", GITA, REASON, NOON)
    with pytest.raises(PolicyError, match=r"^Image again was withdrawn: it was made of image root: The heart"):
        judge(store, "again")
    store.add_image(made_of(make_image, "late", "again", seed=11))  # it was being drawn meanwhile
    late = store.validation.release("late")
    assert (late.state, late.reason) == (State.WITHDRAWN, "it was made of image again")


def test_a_withdrawal_empties_case_sets_and_open_sessions_and_keeps_what_was_read(
    store: Store, make_image: MakeImage
) -> None:
    for number, name in enumerate(("base", "other")):
        store.add_image(make_image(name, seed=number))
    store.add_image(made_of(make_image, "lesion", "base"))
    recipe = Recipe(store.image("base").request)
    entries = [
        Entry("e1", recipe, standing=Standing.APPROVED, job="base"),
        Entry("e2", recipe, standing=Standing.PROPOSED, job="lesion", base_job="base"),
        Entry("e3", recipe, standing=Standing.APPROVED, job="other"),
    ]
    store.casebook.add_set(CaseSet("s", "CODE", "Set", "ada", tuple(entries)))
    cases = [dealt("base", "nodule"), dealt("other", "nodule"), dealt("lesion", "nodule")]
    keep(store, sitting("open", *cases), named("nodule"))  # base was read, lesion was not
    keep(store, sitting("ended", *cases, start=NOON), named("nodule"), ended=True)

    done = store.validation.withdraw("base", RHEA, REASON, NOON)

    assert (done.entries, done.skipped, done.read) == (2, 1, 2)
    assert [entry.standing for entry in store.casebook.case_set("s").entries] == ["withdrawn", "withdrawn", "approved"]
    assert [case.void for case in store.sittings.session("open").dealt] == [False, False, True]
    assert [case.void for case in store.sittings.session("ended").dealt] == [False, False, False]
    assert list(store.sittings.session("open").answers) == [0]
    assert store.sittings.session("open").next_position == 1


def test_a_draft_is_not_approved_into_a_case_set(store: Store, make_image: MakeImage) -> None:
    store.add_image(replace(make_image("i"), quality=QualityReport()))
    entry = Entry("e", Recipe(store.image("i").request), standing=Standing.PROPOSED, job="i")
    store.casebook.add_set(CaseSet("s", "CODE", "Set", "ada", (entry,)))
    with pytest.raises(PolicyError, match=r"^Image i is draft; for case sets it must be checked\.$"):
        store.casebook.change_entry(entry, replace(entry, standing=Standing.APPROVED))
    assert store.casebook.case_set("s").entries == (entry,)


def test_a_protocol_is_opened_changed_and_ended_once(store: Store) -> None:
    store.protocols.add(PROTOCOL, GITA)
    assert store.protocols.protocol("p") == PROTOCOL
    store.protocols.set_people("p", GITA, ["ada", "bob"], [], NOON)
    store.protocols.end("p", GITA, NOON + timedelta(hours=1))
    ended = replace(PROTOCOL, people=("ada", "bob"), groups=(), ended_at=NOON + timedelta(hours=1))
    assert store.protocols.protocols() == [ended]
    for refused in (
        lambda: store.protocols.end("p", GITA, NOON),
        lambda: store.protocols.set_people("p", GITA, [], [], NOON),
        lambda: store.protocols.claim("p", ["j"], GITA, NOON),
    ):
        with pytest.raises(StoreError, match=r"^The protocol 'Nodules' was ended on 2026-05-04\.$"):
            refused()
    assert [event.action for event in store.events(subject="p")] == ["protocol.end", "protocol.people", "protocol.open"]
    with pytest.raises(StoreError, match=r"^There is no protocol 'q'\.$"):
        store.protocols.protocol("q")


def test_what_is_made_under_a_protocol_names_it_and_counts(store: Store, make_image: MakeImage) -> None:
    store.protocols.add(PROTOCOL, GITA)
    store.protocols.claim("p", ["i", "j"], User("ada"), NOON)
    event = AuditEvent(datetime(2026, 5, 4, tzinfo=UTC), "ada", "done", "i", "", {"seed": 1})
    store.add_image(make_image("i", seed=1), event)
    store.add_image(make_image("j", seed=2))
    store.add_image(make_image("k", seed=3))
    assert store.validation.history("i") == [replace(event, detail={"seed": 1, "protocol": "p"})]
    assert store.protocols.usable("p") == []
    release(store, "i", "k")
    judge(store, "j", fit=frozenset({Fitness.PRACTICE}))
    store.validation.set_released(["j"], GITA, NOON)
    assert store.protocols.counts("p") == {State.RELEASED: 2}
    assert store.protocols.usable("p") == ["i"]  # j is not fit for research, k belongs to no protocol
    assert not store.validation.release("j").allows(Use.RESEARCH)


def test_an_export_is_kept_unless_an_image_was_withdrawn_meanwhile(store: Store, make_image: MakeImage) -> None:
    store.protocols.add(PROTOCOL, GITA)
    store.protocols.claim("p", ["i"], User("ada"), NOON)
    store.add_image(make_image("i"))
    release(store, "i")
    event = AuditEvent(NOON, "ada", "dataset.export", "p", "", {"images": 1})
    store.protocols.add_export(["i"], event)
    store.validation.withdraw("i", RHEA, REASON, NOON)
    with pytest.raises(PolicyError, match=r"^Image i was withdrawn: "):
        store.protocols.add_export(["i"], event)
    assert store.protocols.exports("p") == [event]
