"""The font of the pictures that are drawn with Pillow."""

from functools import cache

from matplotlib import get_data_path
from PIL import ImageFont


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The one that the plots are written in, which has Greek, Cyrillic and arrows; `size` in pixels."""
    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans{'-Bold' if bold else ''}.ttf", size)


def shortened(name: str, most: int) -> str:
    """A name of at most so many letters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
