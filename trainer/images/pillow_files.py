"""Reads image files with Pillow and its plugins, and converts Pillow's modes to gray."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, Jpeg2KImagePlugin, UnidentifiedImageError, features

from tenfold.files.kinds import AVIF, BMP, GIF, HEIC, ICON, JPEG, JPEG_2000, PNG, PNM, TIFF, WEBP, FileKind
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.depth import to_bytes
from tenfold.trainer.images.transparency import in_color_on_paper, on_paper

# Phone cameras take 12 million; larger images are refused by their header, before they are decoded.
MAX_PIXELS = 50_000_000

# Larger images are read at half their width and height, so that none takes more than about 300 MB.
MAX_WHOLE_PIXELS = 16_000_000

# For security, only these of Pillow's many readers are used, each only for files with its own signature: another one
# starts Ghostscript.
FORMATS = {
    PNG: "PNG",
    JPEG: "JPEG",
    GIF: "GIF",
    BMP: "BMP",
    TIFF: "TIFF",
    WEBP: "WEBP",
    HEIC: "HEIF",
    AVIF: "AVIF",
    JPEG_2000: "JPEG2000",
    PNM: "PPM",
    ICON: "ICO",
}


# Pillow's modes without colors; `I` and `F` with any suffix too.
GRAY_MODES = frozenset({"1", "L", "LA", "La"})


@contextmanager
def open_image(data: bytes, kind: FileKind) -> Iterator[Image.Image]:
    """Open an image without decoding it.

    Raises:
        ImageUnreadable: it has more than 50 million pixels, or the package that reads it is not installed.
    """
    _check_reader(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=[FORMATS[kind]]) as image:
            check_size(image.width, image.height)
            yield image


def check_size(width: int, height: int) -> None:
    """Raise `ImageUnreadable` for more than 50 million pixels."""
    if width * height > MAX_PIXELS:
        maximum = f"{MAX_PIXELS // 10**6} million"
        raise ImageUnreadable(f"is {width}×{height} pixels; the maximum is {maximum}. Make it smaller", "too_large")


def frame_of(image: Image.Image, number: int, *, color: bool = False, opaque_if_clear: bool = False) -> Bytes:
    """Decode a frame to gray (h, w) uint8, not yet rotated; halved if it has more than 16 million pixels.

    Args:
        number: index of the frame.
        color: whether to decode an image with colors to RGB (h, w, 3).
        opaque_if_clear: whether to treat a completely transparent image as opaque.

    Raises:
        ImageUnreadable: there is no such frame, or it has more than 50 million pixels.
    """
    if number:
        try:
            image.seek(number)
        except EOFError as error:
            raise ImageUnreadable(f"has no page {number + 1}", "damaged") from error
        check_size(image.width, image.height)
    halved = is_halved(image)
    # A JPEG stores its gray separately from its colors, which need not be decoded then.
    size = (image.width // 2, image.height // 2) if halved else image.size
    drafted = image.draft("RGB" if color and image.mode not in GRAY_MODES else "L", size) is not None
    if halved and isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        image.reduce = 1  # by how many powers of two
        drafted = True
    image.load()
    return _pixels(image, color=color, halved=halved and not drafted, opaque_if_clear=opaque_if_clear)


def is_halved(image: Image.Image) -> bool:
    return image.width * image.height > MAX_WHOLE_PIXELS


@contextmanager
def errors_in_words(kind: FileKind) -> Iterator[None]:
    """Convert decoders' errors to `ImageUnreadable`: they raise errors of many types on damaged files."""
    try:
        yield
    except ImageUnreadable:
        raise
    except UnidentifiedImageError as error:
        raise ImageUnreadable(
            f"can't be read: it starts like {kind.with_article}, but is damaged or truncated", "damaged"
        ) from error
    except Image.DecompressionBombError as error:
        maximum = f"{MAX_PIXELS // 10**6} million pixels"
        raise ImageUnreadable(f"is too large: it claims several times the maximum of {maximum}", "too_large") from error
    except Exception as error:
        reason = re.split(r" <_io\.BytesIO", str(error))[0].rstrip() or type(error).__name__
        raise ImageUnreadable(f"can't be read: {reason}", "damaged") from error


def _check_reader(kind: FileKind) -> None:
    if kind is HEIC:
        try:
            from pi_heif import register_heif_opener
        except ImportError as error:
            raise _needs("pi-heif", kind) from error
        register_heif_opener()
    elif (kind is AVIF and not features.check("avif")) or (kind is JPEG_2000 and not features.check("jpg_2000")):
        raise _needs("Pillow from PyPI, which is built to read it", kind)


def _needs(package: str, kind: FileKind) -> ImageUnreadable:
    return ImageUnreadable(
        f"is {kind.with_article}; to read it, the worker needs the package {package}. Install it, or save the image "
        "as PNG or JPEG",
        "missing_package",
    )


def _pixels(image: Image.Image, *, color: bool, halved: bool, opaque_if_clear: bool) -> Bytes:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        return to_bytes(values[::2, ::2] if halved else values)
    color = color and image.mode not in GRAY_MODES
    if image.mode not in ("RGBA", "LA", "PA", "La", "RGBa") and "transparency" not in image.info:
        return np.asarray(_reduced(image.convert("RGB" if color else "L"), halved))
    if image.mode == "La":
        image = image.convert("LA")
    colored = _reduced(image.convert("RGBA"), halved)
    opacity = np.asarray(colored.getchannel("A"))
    opaque = opaque_if_clear and not opacity.any()
    if color:
        pixels = np.asarray(colored.convert("RGB"))
        return pixels if opaque else in_color_on_paper(pixels, opacity)
    gray = np.asarray(colored.convert("L"))
    return gray if opaque else on_paper(gray, opacity)


def _reduced(image: Image.Image, halved: bool) -> Image.Image:
    return image.reduce(2) if halved else image
