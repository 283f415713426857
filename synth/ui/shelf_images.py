"""The images of the library: filters, a page of marked thumbnails, several chosen ones into the bin and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from synth import imaging
from synth.store.holding_records import Facets, Holding
from synth.ui import neighbours, resources, shelf_alike, shelf_bin, shelf_image, shelf_place, views

PAGE = 40
THUMBNAIL_PX = 256  # stored size
TILE_PX = 135  # eight a row beside the side bar at 1440 px
SEXES = {"F": "woman", "M": "man"}


def show() -> None:
    """The image that the address names, else the filters above one page of what fits them."""
    library = resources.library()
    if image_id := st.query_params.get("image"):
        shelf_image.show(image_id)
        return
    if library.problem:
        st.info(library.problem)
    resources.looks()  # from the first visit on, new images are looked at in the background
    in_bin = shelf_place.given("bin")
    _filters(facets(library.revision))
    wanted = shelf_place.search()
    page = max(1, shelf_place.number("page", 1))
    distances: Mapping[str, float] = {}
    if like := st.query_params.get("like"):
        count, found, distances = shelf_alike.page(like, wanted, PAGE, page)
    else:
        count, found = resources.store().holdings.search(wanted, PAGE, (page - 1) * PAGE)
    pages = max(1, -(-count // PAGE))
    if page > pages and not like:  # images went into the bin since the address was written
        count, found = resources.store().holdings.search(wanted, PAGE, (pages - 1) * PAGE)
    shelf_bin.undo_bar()
    _bar(count, len(library.images), found, in_bin)
    _grid(found, distances)
    if pages > 1:
        shelf_place.pages(pages, min(page, pages), "shelf")


@st.cache_data(max_entries=2, show_spinner=False)
def facets(revision: int) -> Facets:
    """What the filters offer; another revision of the library may offer something else."""
    return resources.store().holdings.facets()


def _filters(offered: Facets) -> None:
    st.session_state["shelf_q"] = st.query_params.get("q", "")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.text_input(
            "Search",
            key="shelf_q",
            placeholder="finding, origin, note",
            icon=":material/search:",
            on_change=shelf_place.noted,
            args=("q",),
            width=230,
        )
        shelf_place.choice("Finding", "finding", offered.findings, shelf_place.words, 190)
        shelf_place.choice("Modality", "modality", offered.modalities, width_px=110)
        shelf_place.choice("View", "view", offered.views, width_px=120)
        shelf_place.choice("Sex", "sex", offered.sexes, lambda sex: SEXES.get(sex, sex), 110)
        for label, name in (("Age from", "from"), ("to", "to")):
            st.session_state[f"shelf_{name}"] = shelf_place.number(name) if shelf_place.given(name) else None
            st.number_input(
                label, 0, 120, None, key=f"shelf_{name}", on_change=shelf_place.noted, args=(name,), width=96
            )
        shelf_place.choice("Body part", "part", offered.body_parts, width_px=140)
        shelf_place.choice("Origin", "origin", offered.origins, width_px=220)
        shelf_place.choice("Licence", "licence", offered.licences, width_px=150)
        shelf_place.choice("Flag", "flag", offered.flags, lambda flag: shelf_place.FLAGS.get(flag, flag), 190)


def _bar(count: int, total: int, found: Sequence[Holding], in_bin: bool) -> None:
    """How many fit, and what can be done with the chosen ones."""
    chosen = shelf_bin.chosen()
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(
            f"**{count:,}** {'image' if count == 1 else 'images'} in the bin"
            if in_bin
            else f"**{count:,}** of {total:,} images",
            width="content",
        )
        if any(map(shelf_place.given, shelf_place.FILTERS)):
            st.button("Clear filters", key="shelf_clear", type="tertiary", on_click=shelf_place.clear_filters)
        st.space("stretch")
        if chosen:
            st.caption(f"{len(chosen)} selected", width="content")
            word = "Put back" if in_bin else "Move to bin"
            icon = ":material/restore_from_trash:" if in_bin else ":material/delete:"
            st.button(word, key="shelf_move", icon=icon, on_click=shelf_bin.move, args=(chosen, not in_bin))
            st.button("Select none", key="shelf_none", type="tertiary", on_click=shelf_bin.choose, args=((),))
        if found:
            everything = tuple(dict.fromkeys([*chosen, *(one.image.id for one in found)]))
            st.button("Select page", key="shelf_all", type="tertiary", on_click=shelf_bin.choose, args=(everything,))
        label = "Back to the library" if in_bin else "Bin"
        st.button(label, key="shelf_bin", type="tertiary", icon=":material/delete:", on_click=_other_side)


def _toggle(image_id: str) -> None:
    chosen = [name for name in shelf_bin.chosen() if name != image_id]
    shelf_bin.choose([*chosen, image_id] if st.session_state.get(f"shelf-pick-{image_id}") else chosen)


def _other_side() -> None:
    """From the library to the bin and back: what is chosen here is not chosen there."""
    shelf_bin.choose(())
    shelf_place.clear_filters()
    shelf_place.go(bin=None if shelf_place.given("bin") else "1")


def _grid(found: Sequence[Holding], distances: Mapping[str, float]) -> None:
    if not found:
        st.caption("Nothing here fits.")
    chosen = shelf_bin.chosen()
    with st.container(horizontal=True, gap="small"):
        for holding in found:
            with st.container(width=TILE_PX, gap="xxsmall"), views.show_error():
                _tile(holding, holding.image.id in chosen)
                if (distance := distances.get(holding.image.id)) is not None:
                    st.caption(f"distance {distance:.3f}")


def _tile(holding: Holding, chosen: bool) -> None:
    image = holding.image
    sentence = neighbours.sentence_of(image)
    key = f"shelf-pick-{image.id}"
    st.session_state[key] = chosen
    with st.container(horizontal=True, gap=None, vertical_alignment="center", horizontal_alignment="distribute"):
        st.checkbox(f"Select {sentence}", key=key, on_change=_toggle, args=(image.id,), label_visibility="collapsed")
        st.button(
            "Open",
            key=f"shelf-open-{image.id}",
            help=". ".join(part for part in (sentence, image.origin, image.licence) if part),
            type="tertiary",
            on_click=shelf_place.go,
            kwargs={"image": image.id},
        )
    st.image(thumbnail(image.id, holding.thumbnail), width="stretch", alt=f"Real image: {sentence}")
    st.caption(sentence)


@st.cache_data(max_entries=8192, show_spinner=False)
def thumbnail(image_id: str, digest: str) -> bytes:
    """PNG of a small picture with its mark burnt in. Raises StoreError or DicomError where it cannot be read."""
    if digest:
        pixels = imaging.fit_square(resources.store().holdings.thumbnail(digest), THUMBNAIL_PX)
    else:
        pixels = resources.library().pixels(image_id, THUMBNAIL_PX)
    return imaging.png_bytes(imaging.to_uint8(imaging.mark(pixels, "REAL")), {})
