"""Writes images as a person would bring them: a zip of PNGs, in a folder for each class.

`python -m trainer.samples mnist --root data/datasets digits.zip` writes MNIST's 10,000 test images; with `--count`, the
first of them. `fashion-mnist` works alike.
"""

import argparse
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from trainer.dataset_files import DIGITS
from trainer.datasets import load_dataset
from trainer.idx import Bytes
from trainer.known import KNOWN
from trainer.naming.class_names import folder_names


def write_digit_zip(images: Bytes, labels: Bytes, path: Path, class_names: Sequence[str] = DIGITS) -> None:
    """Write each image as `<class>/<index>.png`, in order. The same images give the same bytes.

    A class is spelled so that a folder can have that name: `T-shirt/top` as `T-shirt_top`. Classifications know it.

    Args:
        images: (n, h, w) uint8.
        labels: (n,) uint8.
        path: where the zip appears once it is whole.
        class_names: what the labels are called.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    folders = folder_names(class_names)
    with zipfile.ZipFile(temporary, "w") as archive:
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            archive.writestr(zipfile.ZipInfo(f"{folders[label]}/{index:05d}.png"), png(image))
    temporary.replace(path)


def png(image: Bytes) -> bytes:
    """A grey image (h, w) uint8 as a PNG file."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(KNOWN))
    parser.add_argument("zip", type=Path)
    parser.add_argument("--root", type=Path, default=Path("data/datasets"))
    parser.add_argument("--count", type=int, default=10_000)
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.name, arguments.root)
    images, labels = dataset.test_images[: arguments.count], dataset.test_labels[: arguments.count]
    write_digit_zip(images, labels, arguments.zip, dataset.class_names)


if __name__ == "__main__":
    main()
