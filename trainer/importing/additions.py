"""Makes a data set of images whose labels a person gave, alone or after those of a data set that there is."""

from collections.abc import Sequence

import numpy as np

from trainer.datasets import Dataset
from trainer.errors import DatasetInvalid
from trainer.idx import Bytes
from trainer.importing.classes import LEAST_IMAGES
from trainer.importing.found import Found, Part
from trainer.importing.imported import Imported
from trainer.importing.report import report_on
from trainer.importing.split import split_and_mix
from trainer.input_spec import InputSpec

SEED = 1
TEST_SHARE = 1 / 6


def extend_dataset(
    name: str,
    class_names: Sequence[str],
    images: Bytes,
    labels: Bytes,
    spec: InputSpec,
    base: Dataset | None = None,
    *,
    notes: Sequence[str] = (),
) -> Imported:
    """A data set of these images. With `base`, after its training images, and with its test images.

    Args:
        name: what the data set is to be called.
        images: (n, 28, 28) uint8, as a model sees them.
        labels: (n,) uint8 indices into `class_names`.
        spec: how pictures became these images, and those of `base`.
        base: a data set of the same classes. Without one, a sixth of each class is kept for the test.
        notes: sentences for the report.

    Raises:
        DatasetInvalid: there is no image; or too few to do without `base`, or of one class only.
    """
    if not len(labels):
        reason = "No image was given one of the classes, so there is nothing to make a data set of."
        raise DatasetInvalid(" ".join([reason, *notes]))
    if base is not None:
        arrays = (
            np.concatenate([base.train_images, images]),
            np.concatenate([base.train_labels, labels]),
            base.test_images,
            base.test_labels,
        )
        note = f"The {len(labels):,} corrected images come after the {len(base.train_labels):,} of {base.name}."
    else:
        _check_enough(labels)
        arrays = split_and_mix([images], [labels], TEST_SHARE, SEED)
        note = (
            f"All {len(labels):,} images were doubtful to the model that classified them: a model that is trained on "
            "these alone knows no ordinary ones."
        )
    dataset = Dataset(name, *arrays, tuple(class_names), spec)
    return Imported(dataset, report_on(dataset, Found(Part(images, labels), input=spec, notes=[*notes, note])))


def _check_enough(labels: Bytes) -> None:
    counts = np.bincount(labels)
    if len(labels) < LEAST_IMAGES or np.count_nonzero(counts) < 2 or counts.max() < 2:
        raise DatasetInvalid(
            f"{len(labels)} corrected images of {np.count_nonzero(counts)} classes are too few for a data set of their "
            f"own, which needs at least {LEAST_IMAGES} images of two classes. Review more, or put them together with a "
            "data set that there is."
        )
