"""Reads image files as grey pictures, upright, on white paper. `normalisation` brings those to MNIST's form."""

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from trainer.errors import ImageUnreadable
from trainer.idx import Bytes
from trainer.normalisation import BOX, CENTRE, SIDE, Normalised, NormaliseMode, normalise, normalise_all, steps

__all__ = ["BOX", "CENTRE", "SIDE", "NormaliseMode", "Normalised", "normalise", "normalise_all", "read_image", "steps"]

# A phone's camera gives 12 million; larger images are refused from their header, before they are decoded.
MOST_PIXELS = 50_000_000

# Images of more pixels are taken at half the size, so that no image takes more than some 300 MB while it is read.
MOST_WHOLE_PIXELS = 16_000_000

# Of Pillow's some forty readers these alone get to see files from strangers: one of the others starts Ghostscript.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")

# Where a page or a drawing says what it is.
LOOKED_AT_BYTES = 1000

# How PNG, JPEG, GIF, BMP, TIFF and WebP begin.
BEGINNINGS = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


def read_image(data: bytes) -> Bytes:
    """The image in a file's bytes as grey (h, w) uint8, upright, with transparency laid on white paper.

    One of more than 16 million pixels is halved in width and height.

    Raises:
        ImageUnreadable: the bytes are no image, a damaged one, or one of more than 50 million pixels.
    """
    if not data:
        raise ImageUnreadable("the file is empty (0 bytes)", "empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ImageUnreadable(
                        f"is {image.width}×{image.height} pixels; the most is {MOST_PIXELS // 10**6} million",
                        "too large",
                    )
                halved = image.width * image.height > MOST_WHOLE_PIXELS
                # A JPEG has its grey beside its colours, which need not be decoded then.
                drafted = image.draft("L", (image.width // 2, image.height // 2) if halved else image.size)
                ImageOps.exif_transpose(image, in_place=True)
                return _grey(image, halved=halved and drafted is None)
    except ImageUnreadable:
        raise
    except UnidentifiedImageError as error:
        raise ImageUnreadable(_what_else(data)) from error
    except Image.DecompressionBombError as error:
        most = f"{MOST_PIXELS // 10**6} million pixels, which is the most"
        raise ImageUnreadable(f"is too large: it claims several times {most}", "too large") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors on damaged files
        raise ImageUnreadable(f"is no image that can be read: {_without_address(error)}", "damaged") from error


def _grey(image: Image.Image, *, halved: bool) -> Bytes:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float32)
        return _stretched_to_bytes(values[::2, ::2] if halved else values)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        coloured = _reduced(image.convert("RGBA"), halved)
        paper = Image.new("RGBA", coloured.size, "white")
        image, halved = Image.alpha_composite(paper, coloured), False
    return np.asarray(_reduced(image.convert("L"), halved))


def _reduced(image: Image.Image, halved: bool) -> Image.Image:
    return image.reduce(2) if halved else image


def _stretched_to_bytes(values: npt.NDArray[np.float32]) -> Bytes:
    """16-bit integers and floats in 0–1 have fixed ranges; any other is stretched to its own."""
    least, most = float(values.min()), float(values.max())
    top = 1.0 if least >= 0 and most <= 1 else 65535.0 if least >= 0 and 255 < most <= 65535 else 255.0
    if least < 0 or most > top:
        values, top = values - least, max(most - least, 1.0)
    return np.round(values * (255 / top)).astype(np.uint8)


def _what_else(data: bytes) -> str:
    """What a file is that is no image, as far as its beginning tells."""
    start = data[:LOOKED_AT_BYTES].lower()
    if b"<svg" in start:
        return "is an SVG drawing, not a picture of pixels; save it as PNG"
    if b"<html" in start or b"<!doctype html" in start:
        return "is an HTML page, not a picture; perhaps it was saved instead of the image that it shows"
    if data.startswith(BEGINNINGS):
        return "is no image that can be read: it begins like one, but is damaged or cut short"
    return "is no image that can be read: it begins like no kind of image that is known"


def _without_address(error: Exception) -> str:
    return str(error).split(" <_io.BytesIO")[0].rstrip() or type(error).__name__
