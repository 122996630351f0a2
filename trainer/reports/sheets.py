"""Sheets of images with a caption over each, drawn with Pillow in a tenth of the time a plotting library takes."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.thumbnails import as_on_paper

# A file's path, or an open file, to write a PNG to.
Target = Path | BinaryIO

IMAGES_IN_A_ROW = 8
# The longer side of an image on the sheet, in pixels.
SHOWN_SIDE = 112
GAP, CAPTION, TITLE, MARGIN = 24, 44, 40, 16
TITLE_SIZE, CAPTION_SIZE = 18, 15
# The maximum length of a single label above an image, and of each of two.
CAPTION_LETTERS, PAIR_LETTERS = 14, 6

PAPER, INK, RED = "white", "black", "#b3261e"

Caption = tuple[str, str]


def draw_predictions(
    images: Bytes, true: Sequence[str], predicted: Sequence[str], confidences: Sequence[float], target: Target
) -> None:
    """Draw images (n, h, w) or (n, h, w, 3) with the predicted labels; wrong ones in red."""
    captions = [
        (f"{shortened(label, CAPTION_LETTERS)}\n{confidence:.0%}", INK if label == truth else RED)
        for truth, label, confidence in zip(true, predicted, confidences, strict=True)
    ]
    _draw("Predicted label and confidence (wrong ones in red)", images, captions, target)


def draw_mistakes(
    images: Bytes, true: Sequence[str], predicted: Sequence[str], confidences: Sequence[float], target: Target
) -> None:
    """Draw misclassified images (n, h, w) or (n, h, w, 3) with their true and predicted labels."""
    captions = [
        (f"{shortened(truth, PAIR_LETTERS)} → {shortened(label, PAIR_LETTERS)}\n{confidence:.0%}", INK)
        for truth, label, confidence in zip(true, predicted, confidences, strict=True)
    ]
    title = "Worst mistakes: true → predicted label and confidence" if len(images) else "No mistakes"
    _draw(title, images, captions, target)


def draw_uncertain(images: Bytes, predicted: Sequence[str], confidences: Sequence[float], target: Target) -> None:
    """Draw the images (n, h, w) or (n, h, w, 3) with the lowest confidence."""
    captions = [
        (f"{shortened(label, CAPTION_LETTERS)}\n{confidence:.0%}", INK)
        for label, confidence in zip(predicted, confidences, strict=True)
    ]
    _draw(
        "Lowest confidence: predicted label and confidence" if len(images) else "No answers", images, captions, target
    )


def _draw(title: str, images: Bytes, captions: Sequence[Caption], target: Target) -> None:
    rows = max(1, -(-len(images) // IMAGES_IN_A_ROW))
    scale = SHOWN_SIDE / max(images.shape[1:3])
    height, width = (max(1, round(side * scale)) for side in images.shape[1:3])
    across, down = SHOWN_SIDE + GAP, height + CAPTION
    sheet = Image.new("RGB", (IMAGES_IN_A_ROW * across + 2 * MARGIN, TITLE + rows * down + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((sheet.width / 2, TITLE / 2), title, INK, font(TITLE_SIZE), anchor="mm")
    for place, (image, (text, color)) in enumerate(zip(as_on_paper(images), captions, strict=True)):
        left = MARGIN + GAP // 2 + place % IMAGES_IN_A_ROW * across
        top = TITLE + CAPTION + place // IMAGES_IN_A_ROW * down
        shown = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
        sheet.paste(shown, (left + (SHOWN_SIDE - width) // 2, top))
        draw.multiline_text((left + SHOWN_SIDE / 2, top), text, color, font(CAPTION_SIZE), anchor="md", align="center")
    sheet.save(target, "PNG", compress_level=1)


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Matplotlib's font, which has Greek, Cyrillic and arrows; `size` in pixels."""
    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans{'-Bold' if bold else ''}.ttf", size)


def shortened(name: str, length: int) -> str:
    """The name, cut to at most this length."""
    return name if len(name) <= length else f"{name[: length - 1]}…"
