"""Which answers go to review, and that nothing is accepted without a measurement that says so."""

from typing import Any

import numpy as np
import pytest

from tenfold.trainer.evaluation.calibration import measure_acceptance
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.thresholds import accepted_share, review_threshold, why_all_are_reviewed
from tenfold.worker.db.records import Model

ASKED = ClassificationParameters(max_error_rate=0.005)


def model(acceptance: dict[str, Any] | None = None) -> Model:
    metrics = {"calibration": {"acceptance": acceptance}} if acceptance else {}
    return Model(id="m", recipe="dropout-128", dataset="mnist", parameters={}, metrics=metrics, created_at=1.0)


def measured(images: int, wrong_every: int = 0) -> Model:
    """A model whose held-out answers are all right, or wrong at every so many of them."""
    confidence = np.linspace(0.5, 1, images, dtype=np.float32)
    right = np.ones(images, bool)
    if wrong_every:
        right[::wrong_every] = False
    return model(measure_acceptance(confidence, confidence, right).as_dict())


def test_a_measured_model_has_the_threshold_that_was_measured() -> None:
    good = measured(5000)

    assert review_threshold([good], ASKED) == 0
    assert why_all_are_reviewed([good], ASKED) is None
    assert accepted_share(good, 0.005) == (0, 1)


@pytest.mark.parametrize(
    ("models", "why"),
    [
        ([model()], "not measured on held-out images"),
        (
            [measured(200)],
            "measured on 200 held-out images, and at most 0.5 % wrong (95 % confidence) needs at least 598",
        ),
        ([measured(5000, wrong_every=50)], "too many of this model's most confident answers to 5,000 held-out images"),
        ([measured(5000), measured(5000)], "the error rate of these 2 models together was not measured"),
    ],
    ids=["unmeasured", "too few images", "too often wrong", "several"],
)
def test_without_a_basis_nothing_is_accepted_and_a_sentence_says_why(models: list[Model], why: str) -> None:
    said = why_all_are_reviewed(models, ASKED)

    assert review_threshold(models, ASKED) == 1
    assert said is not None
    assert said.startswith("No answers are accepted, all must be reviewed: ")
    assert why in said
    assert "`review_below`" in said
    if len(models) == 1:
        assert accepted_share(models[0], 0.005) is None


@pytest.mark.parametrize("models", [[model()], [measured(200)], [measured(5000), model()]])
def test_a_threshold_of_one_s_own_counts_whatever_was_measured(models: list[Model]) -> None:
    own = ClassificationParameters(review_below=0.8)

    assert review_threshold(models, own) == 0.8
    assert why_all_are_reviewed(models, own) is None


def test_nothing_is_accepted_by_the_measurement_of_an_early_release() -> None:
    earlier = model({"thresholds": [0.0], "accepted": [4000], "wrong": [40]})

    assert accepted_share(earlier, 0.005) is None
    assert review_threshold([earlier], ASKED) == 1
    assert "was not measured" in (why_all_are_reviewed([earlier], ASKED) or "")
