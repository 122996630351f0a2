"""Writes sample images for classifying: a zip of PNGs with a folder for each class.

`python -m tenfold.trainer.data.samples mnist --root data/datasets digits.zip` writes MNIST's 10,000 test images;
`--count` limits their number. `fashion-mnist` works too.
"""

import argparse
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.files import DIGITS
from tenfold.trainer.files.class_names import folder_names


def write_digit_zip(images: Bytes, labels: Labels, path: Path, class_names: Sequence[str] = DIGITS) -> None:
    """Write each image as `<class>/<index>.png`, in order. The same images give the same bytes.

    Class names are made safe for folders: `T-shirt/top` becomes `T-shirt_top`, which classifications recognize.

    Args:
        images: (n, h, w) or (n, h, w, 3) uint8.
        labels: (n,) class indices.
        path: the zip, written atomically.
        class_names: the names of the labels.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    folders = folder_names(class_names)
    with zipfile.ZipFile(temporary, "w") as archive:
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            archive.writestr(zipfile.ZipInfo(f"{folders[label]}/{index:05d}.png"), png(image))
    temporary.replace(path)


def png(image: Bytes) -> bytes:
    """A gray (h, w) or RGB (h, w, 3) uint8 image as a PNG file."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(BUILTIN_DATASETS))
    parser.add_argument("zip", type=Path)
    parser.add_argument("--root", type=Path, default=Path("data/datasets"))
    parser.add_argument("--count", type=int, default=10_000)
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.name, arguments.root)
    images, labels = dataset.test_images[: arguments.count], dataset.test_labels[: arguments.count]
    write_digit_zip(images, labels, arguments.zip, dataset.class_names)


if __name__ == "__main__":
    main()
