"""What is sent: one archive, or loose images packed into a zip; read anew from the start whenever it is sent again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from worker.sources.names import IMAGES, kind_of, leads_outside
from worker.sources.packing import Pack

PIECE_BYTES = 1 << 18


class Pieces:
    """A file as a request's body. Not a generator, so that it can be sent again.

    Args:
        on_bytes: called with the size of each piece sent, and with minus their sum where sending starts again.
    """

    def __init__(self, path: Path, on_bytes: Callable[[int], None]) -> None:
        self._path = path
        self._on_bytes = on_bytes
        self._sent = 0

    def __iter__(self) -> Iterator[bytes]:
        if self._sent:
            self._on_bytes(-self._sent)
        self._sent = 0
        with self._path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
                self._sent += len(piece)
                self._on_bytes(len(piece))


@contextmanager
def packed_where_loose(paths: Sequence[Path]) -> Iterator[Path]:
    """The one archive, or a zip of all the images for as long as the block lasts."""
    if len(paths) == 1 and kind_of(paths[0].name) not in IMAGES:
        yield paths[0]
        return
    with TemporaryDirectory() as directory:
        packed = Path(directory) / "images.zip"
        with packed.open("wb") as file:
            pack = Pack(file.write)
            for path in paths:
                with path.open("rb") as image:
                    pack.add(_name_in_zip(path), image, path.stat().st_size)
            pack.close()
        yield packed


def _name_in_zip(path: Path) -> str:
    return path.name if leads_outside(str(path)) else path.as_posix()
