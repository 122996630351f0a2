"""Reads pages of multi-page files, each as an image file."""

from tenfold.trainer.images.reading import read_image
from tenfold.trainer.images.thumbnails import picture_of
from tenfold.worker.sources import Page, Source, read_file


class PageReader:
    """Reads pages of a source. A file is read once for consecutive pages."""

    def __init__(self, source: Source, max_image_bytes: int, *, color: bool) -> None:
        self._source = source
        self._max_image_bytes = max_image_bytes
        self._color = color
        self._name: str | None = None
        self._data = b""

    def read(self, page: Page) -> bytes:
        """The page as a PNG, in gray unless the reader is for color.

        Raises:
            UnreadableMember: the file cannot be read.
            ImageUnreadable: the file has no such page, or it is damaged.
        """
        if page.member.name != self._name or page.number == 1:
            self._name, self._data = None, read_file(self._source, page, self._max_image_bytes)
            self._name = page.member.name
        return page_as_png(self._data, page.number, color=self._color)


def page_as_png(data: bytes, number: int, *, color: bool = False) -> bytes:
    """A page of a file's bytes, counted from 1, as a PNG: in gray, or with its colors if `color`.

    Raises:
        ImageUnreadable: there is no such page, or it is damaged.
    """
    return picture_of(read_image(data, number - 1, color=color))
