"""The Restore page: a picture, what spoilt it, what the table recommends, and before and after side by side."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import baselines, imaging, masks
from synth.diffusion import tiles
from synth.diffusion.kinds import KINDS
from synth.errors import RequestError
from synth.types import (
    BLUR_MAX_PX,
    NOISE_MAX,
    Base,
    Edit,
    GeneratedImage,
    GenerationRequest,
    Modality,
    Restoration,
)
from synth.ui import advice, bases, canvas, compare, downloads, outcome, resources, session, standing, views

SIZES_PX = (256, 512, 1024, 1536)
CANVAS_PX = 512
ANOTHER = "another kind"
OWN_CHECKS = ("mean shift", "finding change", "findings that appear or vanish")
DISPLAY_ONLY = "For display only: a restored picture shows what is likely, not more than was acquired."

Film = npt.NDArray[np.uint8]


def panel() -> None:
    """Choose a picture; say what spoilt it; restore."""
    address = st.query_params.get("base")
    with st.expander("Another picture") if address else st.container():
        chosen = bases.choose(tuple(Modality))
    if chosen and chosen != st.session_state.get("restore_chosen"):
        st.session_state["restore_chosen"] = chosen
        st.query_params.from_dict({"base": chosen})
        st.rerun()
    if not address:
        st.caption("Choose the picture to restore: one of the library, a file of yours, or one made here.")
        return
    base = bases.whole(address)
    picture, settings = st.columns([7, 5], gap="medium")
    with settings, views.show_error():
        pixels = _at_working_size(base.pixels)
        asked = _settings(base)
        with picture:
            drawn = _picture(pixels, base.mark, asked.kind, address)
        _told_beforehand(pixels, asked)
        if st.button("Restore", type="primary", width="stretch"):
            _submit(base, pixels, asked, drawn)
    _outcome()


def _at_working_size(pixels: Film) -> Film:
    """The picture, made smaller where the user asks for it or where it would take too many tiles."""
    longest = max(pixels.shape)
    sizes = [longest, *(size for size in reversed(SIZES_PX) if size < longest)]
    fits = next(
        (size for size in sizes if tiles.count(*_scaled(pixels, size), "gaussian") <= tiles.COUNT_MAX), sizes[-1]
    )
    size = st.selectbox(
        "Working size",
        sizes,
        index=sizes.index(fits),
        format_func=lambda s: (
            f"{'as it is, ' if s == longest else ''}{' x '.join(map(str, _scaled(pixels, s)[::-1]))} px"
        ),
        key=f"size-{longest}",
        help="A smaller picture takes fewer tiles",
    )
    return imaging.to_uint8(imaging.resize(pixels, size or longest))


def _scaled(pixels: Film, longest: int) -> tuple[int, int]:
    scale = longest / max(pixels.shape)
    return max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale))


def _settings(base: bases.Picture) -> Restoration:
    kind = st.selectbox("What spoilt it", list(KINDS), index=1, format_func=lambda k: KINDS[k].title, key="damage")
    groups = [ANOTHER, *advice.groups()]
    usual = {Modality.DX: "DX chest", Modality.CT: "CT chest", Modality.MR: "MR brain", Modality.PET: "PET brain"}
    guess = usual.get(base.request.modality, ANOTHER)
    group = st.selectbox(
        "The picture is", groups, index=groups.index(guess) if guess in groups else 0, key=f"group-{guess}"
    )
    noise, blur = None, 1.5
    if kind in ("gaussian", "poisson", "blur", "low_light"):
        noise = st.number_input(
            "Noise in grey levels", 0.0, NOISE_MAX, None, placeholder="estimated from the picture", key="noise"
        )
    if kind == "blur":
        blur = st.slider("Blur in px", 0.5, BLUR_MAX_PX, 1.5, key="blur", help="Standard deviation of the blur")
    return Restoration(kind or "gaussian", "" if group in (None, ANOTHER) else group, noise, blur)


def _picture(pixels: Film, mark: str, kind: str, address: str) -> masks.Area | None:
    """The picture on the screen; where it has lost parts, what is drawn as lost; None: to be found."""
    if KINDS[kind].holes and st.toggle("Draw what is lost", key="draw_lost", help="Otherwise it is looked for"):
        square = imaging.to_uint8(imaging.fit_square(pixels, CANVAS_PX))
        area, _ = canvas.draw(square, mark, f"lost-{address}")
        return _unfitted(area, pixels.shape)
    st.image(imaging.mark(imaging.fit_square(pixels, CANVAS_PX), mark), alt="The damaged picture")
    return None


def _unfitted(area: masks.Area, shape: tuple[int, ...]) -> masks.Area:
    """An area of the fitted square, on the (H, W) of the picture that was fitted."""
    scale = area.shape[0] / max(shape)
    height, width = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    top, left = (area.shape[0] - height) // 2, (area.shape[1] - width) // 2
    rows = top + np.minimum((np.arange(shape[0]) * height) // shape[0], height - 1)
    columns = left + np.minimum((np.arange(shape[1]) * width) // shape[1], width - 1)
    return np.asarray(area[rows][:, columns])


def _told_beforehand(pixels: Film, asked: Restoration) -> None:
    better, why = advice.recommended(asked.kind, asked.group)
    (st.caption if better else st.info)(why)
    st.caption(advice.expected(pixels.shape[0], pixels.shape[1], asked.kind, advice.STEPS))


def _submit(base: bases.Picture, pixels: Film, asked: Restoration, drawn: masks.Area | None) -> None:
    from synth import restoration  # it imports torch, which no page waits for before it is needed

    restoration.check_size(pixels.shape[0], pixels.shape[1], asked.kind)
    if drawn is not None and drawn.sum() < masks.SMALLEST_PX:
        raise RequestError("Nothing is drawn; draw what is lost, or let it be looked for.")
    restoration.damage_of(restoration.grey(pixels), asked, drawn)  # says at once what cannot be restored
    store = resources.store()
    lost = None if drawn is None else store.add_picture(np.uint8(255) * drawn)
    edit = Edit("restore", store.add_picture(pixels), base.origin, lost, restoration=asked)
    request = GenerationRequest(
        modality=base.request.modality,
        view=None,
        steps=advice.STEPS,
        sampler="euler",
        guidance=1.0,
        model_id=resources.settings().model_id,
        edit=edit,
        lung_window=base.request.lung_window and not KINDS[asked.kind].light,
    )
    job = resources.engine().submit(request, session.user())
    st.query_params["request"] = job.id
    st.rerun()


def _outcome() -> None:
    shown = session.shown()
    if not shown.jobs:
        return
    if image_id := views.image_of(shown.jobs[0]):
        _side_by_side(resources.store().image(image_id))


def _side_by_side(image: GeneratedImage) -> None:
    """Before, after, difference and the classical method, one zoom for all, with what was measured."""
    edit, base = image.request.edit, resources.store().base(image.request)
    if edit is None or edit.restoration is None or base is None:
        raise RequestError("This request is no restoration; open it on the page that made it.")
    after = imaging.to_uint8(image.pixels)
    before = imaging.to_uint8(imaging.resize(base.pixels, max(after.shape)))
    plain = _baseline(image.id, base, edit.restoration)
    mark, name = standing.mark(image), baselines.NAMES[edit.restoration.kind]
    panes = [
        outcome.pane(before, edit.base_mark, "BEFORE"),
        outcome.pane(after, mark, "AFTER"),
        outcome.pane(plain, mark, name.upper()),
    ]
    change = outcome.difference(after, before, f"{mark} DIFFERENCE", "AFTER - BEFORE")
    st.plotly_chart(
        compare.row(panes, 460, change, compare.PLAIN), theme=None, config=compare.CONFIG, key=f"restored-{image.id}"
    )
    standing.show(image)
    _checks(image)
    st.caption(advice.recommended(edit.restoration.kind, edit.restoration.group)[1])
    with st.container(horizontal=True, gap="small"):
        downloads.buttons(image)
        barred, words = standing.barred(image), {"Title": mark, "Comment": name}
        st.download_button(
            f"PNG by {name}",
            standing.permitted(image, partial(imaging.png_bytes, imaging.mark(plain, mark), words), "PNG, classical"),
            f"{name.replace(' ', '-')}-{image.id}.png",
            "image/png",
            on_click="ignore",
            help=barred or None,
            disabled=bool(barred),
        )
    st.caption(f"{DISPLAY_ONLY} Made in {image.provenance.seconds:.1f} s.")


@st.cache_data(show_spinner=False, max_entries=8)
def _baseline(image_id: str, _base: Base, _asked: Restoration) -> Film:
    from synth import restoration

    grey = restoration.grey(_base.pixels)
    return imaging.to_uint8(restoration.baseline(grey, restoration.damage_of(grey, _asked, _base.lesion)))


def _checks(image: GeneratedImage) -> None:
    """The mean shift with its bound, and a warning where findings are no longer what they were."""
    for check in image.quality.checks:
        if check.name == OWN_CHECKS[0]:
            st.markdown(f"Mean shift {check.value:+.2f} grey levels; the bound is {check.high:.1f}.")
        elif check.name in OWN_CHECKS and not check.passed:
            st.warning(
                f"Do not trust this picture for findings: {check.name} is {check.value:.2g}, "
                f"at most {check.high:.2g} is harmless."
            )
