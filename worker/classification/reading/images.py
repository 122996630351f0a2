"""Reads images from a source and prepares them for a model, ahead of the classification."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images import Normalized
from tenfold.trainer.images.decoding import decode
from tenfold.trainer.images.preparing import prepare_all, reads_color
from tenfold.worker.classification.reading.pages import PageReader
from tenfold.worker.models.preparing import Preparation
from tenfold.worker.observability.stopwatch import Stopwatch
from tenfold.worker.sources import Member, Page, Source, UnreadableMember

# Work for one thread, read ahead: few images, so that progress and cancel are prompt, and bounded in bytes.
CHUNK_IMAGES = 128
CHUNK_BYTES = 16 * 2**20

# Mean bytes of an image above which a thread is worth it.
WORTH_A_THREAD = 4000


@dataclass(frozen=True)
class Problem:
    """Why an image has no answer: `kind` is an identifier for counting; `message` is for people."""

    kind: str
    message: str


T = TypeVar("T")

ReadImage = tuple[Member, Normalized | Problem]

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
    """Each member as the input of the model, or the problem with it; see `read_members`.

    Args:
        stopwatch: times the stages `read`, `decode` and `normalize`.
    """
    watch, spec = stopwatch or Stopwatch(), preparation.input
    color = reads_color(spec)
    read = partial(decode, color=color)

    def normalized(files: Sequence[bytes | Problem]) -> list[Normalized | Problem]:
        with watch.stage("decode"):
            pictures = [_readable(read, file) for file in files]
        readable = [picture for picture in pictures if not isinstance(picture, Problem)]
        with watch.stage("normalize"):
            prepared = map(_or_problem, prepare_all(readable, spec, preparation.polarity))
        return [picture if isinstance(picture, Problem) else next(prepared) for picture in pictures]

    chunks = watch.each("read", _chunks(source, members, max_image_bytes, color=color))
    return _read(chunks, normalized, threads=threads, report=report)


def read_members(
    source: Source,
    members: Iterable[Member],
    prepare: Callable[[bytes], T],
    *,
    max_image_bytes: int,
    threads: int,
    report: Callable[[int], None],
) -> Iterator[tuple[Member, T | Problem]]:
    """Each member, in order, with the result of `prepare`, or the problem with it.

    Args:
        prepare: may raise `ImageUnreadable`.
        threads: with more than one, this thread reads files while others prepare large ones; OpenCV releases the GIL.
        report: called regularly with the number of members read; may raise to stop.
    """

    def prepared(files: Sequence[bytes | Problem]) -> list[T | Problem]:
        return [_readable(prepare, file) for file in files]

    return _read(_chunks(source, members, max_image_bytes, color=True), prepared, threads=threads, report=report)


def read_pixels_of(source: Source, members: Iterable[Member], preparation: Preparation, max_image_bytes: int) -> Bytes:
    """The model inputs (n, *shape) uint8 of members that are known to be readable."""
    images = read_images(
        source, members, preparation, max_image_bytes=max_image_bytes, threads=1, report=lambda _: None
    )
    pixels = [image.pixels for _, image in images if isinstance(image, Normalized)]
    return np.array(pixels, np.uint8).reshape(-1, *preparation.input.shape)


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


def _chunks(source: Source, members: Iterable[Member], max_image_bytes: int, *, color: bool) -> Iterator[Chunk]:
    chunk: list[Member] = []
    files: list[bytes | Problem] = []
    held, pages = 0, PageReader(source, max_image_bytes, color=color)
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


def _or_problem(image: Normalized | ImageUnreadable) -> Normalized | Problem:
    return Problem(image.kind, str(image)) if isinstance(image, ImageUnreadable) else image


def _readable(prepare: Callable[[bytes], T], file: bytes | Problem) -> T | Problem:
    if isinstance(file, Problem):
        return file
    try:
        return prepare(file)
    except ImageUnreadable as error:
        return Problem(error.kind, str(error))
