"""The data sets that come with Tenfold: fetched where they are first needed (`fetch.py`), and checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from trainer.dataset_files import DIGITS, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from trainer.input_spec import InputSpec


@dataclass(frozen=True)
class KnownDataset:
    """A published data set of 60,000 training and 10,000 test images.

    `md5` has the checksum of each of the four files, unpacked. `input` is how a picture becomes one of its images.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    md5: Mapping[str, str]
    input: InputSpec
    train: int = 60_000
    test: int = 10_000


KNOWN: Mapping[str, KnownDataset] = {
    known.name: known
    for known in (
        KnownDataset(
            name="mnist",
            title="MNIST, handwritten digits",
            class_names=DIGITS,
            md5={
                TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
                TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
                TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
                TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
            },
            input=InputSpec("digit", reason="MNIST's images are in the form that the digit normalizer makes."),
        ),
        # Published with the MD5 of the packed files, which depends on how they were packed. These are of what is in
        # them: train-images 8d4fb7e6c68d591d4c3dfef9ec88bf0d, train-labels 25c81989df183df01b3e8a0aad5dffbe,
        # t10k-images bef4ecab320f06d8554ea6380940ec79, t10k-labels bb300cfdad3c16e7a12a480ee83cd310.
        KnownDataset(
            name="fashion-mnist",
            title="Fashion-MNIST, Zalando's articles",
            class_names=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            md5={
                TRAIN_IMAGES: "f4a8712d7a061bf5bd6d2ca38dc4d50a",
                TRAIN_LABELS: "9018921c3c673c538a1fc5bad174d6f9",
                TEST_IMAGES: "8181f5470baa50b63fa0f6fddb340f0a",
                TEST_LABELS: "15d484375f8d13e6eb1aabb0c3f46965",
            },
            input=InputSpec(
                "resize", reason="Fashion-MNIST's images are clothes, which the digit normalizer would change."
            ),
        ),
    )
}
