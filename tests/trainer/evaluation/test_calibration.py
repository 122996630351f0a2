"""A temperature that mends a model's confidence, and the figures that say how far it could be believed."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.splits import split_for
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.evaluation.calibration import BINS, calibrate, fit_temperature, reliability
from tenfold.trainer.serving.inference import Classifier, with_temperature
from tenfold.trainer.training.loop import Trained

Floats = npt.NDArray[np.float64]


def answers(sharpness: float, images: int = 20_000) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Labels drawn from true probabilities, and what a model says whose logits are `sharpness` times too large."""
    random = np.random.default_rng(8)
    logits = random.normal(size=(images, 5)) * 1.5
    true = softmax(logits)
    labels = (true.cumsum(axis=1) < random.random((images, 1))).sum(axis=1)
    return softmax(logits * sharpness), labels


def softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found(temperature: float) -> None:
    said, labels = answers(sharpness=temperature)

    assert fit_temperature(said.astype(np.float32), labels) == pytest.approx(temperature, rel=0.03)


@pytest.mark.parametrize("sharpness", [0.3, 2.5])
def test_no_temperature_near_it_is_likelier(sharpness: float) -> None:
    said, labels = answers(sharpness, images=500)
    fitted = fit_temperature(said, labels)

    def likelihood(temperature: float) -> float:
        calibrated = softmax(np.log(said) / temperature)
        return float(np.log(calibrated[np.arange(500), labels]).mean())

    assert likelihood(fitted) > max(likelihood(fitted * 1.01), likelihood(fitted / 1.01))


@pytest.mark.parametrize("sharpness", [0.3, 3.0])
def test_a_fitted_temperature_mends_the_expected_error(sharpness: float) -> None:
    said, labels = answers(sharpness)
    fitting, measuring = slice(None, 10_000), slice(10_000, None)

    mended = with_temperature(said[measuring], fit_temperature(said[fitting], labels[fitting]))

    assert reliability(said[measuring], labels[measuring]).error > 0.15
    assert reliability(mended, labels[measuring]).error < 0.02


def test_what_cannot_be_mended_has_a_temperature_all_the_same() -> None:
    sure = np.eye(3, dtype=np.float32)

    assert fit_temperature(sure, np.array([0, 1, 2])) < 1, "always right: as sure as can be"
    assert fit_temperature(sure, np.array([1, 2, 0])) == pytest.approx(100), "always wrong: as unsure as can be"
    assert fit_temperature(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)) == 1, "no image: as it is"


@given(
    scores=arrays(np.float32, (6, 5), elements=st.floats(0, 1, width=32)),
    winner=st.integers(0, 4),
    temperature=st.floats(0.01, 100),
)
def test_no_temperature_changes_the_predicted_class(
    scores: npt.NDArray[np.float32], winner: int, temperature: float
) -> None:
    scores[:, winner] = scores.max(axis=1) * 1.001 + 0.001
    said = scores / scores.sum(axis=1, keepdims=True)

    calibrated = with_temperature(said, temperature)

    assert (calibrated.argmax(axis=1) == winner).all()
    assert calibrated.dtype == np.float32
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-5)


@given(arrays(np.float32, (6, 5), elements=st.floats(1 / 64, 1, width=32)))
def test_a_temperature_of_one_changes_nothing(scores: npt.NDArray[np.float32]) -> None:
    said = scores / scores.sum(axis=1, keepdims=True)

    np.testing.assert_allclose(with_temperature(said, 1), said, atol=1e-6)


def test_the_expected_error_counted_by_hand() -> None:
    """In bins of a fifteenth: two images are 0.93 sure and one of them right; two are 0.62 sure, and both right."""
    said = np.array([[0.92, 0.08], [0.06, 0.94], [0.61, 0.39], [0.63, 0.37]])

    measured = reliability(said, np.array([0, 0, 0, 0]))

    assert {index: count for index, count in enumerate(measured.images) if count} == {9: 2, 13: 1, 14: 1}
    assert measured.confidence[9] == pytest.approx(0.62)
    assert (measured.accuracy[9], measured.accuracy[13], measured.accuracy[14]) == (1, 1, 0)
    assert measured.error == pytest.approx((2 * 0.38 + 0.08 + 0.94) / 4)


def test_a_bin_s_error_is_that_of_its_means() -> None:
    """0.50 and 0.52 sure, one of them right: as good as it can be, though each alone is far off."""
    said = np.array([[0.50, 0.30, 0.20], [0.50, 0.30, 0.20]])

    assert reliability(said, np.array([0, 1])).error == pytest.approx(0)


def test_full_confidence_is_in_the_last_bin_and_no_image_is_no_error() -> None:
    assert reliability(np.array([[1.0, 0.0]]), np.array([0])).images == (0,) * (BINS - 1) + (1,)
    assert reliability(np.zeros((0, 2)), np.zeros(0, np.int64)).error == 0


def test_a_training_with_a_split_is_fitted_on_it_and_measured_on_all_test_images(
    stopped_early: Trained, whole_batches: Dataset
) -> None:
    evaluation = evaluate(stopped_early.model, whole_batches.test_images, whole_batches.test_labels)

    calibration = calibrate(stopped_early, evaluation, whole_batches)

    split = split_for(stopped_early.plan, whole_batches, stopped_early.parameters.seed)
    assert split.validation_images is not None
    assert split.validation_labels is not None
    said = Classifier(stopped_early.model).classify(split.validation_images)
    assert calibration.temperature == fit_temperature(said, split.validation_labels)
    assert (calibration.fitted_on, calibration.images) == ("validation_split", 512)
    assert calibration.before == reliability(evaluation.probabilities, whole_batches.test_labels)
    calibrated = with_temperature(evaluation.probabilities, calibration.temperature)
    assert calibration.after == reliability(calibrated, whole_batches.test_labels)


def test_without_a_split_it_is_fitted_on_half_of_the_test_images_and_measured_on_the_other(
    with_dropout: Trained, whole_batches: Dataset
) -> None:
    evaluation = evaluate(with_dropout.model, whole_batches.test_images, whole_batches.test_labels)

    calibration = calibrate(with_dropout, evaluation, whole_batches)

    assert (calibration.fitted_on, calibration.images) == ("half_of_test_images", 250)
    assert sum(calibration.before.images) == sum(calibration.after.images) == 250
    assert calibration == calibrate(with_dropout, evaluation, whole_batches), "the seed draws the halves"


def test_what_is_measured_has_no_say_in_the_temperature(with_dropout: Trained, whole_batches: Dataset) -> None:
    """Half of the labels may be changed one by one; the temperature only follows the other half."""
    evaluation = evaluate(with_dropout.model, whole_batches.test_images, whole_batches.test_labels)
    fitted = calibrate(with_dropout, evaluation, whole_batches).temperature

    followed = 0
    for image in range(0, 500, 5):
        labels = evaluation.labels.copy()
        labels[image] = evaluation.probabilities[image].argmin()
        followed += calibrate(with_dropout, replace(evaluation, labels=labels), whole_batches).temperature != fitted

    assert 30 < followed < 70
