"""Reads image files as upright gray or RGB images, with transparency composited onto contrasting paper."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from tenfold.files.kinds import ICON, PDF, PNG, START_BYTES, TIFF, FileKind, kind_of_file, may_have_pages
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.depth import read_deep
from tenfold.trainer.images.icons import png_in_icon
from tenfold.trainer.images.orientation import orientation_of, turned_upright
from tenfold.trainer.images.pdfs import draw_page, pdf_pages
from tenfold.trainer.images.pillow_files import errors_in_words, frame_of, is_halved, open_image
from tenfold.trainer.images.pngs import read_png
from tenfold.trainer.images.tiffs import open_tiff, tiff_pages

# Returns the page with an index as gray (h, w) or RGB (h, w, 3) uint8.
Draw = Callable[[int], Bytes]


def read_image(data: bytes, page: int = 0, *, color: bool = False) -> Bytes:
    """Read an image file as upright gray (h, w) uint8, without transparency.

    Images of more than 16 million pixels are halved in width and height; PDF pages are rendered at 200 dpi.

    Args:
        data: the file's content.
        page: index of the page, or of an animation's frame.
        color: whether to read a file with colors as RGB (h, w, 3); one without stays gray.

    Raises:
        ImageUnreadable: the data is not an image, is damaged, has more than 50 million pixels, or lacks this page.
    """
    kind = _readable_kind(data)
    with errors_in_words(kind), _opened(data, kind, color) as draw:
        return draw(page)


def read_pages(data: bytes, pages: Iterable[int], *, color: bool = False) -> Iterator[Bytes | ImageUnreadable]:
    """Read several pages of a file as `read_image` does, opening it once; yields an error for an unreadable page.

    Args:
        pages: their indices. For animations ascending order is fastest.
    """
    ahead = iter(pages)
    try:
        kind = _readable_kind(data)
        with errors_in_words(kind), _opened(data, kind, color) as draw:
            for page in ahead:
                yield _drawn(draw, page, kind)
    except ImageUnreadable as error:
        # The file could not be opened.
        yield from (error for _ in ahead)


def page_count(data: bytes) -> int:
    """The number of pages of a TIFF or PDF, or of frames of an animation; 1 for other images.

    A TIFF's thumbnails and masks are not counted. An MPO, whose images show the same scene, counts as 1.

    Raises:
        ImageUnreadable: as `read_image`.
    """
    kind = _readable_kind(data)
    if not may_have_pages(data[:START_BYTES]):
        return 1
    with errors_in_words(kind):
        if kind is PDF:
            return pdf_pages(data)
        if kind is PNG:
            return read_png(data).frames
        if kind is TIFF:
            return len(tiff_pages(data))
        with open_image(data, kind) as image:
            return int(getattr(image, "n_frames", 1))


def _drawn(draw: Draw, page: int, kind: FileKind) -> Bytes | ImageUnreadable:
    try:
        with errors_in_words(kind):
            return draw(page)
    except ImageUnreadable as error:
        return error


def _readable_kind(data: bytes) -> FileKind:
    if not data:
        raise ImageUnreadable("the file is empty (0 bytes)", "empty")
    kind = kind_of_file(data[:START_BYTES])
    if kind is None:
        raise ImageUnreadable("is not an image: unrecognized file format")
    if not kind.readable:
        raise ImageUnreadable(
            f"can't be read as an image: it is {kind.with_article}" + f"; {kind.remedy}" * bool(kind.remedy)
        )
    return kind


@contextmanager
def _opened(data: bytes, kind: FileKind, color: bool) -> Iterator[Draw]:
    if kind is PDF:
        yield partial(draw_page, data, color=color)
    elif kind is TIFF:
        with open_tiff(data, color=color) as draw:
            yield draw
    elif kind is PNG:
        with _opened_png(data, color) as draw:
            yield draw
    elif kind is ICON and (inner := png_in_icon(data)):
        with _opened_png(inner, color) as draw:
            yield draw
    else:
        with open_image(data, kind) as image:
            orientation = orientation_of(image)
            yield lambda page: turned_upright(frame_of(image, page, color=color), orientation)


@contextmanager
def _opened_png(data: bytes, color: bool) -> Iterator[Draw]:
    png = read_png(data)
    with open_image(png.data, PNG) as image:

        def draw(page: int) -> Bytes:
            deep = png.depth == 16 and png.frames == 1 and page == 0
            picture = (
                read_deep(png.data, page, halved=is_halved(image), color=color)
                if deep
                else frame_of(image, page, color=color)
            )
            return turned_upright(picture, png.orientation)

        yield draw
