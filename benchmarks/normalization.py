"""What each step of normalizing is worth: `python -m benchmarks.normalization [--sets FOLDER] [--json FILE]`.

Trains a recipe once on MNIST and prints, for each set of pictures, the accuracy in % of a plain resize, of a resize
inverted by the border, and of the full method, whole and with one step left out at a time; and how long the full
method takes. The sets are hard cases made of MNIST's test digits, scikit-learn's Optdigits where it is installed, and
each folder of `--sets`: one folder a digit with its pictures in it.
"""

import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import click
import cv2
import numpy as np

from benchmarks.hard_digits import RENDERINGS
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.images import normalize, read_image
from tenfold.trainer.images.normalization.enlarging import LARGE
from tenfold.trainer.serving.inference import Classifier
from tenfold.trainer.training.loop import train

Method = Callable[[Bytes], Bytes]
Pictures = tuple[list[Bytes], Labels]

# Renderings differ from run to run of another seed by a few tenths of a percent.
SEED = 7


@click.command()
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
@click.option("--sets", "folder", type=click.Path(path_type=Path), help="Holds NAME/<digit>/<pictures>.")
@click.option("--images", default=500, show_default=True, help="At most so many of each set.")
@click.option("--recipe", default="dropout-128", show_default=True, help="What to classify with.")
@click.option("--seed", default=1, show_default=True, help="Of the training.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows here.")
def main(datasets: Path, folder: Path | None, images: int, recipe: str, seed: int, json_file: Path | None) -> None:
    """Compare ways to bring pictures to MNIST's form."""
    cv2.setNumThreads(1)
    mnist = load_dataset("mnist", datasets)
    classifier = Classifier(train(TrainingParameters(recipe=recipe, seed=seed), mnist).model)
    rows = []
    click.echo(f"{'set':16}" + "".join(f"{name:>14}" for name in METHODS) + f"{'µs':>8}")
    for name, (pictures, truth) in _sets(mnist, folder, images):
        row: dict[str, float | str] = {"set": name, "images": len(pictures)}
        for method, convert in METHODS.items():
            converted, row["microseconds"] = _timed(convert, pictures)
            row[method] = round(100 * float(np.mean(classifier.classify(converted).argmax(axis=1) == truth)), 1)
        rows.append(row)
        click.echo(f"{name:16}" + "".join(f"{row[method]:14}" for method in METHODS) + f"{row['microseconds']:8}")
    if json_file:
        json_file.write_text(json.dumps(rows, indent=2))


def resized(picture: Bytes) -> Bytes:
    return normalize(picture, mode="none").pixels


def inverted_by_border(picture: Bytes) -> Bytes:
    small = resized(picture)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    return 255 - small if np.median(border) > 127 else small


def full(picture: Bytes) -> Bytes:
    return normalize(picture).pixels


def without_vote(picture: Bytes) -> Bytes:
    """The border's color is taken as the paper's."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    middle = (int(picture.min()) + int(picture.max())) / 2
    return normalize(picture, polarity="dark-on-light" if np.median(border) > middle else "light-on-dark").pixels


def without_slope(picture: Bytes) -> Bytes:
    """Light as it falls, but for the median of the window."""
    with patch(
        "tenfold.trainer.images.normalization.paper._slope_of_light", lambda small: np.zeros(small.shape, np.float32)
    ):
        return full(picture)


def without_smoothing(picture: Bytes) -> Bytes:
    """Enlarged by the nearest pixel, with edges and stretching as they come."""

    def nearest(ink: Bytes, aspect: float = 1.0) -> Bytes:
        scale = LARGE / max(ink.shape)
        height, width = (max(1, round(side * scale)) for side in ink.shape)
        return np.asarray(cv2.resize(ink, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)

    with patch("tenfold.trainer.images.normalization.enlarged", nearest):
        return full(picture)


def without_upright(picture: Bytes) -> Bytes:
    """Slanted as it came."""
    with patch("tenfold.trainer.images.normalization.upright", lambda large: large):
        return full(picture)


def without_evening(picture: Bytes) -> Bytes:
    """Strokes as wide as they came."""
    with (
        patch("tenfold.trainer.images.normalization.strokes.THINNEST", 0.0),
        patch("tenfold.trainer.images.normalization.strokes.THICKEST", 1.0),
    ):
        return full(picture)


def without_centering(picture: Bytes) -> Bytes:
    """The box in the middle, not its center of mass."""

    def middle(box: Bytes) -> Bytes:
        field = np.zeros((28, 28), np.uint8)
        top, left = ((28 - side) // 2 for side in box.shape)
        field[top : top + box.shape[0], left : left + box.shape[1]] = box
        return field

    with patch("tenfold.trainer.images.normalization.centered", middle):
        return full(picture)


METHODS: dict[str, Method] = {
    "resize": resized,
    "by border": inverted_by_border,
    "no vote": without_vote,
    "no slope": without_slope,
    "no smoothing": without_smoothing,
    "no upright": without_upright,
    "no evening": without_evening,
    "no centering": without_centering,
    "full": full,
}


def _timed(convert: Method, pictures: list[Bytes]) -> tuple[Bytes, int]:
    """All pictures converted, (n, 28, 28), and the median µs for one: pauses of a busy machine do not count."""
    converted, times = [], []
    for picture in pictures:
        started = time.perf_counter()
        converted.append(convert(picture))
        times.append(time.perf_counter() - started)
    return np.stack(converted), round(float(np.median(times)) * 1e6)


def _sets(mnist: Dataset, folder: Path | None, images: int) -> Iterator[tuple[str, Pictures]]:
    digits, truth = list(mnist.test_images[:images]), mnist.test_labels[:images]
    yield "mnist", (digits, truth)
    yield "mnist large", ([255 - np.pad(digit.repeat(5, 0).repeat(5, 1), 20) for digit in digits], truth)
    for name, rendering in RENDERINGS.items():
        rng = np.random.default_rng(SEED)
        yield name, ([rendering(digit, rng) for digit in digits], truth)
    if importlib.util.find_spec("sklearn"):
        from sklearn.datasets import load_digits

        small = load_digits()
        pictures = np.asarray(small.images * (255 / 16), np.uint8)[:images]
        yield "optdigits 8×8", (list(pictures), np.asarray(small.target[:images], np.uint8))
    for directory in sorted(folder.iterdir()) if folder else ():
        files = sorted(directory.glob("[0-9]/*"))
        chosen = np.random.default_rng(SEED).permutation(len(files))[:images]
        truths = np.array([int(files[place].parent.name) for place in chosen], np.uint8)
        yield directory.name, ([read_image(files[place].read_bytes()) for place in chosen], truths)


if __name__ == "__main__":
    main()
