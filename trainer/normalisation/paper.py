"""The paper of a picture: the picture made small enough to work on, and the paper taken away, with its uneven light."""

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.polarity import Polarity

Difference = npt.NDArray[np.float32]

# A digit of a sixth of this is twice MNIST's size; a smaller one on a larger sheet is looked at again, closer.
WORKING_SIDE = 256

# Under this side an image is a crop of a digit, whose ink may fill whole neighbourhoods: its paper is taken as even.
LEAST_SIDE_WITH_SHADES = 64

# The paper is looked for in a picture of at most this side, in a window that is nearly all of it: of a digit that
# touches the borders, strokes fill the most of narrower ones.
PAPER_SIDE = 32
PAPER_WINDOW = 31

# Where the paper itself is darker than this, its light says nothing about how dark ink on it is.
DARKEST_LIT_PAPER = 32


def shrunk(grey: Bytes, side: int = WORKING_SIDE) -> Bytes:
    """The picture (h, w) uint8 with its longer side at most `side`: averages of whole blocks, which costs little."""
    return reduced(grey, -(-max(grey.shape) // side))


def reduced(grey: Bytes, factor: int) -> Bytes:
    """The picture (h, w) uint8 a whole number of times smaller; what does not fill a block at the ends is left out."""
    if factor <= 1:
        return grey
    height, width = (max(1, side // factor) for side in grey.shape)
    blocks = grey[: height * factor, : width * factor]
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def paper_of(grey: Bytes) -> Bytes | None:
    """The paper (h, w) uint8, up to 32 pixels a side, without the ink on it; None where it is taken as even.

    It is the median of a wide window, which a stroke moves little whether it is lighter or darker.
    """
    if min(grey.shape) < LEAST_SIDE_WITH_SHADES:
        return None
    return np.asarray(cv2.blur(cv2.medianBlur(shrunk(grey, PAPER_SIDE), PAPER_WINDOW), (5, 5)), np.uint8)


def differing(grey: Bytes, paper: Bytes | None) -> Difference:
    """The difference (h, w) float32, in ±255, of each pixel to the paper, or to the median where that is even."""
    if paper is None:
        middle = quantiles(grey, 0.5)[0]
        return grey.astype(np.float32) - np.float32(middle)
    return np.asarray(cv2.subtract(grey, _laid_under(grey, paper), dtype=cv2.CV_32F), np.float32)


def light_on_dark(grey: Bytes, paper: Bytes | None, polarity: Polarity) -> Bytes:
    """The picture (h, w) uint8 with light ink, on paper that is dark, and all equally so unless it is taken as even.

    Dark ink takes away a share of the light, so that what it takes is counted in shares of the paper's.
    """
    if paper is None:
        return grey if polarity == "light-on-dark" else np.asarray(cv2.bitwise_not(grey), np.uint8)
    under = _laid_under(grey, paper)
    if polarity == "light-on-dark":
        return np.asarray(cv2.subtract(grey, under), np.uint8)
    light = cv2.max(under, DARKEST_LIT_PAPER)
    return np.asarray(cv2.divide(cv2.subtract(under, grey), light, scale=255), np.uint8)


def quantiles(values: Bytes, *shares: float) -> tuple[int, ...]:
    """The least values that these shares of the values do not exceed."""
    counts = np.cumsum(cv2.calcHist([values], [0], None, [256], [0, 256]))
    return tuple(int(place) for place in np.searchsorted(counts, [share * counts[-1] for share in shares]))


def _laid_under(grey: Bytes, paper: Bytes) -> Bytes:
    height, width = grey.shape
    return np.asarray(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
