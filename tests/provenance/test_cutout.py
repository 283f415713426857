"""Pictures on pages: found as rectangles to the pixel; panels, letters and pictures that fill the whole are not."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from synth.provenance.cutout import MOST, Box, pictures
from tests.phantoms import film

Picture = npt.NDArray[np.uint8]


def page(grey: int = 14) -> Picture:
    made = np.full((900, 1440), grey, np.uint8)
    made[:, :240] = grey // 2 + 60  # a panel of one grey
    made[30:60, 300:800:5] = 220  # letters
    return made


def put(onto: Picture, top: int, left: int, side: int, seed: int = 0) -> Box:
    onto[top : top + side, left : left + side] = film(side, seed)
    return Box(top, left, top + side, left + side)


@pytest.mark.parametrize("grey", [14, 255])
def test_films_are_found_to_the_pixel_largest_first(grey: int) -> None:
    whole = page(grey)
    small, large = put(whole, 500, 300, 300), put(whole, 100, 700, 380, 1)
    assert pictures(whole)[:2] == [large, small]


def test_four_films_leave_no_room_for_what_is_inside_one() -> None:
    whole = page()
    films = [put(whole, top, left, 330, top) for top in (90, 500) for left in (280, 700)]
    assert set(pictures(whole)) == set(films)


def test_a_film_on_a_card_on_a_page_is_found() -> None:
    whole = page()
    whole[80:880, 280:1400] = 38
    assert put(whole, 200, 400, 350) in pictures(whole)


def test_twelve_bits_are_a_picture_too() -> None:
    whole = page()
    box = put(whole, 200, 400, 350)
    assert box in pictures(whole.astype(np.uint16) * 16)


@pytest.mark.parametrize(
    "whole", [film(256), np.full((300, 300), 7, np.uint8), page()], ids=["film", "flat", "no film"]
)
def test_nothing_is_cut_out_where_there_is_nothing_to_cut_out(whole: Picture) -> None:
    assert pictures(whole) == []


def test_never_more_than_a_few() -> None:
    whole = page()
    for number in range(8):
        put(whole, 100 + 200 * (number // 4), 260 + 200 * (number % 4), 150, number)
    assert len(pictures(whole)) == MOST


def test_a_large_page_is_looked_at_in_steps() -> None:
    whole = page()
    box = put(whole, 200, 400, 400)
    large = np.asarray(Image.fromarray(whole).resize((1440 * 3, 900 * 3), Image.Resampling.NEAREST))
    assert Box(box.top * 3, box.left * 3, box.bottom * 3, box.right * 3) in pictures(large)
