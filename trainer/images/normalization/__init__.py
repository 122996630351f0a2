"""Converts an image of a digit to MNIST's format: light ink on dark, 28×28 pixels or a field of another size that is
scaled accordingly, cropped and centered.

`as_is` detects images that are in it already. The others go through one module for each step: `paper` shrinks photos
and removes the paper, `polarity` decides what is ink, `lines` removes ruled lines, `ink` finds the digit, `enlarging`
smooths its edges, `slant` corrects its slant, `strokes` its stroke width, `field` scales and centers it. What each step
is worth: docs/benchmarks/normalization.md.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.normalization.as_is import are_mnist
from tenfold.trainer.images.normalization.enlarging import enlarged
from tenfold.trainer.images.normalization.field import BOX, CENTER, SIDE, boxed, centered, scaled_to
from tenfold.trainer.images.normalization.ink import Digit, digit_of, ink_of, is_line
from tenfold.trainer.images.normalization.lines import cleaning_of, without
from tenfold.trainer.images.normalization.paper import (
    WORKING_SIDE,
    differing,
    light_on_dark,
    paper_inside,
    paper_of,
    reduced,
    shrinking_to,
)
from tenfold.trainer.images.normalization.polarity import VOTING_SIDE, Polarity, polarity_of, tone_of_frame
from tenfold.trainer.images.normalization.slant import upright
from tenfold.trainer.images.normalization.strokes import evened

__all__ = [
    "BOX",
    "CENTER",
    "SIDE",
    "Method",
    "NormalizeMode",
    "Normalized",
    "Polarity",
    "normalize",
    "normalize_all",
    "resized",
    "steps",
]

# A digit that touches all four borders of a square image was stretched to it, as in Semeion: MNIST's own digits are 0.8
# times as wide as high (median; half of them 0.7 to 1.0). Chosen by accuracy on Semeion.
STRETCHED_ASPECT = 0.65
STRETCHED_BOX = 19

# A digit shorter than this, in pixels of the shrunk image, is cropped from the original and processed again. Of 22, 28,
# 34 and 40 none is more accurate by 0.1 % on any set; 40 repeats the work three times as often.
CLOSE_ENOUGH = 28

# A frame along the borders lies within this share of the image's sides.
FRAME = 0.2

NormalizeMode = Literal["auto", "none"]
Method = Literal["as-is", "mnist", "resized"]
Detected = Literal["auto"] | Polarity
See = Callable[[str, Bytes], None]


class Normalized(NamedTuple):
    """An image as the model sees it: `pixels` uint8 of the input's shape; after the digit normalizer light ink on dark.

    Attributes:
        method: `as-is` for an image that was in the model's format already, `mnist` for one that was converted to it,
            and `resized` for one that was only scaled.
        polarity: that of the original image.
        pieces: the number of separate digits, or other objects of a digit's size: of several, the largest was used.
            1 for `as-is` and `resized` images, in which they are not counted; 0 for a blank image.
        blank: no ink was found, and the pixels are all 0.
        unclear_lines: the image has lines of a box or table, and much of the ink may be theirs or the digit's, or it
            has only a line: the digit may be incomplete, have extra strokes, or be missing.
    """

    pixels: Bytes
    method: Method
    polarity: Polarity
    pieces: int = 1
    blank: bool = False
    unclear_lines: bool = False


def normalize(
    gray: Bytes, mode: NormalizeMode = "auto", polarity: Detected = "auto", shape: tuple[int, ...] = (SIDE, SIDE)
) -> Normalized:
    """Convert an image (h, w) uint8 to MNIST's format. An image without contrast becomes all 0.

    Args:
        mode: `none` only scales, whatever the polarity; it takes RGB images (h, w, 3) too.
        polarity: that of the image if it is known; `auto` detects it.
        shape: height and width of the result.
    """
    return normalize_all([gray], mode, polarity, shape)[0]


def normalize_all(
    pictures: Sequence[Bytes],
    mode: NormalizeMode = "auto",
    polarity: Detected = "auto",
    shape: tuple[int, ...] = (SIDE, SIDE),
) -> list[Normalized]:
    """Normalize several images; faster than one by one if many are in MNIST's format already."""
    as_is = _as_is(pictures, mode, polarity, shape)
    return [
        Normalized(gray, "as-is", "light-on-dark")
        if place in as_is
        else _normalized(gray, mode, polarity, shape, _unseen)
        for place, gray in enumerate(pictures)
    ]


def steps(
    gray: Bytes, mode: NormalizeMode = "auto", polarity: Detected = "auto", shape: tuple[int, ...] = (SIDE, SIDE)
) -> list[tuple[str, Bytes]]:
    """The image (h, w) uint8 after each step of `normalize`, with the step's name, for people to look at.

    The first is the original image; the last is the result of `normalize`.
    """
    seen = [("original", gray)]
    if not _as_is([gray], mode, polarity, shape):
        _normalized(gray, mode, polarity, shape, lambda step, picture: seen.append((step, picture)))
    return seen


def _unseen(step: str, picture: Bytes) -> None:
    pass


def _as_is(pictures: Sequence[Bytes], mode: NormalizeMode, polarity: Detected, shape: tuple[int, ...]) -> set[int]:
    """The indices of the images that are in MNIST's format already."""
    if mode == "none" or polarity == "dark-on-light":
        return set()
    places = [place for place, gray in enumerate(pictures) if gray.shape == shape]
    if not places:
        return set()
    return set(np.array(places)[are_mnist(np.stack([pictures[place] for place in places]))].tolist())


def _normalized(gray: Bytes, mode: NormalizeMode, polarity: Detected, shape: tuple[int, ...], see: See) -> Normalized:
    if mode == "none":
        small = resized(gray, shape)
        see("resized", small)
        return Normalized(small, "resized", "light-on-dark", blank=not small.any())
    digit, stretched, found, unclear = _found(gray, polarity, see)
    if not digit.pieces:
        pixels = np.zeros(shape, np.uint8)
        see("blank", pixels)
        return Normalized(pixels, "mnist", found, 0, blank=True)
    large = enlarged(digit.ink, STRETCHED_ASPECT if stretched else 1.0)
    see("enlarged", large)
    if not stretched:  # stretching changes the slant
        large = upright(large)
        see("slant corrected", large)
    large = evened(large)
    see("stroke width corrected", large)
    box = boxed(large, scaled_to(shape, STRETCHED_BOX if stretched else BOX))
    see("scaled", box)
    pixels = centered(box, shape)
    see("centered", pixels)
    return Normalized(pixels, "mnist", found, digit.pieces, unclear_lines=unclear)


def _found(gray: Bytes, polarity: Detected, see: See) -> tuple[Digit, bool, Polarity, bool]:
    """The digit, whether it was stretched to the image, the image's polarity, and whether its lines are unclear.

    A small digit on a large sheet is cropped and processed again.
    """
    factor = shrinking_to(WORKING_SIDE, gray.shape)
    small = reduced(gray, factor)
    paper = paper_of(small)
    voting = reduced(small, shrinking_to(VOTING_SIDE, small.shape))
    voted, free = polarity_of(differing(voting, paper))
    framed = None if free else tone_of_frame(voting)
    if framed:
        paper = paper_inside(small, FRAME)
    if polarity == "auto":
        polarity = framed or voted
    light = light_on_dark(small, paper, polarity)
    see("paper removed", light)
    ink = ink_of(light)
    see(f"ink, {polarity}", ink)
    cleaning = cleaning_of(ink)
    if cleaning and cv2.hasNonZero(cleaning.lines):
        small = without(small, cleaning)
        ink = ink_of(light_on_dark(small, paper_of(small), polarity))
        see("lines removed", ink)
    digit = digit_of(ink)
    unclear = bool(cleaning and cleaning.unclear) or is_line(digit, ink.shape)
    if digit.pieces:
        see("digit", digit.ink)
    stretched = digit.ink.shape == gray.shape and gray.shape[0] == gray.shape[1]
    if factor > 1 and digit.pieces and max(digit.ink.shape) < CLOSE_ENOUGH:
        closer = _closer(gray, digit, factor)
        if closer.size < gray.size:
            see("cropped", closer)
            again, _, _, _ = _found(closer, polarity, see)
            digit = again._replace(pieces=digit.pieces) if again.pieces else digit
    return digit, stretched, polarity, unclear


def _closer(gray: Bytes, digit: Digit, factor: int) -> Bytes:
    """The original image around a digit, with a margin of half its size; `factor` is what the image was shrunk by."""
    height, width = digit.ink.shape
    margin = max(height, width) // 2
    first_row, first_column = max(0, digit.top - margin) * factor, max(0, digit.left - margin) * factor
    last_row, last_column = (digit.top + height + margin) * factor, (digit.left + width + margin) * factor
    return gray[first_row:last_row, first_column:last_column]


def resized(picture: Bytes, shape: tuple[int, ...]) -> Bytes:
    """Area averaging when shrinking, bilinear when growing; an image of this size is unchanged."""
    height, width = shape[:2]
    shrinking = picture.shape[0] >= height and picture.shape[1] >= width
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
