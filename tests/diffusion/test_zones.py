"""The zone atlas: sides, thirds, soft borders, sizes, and building it from masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.diffusion.zones import Atlas, locate, zone_mask
from synth.training.atlas import build
from synth.types import Side, Zone

SIZE = 64


def lung(first_column, top=10, bottom=54, size=SIZE):
    mask = np.zeros((size, size), np.float32)
    mask[top:bottom, first_column : first_column + 18] = 1.0
    return mask


ATLAS = Atlas(right=lung(8), left=lung(38), ct_right=lung(6, 20, 44), ct_left=lung(40, 20, 44))


def centre(mask):
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    return np.average(rows, weights=mask), np.average(columns, weights=mask)


@pytest.mark.parametrize("zone", [None, *Zone])
def test_the_right_lung_is_on_the_left_of_the_image(zone):
    assert zone_mask(ATLAS, Side.RIGHT, zone)[:, SIZE // 2 :].max() == 0.0
    assert zone_mask(ATLAS, Side.LEFT, zone)[:, : SIZE // 2].max() == 0.0


@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT, Side.BOTH, None])
def test_the_three_zones_lie_above_each_other_and_add_up_to_the_lung(side):
    upper, middle, lower = (zone_mask(ATLAS, side, zone) for zone in (Zone.UPPER, Zone.MIDDLE, Zone.LOWER))
    assert centre(upper)[0] < centre(middle)[0] < centre(lower)[0]
    np.testing.assert_allclose(upper + middle + lower, zone_mask(ATLAS, side, None), atol=1e-6)


def test_an_open_side_means_both():
    for zone in (None, *Zone):
        assert np.array_equal(zone_mask(ATLAS, None, zone), zone_mask(ATLAS, Side.BOTH, zone))


def test_the_border_between_zones_is_soft():
    column = zone_mask(ATLAS, Side.RIGHT, Zone.LOWER)[:, 15]
    assert column[10] == 0.0 and column[53] == 1.0
    assert ((column > 0.0) & (column < 1.0)).sum() >= 3
    assert np.all(np.diff(column[10:54]) >= 0)


def test_a_slice_has_sides_but_no_zones():
    assert np.array_equal(zone_mask(ATLAS, Side.LEFT, Zone.LOWER, "CT"), ATLAS.ct_left)
    assert np.array_equal(zone_mask(ATLAS, None, None, "CT"), np.maximum(ATLAS.ct_right, ATLAS.ct_left))


@given(st.sampled_from([16, 32, 64, 96, 128]), st.sampled_from([None, *Side]), st.sampled_from([None, *Zone]))
def test_a_mask_of_another_size_covers_the_same_place(size, side, zone):
    mask = zone_mask(ATLAS, side, zone, size_px=size)
    whole = zone_mask(ATLAS, side, zone)
    assert mask.shape == (size, size) and mask.dtype == np.float32
    assert mask.min() >= 0.0 and mask.max() <= 1.0
    assert mask.mean() == pytest.approx(whole.mean(), abs=0.01)
    assert (np.array(centre(mask)) + 0.5) / size == pytest.approx((np.array(centre(whole)) + 0.5) / SIZE, abs=0.01)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("zone", list(Zone))
def test_locate_is_the_inverse_of_zone_mask(side, zone):
    assert locate(ATLAS, zone_mask(ATLAS, side, zone)) == (side, zone)


def test_locate_says_nothing_of_what_it_cannot_tell():
    outside = np.zeros((SIZE, SIZE), np.float32)
    outside[:6, :6] = 1.0
    assert locate(ATLAS, np.zeros_like(outside)) == (None, None)
    assert locate(ATLAS, outside) == (None, None)
    assert locate(ATLAS, ATLAS.right) == (Side.RIGHT, None)
    assert locate(ATLAS, ATLAS.ct_left, "CT") == (Side.LEFT, None)


def test_an_atlas_comes_back_from_its_arrays():
    again = Atlas.from_arrays(ATLAS.to_arrays())
    for name, mask in ATLAS.to_arrays().items():
        assert np.array_equal(again.to_arrays()[name], mask)
    with pytest.raises(ValueError, match="lacks ct_left"):
        Atlas.from_arrays({name: mask for name, mask in ATLAS.to_arrays().items() if name != "ct_left"})


def test_an_atlas_of_wrong_shape_or_range_is_refused():
    with pytest.raises(ValueError, match="square"):
        Atlas(lung(8), lung(38), lung(6), np.ones((SIZE, 32), np.float32))
    with pytest.raises(ValueError, match="shares"):
        Atlas(lung(8) * 255, lung(38), lung(6), lung(40))


def test_build_means_the_masks_and_keeps_sides():
    tall, short = (lung(8, 8, 56) + lung(38, 8, 56)) > 0, (lung(8, 24, 40) + lung(38, 24, 40)) > 0
    atlas = build([tall, short], [tall], size_px=SIZE)
    assert atlas.right[30, 15] == 1.0 and atlas.right[12, 15] == 0.5 and atlas.right[30, 45] == 0.0
    assert atlas.left[30, 45] == 1.0 and atlas.left[30, 15] == 0.0
    assert np.array_equal(atlas.ct_right, lung(8, 8, 56))


def test_build_enlarges_small_masks_and_letterboxes_wide_ones():
    small = (lung(8) + lung(38)) > 0
    wide = small[8:56]
    atlas = build([small], [wide], size_px=2 * SIZE)
    assert atlas.right.shape == (2 * SIZE, 2 * SIZE)
    assert centre(atlas.right)[0] == pytest.approx(2 * centre(lung(8))[0] + 0.5, abs=0.6)
    np.testing.assert_allclose(atlas.ct_right, atlas.right, atol=1e-6)


def test_build_leaves_out_a_missing_lung_and_refuses_when_none_is_shown():
    both, right_only, nothing = (lung(8) + lung(38)) > 0, lung(8) > 0, np.zeros((SIZE, SIZE), bool)
    atlas = build([both, right_only, nothing], [both], size_px=SIZE)
    assert np.array_equal(atlas.right, lung(8)) and np.array_equal(atlas.left, lung(38))
    with pytest.raises(ValueError, match="films"):
        build([nothing], [both], size_px=SIZE)
    with pytest.raises(ValueError, match="left"):
        build([both], [right_only], size_px=SIZE)
