"""The hash of a data set's content. Standard library only."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tenfold.trainer.data.files import FILES
from tenfold.trainer.input_spec import InputSpec

_READ_BYTES = 2**20


def content_sha256(files_sha256: str, class_names: Sequence[str], spec: InputSpec) -> str:
    """The hash of images, labels and split (the four IDX files), class names and how an image is prepared.

    Of the name, the report and what a network makes of pixels (scaling, orientation) it is independent.
    """
    prepared = {field: getattr(spec, field) for field in ("preprocessing", "height", "width", "channels")}
    content = {"class_names": list(class_names), "files_sha256": files_sha256, "input": prepared}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def files_sha256(directory: Path) -> str:
    """The hash of the four IDX files, concatenated in the order of `FILES`."""
    digest = hashlib.sha256()
    for name in FILES:
        with (directory / name).open("rb") as file:
            while data := file.read(_READ_BYTES):
                digest.update(data)
    return digest.hexdigest()
