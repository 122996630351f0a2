"""Strokes as wide as MNIST's, where a digit's are thinner or thicker than most of its are."""

import math

import cv2
import numpy as np

from trainer.idx import Bytes

# Of the longer side. Of MNIST's digits, 20 pixels long, a quarter are thinner than 2.0 pixels; a quarter are thicker
# than 2.8.
THINNEST = 2.0 / 20
THICKEST = 2.8 / 20

# Strokes get wider, or thinner, by no more than this share of the longer side on each side: more closes loops, or
# leaves nothing.
MOST_CHANGE = 0.1

# Ink from half up counts for the digit's extent.
HALF = 127


def evened(large: Bytes) -> Bytes:
    """The inked part of (h, w) uint8, its strokes between a tenth and a seventh of its longer side wide if it can."""
    ink = _inked(large)
    longer = max(ink.shape)
    width = stroke_width(ink)
    change = round((min(max(width, THINNEST * longer), THICKEST * longer) - width) / 2)
    if not change:
        return ink
    radius = min(abs(change), int(MOST_CHANGE * longer))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    if change > 0:
        framed = cv2.copyMakeBorder(ink, radius, radius, radius, radius, cv2.BORDER_CONSTANT)
        return _inked(np.asarray(cv2.dilate(framed, disc), np.uint8))
    thinned = np.asarray(cv2.erode(ink, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)
    return _inked(thinned) if thinned.any() else ink


def stroke_width(ink: Bytes) -> float:
    """The mean width, in pixels, of strokes (h, w) uint8: twice their area by the length of their outline.

    A stroke of width w and length l has an area of wl and an outline of 2l. The outline of grey ink is its total
    variation: by rows and columns, an outline in all directions alike is 4/π times as long as it is.
    """
    framed = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    down = cv2.norm(framed[1:], framed[:-1], cv2.NORM_L1)
    across = cv2.norm(framed[:, 1:], framed[:, :-1], cv2.NORM_L1)
    outline = (down + across) * math.pi / 4
    return 2 * cv2.sumElems(ink)[0] / outline if outline else 0.0


def _inked(ink: Bytes) -> Bytes:
    left, top, width, height = cv2.boundingRect(cv2.threshold(ink, HALF, 1, cv2.THRESH_BINARY)[1])
    return ink[top : top + height, left : left + width] if width else ink
