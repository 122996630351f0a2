"""Composites transparent images onto paper on which their content is visible.

White strokes on a transparent background are as much ink as black ones: in a drawing only the opacity matters, in a
scan with transparent corners only the color.
"""

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from tenfold.trainer.arrays import Bytes

Counts = npt.NDArray[np.float32]

PAPER = 255

# A color this light can't be seen on white paper.
NEARLY_WHITE = 224

# A pixel counts as drawn from half opacity up; less is a soft edge.
DRAWN = 128

# A drawing has one color if nearly all of its gray values are within this, of 255: less is not ink on paper
# (`normalization.ink.MIN_CONTRAST`), and lossy compression changes values by as much.
ONE_COLOR = 12

# The border of a piece of paper varies by at most this, of 255, including a shadow and compression noise.
EVEN_RIM = 24

# A single color that fills this share of the image is an empty sheet; no digit fills as much.
SHEET = 0.7

# This share of the gray values, at each end, is ignored when measuring their spread.
OUTLIERS = 0.02


def on_paper(gray: Bytes, opacity: Bytes) -> Bytes:
    """The image (h, w) uint8 composited onto paper that contrasts with its ink.

    Args:
        gray: (h, w) uint8, not multiplied by the opacity.
        opacity: (h, w) uint8, 0 where it is fully transparent.
    """
    least, most, _, _ = cv2.minMaxLoc(opacity)
    if least == 255:
        return gray
    if most == 0:
        return np.full_like(gray, PAPER)
    if least == most or not (drawn := opacity >= DRAWN).any():
        return _laid_on(gray, opacity, PAPER)
    inside = drawn.astype(np.uint8)
    if _spread(values := _counted(gray, inside)) <= ONE_COLOR:
        if drawn.mean() >= SHEET and not _has_opaque_corners(drawn):
            return _laid_on(gray, opacity, _quantile(values, 0.5))
        return _opacity_as_ink(opacity)
    border = _counted(gray, inside - _inner(inside))
    if border[-1] and _spread(border) > EVEN_RIM:
        return _opacity_as_ink(opacity)
    return _laid_on(gray, opacity, _quantile(border, 0.5) if border[-1] else PAPER)


def in_color_on_paper(pixels: Bytes, opacity: Bytes) -> Bytes:
    """The RGB image (h, w, 3) uint8 composited onto white paper, or black if most of what is drawn is nearly white.

    Args:
        pixels: not multiplied by the opacity.
        opacity: (h, w) uint8, 0 where it is fully transparent.
    """
    if opacity.min() == 255:
        return pixels
    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    values = _counted(gray, (opacity >= DRAWN).astype(np.uint8))
    paper = PAPER - 255 * int(values[-1] > 0 and _quantile(values, 0.5) >= NEARLY_WHITE)
    sheet = Image.new("RGB", gray.shape[::-1], (paper,) * 3)
    return np.asarray(Image.composite(Image.fromarray(pixels), sheet, Image.fromarray(opacity)))


def _opacity_as_ink(opacity: Bytes) -> Bytes:
    return np.asarray(cv2.bitwise_not(opacity), np.uint8)


def _laid_on(gray: Bytes, opacity: Bytes, paper: int) -> Bytes:
    sheet = Image.new("L", gray.shape[::-1], paper)
    return np.asarray(Image.composite(Image.fromarray(gray), sheet, Image.fromarray(opacity)))


def _counted(gray: Bytes, where: Bytes) -> Counts:
    """The cumulative histogram: how many pixels have each gray value or a darker one."""
    return np.asarray(cv2.calcHist([gray], [0], where, [256], [0, 256]).cumsum())


def _quantile(counts: Counts, share: float) -> int:
    return int(np.searchsorted(counts, share * counts[-1]))


def _spread(counts: Counts) -> int:
    return _quantile(counts, 1 - OUTLIERS) - _quantile(counts, OUTLIERS)


def _inner(drawn: Bytes) -> Bytes:
    """Drawn pixels with only drawn pixels around them; outside the image counts as drawn."""
    eroded = cv2.erode(drawn, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(eroded, np.uint8)


def _has_opaque_corners(drawn: npt.NDArray[np.bool_]) -> bool:
    return bool(drawn[[0, 0, -1, -1], [0, -1, 0, -1]].all())
