"""Multi-reader multi-case analysis against the published one of Van Dyke's study, and against its formulas."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import roc_auc_score

from synth.errors import RequestError
from synth.reading.mrmc import jackknife_covariance, mrmc
from synth.reading.performance import Interval
from synth.reading.roc import auc, auc_difference

DATA = Path(__file__).resolve().parent.parent / "data" / "vandyke.csv"

# AUC by modality and reader, as the program OR-DBM MRMC 2.51 of the University of Iowa prints them for these data.
PUBLISHED_AUCS = (
    (0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066),
    (0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169),
)


@pytest.fixture(scope="module")
def van_dyke() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Truth (114,) and ratings (2, 5, 114)."""
    table = np.loadtxt(DATA, delimiter=",", comments=("#", "dissection"))
    return table[:, 0] == 1, table[:, 1:].T.reshape(2, 5, -1)


def simulated(t: int, r: int, positives: int, negatives: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    rng = np.random.default_rng(11)
    truth = np.repeat([True, False], [positives, negatives])
    n = truth.size
    noise = (
        rng.normal(size=n) + rng.normal(size=(t, 1, n)) / 2 + rng.normal(size=(r, n)) / 2 + rng.normal(size=(t, r, n))
    )
    return truth, np.round(noise + 1.3 * truth)


def test_aucs_are_the_published_ones(van_dyke: tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]) -> None:
    found = mrmc(*van_dyke)
    for row, published in zip(found.aucs, PUBLISHED_AUCS, strict=True):
        assert row == pytest.approx(published, abs=5e-9)
    assert [m.value for m in found.modalities] == pytest.approx([0.89703704, 0.94083736], abs=5e-9)


def test_the_jackknife_analysis_is_the_published_one(
    van_dyke: tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]],
) -> None:
    """Every figure as OR-DBM MRMC 2.51 prints it; F, ddf and p also in Hillis 2007."""
    found = mrmc(*van_dyke)
    e = found.covariance
    published = (0.00080229, 0.00034661, 0.00034407, 0.00023903)
    assert (e.variance, e.cov1, e.cov2, e.cov3) == pytest.approx(published, abs=5e-9)
    assert found.test is not None
    assert (found.test.ms_modality, found.test.ms_interaction) == pytest.approx((0.00479617, 0.00055103), abs=5e-9)
    assert (found.test.f, found.test.ddf, found.test.p_value) == (
        pytest.approx(4.46, abs=5e-3),
        pytest.approx(15.26, abs=5e-3),
        pytest.approx(0.0517, abs=5e-5),
    )
    (difference,) = found.differences
    assert (difference.first, difference.second) == (0, 1)
    assert (difference.value, difference.standard_error) == pytest.approx((-0.04380032, 0.02075), abs=5e-6)
    assert (difference.interval.low, difference.interval.high) == pytest.approx((-0.08796, 0.00036), abs=5e-6)
    assert difference.p_value == pytest.approx(found.test.p_value)


def test_each_modality_alone_is_the_published_one(
    van_dyke: tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]],
) -> None:
    first, second = mrmc(*van_dyke).modalities
    assert (first.standard_error, second.standard_error) == pytest.approx((0.03317360, 0.02156637), abs=5e-9)
    assert (first.ddf, second.ddf) == pytest.approx((12.74, 12.71), abs=5e-3)
    assert (first.interval.low, first.interval.high) == pytest.approx((0.82522360, 0.96885048), abs=5e-9)
    assert (second.interval.low, second.interval.high) == pytest.approx((0.89413783, 0.98753689), abs=5e-9)


def test_single_readers_have_the_published_covariance(
    van_dyke: tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]],
) -> None:
    truth, scores = van_dyke
    published = ((69890, 37347), (110605, 76016), (84234, 35532), (15058, 108), (121357, 24304))  # times 1e8
    for reader, (variance, covariance) in enumerate(published):
        _, matrix = jackknife_covariance(truth, scores[:, reader])
        assert np.trace(matrix) / 2 == pytest.approx(variance / 1e8, abs=6e-9)
        assert matrix[0, 1] == pytest.approx(covariance / 1e8, abs=6e-9)


def test_by_delong_the_figures_hardly_differ(
    van_dyke: tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]],
) -> None:
    found = mrmc(*van_dyke, covariance="delong")
    assert found.test is not None
    assert (found.test.f, found.test.ddf, found.test.p_value) == (
        pytest.approx(4.485, abs=5e-4),
        pytest.approx(15.07, abs=5e-3),
        pytest.approx(0.0512, abs=5e-5),
    )


def test_the_jackknife_leaves_out_every_case_once() -> None:
    truth, scores = simulated(2, 3, 12, 9)
    flat = scores.reshape(6, -1)
    aucs, matrix = jackknife_covariance(truth, flat)
    n = truth.size
    left_out = np.array([[roc_auc_score(np.delete(truth, k), np.delete(row, k)) for row in flat] for k in range(n)])
    centred = left_out - left_out.mean(0)
    assert aucs == pytest.approx([roc_auc_score(truth, row) for row in flat])
    assert matrix == pytest.approx((n - 1) / n * centred.T @ centred)


@pytest.mark.parametrize("covariance", ["jackknife", "delong"])
def test_three_modalities_are_compared_two_by_two(covariance: str) -> None:
    found = mrmc(*simulated(3, 4, 30, 40), covariance=covariance)
    means = [m.value for m in found.modalities]
    assert [(d.first, d.second) for d in found.differences] == [(0, 1), (0, 2), (1, 2)]
    assert [d.value for d in found.differences] == pytest.approx(
        [means[0] - means[1], means[0] - means[2], means[1] - means[2]]
    )
    assert found.test is not None and found.test.numerator_df == 2


def test_two_modalities_swapped_turn_the_difference_round() -> None:
    truth, scores = simulated(2, 4, 25, 25)
    found, swapped = mrmc(truth, scores), mrmc(truth, scores[::-1])
    assert swapped.differences[0].value == pytest.approx(-found.differences[0].value)
    assert swapped.differences[0].p_value == pytest.approx(found.differences[0].p_value)
    assert swapped.covariance.cov3 == pytest.approx(found.covariance.cov3)


def test_a_single_modality_has_its_mean_and_no_test() -> None:
    truth, scores = simulated(2, 4, 25, 25)
    both, alone = mrmc(truth, scores), mrmc(truth, scores[:1])
    assert alone.modalities == (both.modalities[0],)
    assert (alone.test, alone.differences) == (None, ())
    assert (alone.covariance.cov1, alone.covariance.cov3) == (None, None)


def test_perfect_readers_of_one_modality_keep_a_bound_below_one() -> None:
    truth = np.repeat([False, True], 12)
    found = mrmc(truth, np.tile(truth * 5.0, (1, 3, 1)))
    assert found.modalities[0].value == 1
    assert found.modalities[0].interval == Interval(pytest.approx(0.025 ** (1 / 12)), 1.0)
    with pytest.raises(RequestError, match="do not vary"):
        mrmc(truth, np.tile(truth * 5.0, (2, 3, 1)))


def test_readers_who_gain_alike_have_no_interaction() -> None:
    """The same scores by every reader: nothing varies between readers, cases alone decide."""
    truth, scores = simulated(2, 2, 20, 20)
    found = mrmc(truth, np.repeat(scores[:, :1], 3, axis=1), covariance="delong")
    pair = auc_difference(truth, scores[1, 0], scores[0, 0])
    assert found.test is not None and pair is not None
    assert math.isinf(found.test.ddf)
    assert found.differences[0].value == pytest.approx(pair.value)
    assert found.differences[0].p_value == pytest.approx(pair.p_value)
    assert found.test.p_value == pytest.approx(pair.p_value)
    single = auc(truth, scores[0, 0])
    assert single is not None and single.variance is not None
    assert found.modalities[0].standard_error == pytest.approx(math.sqrt(single.variance))


@pytest.mark.parametrize(
    ("shape", "truth", "sentence"),
    [
        ((2, 1, 4), [0, 0, 1, 1], "needs two readers"),
        ((2, 3, 4), [0, 0, 0, 1], "two positive and two negative"),
        ((2, 3, 5), [0, 0, 1, 1], "There are 4 cases"),
        ((3, 4), [0, 0, 1, 1], "each modality, reader and case"),
        ((0, 3, 4), [0, 0, 1, 1], "each modality, reader and case"),
    ],
)
def test_what_cannot_be_analysed_is_a_sentence(shape: tuple[int, ...], truth: list[int], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        mrmc(truth, np.ones(shape))


def test_a_missing_score_and_an_unknown_covariance_are_sentences() -> None:
    truth, scores = simulated(2, 3, 5, 5)
    with pytest.raises(RequestError, match='not by "bootstrap"'):
        mrmc(truth, scores, "bootstrap")
    scores[1, 2, 3] = np.nan
    with pytest.raises(RequestError, match="missing"):
        mrmc(truth, scores)
