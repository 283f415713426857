"""Simulated lesions on phantoms: exact masks, sides, zones, severity, physics."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from synth.errors import RequestError
from synth.training.lesion_chest import film_chest, zone_rows
from synth.training.lesions import FILM_KINDS, SLICE_KINDS, Lesion, box_mask, ct_lungs, lung_sides, simulate
from synth.types import Finding, Severity, Side, Zone

OPAQUE = sorted(set(FILM_KINDS) - {"pneumothorax"})
ALL = [("DX", code) for code in sorted(FILM_KINDS)] + [("CT", code) for code in sorted(SLICE_KINDS)]
MILD_TO_SEVERE = (Severity.MILD, Severity.MODERATE, Severity.SEVERE)


def ellipse(size, row, column, height, width):
    y, x = np.mgrid[:size, :size] / size
    return ((y - row) / height) ** 2 + ((x - column) / width) ** 2 < 1.0


def film(size=160, ribs_on=True):
    """A frontal phantom: two lungs, heart to the image's right, ribs, vessels and grain."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:size, :size] / size
    heart = ellipse(size, 0.62, 0.55, 0.16, 0.15)
    below = y > 0.80 + 0.4 * (np.abs(x - 0.5) - 0.22) ** 2
    lungs = (ellipse(size, 0.5, 0.28, 0.36, 0.16) | ellipse(size, 0.5, 0.72, 0.36, 0.16)) & ~heart & ~below
    pixels = np.where(lungs, 0.30, 0.72)
    pixels = np.where((x < 0.06) | (x > 0.94), 0.02, pixels)
    ribs = 0.07 * ribs_on * (np.sin(2 * np.pi * (y * 11 - 6 * (x - 0.5) ** 2)) > 0.3)
    vessels = ndimage.gaussian_filter(rng.random((size, size)) > 0.985, 1.0) * 1.2 * lungs
    pixels = (
        ndimage.gaussian_filter(pixels, 0.8) + ndimage.gaussian_filter(ribs, 0.7) * (x > 0.06) * (x < 0.94) + vessels
    )
    return np.clip(pixels + rng.normal(0, 0.01, pixels.shape), 0, 1).astype(np.float32), lungs


def axial(size=160, vessels_on=True):
    """An axial phantom in a lung window: body, two lungs with vessels, spine, trachea, air around."""
    rng = np.random.default_rng(8)
    body = ellipse(size, 0.5, 0.5, 0.36, 0.46)
    lungs = ellipse(size, 0.5, 0.28, 0.26, 0.16) | ellipse(size, 0.5, 0.72, 0.26, 0.16)
    pixels = np.where(body, 0.92, 0.22)
    pixels = np.where(lungs, 0.30, pixels)
    pixels = np.where(ellipse(size, 0.40, 0.5, 0.02, 0.02), 0.22, pixels)
    vessels = 0.5 * ndimage.gaussian_filter((rng.random((size, size)) > 0.99) * 6.0, 1.0) * lungs
    pixels = pixels + vessels * vessels_on
    return np.clip(pixels + rng.normal(0, 0.01, pixels.shape), 0, 1).astype(np.float32), lungs


FILM, FILM_LUNGS = film()
SLICE, SLICE_LUNGS = axial()


def draw(modality, finding, seed=0) -> tuple[np.ndarray, Lesion]:
    pixels, lungs = (SLICE, SLICE_LUNGS) if modality == "CT" else (FILM, FILM_LUNGS)
    return pixels, simulate(pixels, lungs, finding, np.random.default_rng(seed), modality)


@pytest.mark.parametrize(("modality", "code"), ALL)
def test_nothing_changes_outside_the_mask_and_something_does_inside(modality, code):
    for seed in range(3):
        before, lesion = draw(modality, Finding(code), seed)
        assert lesion.mask.shape == before.shape and lesion.mask.dtype == np.bool_ and lesion.mask.any()
        assert np.array_equal(lesion.pixels[~lesion.mask], before[~lesion.mask])
        assert np.abs(lesion.pixels - before)[lesion.mask].max() > 0.02
        assert lesion.pixels.dtype == np.float32
        assert lesion.pixels.min() >= 0.0 and lesion.pixels.max() <= 1.0


@pytest.mark.parametrize(("modality", "code"), [pair for pair in ALL if pair[1] != "pneumothorax"])  # a pleura is sharp
def test_the_border_of_a_mask_shows_no_step(modality, code):
    before, lesion = draw(modality, Finding(code, severity=Severity.SEVERE))
    rim = lesion.mask & ~ndimage.binary_erosion(lesion.mask)
    change = np.abs(lesion.pixels - before)
    assert np.median(change[rim]) < 0.25 * change[lesion.mask].max()


@pytest.mark.parametrize(("modality", "code"), ALL)
def test_equal_generators_give_equal_lesions_and_other_seeds_others(modality, code):
    _, first = draw(modality, Finding(code), 5)
    _, again = draw(modality, Finding(code), 5)
    _, other = draw(modality, Finding(code), 6)
    assert np.array_equal(first.pixels, again.pixels) and np.array_equal(first.mask, again.mask)
    assert first.finding == again.finding
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize(
    ("modality", "code"), [(m, c) for m, c in ALL if (SLICE_KINDS if m == "CT" else FILM_KINDS)[c].sides]
)
@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
def test_a_lesion_stays_on_the_asked_side(modality, code, side):
    _, lesion = draw(modality, Finding(code, side=side, severity=Severity.SEVERE))
    middle = lesion.mask.shape[1] // 2
    on_image_left = lesion.mask[:, :middle].sum() / lesion.mask.sum()
    assert (on_image_left if side is Side.RIGHT else 1 - on_image_left) > 0.97
    assert lesion.finding.side is side


@pytest.mark.parametrize("code", ["consolidation", "pleural_effusion", "edema", "ground_glass_opacity", "infiltration"])
def test_a_bilateral_lesion_is_on_both_sides(code):
    _, lesion = draw("DX", Finding(code, side=Side.BOTH, severity=Severity.MODERATE))
    middle = lesion.mask.shape[1] // 2
    assert 0.15 < lesion.mask[:, :middle].sum() / lesion.mask.sum() < 0.85


@pytest.mark.parametrize("code", [code for code in sorted(FILM_KINDS) if FILM_KINDS[code].zoned])
@pytest.mark.parametrize("zone", list(Zone))
def test_a_lesion_lies_in_the_asked_third_of_the_lung(code, zone):
    before, lesion = draw("DX", Finding(code, Side.LEFT, zone, Severity.MODERATE), 3)
    change = np.abs(lesion.pixels - before).sum(axis=1)
    top, bottom = zone_rows(lung_sides(FILM_LUNGS)[1], zone)
    assert top <= np.average(np.arange(change.size), weights=change) < bottom
    assert change[top:bottom].sum() > 0.75 * change.sum()
    assert lesion.finding == Finding(code, Side.LEFT, zone, Severity.MODERATE)


@pytest.mark.parametrize(("modality", "code"), [pair for pair in ALL if pair[1] != "pneumothorax"])
def test_the_added_attenuation_rises_with_severity(modality, code):
    added = []
    for severity in MILD_TO_SEVERE:
        pairs = [draw(modality, Finding(code, severity=severity), seed) for seed in range(6)]
        added.append(np.mean([(lesion.pixels - before).sum() for before, lesion in pairs]))
    assert 0 < added[0] < added[1] < added[2]


@pytest.mark.parametrize("code", OPAQUE)
def test_ribs_stay_visible_through_an_opacity(code):
    bare, lungs = film(ribs_on=False)
    finding = Finding(code, severity=Severity.MODERATE)
    for seed in range(4):
        before, lesion = draw("DX", finding, seed)
        without = simulate(bare, lungs, finding, np.random.default_rng(seed))
        inside = lesion.mask & without.mask & lungs
        ribs_before, ribs_after = (before - bare)[inside], (lesion.pixels - without.pixels)[inside]
        assert np.corrcoef(ribs_before, ribs_after)[0, 1] > 0.8
        assert np.polyfit(ribs_before, ribs_after, 1)[0] > 0.3


def test_an_effusion_fills_the_lung_from_below_and_stands_higher_at_the_wall():
    before, lesion = draw("DX", Finding("pleural_effusion", side=Side.RIGHT, severity=Severity.MODERATE))
    added = lesion.pixels - before
    right, _ = lung_sides(FILM_LUNGS)
    rows = np.flatnonzero(right.any(axis=1))
    third = (rows[-1] - rows[0]) // 3
    assert added[: rows[0] + third].max() == 0.0
    assert added[rows[-1] - third :][right[rows[-1] - third :]].mean() > 0.15
    columns = np.flatnonzero(right[rows[-1] - third :].any(axis=0))
    high = lesion.mask & right
    top = {column: np.flatnonzero(high[:, column])[0] for column in columns if high[:, column].any()}
    wall, middle = columns[len(columns) // 8], columns[len(columns) // 2]
    assert top[wall] < top[middle]


def test_a_mild_effusion_blunts_only_the_angle_and_a_severe_one_fills_half_the_chest():
    right, _ = lung_sides(FILM_LUNGS)
    shares = []
    for severity in (Severity.MILD, Severity.SEVERE):
        _, lesion = draw("DX", Finding("pleural_effusion", side=Side.RIGHT, severity=severity))
        shares.append((lesion.mask & right).sum() / right.sum())
    assert shares[0] < 0.15 and shares[1] > 0.35


def test_fluid_on_a_slice_lies_posterior():
    before, lesion = draw("CT", Finding("pleural_effusion", side=Side.LEFT, severity=Severity.MODERATE))
    rows = np.flatnonzero(SLICE_LUNGS.any(axis=1))
    middle = (rows[0] + rows[-1]) // 2
    added = lesion.pixels - before
    assert added[: rows[0] + (rows[-1] - rows[0]) // 3].max() == 0.0
    assert added[middle:].sum() > 0.9 * added.sum()


@pytest.mark.parametrize("severity", [Severity.MODERATE, Severity.SEVERE])
def test_a_pneumothorax_is_darker_without_vessels_and_starts_at_the_apex(severity):
    before, lesion = draw("DX", Finding("pneumothorax", side=Side.LEFT, severity=severity))
    line = lesion.pixels > before
    deep = ndimage.binary_erosion(FILM_LUNGS, iterations=3)  # away from the wall, whose edge is no vessel
    space = lesion.mask & deep & ~ndimage.binary_dilation(line & deep, iterations=2)
    assert space.sum() > 100 and (lesion.pixels - before)[space].mean() < -0.02
    fine_before, fine_after = (image - ndimage.gaussian_filter(image, 1.0) for image in (before, lesion.pixels))
    assert fine_after[space].std() < 0.7 * fine_before[space].std()
    _, left = lung_sides(FILM_LUNGS)
    top, bottom = zone_rows(left, Zone.UPPER)
    low_top, low_bottom = zone_rows(left, Zone.LOWER)
    assert lesion.mask[top:bottom].sum() > 1.5 * lesion.mask[low_top:low_bottom].sum()
    assert (lesion.pixels - before).max() > 0.02  # the pleural line


def cardiothoracic_ratio(pixels):
    """Widest run of heart between the lungs over the width of the chest, from grey levels alone."""
    size = pixels.shape[0]
    smooth = ndimage.gaussian_filter(pixels, 1.5)
    rows = slice(int(0.60 * size), int(0.75 * size))
    columns = np.flatnonzero(FILM_LUNGS.any(axis=0))
    inside = smooth[rows, columns[0] : columns[-1] + 1] > 0.52
    middle = size // 2 - columns[0]
    widths = []
    for row in inside:
        bounds = np.concatenate([[-1], np.flatnonzero(~row), [row.size]])
        widths.append(bounds[bounds > middle].min() - bounds[bounds < middle].max())
    return max(widths) / (columns[-1] - columns[0] + 1)


def test_cardiomegaly_raises_the_cardiothoracic_ratio_with_severity():
    ratios = [cardiothoracic_ratio(FILM)]
    for severity in MILD_TO_SEVERE:
        ratios.append(cardiothoracic_ratio(draw("DX", Finding("cardiomegaly", severity=severity))[1].pixels))
    assert ratios[0] < ratios[1] < ratios[2] < ratios[3]
    assert ratios[2] > 0.55


def test_a_cavity_is_darker_in_its_middle_than_in_its_wall():
    _, lesion = draw("CT", Finding("cavity", severity=Severity.SEVERE), 4)
    depth = ndimage.distance_transform_edt(lesion.mask)
    centre = lesion.pixels[depth > 0.85 * depth.max()].mean()
    assert centre < 0.5 < np.percentile(lesion.pixels[lesion.mask], 90)


def test_vessels_are_seen_through_ground_glass_but_not_through_consolidation():
    bare, lungs = axial(vessels_on=False)
    vessels = SLICE - bare
    left = {}
    for code in ("ground_glass_opacity", "consolidation"):
        finding = Finding(code, Side.LEFT, severity=Severity.SEVERE)
        lesion = draw("CT", finding, 2)[1]
        without = simulate(bare, lungs, finding, np.random.default_rng(2), "CT")
        dense = (without.pixels - bare > (0.1 if code == "ground_glass_opacity" else 0.45)) & (vessels > 0.1)
        left[code] = (lesion.pixels - without.pixels)[dense].mean() / vessels[dense].mean()
    assert left["ground_glass_opacity"] > 0.4 and left["consolidation"] < 0.25


def test_open_side_zone_and_severity_are_drawn_about_equally_often():
    found = [draw("DX", Finding("nodule"), seed)[1].finding for seed in range(90)]
    for field, values in (("side", 2), ("zone", 3), ("severity", 3)):
        counts = np.unique([str(getattr(finding, field)) for finding in found], return_counts=True)[1]
        assert len(counts) == values and counts.min() > 0.6 * 90 / values


@settings(max_examples=12, deadline=None)
@given(st.integers(96, 220), st.integers(0, 10_000), st.sampled_from(sorted(FILM_KINDS)))
def test_any_size_of_film_takes_any_lesion(size, seed, code):
    pixels, lungs = film(size)
    lesion = simulate(pixels, lungs, Finding(code), np.random.default_rng(seed))
    assert lesion.mask.any() and lesion.pixels.shape == (size, size)
    assert np.array_equal(lesion.pixels[~lesion.mask], pixels[~lesion.mask])


def test_the_lungs_are_told_apart_even_when_they_touch():
    right, left = lung_sides(FILM_LUNGS)
    middle = FILM_LUNGS.shape[1] // 2
    assert np.array_equal(right, FILM_LUNGS & (np.arange(160) < middle)[None, :])
    assert np.array_equal(right | left, FILM_LUNGS)
    joined = FILM_LUNGS.copy()
    joined[60:64, 40:120] = True
    right_too, left_too = lung_sides(joined)
    assert (right_too & right).sum() > 0.98 * right.sum() and not (right_too & left_too).any()


def test_an_empty_mask_has_no_lungs():
    right, left = lung_sides(np.zeros((32, 32), bool))
    assert not right.any() and not left.any()


def test_ct_lungs_finds_both_lungs_and_neither_trachea_nor_air_around():
    found = ct_lungs(SLICE)
    assert (found & SLICE_LUNGS).sum() > 0.93 * SLICE_LUNGS.sum()
    assert (found & ~SLICE_LUNGS).sum() < 0.03 * SLICE_LUNGS.sum()


def test_ct_lungs_keeps_lungs_that_a_tight_crop_touches():
    crop = SLICE[38:122, 19:141]
    assert (ct_lungs(crop) & SLICE_LUNGS[38:122, 19:141]).sum() > 0.9 * SLICE_LUNGS.sum()


def test_a_slice_without_lungs_gives_an_empty_mask():
    assert not ct_lungs(np.where(ellipse(96, 0.5, 0.5, 0.4, 0.4), 0.9, 0.2).astype(np.float32)).any()


def test_boxes_become_soft_ellipses():
    mask = box_mask([(0.25, 0.5, 0.25, 0.25)], (64, 64))
    assert mask.shape == (64, 64) and mask[40, 24] == 1.0
    assert mask[33, 17] == 0.0 and 0.0 < mask[32, 24] < 1.0  # corner, middle of the upper edge
    assert mask[:28].max() == 0.0 and mask[:, :12].max() == 0.0
    assert box_mask([], (8, 8)).max() == 0.0


@pytest.mark.parametrize(
    ("finding", "modality", "words"),
    [
        (Finding("hernia"), "DX", "hernia"),
        (Finding("pneumothorax"), "CT", "pneumothorax"),
        (Finding("cardiomegaly", side=Side.LEFT), "DX", "no side"),
        (Finding("pleural_effusion", zone=Zone.UPPER), "DX", "zone"),
        (Finding("nodule", zone=Zone.UPPER), "CT", "zone"),
    ],
)
def test_what_is_not_drawn_is_refused_by_name(finding, modality, words):
    with pytest.raises(RequestError, match=words):
        draw(modality, finding)


def test_a_lung_that_the_mask_lacks_is_refused():
    right, _ = lung_sides(FILM_LUNGS)
    with pytest.raises(RequestError, match="left lung"):
        simulate(FILM, right, Finding("nodule", Side.LEFT), np.random.default_rng(0))
    with pytest.raises(RequestError, match="at least 1%"):
        simulate(FILM, np.zeros_like(FILM_LUNGS), Finding("nodule"), np.random.default_rng(0))


def test_a_film_that_is_white_already_has_no_room_for_an_opacity():
    with pytest.raises(RequestError, match="no room"):
        simulate(np.ones_like(FILM), FILM_LUNGS, Finding("nodule"), np.random.default_rng(0))


def test_a_chest_is_measured_from_its_lungs():
    chest = film_chest(FILM, FILM_LUNGS)
    height = np.ptp(np.flatnonzero(FILM_LUNGS.any(axis=1))) + 1
    assert chest.cm == pytest.approx(height / 25.0, rel=0.05)
    assert 0.28 < chest.air < 0.40 and 0.65 < chest.dense < 0.85
    assert replace(chest, cm=1.0).lung(Side.BOTH) is chest.lungs
