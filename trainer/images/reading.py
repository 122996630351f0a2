"""Reads image files as grey pictures, upright, on a paper on which their ink can be seen."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from trainer.errors import ImageUnreadable
from trainer.file_kinds import ICON, PDF, PNG, START_BYTES, TIFF, FileKind, kind_of_file, may_have_pages
from trainer.idx import Bytes
from trainer.images.deep import read_deep
from trainer.images.icons import png_in_icon
from trainer.images.orientation import orientation_of, turned_upright
from trainer.images.pdfs import draw_page, pdf_pages
from trainer.images.pillow_files import errors_in_words, frame_of, is_halved, open_image
from trainer.images.pngs import read_png
from trainer.images.tiff_pages import open_tiff, tiff_pages

# Gives a page of an open file, by its number, as grey (h, w) uint8.
Draw = Callable[[int], Bytes]


def read_image(data: bytes, page: int = 0) -> Bytes:
    """The image in a file's bytes as grey (h, w) uint8, upright, with what is transparent laid on paper.

    One of more than 16 million pixels is halved in width and height; a PDF's page has 200 dots an inch.

    Args:
        page: which page, or frame of an animation, counted from 0.

    Raises:
        ImageUnreadable: the bytes are no image, a damaged one, one of more than 50 million pixels, or have no such
            page.
    """
    kind = _readable_kind(data)
    with errors_in_words(kind), _opened(data, kind) as draw:
        return draw(page)


def read_pages(data: bytes, pages: Iterable[int]) -> Iterator[Bytes | ImageUnreadable]:
    """Each of these pages as by `read_image`, or why it cannot be read; the file is opened once for all.

    Args:
        pages: counted from 0. An animation's take least time in ascending order.
    """
    ahead = iter(pages)
    try:
        kind = _readable_kind(data)
        with errors_in_words(kind), _opened(data, kind) as draw:
            for page in ahead:
                yield _drawn(draw, page, kind)
    except ImageUnreadable as error:
        # It could not be opened.
        yield from (error for _ in ahead)


def page_count(data: bytes) -> int:
    """How many pages a TIFF or PDF has, or frames an animation; 1 for any other image.

    A TIFF's smaller copies of a page, and masks, are not counted. The parts of an MPO, which show the same, are one.

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
        raise ImageUnreadable("is no image that can be read: it begins like no kind of image that is known")
    if not kind.readable:
        raise ImageUnreadable(
            f"is no image that can be read: it is {kind.with_article}" + f"; {kind.remedy}" * bool(kind.remedy)
        )
    return kind


@contextmanager
def _opened(data: bytes, kind: FileKind) -> Iterator[Draw]:
    if kind is PDF:
        yield partial(draw_page, data)
    elif kind is TIFF:
        with open_tiff(data) as draw:
            yield draw
    elif kind is PNG:
        with _opened_png(data) as draw:
            yield draw
    elif kind is ICON and (inner := png_in_icon(data)):
        with _opened_png(inner) as draw:
            yield draw
    else:
        with open_image(data, kind) as image:
            orientation = orientation_of(image)
            yield lambda page: turned_upright(frame_of(image, page), orientation)


@contextmanager
def _opened_png(data: bytes) -> Iterator[Draw]:
    png = read_png(data)
    with open_image(png.data, PNG) as image:

        def draw(page: int) -> Bytes:
            deep = png.depth == 16 and png.frames == 1 and page == 0
            picture = read_deep(png.data, page, halved=is_halved(image)) if deep else frame_of(image, page)
            return turned_upright(picture, png.orientation)

        yield draw
