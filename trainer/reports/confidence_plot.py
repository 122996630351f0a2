"""Draws a histogram of a classification's confidence with Pillow, in a tenth of a plotting library's time."""

from math import log10

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tenfold.trainer.reports.sheets import Target, font

WIDTH, HEIGHT = 770, 440
LEFT, RIGHT, TOP, BOTTOM = 92, 748, 46, 376
TEXT_SIZE, TITLE_SIZE, SWATCH = 14, 17, 14

PAPER, INK, GRID = "white", "black", "#dddddd"
ACCEPTED, TO_REVIEW = "#1f5fbf", "#d9822b"


def draw_confidence(accepted: npt.NDArray[np.int64], to_review: npt.NDArray[np.int64], target: Target) -> None:
    """Draw the number of answers by confidence, on a logarithmic scale since most answers are very confident.

    Args:
        accepted: (bins,) counts of accepted answers, in bins of equal width over 0–1.
        to_review: the same for answers to review.
        target: the PNG file.
    """
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text(((LEFT + RIGHT) / 2, TOP / 2), "Answers by confidence", INK, font(TITLE_SIZE), anchor="mm")
    both = accepted + to_review
    # At least one order of magnitude, so that the axis has a scale even without answers.
    highest = max(_height(int(both.max())) * 1.05, _height(10))
    _draw_scales(draw, highest)
    edges = np.linspace(LEFT, RIGHT, len(both) + 1).round().astype(int).tolist()
    for left, right, reviewed, total in zip(edges, edges[1:], to_review.tolist(), both.tolist(), strict=False):
        for count, color in ((total, ACCEPTED), (reviewed, TO_REVIEW)):
            if count:
                draw.rectangle((left, _y(count, highest), right - 2, BOTTOM), fill=color)
    _draw_legend(draw, (("to review", TO_REVIEW, to_review.sum()), ("accepted", ACCEPTED, accepted.sum())))
    sheet.save(target, "PNG", compress_level=1)


def _height(count: int) -> float:
    """The height of a bar: the count itself up to 1, then 1 more for each order of magnitude."""
    return count if count <= 1 else 1 + log10(count)


def _y(count: int, highest: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * _height(count) / highest


def _draw_scales(draw: ImageDraw.ImageDraw, highest: float) -> None:
    counts = [0, *(10**order for order in range(int(highest)))]
    for count in counts:
        y = _y(count, highest)
        draw.line((LEFT, y, RIGHT, y), fill=GRID)
        draw.text((LEFT - 8, y), f"{count:,}", INK, font(TEXT_SIZE), anchor="rm")
    for tenths in range(0, 11, 2):
        x = LEFT + (RIGHT - LEFT) * tenths / 10
        draw.line((x, TOP, x, BOTTOM + 5), fill=GRID)
        draw.text((x, BOTTOM + 16), f"{tenths / 10:.1f}", INK, font(TEXT_SIZE), anchor="mm")
    draw.line((LEFT, BOTTOM, RIGHT, BOTTOM), fill=INK)
    draw.line((LEFT, TOP, LEFT, BOTTOM), fill=INK)
    draw.text(((LEFT + RIGHT) / 2, HEIGHT - 24), "confidence", INK, font(TEXT_SIZE), anchor="mm")
    draw.text((LEFT, TOP - 14), "images", INK, font(TEXT_SIZE), anchor="mm")


def _draw_legend(draw: ImageDraw.ImageDraw, entries: tuple[tuple[str, str, int], ...]) -> None:
    for place, (name, color, count) in enumerate(entries):
        x, y = LEFT + 16, TOP + 12 + place * (SWATCH + 8)
        draw.rectangle((x, y, x + SWATCH, y + SWATCH), fill=color)
        draw.text((x + SWATCH + 8, y + SWATCH / 2), f"{name}: {count:,}", INK, font(TEXT_SIZE), anchor="lm")
