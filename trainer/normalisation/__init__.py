"""Brings a picture of a digit to what MNIST's own images are: light ink on dark, 28×28, cropped and centred.

`as_is` knows the images that are so already. For the others, one module a step: `paper` shrinks photos and takes the
paper away, `polarity` votes on what is ink, `ink` finds the digit's, `enlarging` smooths its edges, `slant` sets it
upright, `strokes` evens its strokes, `field` scales and centres it. What each is worth: docs/normalisation.md.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np

from trainer.idx import Bytes
from trainer.normalisation.as_is import are_mnist
from trainer.normalisation.enlarging import enlarged
from trainer.normalisation.field import BOX, CENTRE, SIDE, boxed, centred
from trainer.normalisation.ink import Digit, digit_of, ink_of, is_line
from trainer.normalisation.lines import cleaning_of, without
from trainer.normalisation.paper import (
    WORKING_SIDE,
    differing,
    light_on_dark,
    paper_inside,
    paper_of,
    reduced,
    shrinking_to,
)
from trainer.normalisation.polarity import VOTING_SIDE, Polarity, polarity_of, tone_of_frame
from trainer.normalisation.slant import upright
from trainer.normalisation.strokes import evened

__all__ = [
    "BOX",
    "CENTRE",
    "SIDE",
    "Method",
    "NormaliseMode",
    "Normalised",
    "Polarity",
    "normalise",
    "normalise_all",
    "steps",
]

# A digit that fills a square picture to all four borders was stretched to it, as Semeion's are: those that MNIST's
# makers cropped are 0.8 times as wide as high (median; half of them 0.7 to 1.0). Chosen by accuracy on Semeion.
STRETCHED_ASPECT = 0.65
STRETCHED_BOX = 19

# In pixels of the shrunk picture: a digit shorter than this is looked at again, in a cut of the picture as it came.
# Of 22, 28, 34 and 40 none is right more often by a tenth of a percent on any set; 40 looks again three times as often.
CLOSE_ENOUGH = 28

# A frame along the borders lies in this share of the picture's sides.
FRAME = 0.2

NormaliseMode = Literal["auto", "none"]
Method = Literal["as-is", "mnist", "resized"]
See = Callable[[str, Bytes], None]


class Normalised(NamedTuple):
    """An image as the model sees it: `pixels` (28, 28) uint8, light ink on dark.

    Attributes:
        method: `as-is` for an image that was in MNIST's form already, `mnist` for one that was brought to it, and
            `resized` for one that was only scaled.
        polarity: that of the image as it came.
        pieces: how many digits, or other things of a digit's size, the picture seems to hold, apart from each other:
            more than one where digits stand side by side, and the largest was taken. 1 where that is not looked for,
            which is in `as-is` and `resized` images; 0 on a blank sheet.
        blank: no ink was found, and the pixels are all dark.
        unclear_lines: lines of a box or a table are on the picture, and strokes lie along them, or nothing else is
            there but a line: the digit may lack a part, or be none.
    """

    pixels: Bytes
    method: Method
    polarity: Polarity
    pieces: int = 1
    blank: bool = False
    unclear_lines: bool = False


def normalise(grey: Bytes, mode: NormaliseMode = "auto", polarity: Literal["auto"] | Polarity = "auto") -> Normalised:
    """Bring an image (h, w) uint8 to MNIST's form. An image without contrast becomes all dark.

    Args:
        mode: `none` only scales to 28×28, whatever the polarity.
        polarity: that of the image where it is known; `auto` finds out.
    """
    return normalise_all([grey], mode, polarity)[0]


def normalise_all(
    pictures: Sequence[Bytes], mode: NormaliseMode = "auto", polarity: Literal["auto"] | Polarity = "auto"
) -> list[Normalised]:
    """As `normalise` of each, and faster where many are in MNIST's form already."""
    as_is = _as_is(pictures, mode, polarity)
    return [
        Normalised(grey, "as-is", "light-on-dark") if place in as_is else _normalised(grey, mode, polarity, _unseen)
        for place, grey in enumerate(pictures)
    ]


def steps(
    grey: Bytes, mode: NormaliseMode = "auto", polarity: Literal["auto"] | Polarity = "auto"
) -> list[tuple[str, Bytes]]:
    """The picture (h, w) uint8 after each step of `normalise`, with the step's name, for people to look at.

    The first is the picture as it came; the last is what `normalise` gives.
    """
    seen = [("as it came", grey)]
    if not _as_is([grey], mode, polarity):
        _normalised(grey, mode, polarity, lambda step, picture: seen.append((step, picture)))
    return seen


def _unseen(step: str, picture: Bytes) -> None:
    pass


def _as_is(pictures: Sequence[Bytes], mode: NormaliseMode, polarity: Literal["auto"] | Polarity) -> set[int]:
    """The places of those that are taken as they are."""
    if mode == "none" or polarity == "dark-on-light":
        return set()
    places = [place for place, grey in enumerate(pictures) if grey.shape == (SIDE, SIDE)]
    if not places:
        return set()
    return set(np.array(places)[are_mnist(np.stack([pictures[place] for place in places]))].tolist())


def _normalised(grey: Bytes, mode: NormaliseMode, polarity: Literal["auto"] | Polarity, see: See) -> Normalised:
    if mode == "none":
        small = _resized(grey)
        see("resized", small)
        return Normalised(small, "resized", "light-on-dark", blank=not cv2.hasNonZero(small))
    digit, stretched, found, unclear = _found(grey, polarity, see)
    if not digit.pieces:
        pixels = np.zeros((SIDE, SIDE), np.uint8)
        see("blank", pixels)
        return Normalised(pixels, "mnist", found, 0, blank=True)
    large = enlarged(digit.ink, STRETCHED_ASPECT if stretched else 1.0)
    see("enlarged", large)
    if not stretched:  # else its slant is that of the stretching too
        large = upright(large)
        see("upright", large)
    large = evened(large)
    see("strokes evened", large)
    box = boxed(large, STRETCHED_BOX if stretched else BOX)
    see("scaled", box)
    pixels = centred(box)
    see("centred", pixels)
    return Normalised(pixels, "mnist", found, digit.pieces, unclear_lines=unclear)


def _found(grey: Bytes, polarity: Literal["auto"] | Polarity, see: See) -> tuple[Digit, bool, Polarity, bool]:
    """The digit, whether it was stretched to the picture, the picture's polarity, and whether its lines are unclear.

    A small digit on a large sheet is cut out and looked at again.
    """
    factor = shrinking_to(WORKING_SIDE, grey.shape)
    small = reduced(grey, factor)
    paper = paper_of(small)
    voting = reduced(small, shrinking_to(VOTING_SIDE, small.shape))
    voted, free = polarity_of(differing(voting, paper))
    framed = None if free else tone_of_frame(voting)
    if framed:
        paper = paper_inside(small, FRAME)
    if polarity == "auto":
        polarity = framed or voted
    light = light_on_dark(small, paper, polarity)
    see("paper taken away", light)
    ink = ink_of(light)
    see(f"ink, {polarity}", ink)
    cleaning = cleaning_of(ink)
    if cleaning and cv2.hasNonZero(cleaning.lines):
        small = without(small, cleaning)
        ink = ink_of(light_on_dark(small, paper_of(small), polarity))
        see("lines taken away", ink)
    digit = digit_of(ink)
    unclear = bool(cleaning and cleaning.unclear) or is_line(digit, ink.shape)
    if digit.pieces:
        see("the digit's ink", digit.ink)
    stretched = digit.ink.shape == grey.shape and grey.shape[0] == grey.shape[1]
    if factor > 1 and digit.pieces and max(digit.ink.shape) < CLOSE_ENOUGH:
        closer = _closer(grey, digit, factor)
        if closer.size < grey.size:
            see("closer", closer)
            again, _, _, _ = _found(closer, polarity, see)
            digit = again._replace(pieces=digit.pieces) if again.pieces else digit
    return digit, stretched, polarity, unclear


def _closer(grey: Bytes, digit: Digit, factor: int) -> Bytes:
    """The part of the picture around a digit, with half its size around it; `factor` is what it was shrunk by."""
    height, width = digit.ink.shape
    margin = max(height, width) // 2
    first_row, first_column = max(0, digit.top - margin) * factor, max(0, digit.left - margin) * factor
    last_row, last_column = (digit.top + height + margin) * factor, (digit.left + width + margin) * factor
    return grey[first_row:last_row, first_column:last_column]


def _resized(grey: Bytes) -> Bytes:
    """Area averaging when shrinking, bilinear when growing."""
    shrinking = min(grey.shape) >= SIDE
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=method), np.uint8)
