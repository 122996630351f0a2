"""How much better the best of several models looks than it is."""

import pytest

from tenfold.trainer.evaluation.selection import expected_maximum, selection_optimism


# Harter 1961, table 1.
@pytest.mark.parametrize(
    ("draws", "published"), [(1, 0), (2, 0.56419), (3, 0.84628), (10, 1.53875), (100, 2.50759), (400, 2.96818)]
)
def test_the_expected_maximum_of_normal_draws_has_its_published_values(draws: int, published: float) -> None:
    assert expected_maximum(draws) == pytest.approx(published, abs=1e-4)


def test_the_best_of_a_hundred_models_looks_a_quarter_of_a_point_better_on_ten_thousand_images() -> None:
    assert selection_optimism(0.99, 10_000, 100) == pytest.approx(0.0025, abs=1e-5)
    assert selection_optimism(0.99, 10_000, 1) == 0
    assert selection_optimism(0.99, 0, 100) == 0
