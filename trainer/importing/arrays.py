"""Brings an array of images and the array of their labels together, as npz and IDX files hold them."""

from collections.abc import Sequence

from trainer.errors import DatasetInvalid
from trainer.importing.found import Array, Check, Part
from trainer.importing.labels import to_labels
from trainer.importing.pixels import to_images


def to_part(images: Array, labels: Array, *, names: Sequence[str], check: Check) -> Part:
    """Images and labels as one part; `names` are what the two arrays are called.

    Raises:
        DatasetInvalid: there are more of one than of the other, or either cannot be brought to its form.
    """
    if len(images) != len(labels):
        raise DatasetInvalid(
            f"{names[0]} has {len(images):,} images, but {names[1]} has {len(labels):,} labels; "
            "expected one label for each image."
        )
    return Part(to_images(images, names[0], check), to_labels(labels, names[1]))
