"""The size and color that a person asks of an import."""

import pytest
from pydantic import ValidationError

from tenfold.worker.datasets.parameters import ImportParameters


@pytest.mark.parametrize(
    ("size", "sides"), [("auto", None), ("32", (32, 32)), (" 32x48 ", (32, 48)), ("8×128", (8, 128)), ("32X8", (32, 8))]
)
def test_a_size_is_one_number_or_height_and_width(size: str, sides: tuple[int, int] | None) -> None:
    assert ImportParameters(name="own", size=size).height_and_width == sides


@pytest.mark.parametrize("size", ["", "7", "129", "32x", "x32", "32x48x3", "-8", "8.5", "big", "0x10", "9" * 40])
def test_another_size_is_refused_with_what_is_possible(size: str) -> None:
    with pytest.raises(ValidationError, match="8 to 128 pixels"):
        ImportParameters(name="own", size=size)


def test_the_digit_normalizer_makes_no_color() -> None:
    with pytest.raises(ValidationError, match="choose color=gray"):
        ImportParameters(name="own", preprocessing="digit", color="color")
