"""Reads the pages of a TIFF or BigTIFF: with Pillow, and with OpenCV what Pillow knows only in part."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from PIL import Image, UnidentifiedImageError

from trainer.errors import ImageUnreadable
from trainer.file_kinds import TIFF
from trainer.idx import Bytes
from trainer.images.deep import read_deep
from trainer.images.orientation import turned_upright
from trainer.images.pillow_files import MOST_WHOLE_PIXELS, check_size, frame_of, open_image
from trainer.images.tiffs import Directory, read_directories

# By TIFF's number: what libtiff can be built without, and Pillow's and OpenCV's are.
UNREAD_COMPRESSIONS = {
    34661: "JBIG",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG, as camera's raw images are",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}


def tiff_pages(data: bytes) -> list[Directory]:
    """The directories that are pages; the first one alone where all say that they are none."""
    return _pages(read_directories(data)[0])


@contextmanager
def open_tiff(data: bytes) -> Iterator[Callable[[int], Bytes]]:
    """What gives a page, by its number, as grey (h, w) uint8, upright."""
    directories, plain = read_directories(data)
    pages = _pages(directories)
    with _opened(plain) as image:

        def draw(number: int) -> Bytes:
            if number >= len(pages):
                raise ImageUnreadable(f"has no page {number + 1}", "damaged")
            return turned_upright(_drawn(plain, image, pages[number]), pages[number].orientation)

        yield draw


def _pages(directories: list[Directory]) -> list[Directory]:
    return [directory for directory in directories if directory.is_page] or directories[:1]


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image | None]:
    """None where Pillow does not know the first directory's kind of pixels."""
    with ExitStack() as opened:
        try:
            image = opened.enter_context(open_image(data, TIFF))
        except UnidentifiedImageError:
            image = None
        yield image


def _drawn(data: bytes, image: Image.Image | None, page: Directory) -> Bytes:
    if page.compression in UNREAD_COMPRESSIONS:
        raise ImageUnreadable(
            f"is a TIFF whose pixels are packed as {UNREAD_COMPRESSIONS[page.compression]}, which is not read; "
            "save it with LZW or Deflate, or as PNG",
            "no reader",
        )
    check_size(page.width, page.height)
    if image is not None and not page.is_deep_color:
        try:
            return frame_of(image, page.number, opaque_if_clear=page.alpha_is_guessed)
        except SyntaxError:
            pass  # what Pillow raises for kinds of pixels that it does not know
    return read_deep(data, page.number, halved=page.width * page.height > MOST_WHOLE_PIXELS)
