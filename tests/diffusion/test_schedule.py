from __future__ import annotations

import pytest
import torch

from synth.diffusion import schedule


def test_schedule_runs_from_sigma_max_through_sigma_min_to_zero() -> None:
    sigmas = schedule.karras(12)
    assert sigmas.shape == (13,)
    assert sigmas.dtype == torch.float64
    assert sigmas[0].item() == 80.0
    assert sigmas[-2].item() == pytest.approx(0.02, rel=1e-12)
    assert sigmas[-1].item() == 0.0
    assert (sigmas.diff() < 0).all()


def test_schedule_is_equation_5_of_karras() -> None:
    # three steps: the middle level is the mean of the seventh roots, to the seventh
    middle = ((80.0 ** (1 / 7) + 0.02 ** (1 / 7)) / 2) ** 7
    assert schedule.karras(3)[1].item() == pytest.approx(middle, rel=1e-12)


def test_one_step_goes_straight_from_sigma_max_to_zero() -> None:
    assert schedule.karras(1).tolist() == [80.0, 0.0]


@pytest.mark.parametrize(("steps", "low", "high"), [(0, 0.02, 80.0), (12, 0.0, 80.0), (12, 80.0, 0.02)])
def test_impossible_schedules_are_refused(steps: int, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="no schedule"):
        schedule.karras(steps, low, high)
