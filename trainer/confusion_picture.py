"""A confusion matrix, drawn with Pillow: a plotting library takes ten times as long for its many texts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from PIL import Image, ImageDraw

from trainer.fonts import font, shortened
from trainer.sheets import Target

CELL, AXIS, TITLE, GAP = 62, 38, 48, 10
COUNT_SIZE, NAME_SIZE, TITLE_SIZE = 15, 15, 18
# Of a class name beside and below the matrix; below, one of more letters than fit a cell is written upwards.
NAME_LETTERS, UPRIGHT_LETTERS = 18, 5
LETTER = 10

PAPER, INK, RIGHT, NONE = "white", "black", "#c7e9c0", "#fff5f0"


def draw_confusion(confusion: npt.NDArray[np.int64], class_names: Sequence[str], target: Target) -> None:
    """Images by true and predicted class; the shade of red is the share of the true class, so that mistakes show.

    Args:
        confusion: (classes, classes) counts, the true class along the rows.
        target: where the PNG goes.
    """
    names = [shortened(name, NAME_LETTERS) for name in class_names]
    longest = max(map(len, names))
    left = AXIS + LETTER * longest + GAP
    below = NAME_SIZE if longest <= UPRIGHT_LETTERS else LETTER * longest
    side = CELL * len(names)
    sheet = Image.new("RGB", (left + side + 2 * GAP, TITLE + side + GAP + below + AXIS), PAPER)
    draw = ImageDraw.Draw(sheet)
    middle = left + side / 2
    _write(draw, (middle, TITLE / 2), f"{confusion.trace():,} of {confusion.sum():,} right", TITLE_SIZE)
    _draw_cells(draw, confusion, left)
    for place, name in enumerate(names):
        centre = CELL * place + CELL / 2
        draw.text((left - GAP, TITLE + centre), name, INK, font(NAME_SIZE), anchor="rm")
        if longest <= UPRIGHT_LETTERS:
            _write(draw, (left + centre, TITLE + side + GAP + NAME_SIZE / 2), name, NAME_SIZE)
        else:
            _write_upwards(sheet, name, round(left + centre), TITLE + side + GAP)
    _write(draw, (middle, sheet.height - AXIS / 2), "predicted", NAME_SIZE)
    _write_upwards(sheet, "true", AXIS // 2, TITLE + side // 2 - 2 * LETTER)
    sheet.save(target, "PNG", compress_level=1)


def _draw_cells(draw: ImageDraw.ImageDraw, confusion: npt.NDArray[np.int64], left: int) -> None:
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    # Short of the darkest red, on which nothing could be read.
    reds = colormaps["Reds"](shares / max(shares.max() * 1.3, 1e-9), bytes=True)
    for (row, column), count in np.ndenumerate(confusion):
        x, y = left + CELL * column, TITLE + CELL * row
        colour = RIGHT if row == column else tuple(map(int, reds[row, column, :3])) if count else NONE
        draw.rectangle((x, y, x + CELL - 1, y + CELL - 1), fill=colour)
        if count:
            _write(draw, (x + CELL / 2, y + CELL / 2), f"{count:,}", COUNT_SIZE, bold=row == column)


def _write(draw: ImageDraw.ImageDraw, centre: tuple[float, float], text: str, size: int, *, bold: bool = False) -> None:
    draw.text(centre, text, INK, font(size, bold=bold), anchor="mm")


def _write_upwards(sheet: Image.Image, text: str, centre: int, top: int) -> None:
    """Write from below upwards; the end is at `top`."""
    box = font(NAME_SIZE).getbbox(text)
    line = Image.new("RGB", (int(box[2]), 2 * NAME_SIZE), PAPER)
    ImageDraw.Draw(line).text((0, NAME_SIZE), text, INK, font(NAME_SIZE), anchor="lm")
    sheet.paste(line.transpose(Image.Transpose.ROTATE_90), (centre - NAME_SIZE, top))
