"""What is sent: one archive, or loose images and folders packed into a zip; read again whenever it is sent again."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from tenfold.files.names import IMAGES, kind_of
from tenfold.files.packing import Pack

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
    """The one archive, or a zip of all the images for as long as the block lasts.

    Raises:
        FileNotFoundError: there is no file in any of the folders.
    """
    if len(paths) == 1 and not paths[0].is_dir() and kind_of(paths[0].name) not in IMAGES:
        yield paths[0]
        return
    with TemporaryDirectory() as directory:
        packed = Path(directory) / "images.zip"
        with packed.open("wb") as file:
            pack = Pack(file.write)
            for name, path in named_files(paths):
                with path.open("rb") as image:
                    pack.add(name, image, path.stat().st_size)
            pack.close()
        yield packed


def named_files(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """All files of these paths with their names in the zip, no two of which are the same. Folders keep their order of
    names; what is no image in them is sent too, for the server to tell what it skipped.

    Of a single folder the names begin inside it. Else they are the paths as given, without what leads out of the
    current directory; absolute ones begin below the folder that they have in common.

    Raises:
        FileNotFoundError: there is no file in any of the folders.
    """
    prefixes = [PurePosixPath()] if len(paths) == 1 and paths[0].is_dir() else _prefixes(paths)
    found = [
        (prefix / file.relative_to(path).as_posix() if path.is_dir() else prefix, file)
        for prefix, path in zip(prefixes, paths, strict=True)
        for file in (_files_below(path) if path.is_dir() else [path])
    ]
    if not found:
        raise FileNotFoundError(f"There is no file in {', '.join(map(str, paths))}.")
    taken: set[PurePosixPath] = set()
    return [(str(_not_taken(name, taken)), file) for name, file in found]


def _prefixes(paths: Sequence[Path]) -> list[PurePosixPath]:
    folders = {path if path.is_dir() else path.parent for path in paths if path.is_absolute()}
    begin = Path(os.path.commonpath(folders)) if folders else None
    if begin and len(folders) == 1:
        begin = begin.parent
    return [_inside(path.relative_to(begin) if path.is_absolute() and begin else path) for path in paths]


def _inside(path: Path) -> PurePosixPath:
    """The path without what leads out of where it begins."""
    parts = [part for part in Path(os.path.normpath(path)).parts if part != os.pardir]
    return PurePosixPath(*parts)


def _files_below(directory: Path) -> list[Path]:
    """All files in a folder and in those below it; links to folders are not followed."""
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _not_taken(name: PurePosixPath, taken: set[PurePosixPath]) -> PurePosixPath:
    """The name, or where another file has it, `name (2)` in the same folder."""
    numbered = (name.with_name(f"{name.stem} ({number}){name.suffix}") for number in count(2))
    free = next(candidate for candidate in chain([name], numbered) if candidate not in taken)
    taken.add(free)
    return free
