"""Makes thumbnails of any image file, in formats that every browser shows."""

import io

import cv2
from PIL import Image

from tenfold.files.kinds import PDF, START_BYTES, kind_of_file
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images import MAX_PIXELS, read_image
from tenfold.trainer.images.decoding import plain_pixels
from tenfold.trainer.images.orientation import orientation_of, upright
from tenfold.trainer.images.pillow_files import open_image

# A plain file of up to this size is its own thumbnail.
MAX_OWN_BYTES = 64 * 2**10
MAX_OWN_PIXELS = 512 * 512

# Up to this size thumbnails are PNGs, with every pixel exact; beyond it a JPEG takes a tenth of the bytes.
MAX_PNG_PIXELS = 64 * 64
JPEG_QUALITY = 88

PAPER = 255

# Modes that are shown in color; others are shown in gray, as by `read_image`.
COLORED = frozenset({"RGB", "CMYK", "YCbCr"})


def thumbnail(data: bytes, side: int, page: int = 0) -> bytes:
    """A thumbnail of an image file, upright and in color if possible, as a PNG or JPEG file.

    Args:
        side: the maximum width and height in pixels; small files are returned unchanged.
        page: index of the page, or of an animation's frame.

    Raises:
        ImageUnreadable: as `tenfold.trainer.images.read_image`.
    """
    if not page and len(data) <= MAX_OWN_BYTES and (plain_pixels(data) or MAX_PIXELS) <= MAX_OWN_PIXELS:
        return data
    image = (None if page else _colored(data, side)) or Image.fromarray(read_image(data, page))
    image.thumbnail((side, side), reducing_gap=2.0)
    return _encode(image)


def picture_of(pixels: Bytes) -> bytes:
    """A small image, gray (h, w) or RGB (h, w, 3) uint8, as an uncompressed PNG: compression would double the time of a
    request."""
    stored = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()


def as_on_paper(images: Bytes) -> Bytes:
    """Images (n, h, w) or (n, h, w, 3) uint8 as people expect them: gray ones that are light on dark are inverted."""
    is_light_on_dark = images.ndim == 3 and images.size and images.mean() < PAPER / 2
    return PAPER - images if is_light_on_dark else images


def _colored(data: bytes, side: int) -> Image.Image | None:
    kind = kind_of_file(data[:START_BYTES])
    if kind is None or kind is PDF:
        return None
    try:
        with open_image(data, kind) as image:
            if image.mode not in COLORED or "transparency" in image.info:
                return None
            image.draft("RGB", (2 * side, 2 * side))
            return upright(image.convert("RGB"), orientation_of(image))
    except Exception:  # Pillow raises errors of many types on damaged files; `read_image` reports them
        return None


def _encode(image: Image.Image) -> bytes:
    file = io.BytesIO()
    if image.width * image.height <= MAX_PNG_PIXELS:
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
