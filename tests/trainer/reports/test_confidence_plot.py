"""The histogram of confidence keeps what is accepted apart from what goes to review, however many there are."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor

from tenfold.trainer.reports.confidence_plot import ACCEPTED, TO_REVIEW, draw_confidence

SOME, NONE = np.array([0, 0, 3, 90]), np.zeros(4, np.int64)


def painted(accepted: npt.NDArray[np.int64], to_review: npt.NDArray[np.int64]) -> dict[str, int]:
    """How many pixels have the color of each."""
    picture = BytesIO()
    draw_confidence(accepted, to_review, picture)
    pixels = np.asarray(Image.open(picture))
    return {color: int((pixels == ImageColor.getrgb(color)).all(axis=2).sum()) for color in (ACCEPTED, TO_REVIEW)}


def test_accepted_and_to_review_have_colors_of_their_own() -> None:
    swatches = painted(NONE, NONE)
    all_accepted, all_to_review = painted(SOME, NONE), painted(NONE, SOME)

    assert all_accepted[ACCEPTED] == all_to_review[TO_REVIEW] > 10 * swatches[ACCEPTED]
    assert all_accepted[TO_REVIEW] == all_to_review[ACCEPTED] == swatches[ACCEPTED] > 0


def test_few_are_seen_beside_many() -> None:
    swatch = painted(NONE, NONE)[TO_REVIEW]

    assert painted(np.array([0, 1_000_000]), np.array([1, 0]))[TO_REVIEW] > swatch + 1000
