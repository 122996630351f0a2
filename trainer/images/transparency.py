"""Pictures with transparent parts, laid on a paper on which what is drawn can be seen.

White strokes on a transparent ground are as much ink as black ones: of a drawing, the color says nothing and the
opacity everything. Of a scan with transparent corners it is the other way round.
"""

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.idx import Bytes

Counts = npt.NDArray[np.float32]

PAPER = 255

# A pixel counts as drawn from half opacity up; less is the soft edge of something drawn.
DRAWN = 128

# What is drawn has one color if nearly all of its greys are within this, of 255: less is no ink on paper
# (`normalisation.ink.LEAST_CONTRAST`), and lossy files change greys by as much.
ONE_COLOR = 12

# The rim of a piece of paper is within this, of 255: with a shadow, and with the noise of lossy files.
EVEN_RIM = 24

# Something drawn that fills this share of the picture, in one color, is an empty sheet; no digit fills as much.
SHEET = 0.7

# Greys of this share, at each end, are left out where the spread of all is looked at.
ODD_ONES = 0.02


def on_paper(grey: Bytes, opacity: Bytes) -> Bytes:
    """The picture (h, w) uint8 as it looks on a paper of a grey that its ink is not of.

    Args:
        grey: (h, w) uint8, the color of each pixel as a grey, not multiplied by its opacity.
        opacity: (h, w) uint8, 0 where nothing is to be seen.
    """
    least, most, _, _ = cv2.minMaxLoc(opacity)
    if least == 255:
        return grey
    if most == 0:
        return np.full_like(grey, PAPER)
    if least == most or not (drawn := opacity >= DRAWN).any():
        return _laid_on(grey, opacity, PAPER)
    inside = drawn.astype(np.uint8)
    if _spread(greys := _counted(grey, inside)) <= ONE_COLOR:
        if drawn.mean() >= SHEET and not _has_opaque_corners(drawn):
            return _laid_on(grey, opacity, _quantile(greys, 0.5))
        return _opacity_as_ink(opacity)
    rim = _counted(grey, inside - _inner(inside))
    if rim[-1] and _spread(rim) > EVEN_RIM:
        return _opacity_as_ink(opacity)
    return _laid_on(grey, opacity, _quantile(rim, 0.5) if rim[-1] else PAPER)


def _opacity_as_ink(opacity: Bytes) -> Bytes:
    return np.asarray(cv2.bitwise_not(opacity), np.uint8)


def _laid_on(grey: Bytes, opacity: Bytes, paper: int) -> Bytes:
    sheet = Image.new("L", grey.shape[::-1], paper)
    return np.asarray(Image.composite(Image.fromarray(grey), sheet, Image.fromarray(opacity)))


def _counted(grey: Bytes, where: Bytes) -> Counts:
    """How many pixels are of each grey or darker."""
    return np.asarray(cv2.calcHist([grey], [0], where, [256], [0, 256]).cumsum())


def _quantile(counts: Counts, share: float) -> int:
    return int(np.searchsorted(counts, share * counts[-1]))


def _spread(counts: Counts) -> int:
    return _quantile(counts, 1 - ODD_ONES) - _quantile(counts, ODD_ONES)


def _inner(drawn: Bytes) -> Bytes:
    """What is drawn and has only drawn pixels around it; beyond the picture's borders nothing is transparent."""
    eroded = cv2.erode(drawn, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(eroded, np.uint8)


def _has_opaque_corners(drawn: npt.NDArray[np.bool_]) -> bool:
    return bool(drawn[[0, 0, -1, -1], [0, -1, 0, -1]].all())
