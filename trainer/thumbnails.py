"""Makes small pictures for people, of a kind that every browser shows, of whatever image file came."""

import io

import cv2
from PIL import Image

from trainer.decoding import plain_pixels
from trainer.file_kinds import PDF, START_BYTES, kind_of_file
from trainer.idx import Bytes
from trainer.images import MOST_PIXELS, read_image
from trainer.images.orientation import orientation_of, upright
from trainer.images.pillow_files import open_image

# A plain file of up to this size is its own picture: nothing is gained by making it smaller.
MOST_OWN_BYTES = 64 * 2**10
MOST_OWN_PIXELS = 512 * 512

# Up to this size a PNG is small and every pixel can be told; beyond it a JPEG is a tenth of it, and made in a moment.
MOST_PNG_PIXELS = 64 * 64
JPEG_QUALITY = 88

# What can be shown in its own colours; the others are shown in the grey that `read_image` makes of them.
COLOURED = frozenset({"RGB", "CMYK", "YCbCr"})


def thumbnail(data: bytes, side: int, page: int = 0) -> bytes:
    """The image in a file's bytes, upright, in its colours where it has any, as a PNG or JPEG.

    Args:
        side: the most pixels of width and height; small files stay as they are.
        page: which page, or frame of an animation, counted from 0.

    Raises:
        ImageUnreadable: as `trainer.images.read_image`.
    """
    if not page and len(data) <= MOST_OWN_BYTES and (plain_pixels(data) or MOST_PIXELS) <= MOST_OWN_PIXELS:
        return data
    image = (None if page else _coloured(data, side)) or Image.fromarray(read_image(data, page))
    image.thumbnail((side, side), reducing_gap=2.0)
    return _encode(image)


def picture_of(pixels: Bytes) -> bytes:
    """A small grey image (h, w) uint8 as a PNG, not packed: that would take twice as long as all else."""
    return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()


def _coloured(data: bytes, side: int) -> Image.Image | None:
    kind = kind_of_file(data[:START_BYTES])
    if kind is None or kind is PDF:
        return None
    try:
        with open_image(data, kind) as image:
            if image.mode not in COLOURED or "transparency" in image.info:
                return None
            image.draft("RGB", (2 * side, 2 * side))
            return upright(image.convert("RGB"), orientation_of(image))
    except Exception:  # Pillow's decoders raise many kinds of errors on damaged files; `read_image` says which
        return None


def _encode(image: Image.Image) -> bytes:
    file = io.BytesIO()
    if image.width * image.height <= MOST_PNG_PIXELS:
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
