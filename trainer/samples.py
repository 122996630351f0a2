"""Writes digits as a person would bring them: a zip of PNGs, in a folder for each label.

`python -m trainer.samples mnist --root data/datasets digits.zip` writes MNIST's 10,000 test images; with `--count`, the
first of them.
"""

import argparse
import io
import zipfile
from pathlib import Path

from PIL import Image

from trainer.datasets import load_dataset
from trainer.idx import Bytes


def write_digit_zip(images: Bytes, labels: Bytes, path: Path) -> None:
    """Write each image as `<label>/<index>.png`, in order. The same images give the same bytes.

    Args:
        images: (n, h, w) uint8.
        labels: (n,) uint8.
        path: where the zip appears once it is whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    with zipfile.ZipFile(temporary, "w") as archive:
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            archive.writestr(zipfile.ZipInfo(f"{label}/{index:05d}.png"), png(image))
    temporary.replace(path)


def png(image: Bytes) -> bytes:
    """A grey image (h, w) uint8 as a PNG file."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["mnist"])
    parser.add_argument("zip", type=Path)
    parser.add_argument("--root", type=Path, default=Path("data/datasets"))
    parser.add_argument("--count", type=int, default=10_000)
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.name, arguments.root)
    write_digit_zip(dataset.test_images[: arguments.count], dataset.test_labels[: arguments.count], arguments.zip)


if __name__ == "__main__":
    main()
