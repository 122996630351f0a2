"""The pictures show what they are given, also where there is next to nothing to show."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tenfold.trainer.evaluation.calibration import Calibration, measure_acceptance, reliability
from tenfold.trainer.reports.plots import TRAINING, VALIDATION, plot_curves, plot_reliability, plot_runs
from tenfold.trainer.training.checkpoints import EpochResult
from tests.trainer.pictures import has, pixels

NOTHING_ACCEPTED = measure_acceptance(np.zeros(0), np.zeros(0), np.zeros(0, bool))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return tmp_path / "picture.png"


def history(epochs: int, *, validated: bool) -> list[EpochResult]:
    return [
        EpochResult(epoch, 1 / epoch, 1 - 0.5 / epoch, *((0.9, 0.6) if validated else (None, None)), seconds=1.0)
        for epoch in range(1, epochs + 1)
    ]


@pytest.mark.parametrize(("epochs", "validated"), [(1, True), (12, True), (1, False)])
def test_the_curves_of_validation_are_drawn_where_there_is_any(epochs: int, validated: bool, picture: Path) -> None:
    plot_curves(history(epochs, validated=validated), picture)

    assert has(picture, TRAINING)
    assert has(picture, VALIDATION) is validated


@pytest.mark.parametrize("validated", [True, False])
def test_so_are_those_of_several_runs(validated: bool, picture: Path) -> None:
    plot_runs([history(3, validated=validated)] * 2, picture)

    assert has(picture, TRAINING)
    assert has(picture, VALIDATION) is validated


def calibration(said: npt.NDArray[np.float64], labels: list[int]) -> Calibration:
    measured = reliability(said, np.array(labels, np.int64))
    return Calibration(1.5, "validation_split", len(labels), measured, measured, NOTHING_ACCEPTED)


def test_reliability_is_drawn_as_it_is_and_with_its_temperature(picture: Path) -> None:
    before = reliability(np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]]), np.array([0, 1, 1]))
    after = reliability(np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]), np.array([0, 1, 1]))

    plot_reliability(Calibration(1.5, "validation_split", 3, before, after, NOTHING_ACCEPTED), picture)

    assert has(picture, TRAINING)
    assert has(picture, VALIDATION)


def test_reliability_can_be_drawn_of_no_image_and_of_one(picture: Path) -> None:
    plot_reliability(calibration(np.zeros((0, 10)), []), picture)
    of_none = pixels(picture)

    plot_reliability(calibration(np.eye(10)[:1], [0]), picture)

    assert (pixels(picture) != of_none).any()
