"""Draws a confusion matrix with Pillow, in a tenth of a plotting library's time."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from PIL import Image, ImageColor, ImageDraw

from tenfold.trainer.reports.sheets import Target, font, shortened

CELL, AXIS, TITLE, GAP = 62, 38, 48, 10
# With more classes neither counts nor names could be read: the matrix is drawn in this many pixels, with the most
# frequent mistakes beside it.
MAX_CLASSES_WITH_NAMES = 40
SMALL_SIDE, LIST_WIDTH, LIST_LINE, LISTED = 800, 520, 30, 25
COUNT_SIZE, NAME_SIZE, TITLE_SIZE = 15, 15, 18
# The maximum length of class names; below the matrix, longer ones than `HORIZONTAL_LETTERS` are written vertically.
NAME_LETTERS, HORIZONTAL_LETTERS = 18, 5
LETTER = 10

PAPER, INK, RIGHT, NONE = "white", "black", "#c7e9c0", "#fff5f0"


def draw_confusion(confusion: npt.NDArray[np.int64], class_names: Sequence[str], target: Target) -> None:
    """Draw the counts by true and predicted class; the shade of red is the share of the true class's images.

    More than 40 classes are drawn without names and counts, with a list of the most frequent mistakes.

    Args:
        confusion: (classes, classes) counts; rows are true classes.
        target: the PNG file.
    """
    names = [shortened(name, NAME_LETTERS) for name in class_names]
    if len(names) > MAX_CLASSES_WITH_NAMES:
        _draw_many(confusion, names, target)
        return
    longest = max(map(len, names))
    left = AXIS + LETTER * longest + GAP
    below = NAME_SIZE if longest <= HORIZONTAL_LETTERS else LETTER * longest
    side = CELL * len(names)
    sheet = Image.new("RGB", (left + side + 2 * GAP, TITLE + side + GAP + below + AXIS), PAPER)
    draw = ImageDraw.Draw(sheet)
    middle = left + side / 2
    _write(draw, (middle, TITLE / 2), f"{confusion.trace():,} of {confusion.sum():,} correct", TITLE_SIZE)
    _draw_cells(draw, confusion, left)
    for place, name in enumerate(names):
        center = CELL * place + CELL / 2
        draw.text((left - GAP, TITLE + center), name, INK, font(NAME_SIZE), anchor="rm")
        if longest <= HORIZONTAL_LETTERS:
            _write(draw, (left + center, TITLE + side + GAP + NAME_SIZE / 2), name, NAME_SIZE)
        else:
            _write_vertically(sheet, name, round(left + center), TITLE + side + GAP)
    _write(draw, (middle, sheet.height - AXIS / 2), "predicted class", NAME_SIZE)
    _write_vertically(sheet, "true class", AXIS // 2, TITLE + side // 2 - 4 * LETTER)
    sheet.save(target, "PNG", compress_level=1)


def _draw_cells(draw: ImageDraw.ImageDraw, confusion: npt.NDArray[np.int64], left: int) -> None:
    reds = _reds(confusion)
    for (row, column), count in np.ndenumerate(confusion):
        x, y = left + CELL * column, TITLE + CELL * row
        color = RIGHT if row == column else tuple(map(int, reds[row, column, :3])) if count else NONE
        draw.rectangle((x, y, x + CELL - 1, y + CELL - 1), fill=color)
        if count:
            _write(draw, (x + CELL / 2, y + CELL / 2), f"{count:,}", COUNT_SIZE, bold=row == column)


def _reds(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """(classes, classes, 4): the color of each cell outside the diagonal."""
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    # Stays below the darkest red, on which text could not be read.
    return np.asarray(colormaps["Reds"](shares / max(shares.max() * 1.3, 1e-9), bytes=True))


def _draw_many(confusion: npt.NDArray[np.int64], names: Sequence[str], target: Target) -> None:
    sheet = Image.new("RGB", (AXIS + SMALL_SIDE + LIST_WIDTH, TITLE + SMALL_SIDE + AXIS + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    title = f"{confusion.trace():,} of {confusion.sum():,} correct, {len(names):,} classes"
    _write(draw, (AXIS + SMALL_SIDE / 2, TITLE / 2), title, TITLE_SIZE)
    cells = _reds(confusion)[..., :3].copy()
    cells[confusion == 0] = ImageColor.getrgb(NONE)
    right = np.flatnonzero(confusion.diagonal())
    cells[right, right] = ImageColor.getrgb(RIGHT)
    matrix = Image.fromarray(cells).resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.BOX)
    sheet.paste(matrix, (AXIS, TITLE))
    _write(draw, (AXIS + SMALL_SIDE / 2, sheet.height - AXIS / 2), "predicted class", NAME_SIZE)
    _write_vertically(sheet, "true class", AXIS // 2, TITLE + SMALL_SIDE // 2 - 4 * LETTER)
    mistakes = most_confused(confusion, LISTED)
    left = AXIS + SMALL_SIDE + 3 * GAP
    heading = "Most frequent mistakes: true → predicted" if mistakes else "No mistakes"
    draw.text((left, TITLE), heading, INK, font(NAME_SIZE, bold=True), anchor="lm")
    for place, (true, predicted, count) in enumerate(mistakes, start=1):
        text = f"{names[true]} → {names[predicted]}: {count:,}"
        draw.text((left, TITLE + LIST_LINE * place), text, INK, font(NAME_SIZE), anchor="lm")
    sheet.save(target, "PNG", compress_level=1)


def most_confused(confusion: npt.NDArray[np.int64], count: int) -> list[tuple[int, int, int]]:
    """The indices of the true and the predicted class, and the images, of the most frequent mistakes."""
    mistakes = confusion.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
    places = zip(*np.unravel_index(order, mistakes.shape), strict=True)
    return [
        (int(true), int(predicted), int(mistakes[true, predicted]))
        for true, predicted in places
        if mistakes[true, predicted]
    ]


def _write(draw: ImageDraw.ImageDraw, center: tuple[float, float], text: str, size: int, *, bold: bool = False) -> None:
    draw.text(center, text, INK, font(size, bold=bold), anchor="mm")


def _write_vertically(sheet: Image.Image, text: str, center: int, top: int) -> None:
    """Write from bottom to top; the text ends at `top`."""
    box = font(NAME_SIZE).getbbox(text)
    line = Image.new("RGB", (int(box[2]), 2 * NAME_SIZE), PAPER)
    ImageDraw.Draw(line).text((0, NAME_SIZE), text, INK, font(NAME_SIZE), anchor="lm")
    sheet.paste(line.transpose(Image.Transpose.ROTATE_90), (center - NAME_SIZE, top))
