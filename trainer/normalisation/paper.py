"""The paper of a picture: made small enough to work on, and taken away, so that uneven light leaves no trace."""

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes

Contrast = npt.NDArray[np.float32]

# A digit of a fortieth of a photo's side is still 20 pixels high here, and 12 megapixels cost a few milliseconds.
WORKING_SIDE = 800

# The paper is looked for in a picture of this side. Under twice that an image is a crop of a digit, whose ink may
# fill whole neighbourhoods: there the paper is taken as even.
PAPER_SIDE = 32
LEAST_SIDE_WITH_SHADES = 64

# Nearly the whole picture: of a digit that touches the borders, strokes fill the most of narrower windows.
PAPER_WINDOW = 31


def shrunk(grey: Bytes) -> Bytes:
    """The picture (h, w) uint8 with its longer side at most 800, by area averaging."""
    longer = max(grey.shape)
    if longer <= WORKING_SIDE:
        return grey
    height, width = (max(1, round(side * WORKING_SIDE / longer)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def flattened(grey: Bytes) -> Contrast:
    """The difference (h, w) float32, in ±255, of each pixel to the paper around it.

    The paper is the median of a wide window, which a stroke moves little whether it is lighter or darker.
    """
    if min(grey.shape) < LEAST_SIDE_WITH_SHADES:
        return grey.astype(np.float32) - np.float32(quantile(grey, 0.5))
    small = cv2.resize(grey, (PAPER_SIDE, PAPER_SIDE), interpolation=cv2.INTER_AREA)
    paper = cv2.blur(cv2.medianBlur(small, PAPER_WINDOW), (5, 5)).astype(np.float32)
    height, width = grey.shape
    return np.asarray(grey - cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def quantile(values: npt.NDArray[np.uint8] | Contrast, share: float) -> float:
    """The value that this share of the values does not exceed; NumPy's own takes ten times as long on few values."""
    flat = values.ravel()
    place = int(share * (flat.size - 1))
    return float(np.partition(flat, place)[place])
