"""Lines taken away from a picture of a digit, and whether that was clear."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.normalization.lines.borders import inked_shares, may_have_lines
from tenfold.trainer.images.normalization.lines.segmenter import segment

# Of smaller pictures a line is hardly thinner than a stroke.
MIN_SIDE = 20

# Lines may be fainter than strokes: what is this much ink, of 255, may be part of one.
FAINT = 24

NEIGHBORHOOD = np.ones((3, 3), np.uint8)

# What is told from strokes is lines if it lies along this share of two borders, or of one where the network is surer:
# bars of digits cut close lie there too. Below, the mean probability that such ink is none of the digit's. Chosen on
# pictures with and without lines: docs/benchmarks/normalization.md.
SHORTEST = 0.4
SURE_OF_TWO = 0.75
SURE_OF_ONE = 0.9

# A frame has lines along so many borders.
FRAMED_SIDES = 3

# A piece of less than this share of the digit that touched a line is a rest of it.
MIN_PIECE = 0.12

# In shares of the digit's ink: this much may be of pixels of which it is open whether they are the digit's. A lower
# limit flags many more pictures that are read well, and few more that are not.
MAX_DOUBTFUL = 0.08


@dataclass(frozen=True)
class Cleaning:
    """What to take away from a picture of lines and a digit.

    Attributes:
        lines: (h, w) uint8, 1 where ink is that is not the digit's.
        digit: (h, w) uint8, 1 where the digit's ink is.
        unclear: whether much of the ink may be either, so that the digit may lack a part or have too much.
    """

    lines: Bytes
    digit: Bytes
    unclear: bool


def cleaning_of(ink: Bytes) -> Cleaning | None:
    """What of the ink (h, w) uint8 is lines; None where nothing looks like one."""
    marks = _marks(ink)
    if min(ink.shape) < MIN_SIDE or not may_have_lines(marks):
        return None
    probable = segment(ink)
    lines = np.where(probable < 0.5, marks, np.uint8(0))
    if not _are_lines(lines, probable):
        return None
    digit = _without_rests(np.where(probable < 0.5, np.uint8(0), marks), lines)
    return Cleaning(np.asarray(cv2.subtract(marks, digit), np.uint8), digit, _doubtful(ink, probable) > MAX_DOUBTFUL)


def is_framed(marks: Bytes) -> bool:
    """Whether the marks (h, w) of 0 and 1 have lines along three or four borders."""
    if not may_have_lines(marks):
        return False
    lines = np.where(segment(marks * np.uint8(255)) < 0.5, marks, np.uint8(0))
    return sum(share >= SHORTEST for share in inked_shares(lines)) >= FRAMED_SIDES


def without(gray: Bytes, cleaning: Cleaning) -> Bytes:
    """The picture (h, w) uint8 with paper where its lines are, as light as the paper around them."""
    taken = cv2.subtract(cv2.dilate(cleaning.lines, NEIGHBORHOOD), cleaning.digit)
    paper = 1 - cv2.dilate(cleaning.lines | cleaning.digit, NEIGHBORHOOD)
    window = (2 * (max(gray.shape) // 10) + 3,) * 2
    light = cv2.blur((gray * paper).astype(np.float32), window)
    share = cv2.blur(paper.astype(np.float32), window)
    level = float(gray[paper > 0].mean()) if paper.any() else float(gray.max())
    around = np.divide(light, share, out=np.full(gray.shape, level, np.float32), where=share > 0.02)
    return np.where(taken > 0, around, gray).astype(np.uint8)


def _are_lines(lines: Bytes, probable: npt.NDArray[np.float32]) -> bool:
    second, first = sorted(inked_shares(lines))[-2:]
    if first < SHORTEST:
        return False
    sure = 1 - float(probable[lines > 0].mean())
    return sure >= (SURE_OF_TWO if second >= SHORTEST else SURE_OF_ONE)


def _marks(ink: Bytes) -> Bytes:
    return np.asarray(cv2.threshold(ink, FAINT, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _without_rests(digit: Bytes, lines: Bytes) -> Bytes:
    """The digit (h, w) of 0 and 1 without small pieces that touch lines."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStatsWithAlgorithm(digit, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    if count <= 2:
        return digit
    areas = boxes[:, 4]
    small = areas < MIN_PIECE * areas[1:].max()
    touching = np.zeros(count, np.bool_)
    touching[labels[cv2.dilate(lines, NEIGHBORHOOD) > 0]] = True
    return np.where((small & touching)[labels], np.uint8(0), digit)


def _doubtful(ink: Bytes, probable: npt.NDArray[np.float32]) -> float:
    """The ink of which it is open whether it is the digit's, in shares of the digit's."""
    values = ink.astype(np.float32)
    whole = float((values * probable).sum())
    return float((values * np.minimum(probable, 1 - probable)).sum()) / whole if whole else 0.0
