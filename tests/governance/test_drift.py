"""Control charts of drift: quiet while all is well, as often as they say, and quick when it is not."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.governance.drift import (
    BATCH,
    IMAGES,
    LAMBDA,
    Chart,
    Point,
    Reference,
    Vectors,
    chart,
    distances,
    measured,
)

SIZE = 24
AT = datetime(2026, 5, 4, tzinfo=UTC)


def pictures(dice: np.random.Generator, count: int) -> Vectors:
    """Unit vectors around one direction, as pictures of one kind are."""
    around = dice.normal(size=(count, SIZE)) / np.sqrt(SIZE)
    around[:, 0] += 3.0
    return (around / np.linalg.norm(around, axis=1, keepdims=True)).astype(np.float32)


def reference(vectors: Vectors) -> Reference:
    return Reference("r", "m", "1", "DX", "e", AT, "ada", "", len(vectors), *measured(vectors))


def plain(mean: float = 0.0, sd: float = 1.0, count: int = IMAGES) -> Reference:
    return Reference("r", "m", "1", "DX", "e", AT, "ada", "", count, np.zeros(1, np.float32), mean, sd)


def outside(charted: Chart) -> npt.NDArray[np.bool_]:
    """(batches, 2): which points lie outside the Shewhart and the EWMA limits."""
    middle = charted.centre
    return np.array(
        [(abs(p.value - middle) > p.reach, abs(p.ewma - middle) > p.ewma_reach) for p in charted.points], bool
    )


def test_the_first_points_are_those_of_the_formulas() -> None:
    charted = chart(plain(mean=2.0, sd=0.5), [3.0] * BATCH + [2.0] * BATCH + [9.0])
    of_reference = 1 / IMAGES
    reach = 3 * 0.5 * np.sqrt(1 / BATCH + of_reference)
    shares = [LAMBDA / (2 - LAMBDA) * (1 - (1 - LAMBDA) ** (2 * i)) for i in (1, 2)]
    reaches = [3 * 0.5 * np.sqrt(share / BATCH + of_reference) for share in shares]
    expected = Chart("DX", 2.0, (Point(3.0, 2.2, reach, reaches[0]), Point(2.0, 2.16, reach, reaches[1])), 21)
    for point, right in zip(charted.points, expected.points, strict=True):
        assert point.value == pytest.approx(right.value) and point.ewma == pytest.approx(right.ewma)
        assert point.reach == pytest.approx(right.reach) and point.ewma_reach == pytest.approx(right.ewma_reach)
    assert (charted.modality, charted.centre, charted.images) == ("DX", 2.0, 21)
    assert charted.statistic == pytest.approx(0.16 / reaches[1])


def test_no_batch_gives_no_alarm() -> None:
    charted = chart(plain(), [5.0] * (BATCH - 1))
    assert (charted.points, charted.sudden, charted.slow, charted.statistic) == ((), False, False, 0.0)


def test_a_reference_picture_is_measured_from_the_others() -> None:
    vectors = pictures(np.random.default_rng(1), 12)
    apart = [distances(vectors[i : i + 1], np.delete(vectors, i, axis=0).mean(axis=0))[0] for i in range(12)]
    centre, mean, sd = measured(vectors)
    assert np.allclose(centre, vectors.mean(axis=0), atol=1e-6)
    assert (mean, sd) == (pytest.approx(np.mean(apart), rel=1e-4), pytest.approx(np.std(apart, ddof=1), rel=1e-4))


def test_in_control_either_chart_is_wrong_less_than_once_in_two_hundred_batches() -> None:
    """300 installations with a reference of their own and 30 batches each, 9,000 in all: 0.33 % a chart."""
    dice = np.random.default_rng(7)
    wrong = []
    for _ in range(300):
        known = reference(pictures(dice, IMAGES))
        wrong.append(outside(chart(known, [*distances(pictures(dice, 30 * BATCH), known.centre)])))
    shewhart, ewma = np.concatenate(wrong).mean(axis=0)
    assert shewhart < 0.005 and ewma < 0.005


@pytest.mark.parametrize("side", [1, -1])
def test_a_shift_of_one_sd_is_found_within_six_batches(side: int) -> None:
    """In 95 of 100 installations; also where pictures come nearer, as when a model begins to repeat itself."""
    dice = np.random.default_rng(11)
    found = 0
    for _ in range(200):
        known = reference(pictures(dice, IMAGES))
        shifted = distances(pictures(dice, 6 * BATCH), known.centre) + side * known.sd
        found += bool(outside(chart(known, [*shifted])).any())
    assert found >= 190


@given(st.lists(st.floats(0, 2), min_size=2 * BATCH, max_size=6 * BATCH))
def test_the_charts_do_not_change_their_past(apart: list[float]) -> None:
    whole = chart(plain(1.0, 0.2), apart).points
    assert chart(plain(1.0, 0.2), apart[:BATCH]).points == whole[:1]
    assert len(whole) == len(apart) // BATCH


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_units_do_not_matter(scale: float, offset: float) -> None:
    apart = [float(x) for x in np.random.default_rng(3).normal(1.5, 1.0, 4 * BATCH)]
    moved = [scale * x + offset for x in apart]
    before, after = chart(plain(), apart), chart(plain(offset, scale), moved)
    assert after.statistic == pytest.approx(before.statistic, rel=1e-6)
    assert (after.sudden, after.slow) == (before.sudden, before.slow)
