"""How much of an archive is accepted before it is refused."""

import sys
from dataclasses import dataclass

from worker.settings import Settings


@dataclass(frozen=True)
class Limits:
    """Bounds on what is listed and unpacked; without arguments there are none.

    Args:
        images: most images.
        files: most files of any kind and directories.
        image_bytes: largest image, unpacked. A larger one is an error of its own and is never unpacked.
        unpacked_bytes: most bytes that all images unpack to, and that a compressed tar is unpacked to on disk.
    """

    images: int = sys.maxsize
    files: int = sys.maxsize
    image_bytes: int = sys.maxsize
    unpacked_bytes: int = sys.maxsize

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            images=settings.max_archive_images,
            files=settings.max_archive_files,
            image_bytes=settings.max_image_bytes,
            unpacked_bytes=settings.max_unpacked_bytes,
        )
