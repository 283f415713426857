"""The Translate page: an uploaded brain slice, the same slice in another modality, and how far that can be trusted."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

from synth import imaging, results, translation
from synth.errors import RequestError
from synth.library.slices import Slice, read_slice
from synth.translation import MEASURES, METHODS, NAMES
from synth.types import SEED_MAX, GeneratedImage, Modality
from synth.ui import compare, downloads, resources, session, standing, views

SOURCE_PX = 240


def panel() -> None:
    """What to translate on the left, the result on the right."""
    asked, reading = st.columns([3, 9], gap="medium")
    with asked, views.show_error():
        _form()
    with reading, views.show_error():
        _outcome()


def _form() -> None:
    chosen = st.segmented_control(
        "The slice is", tuple(NAMES), format_func=NAMES.__getitem__, key="slice_modality", help="A DICOM file says it"
    )
    file = st.file_uploader(
        "Brain slice: DICOM, PNG or JPEG",
        type=["dcm", "png", "jpg", "jpeg"],
        key="slice_file",
        max_upload_size=views.PICTURE_MB,
    )
    st.caption("Only the pixels are kept, on this computer; remove burnt-in names first.")
    if file is None:
        return
    brain = read_slice(file.getvalue(), file.name, chosen)
    shown = imaging.mark(brain.pixels, f"UPLOAD {NAMES[brain.modality]}")
    st.image(shown, width=SOURCE_PX, alt=f"The uploaded {NAMES[brain.modality]} slice")
    for remark in brain.remarks:
        st.caption(remark)
    ways = translation.targets(brain.modality)
    target = st.segmented_control(
        "Translate into",
        ways,
        default=ways[0],
        required=True,
        format_func=NAMES.__getitem__,
        key=f"target-{brain.modality}",
    )
    if st.button("Translate", type="primary", width="stretch"):
        _submit(brain, target or ways[0])


def _submit(brain: Slice, target: Modality) -> None:
    digest = resources.store().add_picture(brain.pixels)
    request = translation.request(
        brain.modality,
        target,
        digest,
        f"upload:{digest}:{brain.modality}",
        secrets.randbelow(SEED_MAX),
        resources.settings().model_id,
    )
    job = resources.engine().submit(request, session.user())
    session.show((job.id,))
    st.rerun()


def _outcome() -> None:
    shown = session.shown()
    if not shown.jobs:
        st.caption("The same slice in another modality appears here. Measured on people or slices not trained on:")
        for source, target in translation.TRANSLATIONS:
            with st.expander(f"{NAMES[source]} to {NAMES[target]}"):
                _evidence(source, target)
        return
    if image_id := views.image_of(shown.jobs[0]):
        _beside_its_source(resources.store().image(image_id))


def _beside_its_source(image: GeneratedImage) -> None:
    edit, base = image.request.edit, resources.store().base(image.request)
    if edit is None or edit.source is None or base is None:
        raise RequestError("This request is no translation; open it on the Generate page.")
    source, target = Modality(edit.source), image.request.modality
    drawn, word = imaging.to_uint8(image.pixels), image.request.mark
    given = imaging.to_uint8(imaging.mark(base.pixels, f"UPLOAD {NAMES[source]}"))
    left = compare.Pane(given, base.pixels, f"SOURCE: {NAMES[source]}")
    right = compare.Pane(imaging.to_uint8(imaging.mark(drawn, word)), drawn, f"{word}: {NAMES[target]}")
    st.plotly_chart(
        compare.figure(left, right, scale=compare.PLAIN),
        theme=None,
        config=compare.CONFIG,
        key=f"translated-{image.id}",
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        standing.show(image)
        downloads.buttons(image)
        st.caption(f"{image.provenance.seconds:.1f} s, seed {image.request.seed}", width="content")
    _evidence(source, target)


def _evidence(source: Modality, target: Modality) -> None:
    """What was measured of one direction, who wins, and on how many people it was learnt."""
    result = results.load("translation")
    one = next((d for d in result.get("directions", ()) if (d["source"], d["target"]) == (source, target)), None)
    if one is None:
        st.caption("This direction was not measured yet.")
        return
    st.markdown(" ".join((people_sentence(one), verdict(one["methods"]))))
    st.markdown(_table(one["methods"]))
    st.caption(f"{result['model']} {result['revision']}; {result['protocol']['measures']}.")


def people_sentence(one: dict[str, Any]) -> str:
    """On how many people a direction was trained and measured, and what follows from that."""
    learnt = f"Learnt from {one['train_slices']} pairs of {_people(one['train_people'])}"
    if one["new_people"]:
        measured = f"measured on {one['test_slices']} slices of {_people(one['new_people'])} not among them"
    else:
        measured = f"measured on {one['test_slices']} slices of the same person, cut in another direction"
    if mixed := one.get("spect_people"):
        measured += f"; SPECT of {mixed} people was learnt under the name of PET"
    return (
        f"{learnt}, {measured}. This shows the method: it does not generalise, and nothing can be read from the result."
    )


def verdict(methods: dict[str, dict[str, float]]) -> str:
    """Which rival comes closer to the real slice than the model, and by which measure."""
    ahead: dict[str, list[str]] = {}
    for measure, label in MEASURES.items():
        winner = translation.best(methods, measure)
        ahead.setdefault(winner, []).append(label.partition(",")[0])
    ours = ahead.pop("model", [])
    parts = [f"by {' and '.join(labels)} the {METHODS[name]} is closest" for name, labels in ahead.items()]
    if ours:
        parts.append(f"by {' and '.join(ours)} this model is closest")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"


def _table(methods: dict[str, dict[str, float]]) -> str:
    lines = ["| method | " + " | ".join(MEASURES.values()) + " |", "|---|" + "--:|" * len(MEASURES)]
    winners = {measure: translation.best(methods, measure) for measure in MEASURES}
    for name, figures in methods.items():
        cells = [f"**{figures[m]:g}**" if winners[m] == name else f"{figures[m]:g}" for m in MEASURES]
        lines.append(f"| {METHODS[name]} | {' | '.join(cells)} |")
    return "\n".join(lines)
