"""A confusion matrix can be drawn whatever is in it, and grows with its classes and their names."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tenfold.trainer.reports.confusion_plot import draw_confusion

ANIMALS = ["cat", "dog", "guinea pig"]


def drawn(confusion: npt.NDArray[np.int64], class_names: list[str]) -> Image.Image:
    picture = BytesIO()
    draw_confusion(confusion, class_names, picture)
    return Image.open(picture)


def redness(picture: Image.Image) -> int:
    """How many pixels are clearly more red than green."""
    red, green, _ = np.moveaxis(np.asarray(picture, int), -1, 0)
    return int((red - green > 60).sum())


@pytest.mark.parametrize("confusion", [np.zeros((3, 3)), np.eye(3), np.ones((3, 3))], ids=["empty", "right", "even"])
def test_any_confusion_can_be_drawn(confusion: npt.NDArray[np.float64]) -> None:
    assert min(drawn(confusion.astype(np.int64), ANIMALS).size) > 180


def test_only_mistakes_are_red() -> None:
    right = np.diag([9, 9, 9])
    mistaken = right + np.array([[0, 0, 4], [0, 0, 0], [0, 0, 0]])

    assert redness(drawn(right, ANIMALS)) == 0
    assert redness(drawn(mistaken, ANIMALS)) > 1000


def test_the_picture_grows_with_the_classes_and_their_names() -> None:
    small = drawn(np.eye(2, dtype=np.int64), ["cat", "dog"])
    many = drawn(np.eye(30, dtype=np.int64), [f"{number}" for number in range(30)])
    long = drawn(np.eye(2, dtype=np.int64), ["cat, asleep", "dog, awake"])

    assert many.height > small.height * 5
    assert long.width > small.width
    assert long.height > small.height


def test_a_name_beyond_all_bounds_is_shortened() -> None:
    assert drawn(np.eye(2, dtype=np.int64), ["c" * 5000, "d"]).width < 500
