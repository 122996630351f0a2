"""Adjusts strokes that are thinner or thicker than most of MNIST's."""

import math

import cv2
import numpy as np

from tenfold.trainer.arrays import Bytes

# Stroke widths as shares of the longer side. A quarter of MNIST's digits, which are 20 pixels long, have strokes
# thinner than 2.0 pixels, and a quarter thicker than 2.8.
THINNEST = 2.0 / 20
THICKEST = 2.8 / 20

# The maximum change on each side of a stroke, as a share of the longer side: more would close loops or erase strokes.
MAX_CHANGE = 0.1

# Ink above this counts for the digit's bounding box.
HALF = 127


def evened(large: Bytes) -> Bytes:
    """The cropped ink (h, w) uint8 with a stroke width of 10 % to 14 % of its longer side, if possible."""
    ink = _inked(large)
    longer = max(ink.shape)
    width = stroke_width(ink)
    change = round((min(max(width, THINNEST * longer), THICKEST * longer) - width) / 2)
    if not change:
        return ink
    radius = min(abs(change), int(MAX_CHANGE * longer))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    if change > 0:
        framed = cv2.copyMakeBorder(ink, radius, radius, radius, radius, cv2.BORDER_CONSTANT)
        return _inked(np.asarray(cv2.dilate(framed, disc), np.uint8))
    thinned = np.asarray(cv2.erode(ink, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)
    return _inked(thinned) if thinned.any() else ink


def stroke_width(ink: Bytes) -> float:
    """The mean stroke width of ink (h, w) uint8, in pixels: twice the area divided by the length of the outline.

    A stroke of width w and length l has an area of wl and an outline of 2l. The outline's length is the ink's total
    variation, which, measured by rows and columns, is 4/π too long on average over all directions.
    """
    framed = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    down = cv2.norm(framed[1:], framed[:-1], cv2.NORM_L1)
    across = cv2.norm(framed[:, 1:], framed[:, :-1], cv2.NORM_L1)
    outline = (down + across) * math.pi / 4
    return 2 * cv2.sumElems(ink)[0] / outline if outline else 0.0


def _inked(ink: Bytes) -> Bytes:
    left, top, width, height = cv2.boundingRect(cv2.threshold(ink, HALF, 1, cv2.THRESH_BINARY)[1])
    return ink[top : top + height, left : left + width] if width else ink
