"""What is fuzzed. Each target takes any bytes, and lets nothing through but what is raised for bad files."""

import contextlib
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from tenfold.trainer.data.importing.building import LEFT_TO_THE_IMAGES
from tenfold.trainer.data.importing.kinds import read_upload
from tenfold.trainer.errors import DatasetInvalid, ImageUnreadable
from tenfold.trainer.images import normalize_all
from tenfold.trainer.images.decoding import decode
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources import Limits, UnreadableMember, count_images, open_source, prepare, suffix_of

LIMITS = Limits(images=1000, files=2000, image_bytes=1 << 20, unpacked_bytes=1 << 24)

# Larger pictures are decoded alike, and slowly.
MAX_PIXELS = 512 * 512

_work = tempfile.TemporaryDirectory(prefix="tenfold-fuzz-")
_directory = Path(_work.name)


def archive(data: bytes) -> None:
    """Counts and lists the archive, finds some members again by the index, and reads them."""
    path = _directory / "upload"
    path.write_bytes(data)
    with contextlib.suppress(ArchiveError):
        suffix_of(path)
        count_images(path, LIMITS)
    for left in _directory.glob("unpacked.tar"):
        left.unlink()
    with contextlib.suppress(ArchiveError):
        prepare(path, _directory, LIMITS, lambda: None)
        with open_source(path, _directory, LIMITS) as source:
            for member in islice(source.members(source.listing.images.positions), 20):
                assert isinstance(member.name, str)
                with contextlib.suppress(UnreadableMember):
                    assert len(source.read(member, LIMITS.image_bytes)) <= LIMITS.image_bytes


def image(data: bytes) -> None:
    """Decodes the file, and brings what it shows to MNIST's form."""
    with contextlib.suppress(ImageUnreadable):
        picture = decode(data)
        assert picture.dtype == np.uint8
        assert picture.ndim == 2
        if picture.size <= MAX_PIXELS:
            [normalized] = normalize_all([picture], "auto", "auto")
            assert normalized.pixels.shape == (28, 28)


def dataset(data: bytes) -> None:
    """Reads the file as an uploaded data set."""
    path = _directory / "dataset"
    path.write_bytes(data)
    with contextlib.suppress(DatasetInvalid):
        read_upload(path, lambda: None, LEFT_TO_THE_IMAGES)


TARGETS: dict[str, Callable[[bytes], None]] = {"archive": archive, "image": image, "dataset": dataset}
