"""The confidence from which on answers are accepted, from images that were held out."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.trainer.evaluation.acceptance import (
    Acceptance,
    binomial_tail,
    images_needed,
    why_nothing_is_accepted,
    wilson,
)
from tenfold.trainer.evaluation.calibration import measure_acceptance

Values = npt.NDArray[np.float64]
Risk = Callable[[Values], Values]

IMAGES = st.lists(st.tuples(st.floats(0.01, 1), st.booleans()), min_size=1, max_size=60)

# Of simulated models; and how far the share of broken promises may lie above 5 % by chance (three deviations).
MODELS = 2000
BY_CHANCE = 3 * math.sqrt(0.05 * 0.95 / MODELS)


def measured(images: list[tuple[float, bool]], other: list[float] | None = None) -> Acceptance:
    confidence = np.array([c for c, _ in images])
    chosen_by = confidence if other is None else np.array(other)
    return measure_acceptance(chosen_by, confidence, np.array([right for _, right in images], bool))


@given(IMAGES, st.lists(st.floats(0.01, 1), max_size=20))
def test_each_threshold_counts_what_lies_above_it(images: list[tuple[float, bool]], other: list[float]) -> None:
    acceptance = measured(images, other)

    for threshold, accepted, wrong in zip(acceptance.thresholds, acceptance.accepted, acceptance.wrong, strict=True):
        assert accepted == sum(confidence > threshold for confidence, _ in images)
        assert wrong == sum(confidence > threshold and not right for confidence, right in images)
    assert acceptance.images == len(images)
    assert list(acceptance.thresholds) == sorted(acceptance.thresholds, reverse=True)
    assert Acceptance.read(acceptance.as_dict()) == acceptance


@given(IMAGES, st.lists(st.floats(0.01, 1), min_size=1, max_size=20))
def test_the_answers_that_are_counted_do_not_choose_the_thresholds(
    images: list[tuple[float, bool]], other: list[float]
) -> None:
    """What is chosen by what is counted is found to be better than it is."""
    turned = [(confidence, not right) for confidence, right in images]

    first, second = measured(images, other), measured(turned, other)

    assert (first.thresholds, first.expected) == (second.thresholds, second.expected)


def flat(rate: float) -> Risk:
    return lambda confidence: np.full_like(confidence, rate)


def steep(confidence: Values) -> Values:
    """0 for the surest tenth, 30 % for the least sure: 5 % of the answers above a confidence of 0.54 are wrong."""
    return np.clip(0.9 - confidence, 0, 0.3)


def overconfident(confidence: Values) -> Values:
    """The surest twentieth is wrong most often."""
    return np.where(confidence > 0.95, 0.12, 0.047)


@pytest.mark.parametrize("risk", [flat(0.0501), steep, overconfident, flat(0.02)], ids=["flat", "steep", "odd", "good"])
def test_the_promise_is_broken_by_at_most_one_model_in_twenty(risk: Risk) -> None:
    """Simulated models of which all is known: how often is more than 5 % wrong above the threshold that is taken?"""
    random = np.random.default_rng(7)
    everything = np.linspace(0, 1, 20_001)
    broken = 0
    for _ in range(MODELS):
        other, confidence = random.random((2, 600))
        right = random.random(600) >= risk(confidence)
        threshold = measure_acceptance(other, confidence, right).threshold_for(0.05)
        broken += threshold is not None and risk(everything[everything > threshold]).mean() > 0.05

    assert broken / MODELS <= 0.05 + BY_CHANCE


@pytest.mark.parametrize(("rate", "least"), [(0.005, 0.6), (0.01, 0.7)])
def test_a_calibrated_model_has_most_of_its_answers_accepted(rate: float, least: float) -> None:
    random = np.random.default_rng(5)
    confidence = random.beta(8, 0.2, size=(2, 5_000))
    right = random.random(5_000) < confidence[1]

    acceptance = measure_acceptance(confidence[0], confidence[1], right)

    assert acceptance.share_for(rate) > least
    assert why_nothing_is_accepted(acceptance, rate) is None


def test_a_lower_rate_accepts_no_more() -> None:
    random = np.random.default_rng(6)
    confidence = random.beta(8, 0.2, size=(2, 5_000))
    acceptance = measure_acceptance(confidence[0], confidence[1], random.random(5_000) < confidence[1])

    shares = [acceptance.share_for(rate) for rate in (0.0001, 0.005, 0.01, 0.02, 0.05)]

    assert shares == sorted(shares)
    assert shares[0] == 0


@pytest.mark.parametrize(("images", "why"), [(590, "needs at least 598"), (650, None), (0, "needs at least 598")])
def test_too_few_held_out_images_are_named_with_how_many_it_takes(images: int, why: str | None) -> None:
    acceptance = measured([(0.9 + place / 1e5, True) for place in range(images)])

    said = why_nothing_is_accepted(acceptance, 0.005)

    assert (said is None) == (why is None) == (acceptance.threshold_for(0.005) is not None)
    assert why is None or why in str(said)


def test_a_model_whose_surest_answers_are_wrong_accepts_nothing_and_says_so() -> None:
    acceptance = measured([(place / 5000, place % 2 == 0) for place in range(5000)])

    assert acceptance.threshold_for(0.005) is None
    assert "were wrong to promise at most 0.5 % wrong" in str(why_nothing_is_accepted(acceptance, 0.005))


def test_answers_that_are_all_equally_sure_are_accepted_together_or_not_at_all() -> None:
    """A net that is sure of everything: nothing lies above its one confidence, and all of it above 0."""
    assert measured([(1.0, True)] * 1000).threshold_for(0.005) == 0
    assert measured([(1.0, place > 50) for place in range(1000)]).threshold_for(0.005) is None


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662), (0, 0, 0, 1)],
)
def test_wilsons_interval(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("count", "of", "rate"), [(0, 1, 0.5), (3, 10, 0.3), (2, 700, 0.005), (60, 100, 0.5), (10, 10, 0.1), (5, 5, 0.9)]
)
def test_the_binomial_tail_is_exact(count: int, of: int, rate: float) -> None:
    by_counting = sum(math.comb(of, seen) * rate**seen * (1 - rate) ** (of - seen) for seen in range(count + 1))

    assert binomial_tail(count, of, rate) == pytest.approx(by_counting, rel=1e-9)


def test_of_many_images_too_the_tail_is_a_chance() -> None:
    assert binomial_tail(5000, 1_000_000, 0.005) == pytest.approx(0.5, abs=0.01)
    assert binomial_tail(999, 1000, 0.005) == pytest.approx(1)
    assert binomial_tail(1000, 1000, 0.005) == 1


def test_the_images_needed_are_the_fewest_that_will_do() -> None:
    assert images_needed(0.005) == 598
    for rate in (0.0001, 0.005, 0.05, 0.5):
        needed = images_needed(rate)
        assert binomial_tail(0, needed, rate) <= 0.05 < binomial_tail(0, needed - 1, rate)
