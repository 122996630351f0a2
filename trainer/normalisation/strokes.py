"""Strokes as wide as MNIST's, where a digit's are much thinner or thicker."""

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes

# Pixels, in the box of 20. Of MNIST's digits a quarter are thinner than the first; a tenth are thicker than the second.
THINNEST = 2.0
THICKEST = 3.5

NEIGHBOURHOOD = np.ones((3, 3), np.uint8)


def evened(box: Bytes) -> Bytes:
    """The box (h, w) uint8 with its strokes 2 to 3.5 pixels wide as far as one pixel on each side does, and stretched.

    A grey dilation adds two pixels to a stroke, an erosion takes two away: a mixture with the box does so in part.
    """
    values = box.astype(np.float32) * (255 / max(float(box.max()), 1))
    width = stroke_width(values)
    if width < THINNEST:
        share = min(1.0, (THINNEST - width) / 2)
        values = (1 - share) * values + share * cv2.dilate(values, NEIGHBOURHOOD)
    elif width > THICKEST:
        share = min(1.0, (width - THICKEST) / 2)
        values = (1 - share) * values + share * cv2.erode(values, NEIGHBOURHOOD, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((values * (255 / max(float(values.max()), 1))).clip(0, 255), np.uint8)


def stroke_width(values: npt.NDArray[np.float32]) -> float:
    """The mean width, in pixels, of strokes (h, w): twice their area by the length of their outline.

    The outline of grey ink is its total variation; a stroke of width w and length l has an area of wl and an outline
    of 2l.
    """
    field = np.pad(values, 1)
    here = field[:-1, :-1]
    outline = np.hypot(field[1:, :-1] - here, field[:-1, 1:] - here).sum()
    return float(2 * field.sum() / outline) if outline else 0.0
