"""Which answers go to review, and that nothing is accepted without a measurement that says so."""

from typing import Any

import numpy as np
import pytest

from trainer.calibration import measure_acceptance
from worker.parameters import ClassificationParameters
from worker.records import Model
from worker.thresholds import accepted_share, review_threshold, why_all_are_reviewed

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
        ([model()], "never measured on held-out images"),
        (
            [measured(200)],
            "measured on 200 held-out images, and at most 0.5 % wrong (95 % confidence) needs at least 598",
        ),
        ([measured(5000, wrong_every=50)], "of the surest answers that this model gave to 5,000 held-out images"),
        ([measured(5000), measured(5000)], "how often these 2 models are wrong together was never measured"),
    ],
    ids=["unmeasured", "too few images", "too often wrong", "several"],
)
def test_without_a_basis_nothing_is_accepted_and_a_sentence_says_why(models: list[Model], why: str) -> None:
    said = why_all_are_reviewed(models, ASKED)

    assert review_threshold(models, ASKED) == 1
    assert said is not None
    assert said.startswith("No answer is accepted, all go to review: ")
    assert why in said
    assert "`review_below`" in said
    if len(models) == 1:
        assert accepted_share(models[0], 0.005) is None


@pytest.mark.parametrize("models", [[model()], [measured(200)], [measured(5000), model()]])
def test_a_threshold_of_one_s_own_counts_whatever_was_measured(models: list[Model]) -> None:
    own = ClassificationParameters(review_below=0.8)

    assert review_threshold(models, own) == 0.8
    assert why_all_are_reviewed(models, own) is None


def test_what_an_earlier_release_measured_is_tested_anew() -> None:
    """4,000 answers, of which each of the 40 least sure is wrong: at most 0.5 % of the rest are."""
    wrong = [0.3 + place / 1000 for place in range(40)]
    thresholds = [0.0, *wrong]
    accepted = [4000, *(4000 - place for place in range(1, 41))]
    earlier = model({"thresholds": thresholds, "accepted": accepted, "wrong": [40, *range(39, -1, -1)]})

    share = accepted_share(earlier, 0.005)

    assert share is not None
    assert share[1] > 0.95
    assert 0.3 < review_threshold([earlier], ASKED) < 0.34
