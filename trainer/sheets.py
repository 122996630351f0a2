"""Sheets of images with a caption over each, drawn with Pillow: a tenth of what a plotting library takes for them."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageDraw

from trainer.fonts import font, shortened
from trainer.idx import Bytes

# Where a picture goes: a file's path, or an open file.
Target = Path | BinaryIO

IMAGES_IN_A_ROW = 8
ENLARGED = 4
GAP, CAPTION, TITLE, MARGIN = 24, 44, 40, 16
TITLE_SIZE, CAPTION_SIZE = 18, 15
# Of one label over an image, and of each of two.
CAPTION_LETTERS, PAIR_LETTERS = 14, 6

PAPER, INK, RED = "white", "black", "#b3261e"

Caption = tuple[str, str]


def draw_predictions(
    images: Bytes, true: Sequence[str], predicted: Sequence[str], confidences: Sequence[float], target: Target
) -> None:
    """Images (n, 28, 28) with what the model takes each for; wrong ones in red."""
    captions = [
        (f"{shortened(label, CAPTION_LETTERS)}\n{confidence:.0%}", INK if label == truth else RED)
        for truth, label, confidence in zip(true, predicted, confidences, strict=True)
    ]
    _draw("What the model sees: label and confidence", images, captions, target)


def draw_mistakes(
    images: Bytes, true: Sequence[str], predicted: Sequence[str], confidences: Sequence[float], target: Target
) -> None:
    """Wrongly classified images (n, 28, 28), each with its true and its predicted label."""
    captions = [
        (f"{shortened(truth, PAIR_LETTERS)} → {shortened(label, PAIR_LETTERS)}\n{confidence:.0%}", INK)
        for truth, label, confidence in zip(true, predicted, confidences, strict=True)
    ]
    title = "Worst mistakes: true → predicted label, and confidence" if len(images) else "No mistakes"
    _draw(title, images, captions, target)


def draw_uncertain(images: Bytes, predicted: Sequence[str], confidences: Sequence[float], target: Target) -> None:
    """The images (n, 28, 28) that a classification is least sure of."""
    captions = [
        (f"{shortened(label, CAPTION_LETTERS)}\n{confidence:.0%}", INK)
        for label, confidence in zip(predicted, confidences, strict=True)
    ]
    _draw("Least certain: label and confidence" if len(images) else "No answers", images, captions, target)


def _draw(title: str, images: Bytes, captions: Sequence[Caption], target: Target) -> None:
    rows = max(1, -(-len(images) // IMAGES_IN_A_ROW))
    side = images.shape[1] * ENLARGED
    across, down = side + GAP, side + CAPTION
    sheet = Image.new("RGB", (IMAGES_IN_A_ROW * across + 2 * MARGIN, TITLE + rows * down + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((sheet.width / 2, TITLE / 2), title, INK, font(TITLE_SIZE), anchor="mm")
    for place, (image, (text, colour)) in enumerate(zip(images, captions, strict=True)):
        left = MARGIN + GAP // 2 + place % IMAGES_IN_A_ROW * across
        top = TITLE + CAPTION + place // IMAGES_IN_A_ROW * down
        sheet.paste(Image.fromarray(255 - image).resize((side, side), Image.Resampling.BICUBIC), (left, top))
        draw.multiline_text((left + side / 2, top), text, colour, font(CAPTION_SIZE), anchor="md", align="center")
    sheet.save(target, "PNG", compress_level=1)
