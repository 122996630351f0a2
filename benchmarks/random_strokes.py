"""Digits of many looks laid into a picture: pens, bitmaps, cut close or small, with what a neighbor's digit leaves."""

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes

Values = npt.NDArray[np.float32]

# So many pictures hold two digits, of which both are strokes: that there are two is for others to say.
PAIRS = 0.05


def placed(digits: Bytes, height: int, width: int, rng: np.random.Generator, framed: bool) -> Values:
    """The strokes (h, w), 0–1, of one of the digits (n, 28, 28) uint8.

    Args:
        framed: it is 35 to 95 % as high as the picture; otherwise often cut close, and sometimes stretched to it.
    """
    strokes = _written(digits, rng)
    bitmap = rng.random() < 0.25
    if bitmap:
        strokes = _as_bitmap(strokes, rng)
    size, scale = _size(strokes.shape, height, width, rng, framed)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    if scale > 1 and rng.random() < (0.4 if bitmap else 0.05):
        method = cv2.INTER_NEAREST
    strokes = np.asarray(cv2.resize(strokes, size, interpolation=method), np.uint8)
    if scale > 1.5 and method == cv2.INTER_CUBIC:
        strokes = _as_pen(strokes, rng)
    centered = rng.random() < 0.75
    left, top = (_start(free, centered, rng) for free in (width - size[0], height - size[1]))
    field = np.zeros((height, width), np.float32)
    field[top : top + size[1], left : left + size[0]] = strokes / np.float32(255)
    return field


def tail_of(digits: Bytes, height: int, width: int, rng: np.random.Generator) -> Values:
    """What reaches in of the next cell's digit: up to an eighth of the picture at one border."""
    strokes = placed(digits, height, width, rng, framed=True)
    quarters = int(rng.integers(4))
    turned = np.rot90(strokes, quarters)
    inked = np.flatnonzero(turned.max(axis=1) > 0.3)
    moved = np.zeros_like(turned)
    if len(inked):
        part = turned[: inked[-1] + 1][-max(1, round(len(turned) * rng.uniform(0.03, 0.12))) :]
        moved[: len(part)] = part
    return np.ascontiguousarray(np.rot90(moved, -quarters))


def specks(height: int, width: int, rng: np.random.Generator) -> Values:
    field = np.zeros((height, width), np.uint8)
    largest = 1 + max(1, round(0.02 * min(height, width)))
    for _ in range(int(rng.integers(1, 12))):
        cv2.circle(field, rng.integers((width, height)).tolist(), int(rng.integers(0, largest)), 255, -1)
    return np.asarray(field, np.float32) / np.float32(255)


def _written(digits: Bytes, rng: np.random.Generator) -> Bytes:
    one = _slanted(digits[rng.integers(len(digits))], rng)
    if rng.random() > PAIRS:
        return one
    other = _slanted(digits[rng.integers(len(digits))], rng)
    rows = max(len(one), len(other))
    gap = np.zeros((rows, int(rng.integers(1, 8))), np.uint8)
    return np.hstack(
        [np.pad(one, ((0, rows - len(one)), (0, 0))), gap, np.pad(other, ((0, rows - len(other)), (0, 0)))]
    )


def _slanted(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """The digit slanted and turned a little, and cut close."""
    slant = rng.normal(0, 0.12)
    turn = cv2.getRotationMatrix2D((14, 14), rng.normal(0, 5), 1)
    turn[0, 1] += slant
    turn[:, 2] += np.array([12 - 14 * slant, 6.0])
    moved = np.asarray(cv2.warpAffine(digit, turn, (52, 40), flags=cv2.INTER_LINEAR), np.uint8)
    rows, columns = np.flatnonzero(moved.max(axis=1) > 64), np.flatnonzero(moved.max(axis=0) > 64)
    return moved[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _as_bitmap(strokes: Bytes, rng: np.random.Generator) -> Bytes:
    """As old data sets have digits: some 16 pixels high, of one bit or gray, often stretched to a square."""
    height = int(rng.integers(12, 21))
    width = height if rng.random() < 0.6 else max(4, round(height * strokes.shape[1] / strokes.shape[0]))
    small = np.asarray(cv2.resize(strokes, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray((small > 90) * np.uint8(255), np.uint8) if rng.random() < 0.6 else small


def _size(
    shape: tuple[int, ...], height: int, width: int, rng: np.random.Generator, framed: bool
) -> tuple[tuple[int, int], float]:
    """The width and height of the strokes in the picture, and how many times as high as they came that is."""
    if framed:
        share = rng.uniform(0.35, 0.8) if rng.random() < 0.9 else rng.uniform(0.8, 1)
    else:
        share = 1.0 if rng.random() < 0.4 else rng.uniform(0.4, 1)
    scale = min(share * height / shape[0], (0.95 if framed else 1.0) * width / shape[1])
    wider = rng.uniform(0.85, 1.15)
    if not framed and rng.random() < 0.3:
        return (width, height), height / shape[0]
    return (min(width, max(3, round(shape[1] * scale * wider))), min(height, max(6, round(shape[0] * scale)))), scale


def _start(free: int, centered: bool, rng: np.random.Generator) -> int:
    place = rng.normal(0.5, 0.28) if centered else rng.random()
    return round(min(max(place, 0), 1) * free)


def _as_pen(strokes: Bytes, rng: np.random.Generator) -> Bytes:
    """Enlarged ink with sharp edges, thinner or thicker than it came, if it stays whole."""
    solid = np.asarray((strokes > rng.integers(80, 140)) * np.uint8(255), np.uint8)
    thickness = min(float(cv2.distanceTransform(solid, cv2.DIST_L2, 3).max()), min(solid.shape) / 4)
    change = round(rng.uniform(-0.6, 0.4) * thickness)
    if change:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(change) + 1,) * 2)
        changed = np.asarray((cv2.erode if change < 0 else cv2.dilate)(solid, disc), np.uint8)
        if cv2.connectedComponents(changed)[0] == cv2.connectedComponents(solid)[0]:
            solid = changed
    return np.asarray(cv2.GaussianBlur(solid, (3, 3), 0), np.uint8) if rng.random() < 0.7 else solid
