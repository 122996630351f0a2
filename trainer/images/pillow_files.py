"""Opens the kinds of image files that Pillow reads, itself or by a plugin, and makes greys of its many modes."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, Jpeg2KImagePlugin, UnidentifiedImageError, features

from trainer.errors import ImageUnreadable
from trainer.file_kinds import AVIF, BMP, GIF, HEIC, ICON, JPEG, JPEG_2000, PNG, PNM, TIFF, WEBP, FileKind
from trainer.idx import Bytes
from trainer.images.depth import to_bytes
from trainer.images.transparency import on_paper

# A phone's camera gives 12 million; larger images are refused from their header, before they are decoded.
MOST_PIXELS = 50_000_000

# Images of more pixels are taken at half the size, so that no image takes more than some 300 MB while it is read.
MOST_WHOLE_PIXELS = 16_000_000

# Of Pillow's some forty readers these alone get to see files from strangers, and each only what begins like its own
# kind: one of the others starts Ghostscript.
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


@contextmanager
def open_image(data: bytes, kind: FileKind) -> Iterator[Image.Image]:
    """The image, not yet decoded.

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
    """Raises `ImageUnreadable` for more than 50 million pixels."""
    if width * height > MOST_PIXELS:
        most = f"{MOST_PIXELS // 10**6} million"
        raise ImageUnreadable(f"is {width}×{height} pixels; the most is {most}. Make it smaller", "too large")


def frame_of(image: Image.Image, number: int, *, opaque_if_clear: bool = False) -> Bytes:
    """A frame of the image as grey (h, w) uint8, not yet turned; halved if it has more than 16 million pixels.

    Args:
        number: counted from 0.
        opaque_if_clear: whether an image that is transparent all over is meant to be opaque.

    Raises:
        ImageUnreadable: there are not so many frames, or this one has more than 50 million pixels.
    """
    if number:
        try:
            image.seek(number)
        except EOFError as error:
            raise ImageUnreadable(f"has no page {number + 1}", "damaged") from error
        check_size(image.width, image.height)
    halved = is_halved(image)
    # A JPEG has its grey beside its colors, which need not be decoded then.
    drafted = image.draft("L", (image.width // 2, image.height // 2) if halved else image.size) is not None
    if halved and isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        image.reduce = 1  # by how many powers of two
        drafted = True
    image.load()
    return _grey(image, halved=halved and not drafted, opaque_if_clear=opaque_if_clear)


def is_halved(image: Image.Image) -> bool:
    return image.width * image.height > MOST_WHOLE_PIXELS


@contextmanager
def errors_in_words(kind: FileKind) -> Iterator[None]:
    """Any error of a decoder as `ImageUnreadable`: they raise many kinds of errors on damaged files."""
    try:
        yield
    except ImageUnreadable:
        raise
    except UnidentifiedImageError as error:
        raise ImageUnreadable(
            f"is no image that can be read: it begins like {kind.with_article}, but is damaged or cut short", "damaged"
        ) from error
    except Image.DecompressionBombError as error:
        most = f"{MOST_PIXELS // 10**6} million pixels, which is the most"
        raise ImageUnreadable(f"is too large: it claims several times {most}", "too large") from error
    except Exception as error:
        reason = re.split(r" <_io\.BytesIO", str(error))[0].rstrip() or type(error).__name__
        raise ImageUnreadable(f"is no image that can be read: {reason}", "damaged") from error


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
        "no reader",
    )


def _grey(image: Image.Image, *, halved: bool, opaque_if_clear: bool) -> Bytes:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        return to_bytes(values[::2, ::2] if halved else values)
    if image.mode not in ("RGBA", "LA", "PA", "La", "RGBa") and "transparency" not in image.info:
        return np.asarray(_reduced(image.convert("L"), halved))
    if image.mode == "La":
        image = image.convert("LA")
    colored = _reduced(image.convert("RGBA"), halved)
    grey, opacity = np.asarray(colored.convert("L")), np.asarray(colored.getchannel("A"))
    return grey if opaque_if_clear and not opacity.any() else on_paper(grey, opacity)


def _reduced(image: Image.Image, halved: bool) -> Image.Image:
    return image.reduce(2) if halved else image
