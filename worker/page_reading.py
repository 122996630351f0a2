"""Reads pages of files that have several, each as the file of a picture of its own."""

from trainer.images.reading import read_image
from trainer.thumbnails import picture_of
from worker.sources import Page, Source, read_file


class PageReader:
    """Reads pages of a source. A file is read once for pages of it that follow each other."""

    def __init__(self, source: Source, max_image_bytes: int) -> None:
        self._source = source
        self._max_image_bytes = max_image_bytes
        self._name: str | None = None
        self._data = b""

    def read(self, page: Page) -> bytes:
        """The page as a grey PNG.

        Raises:
            UnreadableMember: the file cannot be read.
            ImageUnreadable: the file has no such page, or it is damaged.
        """
        if page.member.name != self._name or page.number == 1:
            self._name, self._data = None, read_file(self._source, page, self._max_image_bytes)
            self._name = page.member.name
        return page_as_png(self._data, page.number)


def page_as_png(data: bytes, number: int) -> bytes:
    """A page of a file's bytes, counted from 1, as a grey PNG.

    Raises:
        ImageUnreadable: there is no such page, or it is damaged.
    """
    return picture_of(read_image(data, number - 1))
