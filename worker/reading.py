"""Reads images from a source and brings them to MNIST's form, ahead of whoever classifies them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from trainer.decoding import decode
from trainer.errors import ImageUnreadable
from trainer.idx import Bytes
from trainer.images import Normalised, normalise
from trainer.plans import SIDE
from worker.parameters import ClassificationParameters
from worker.sources import Member, Source, UnreadableMember

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


ReadImage = tuple[Member, Normalised | Problem]
Chunk = list[tuple[Member, bytes | Problem]]


def read_images(
    source: Source,
    members: Iterable[Member],
    parameters: ClassificationParameters,
    *,
    max_image_bytes: int,
    threads: int,
    report: Callable[[int], None],
) -> Iterator[ReadImage]:
    """Each member, in order, as the model will see it, or the problem with it.

    Args:
        threads: with more than one, this thread reads the files while others decode and normalise large ones, which
            OpenCV does outside of Python's lock.
        report: called now and then with how many members were read; may raise to stop.
    """
    prepare = partial(_prepare, parameters=parameters)
    with ThreadPoolExecutor(threads, "decoding") as pool:
        ahead: deque[Future[list[ReadImage]]] = deque()
        read = 0
        for chunk, size in _chunks(source, members, max_image_bytes):
            report(read)
            read += len(chunk)
            if threads > 1 and size >= WORTH_A_THREAD * len(chunk):
                ahead.append(pool.submit(prepare, chunk))
                if len(ahead) <= threads:
                    continue
                yield from ahead.popleft().result()
            else:
                while ahead:
                    yield from ahead.popleft().result()
                yield from prepare(chunk)
        while ahead:
            yield from ahead.popleft().result()


def pixels_of(
    source: Source, members: Iterable[Member], parameters: ClassificationParameters, max_image_bytes: int
) -> Bytes:
    """The members, all of which could be read before, as the model saw them: (n, 28, 28) uint8."""
    images = read_images(source, members, parameters, max_image_bytes=max_image_bytes, threads=1, report=lambda _: None)
    pixels = [image.pixels for _, image in images if isinstance(image, Normalised)]
    return np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE)


def _chunks(source: Source, members: Iterable[Member], max_image_bytes: int) -> Iterator[tuple[Chunk, int]]:
    """Files to work on together, and how many bytes they have."""
    chunk: Chunk = []
    held = 0
    for member in members:
        try:
            data = source.read(member, max_image_bytes)
        except UnreadableMember as error:
            chunk.append((member, Problem(error.kind, str(error))))
        else:
            chunk.append((member, data))
            held += len(data)
        if len(chunk) == CHUNK_IMAGES or held >= CHUNK_BYTES:
            yield chunk, held
            chunk, held = [], 0
    yield chunk, held


def _prepare(chunk: Chunk, parameters: ClassificationParameters) -> list[ReadImage]:
    return [(member, data if isinstance(data, Problem) else _normalised(data, parameters)) for member, data in chunk]


def _normalised(data: bytes, parameters: ClassificationParameters) -> Normalised | Problem:
    try:
        return normalise(decode(data), parameters.normalise, parameters.polarity)
    except ImageUnreadable as error:
        return Problem(error.kind, str(error))
