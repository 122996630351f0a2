"""Which of two models is better: known values, properties, and how often the intervals hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, multinomial

from tenfold.trainer.evaluation.comparing import Pair, Score, conclude, holm, told_apart


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    images = draw(st.integers(1, 5000))
    only_first = draw(st.integers(0, images))
    return Pair(images, only_first, draw(st.integers(0, images - only_first)))


@given(pairs())
def test_mcnemars_test_is_the_exact_binomial_test_of_the_differing_images(pair: Pair) -> None:
    expected = binomtest(pair.only_first, pair.differing).pvalue if pair.differing else 1.0

    assert pair.p_value == pytest.approx(expected, rel=1e-6)


@given(pairs())
def test_the_interval_holds_the_difference_and_turns_with_the_models(pair: Pair) -> None:
    low, high = pair.interval()
    turned = Pair(pair.images, pair.only_second, pair.only_first).interval()

    assert -1 <= low <= high <= 1
    assert low - 1 / pair.images <= pair.difference <= high + 1 / pair.images
    assert turned == pytest.approx((-high, -low), abs=1.01 / pair.images)


def test_the_interval_is_that_of_many_bootstrap_samples() -> None:
    pair = Pair(2000, 30, 55)
    rng = np.random.default_rng(1)
    _, first, second = rng.multinomial(2002, [1 - 87 / 2002, 31 / 2002, 56 / 2002], 200_000).T

    assert pair.interval() == pytest.approx(np.quantile((second - first) / 2002, [0.025, 0.975]), abs=0.0006)


@pytest.mark.parametrize(
    ("images", "first", "second", "least"),
    [
        *((10_000, 0.0005, 0.0015, 0.95), (1000, 0.002, 0.008, 0.95), (1000, 0.01, 0.01, 0.95)),
        *((200, 0.1, 0.05, 0.95), (50, 0.1, 0.3, 0.95), (1000, 0.0005, 0.003, 0.95)),
        (1000, 0, 0.006, 0.935),  # the worst found
    ],
)
def test_95_percent_of_the_intervals_hold_the_difference(
    images: int, first: float, second: float, least: float
) -> None:
    held = weight = 0.0
    for only_first in range(40):
        for only_second in range(40):
            counts = [only_first, only_second, images - only_first - only_second]
            chance = multinomial.pmf(counts, images, [first, second, 1 - first - second]) if counts[2] >= 0 else 0
            if chance > 1e-7:
                low, high = Pair(images, only_first, only_second).interval()
                weight += chance
                held += chance * (low <= second - first <= high)

    assert weight > 0.999
    assert held / weight >= least


def test_few_differing_images_have_an_interval_of_some_width() -> None:
    assert Pair(100, 0, 0).interval() == pytest.approx((-0.0294, 0.0294), abs=1e-4)


@pytest.mark.parametrize("pair", [Pair(10_000, 60, 90), Pair(2000, 20, 40), Pair(500, 2, 12)])
def test_the_images_needed_find_the_difference_four_times_of_five(pair: Pair) -> None:
    needed = pair.images_needed()
    assert needed is not None
    rng = np.random.default_rng(7)
    rates = [pair.only_first / pair.images, pair.only_second / pair.images]

    drawn = rng.multinomial(needed, [*rates, 1 - sum(rates)], 4000)
    found = np.mean([Pair(needed, int(first), int(second)).p_value < 0.05 for first, second, _ in drawn])

    # The exact test is a little less powerful than Connor's normal approximation.
    assert 0.7 <= found <= 0.85


def test_no_number_of_images_tells_equals_apart() -> None:
    assert Pair(1000, 7, 7).images_needed() is None


def test_holms_correction_has_its_published_values() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_corrected_p_value_is_no_smaller_and_in_the_same_order(p_values: list[float]) -> None:
    corrected = holm(p_values)

    assert all(before <= after <= 1 for before, after in zip(p_values, corrected, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(corrected)[order]) >= 0)


def test_two_equal_models_are_told_apart_at_most_once_in_twenty() -> None:
    rng = np.random.default_rng(3)
    drawn = rng.multinomial(2000, [0.01, 0.01, 0.98], 2000)

    pairs = [Pair(2000, int(first), int(second)) for first, second, _ in drawn]

    assert np.mean([told_apart(pair, pair.p_value) for pair in pairs]) <= 0.05


def test_the_conclusion_names_the_better_one_or_what_it_takes() -> None:
    better = Pair(10_000, 20, 51)
    assert conclude("A", "B", better, 0.002) == (
        "B is better than A by 0.31 points, 95 % interval 0.14 to 0.48, p = 0.002."
    )
    assert conclude("A", "B", Pair(10_000, 51, 20), better.p_value) == (
        "A is better than B by 0.31 points, 95 % interval 0.14 to 0.48, p < 0.001."
    )
    unclear = Pair(10_000, 40, 50)
    assert conclude("A", "B", unclear, unclear.p_value) == (
        "No difference can be told between A and B: B less A is +0.10 points, 95 % interval −0.09 to +0.29, "
        "p = 0.343. About 61,000 more images are needed to tell them apart."
    )
    assert "equally often" in conclude("A", "B", Pair(100, 3, 3), 1.0)


def test_an_accuracy_has_wilsons_interval() -> None:
    score = Score(9_931, 10_000)

    assert score.accuracy == 0.9931
    assert score.interval == pytest.approx((0.99128, 0.99454), abs=1e-4)


@pytest.mark.parametrize(("images", "first", "second"), [(0, 0, 0), (10, 6, 5), (10, -1, 2)])
def test_counts_that_are_no_parts_of_the_images_are_refused(images: int, first: int, second: int) -> None:
    with pytest.raises(ValueError, match="no parts"):
        Pair(images, first, second)
