"""Reads images from a source and prepares them for a model, ahead of whoever classifies them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from trainer.decoding import decode
from trainer.errors import ImageUnreadable
from trainer.idx import Bytes
from trainer.images import Normalised, normalise_all
from trainer.plans import SIDE
from worker.page_reading import PageReader
from worker.preparing import Preparation
from worker.sources import Member, Page, Source, UnreadableMember
from worker.stopwatch import Stopwatch

# What one thread takes at a time, and what is read ahead for it: few enough that progress and cancel are prompt, and
# bounded in bytes, since one image may have tens of millions.
CHUNK_IMAGES = 128
CHUNK_BYTES = 16 * 2**20

# Bytes of an image from which on decoding it outweighs the handing over.
WORTH_A_THREAD = 4000


@dataclass(frozen=True)
class Problem:
    """Why an image has no answer: `kind` is one of few, for counting; `message` is for a person."""

    kind: str
    message: str


T = TypeVar("T")

ReadImage = tuple[Member, Normalised | Problem]

# Members to work on together, their files, and how many bytes these have.
Chunk = tuple[list[Member], list[bytes | Problem], int]


def read_images(
    source: Source,
    members: Iterable[Member],
    preparation: Preparation,
    *,
    max_image_bytes: int,
    threads: int,
    report: Callable[[int], None],
    stopwatch: Stopwatch | None = None,
) -> Iterator[ReadImage]:
    """Each member as the model will see it, or the problem with it; see `read_members`.

    Args:
        stopwatch: times the stages `read`, `decode` and `normalise`.
    """
    watch = stopwatch or Stopwatch()

    def normalised(files: Sequence[bytes | Problem]) -> list[Normalised | Problem]:
        with watch.stage("decode"):
            pictures = [_readable(decode, file) for file in files]
        readable = [picture for picture in pictures if not isinstance(picture, Problem)]
        with watch.stage("normalise"):
            brought = iter(normalise_all(readable, preparation.input.mode, preparation.polarity))
        return [picture if isinstance(picture, Problem) else next(brought) for picture in pictures]

    chunks = watch.each("read", _chunks(source, members, max_image_bytes))
    return _read(chunks, normalised, threads=threads, report=report)


def read_members(
    source: Source,
    members: Iterable[Member],
    prepare: Callable[[bytes], T],
    *,
    max_image_bytes: int,
    threads: int,
    report: Callable[[int], None],
) -> Iterator[tuple[Member, T | Problem]]:
    """Each member, in order, with what is made of its file, or the problem with it.

    Args:
        prepare: may raise `ImageUnreadable`.
        threads: with more than one, this thread reads the files while others prepare large ones, which OpenCV does
            outside of Python's lock.
        report: called now and then with how many members were read; may raise to stop.
    """

    def prepared(files: Sequence[bytes | Problem]) -> list[T | Problem]:
        return [_readable(prepare, file) for file in files]

    return _read(_chunks(source, members, max_image_bytes), prepared, threads=threads, report=report)


def pixels_of(source: Source, members: Iterable[Member], preparation: Preparation, max_image_bytes: int) -> Bytes:
    """The members, all of which could be read before, as the model saw them: (n, 28, 28) uint8."""
    images = read_images(
        source, members, preparation, max_image_bytes=max_image_bytes, threads=1, report=lambda _: None
    )
    pixels = [image.pixels for _, image in images if isinstance(image, Normalised)]
    return np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE)


def _read(
    chunks: Iterable[Chunk],
    prepare: Callable[[Sequence[bytes | Problem]], list[T | Problem]],
    *,
    threads: int,
    report: Callable[[int], None],
) -> Iterator[tuple[Member, T | Problem]]:
    with ThreadPoolExecutor(threads, "preparing") as pool:
        ahead: deque[tuple[list[Member], Future[list[T | Problem]]]] = deque()
        read = 0
        for chunk, files, size in chunks:
            report(read)
            read += len(chunk)
            if threads > 1 and size >= WORTH_A_THREAD * len(chunk):
                ahead.append((chunk, pool.submit(prepare, files)))
                if len(ahead) <= threads:
                    continue
                yield from _next_of(ahead)
            else:
                while ahead:
                    yield from _next_of(ahead)
                yield from zip(chunk, prepare(files), strict=True)
        while ahead:
            yield from _next_of(ahead)


def _next_of(ahead: "deque[tuple[list[Member], Future[list[T | Problem]]]]") -> Iterator[tuple[Member, T | Problem]]:
    chunk, prepared = ahead.popleft()
    return zip(chunk, prepared.result(), strict=True)


def _chunks(source: Source, members: Iterable[Member], max_image_bytes: int) -> Iterator[Chunk]:
    chunk: list[Member] = []
    files: list[bytes | Problem] = []
    held, pages = 0, PageReader(source, max_image_bytes)
    for member in members:
        chunk.append(member)
        try:
            data = pages.read(member) if isinstance(member, Page) else source.read(member, max_image_bytes)
        except (UnreadableMember, ImageUnreadable) as error:
            files.append(Problem(error.kind, str(error)))
        else:
            files.append(data)
            held += len(data)
        if len(chunk) == CHUNK_IMAGES or held >= CHUNK_BYTES:
            yield chunk, files, held
            chunk, files, held = [], [], 0
    yield chunk, files, held


def _readable(prepare: Callable[[bytes], T], file: bytes | Problem) -> T | Problem:
    if isinstance(file, Problem):
        return file
    try:
        return prepare(file)
    except ImageUnreadable as error:
        return Problem(error.kind, str(error))
