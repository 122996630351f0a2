"""The confidence from which on answers are accepted, from images that were held out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.acceptance import MOST_THRESHOLDS, Acceptance, measure_acceptance
from trainer.intervals import wilson

IMAGES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def measured(images: list[tuple[float, bool]]) -> Acceptance:
    return measure_acceptance(np.array([c for c, _ in images]), np.array([right for _, right in images], bool))


@given(IMAGES)
def test_each_threshold_counts_what_lies_above_it(images: list[tuple[float, bool]]) -> None:
    acceptance = measured(images)

    for threshold, accepted, wrong in zip(acceptance.thresholds, acceptance.accepted, acceptance.wrong, strict=True):
        assert accepted == sum(confidence > threshold for confidence, _ in images)
        assert wrong == sum(confidence > threshold and not right for confidence, right in images)


@given(IMAGES, st.floats(0.001, 0.5))
def test_the_threshold_keeps_to_the_error_rate_and_none_below_it_does(
    images: list[tuple[float, bool]], rate: float
) -> None:
    acceptance = measured(images)
    chosen = acceptance.threshold_for(rate)

    for threshold, accepted, wrong in zip(acceptance.thresholds, acceptance.accepted, acceptance.wrong, strict=True):
        if threshold == chosen and chosen < 1:
            assert wilson(wrong, accepted)[1] <= rate
        if threshold < chosen:
            assert wilson(wrong, accepted)[1] > rate


def test_what_is_asked_of_a_calibrated_model_holds_on_other_images() -> None:
    random = np.random.default_rng(5)
    confidence = random.beta(8, 0.4, size=(2, 20_000))
    right = random.random(confidence.shape) < confidence

    threshold = measure_acceptance(confidence[0], right[0]).threshold_for(0.01)

    accepted = confidence[1] > threshold
    assert accepted.mean() > 0.5
    assert wilson(int((~right[1][accepted]).sum()), int(accepted.sum()))[0] < 0.01


def test_a_model_that_was_measured_on_too_few_images_accepts_nothing() -> None:
    assert measured([(0.99, True)] * 20).threshold_for(0.005) == 1.0


def test_of_many_mistakes_a_bounded_number_is_kept() -> None:
    acceptance = measured([(place / 5000, place % 2 == 0) for place in range(5000)])

    assert len(acceptance.thresholds) <= MOST_THRESHOLDS + 1
    assert acceptance.accepted[0] == 4999
    assert Acceptance.read(acceptance.as_dict()) == acceptance


# The intervals of R's prop.test(..., correct = FALSE).
@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662), (0, 0, 0, 1)],
)
def test_wilsons_interval(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of) == pytest.approx((low, high), abs=1e-4)
