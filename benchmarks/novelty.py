"""Compares scores that are to tell images which a model cannot know: `python -m benchmarks.novelty model.keras`.

For each set of images it prints the AUROC: how often a score is higher for an image of the set than for one of the
model's own test images, or, for pictures of digits (`misread`), than for one of the same set that was read well. Then,
for the images whose answers the model is surest of, the share that lies beyond the limit which 1 in 200 of its own test
images passes. Folders of images of other kinds can be added: `--foreign letters=DIR`.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from benchmarks.framed_digits import FRAMES, cells
from benchmarks.hard_digits import RENDERINGS
from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.evaluation.novelty import fit_novelty
from tenfold.trainer.images import normalize_all
from tenfold.trainer.images.decoding import decode
from tenfold.trainer.reports.sheets import font

Values = npt.NDArray[np.float32]

# Of the training images; the hidden layer's neighbors are looked for among half of them.
FITTED_ON = 20_000
NEIGHBORS = 10
LIMIT = 0.995


class Seen:
    """Images with what a model makes of them: `hidden` (n, units), the input of its last layer, and `logits`."""

    def __init__(self, model: keras.Model, images: Bytes) -> None:
        *_, kernel, bias = model.get_weights()
        inner = keras.Model(model.inputs, model.layers[-1].input)
        scaled = (images[start : start + 500] / np.float32(255) for start in range(0, len(images), 500))
        self.images = images
        self.hidden = np.concatenate([np.asarray(inner.predict_on_batch(batch), np.float32) for batch in scaled])
        self.logits = self.hidden @ kernel + bias
        self.predicted = self.logits.argmax(axis=1)
        self.energy = np.logaddexp.reduce(self.logits, axis=1)
        self.confidence = np.exp(self.logits.max(axis=1) - self.energy)


Score = Callable[[Seen], Values]

# A name, images (n, 28, 28) uint8 and, for pictures of the model's own classes, their labels (n,).
Set = tuple[str, Bytes, npt.NDArray[np.integer] | None]


def scores(model: keras.Model, dataset: Dataset) -> dict[str, Score]:
    """The contenders, fitted on training images; all are higher for what is stranger."""
    few = np.random.default_rng(1).permutation(len(dataset.train_labels))[:FITTED_ON]
    known, labels = Seen(model, dataset.train_images[few]), dataset.train_labels[few]
    given = dataset.train_images, dataset.train_labels, known.images, known.predicted
    detector = fit_novelty(*given, classes=len(dataset.class_names), seed=1)
    return {
        "novelty": lambda seen: detector.score(seen.images, seen.predicted),
        "confidence": lambda seen: -(seen.logits.max(axis=1) - seen.energy),
        "energy": lambda seen: -seen.energy,
        "mahalanobis": _mahalanobis(known, labels),
        "neighbors": _neighbors(known),
        "vim": _vim(known, model),
    }


def _mahalanobis(known: Seen, labels: Labels) -> Score:
    """K. Lee et al., "A simple unified framework for detecting out-of-distribution samples", 2018: last layer only."""
    means = np.stack([known.hidden[labels == label].mean(axis=0) for label in np.unique(labels)])
    apart = known.hidden - means[np.searchsorted(np.unique(labels), labels)]
    covariance = apart.T @ apart / len(apart)
    ridge = np.eye(len(covariance)) * np.trace(covariance) / len(covariance) * 0.01
    root = np.linalg.cholesky(np.linalg.inv(covariance + ridge)).astype(np.float32)
    return lambda seen: np.min([np.square((seen.hidden - mean) @ root).sum(axis=1) for mean in means], axis=0)


def _neighbors(known: Seen) -> Score:
    """Y. Sun et al., "Out-of-distribution detection with deep nearest neighbors", 2022."""
    near = _of_length_one(known.hidden[: FITTED_ON // 2]).T
    return lambda seen: 1 - np.partition(_of_length_one(seen.hidden) @ near, -NEIGHBORS, axis=1)[:, -NEIGHBORS]


def _of_length_one(points: Values) -> Values:
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6), np.float32)


def _vim(known: Seen, model: keras.Model) -> Score:
    """H. Wang et al., "ViM: out-of-distribution with virtual-logit matching", 2022."""
    *_, kernel, bias = model.get_weights()
    origin = -np.linalg.pinv(kernel.T) @ bias
    directions = np.linalg.eigh(np.cov((known.hidden - origin).T))[1].astype(np.float32)
    rest = directions[:, : -min(32, directions.shape[1] // 2)]

    def left(seen: Seen) -> Values:
        return np.asarray(np.linalg.norm((seen.hidden - origin) @ rest, axis=1), np.float32)

    scale = known.logits.max(axis=1).mean() / left(known).mean()
    return lambda seen: scale * left(seen) - seen.energy


def pictures_of_digits(dataset: Dataset, seed: int) -> Iterator[Set]:
    """Sets of pictures of digits with their labels, made of test images: cells of forms, hard cases, printed ones."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(dataset.test_labels), size=(2, 2400))
    framed = [
        picture
        for kind, part in zip(FRAMES, np.array_split(chosen[0], len(FRAMES)), strict=True)
        for picture in cells(dataset.test_images[part], kind, seed)
    ]
    yield "boxed", normalized(framed), dataset.test_labels[chosen[0]]
    names = list(RENDERINGS)
    hard = [RENDERINGS[names[place % len(names)]](dataset.test_images[n], rng) for place, n in enumerate(chosen[1])]
    yield "hard", normalized(hard), dataset.test_labels[chosen[1]]


def foreign_images(digits: Dataset, fashion: Dataset, seed: int) -> Iterator[tuple[str, Bytes]]:
    rng = np.random.default_rng(seed)
    yield "fashion", fashion.test_images[:2000]
    yield "noise", np.concatenate([rng.integers(0, 256, (500, 28, 28), np.uint8), _clouds(rng, 500)])
    pairs = digits.test_images[rng.integers(len(digits.test_images), size=(2, 1000))]
    both = [
        255 - np.maximum(np.pad(one, ((0, 0), (0, 16))), np.pad(two, ((0, 0), (16, 0))))
        for one, two in pairs.swapaxes(0, 1)
    ]
    yield "two digits", normalized(both)
    letters = [_printed(letter, size) for letter in "ABCDEFGHJKLMNPQRTUVWXYZabdefhkmnrtwxy" for size in (30, 45, 60)]
    yield "printed letters", normalized(letters)


def _clouds(rng: np.random.Generator, count: int) -> Bytes:
    blurred = np.stack([cv2.GaussianBlur(rng.random((28, 28)), (0, 0), 2) for _ in range(count)])
    low, high = blurred.min(axis=(1, 2), keepdims=True), blurred.max(axis=(1, 2), keepdims=True)
    return np.asarray((blurred - low) / (high - low) * 255, np.uint8)


def _printed(letter: str, size: int) -> Bytes:
    picture = Image.new("L", (2 * size, 2 * size), 255)
    ImageDraw.Draw(picture).text((size, size), letter, font=font(size), fill=0, anchor="mm")
    return np.asarray(picture)


def normalized(pictures: list[Bytes]) -> Bytes:
    return np.stack([image.pixels for image in normalize_all(pictures)])


def auroc(usual: Values, strange: Values) -> float:
    """How often a strange one is above a usual one; ties count half (Mann and Whitney)."""
    below = np.searchsorted(np.sort(usual), strange, side="left") + np.searchsorted(
        np.sort(usual), strange, side="right"
    )
    return float(below.mean() / 2 / len(usual))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--datasets", type=Path, default=Path("datasets"), help="where MNIST and Fashion-MNIST lie")
    parser.add_argument("--foreign", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--sure", type=float, default=0.99, help="the confidence from which on answers count as sure")
    given = parser.parse_args()
    own = load_dataset(given.dataset, given.datasets)
    digits, fashion = load_dataset("mnist", given.datasets), load_dataset("fashion-mnist", given.datasets)
    model = keras.models.load_model(given.model, compile=False)
    contenders, mine = scores(model, own), Seen(model, own.test_images)
    misread = mine.predicted != own.test_labels
    usual = {name: score(mine) for name, score in contenders.items()}
    columns = {"own, misread": {name: auroc(values[~misread], values[misread]) for name, values in usual.items()}}
    caught = {}
    sets: list[Set] = [
        (name, images, None) for name, images in foreign_images(digits, fashion, seed=2) if name != given.dataset
    ]
    for name, directory in (pair.split("=", 1) for pair in given.foreign):
        files = sorted(path for path in Path(directory).rglob("*") if path.is_file())
        sets.append((name, normalized([decode(path.read_bytes()) for path in files]), None))
    if given.dataset == "mnist":
        sets += list(pictures_of_digits(own, seed=2))
    for name, images, labels in sets:
        seen = Seen(model, images)
        strange = np.ones(len(images), bool) if labels is None else seen.predicted != labels
        sure = strange & (seen.confidence > given.sure)
        key = name if labels is None else f"{name}, misread"
        found = {contender: score(seen) for contender, score in contenders.items()}
        columns[key] = {
            contender: auroc(usual[contender] if labels is None else values[~strange], values[strange])
            for contender, values in found.items()
        }
        caught[f"{key} ({sure.sum()} sure)"] = {
            contender: float((values[sure] > np.quantile(usual[contender], LIMIT)).mean()) if sure.any() else np.nan
            for contender, values in found.items()
        }
    for title, table in (("AUROC", columns), ("beyond the limit", caught)):
        print(f"\n| {title} | {' | '.join(contenders)} |\n|{'---|' * (len(contenders) + 1)}")
        for name, row in table.items():
            print(f"| {name} | {' | '.join(f'{row[contender]:.3f}' for contender in contenders)} |")


if __name__ == "__main__":
    main()
