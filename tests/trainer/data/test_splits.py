"""Which images are learned from and which are held out."""

from dataclasses import replace

import numpy as np
import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.splits import Split, balanced_weights, split_for
from tenfold.trainer.training.loop import train
from tests.trainer.trainings import SMALL, weights


def numbered(train: int) -> Dataset:
    """Every image tells its number in its first two pixels, and has a label that follows from it."""
    images = np.zeros((train, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(train) // 256, np.arange(train) % 256
    return Dataset("numbered", images, (np.arange(train) % 10).astype(np.uint8), images[:4], np.zeros(4, np.uint8))


def numbers(images: np.ndarray) -> list[int]:
    return (images[:, 0, 0].astype(int) * 256 + images[:, 0, 1]).tolist()


def held_out(split: Split) -> list[int]:
    assert split.validation_images is not None
    return numbers(split.validation_images)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.25, 0.5])
def test_a_split_holds_out_its_share_and_every_image_is_on_one_side(share: float) -> None:
    split = split_for(Plan(validation="split", validation_split=share), numbered(1000), seed=3)

    assert len(held_out(split)) == 1000 * share
    assert sorted(numbers(split.train_images) + held_out(split)) == list(range(1000))


def test_labels_go_with_their_images() -> None:
    split = split_for(Plan(validation="split", validation_split=0.3), numbered(1000), seed=3)

    assert split.validation_labels is not None
    assert split.train_labels.tolist() == [number % 10 for number in numbers(split.train_images)]
    assert split.validation_labels.tolist() == [number % 10 for number in held_out(split)]


def test_the_seed_draws_the_split() -> None:
    plan = Plan(validation="split")
    first, again, other = (held_out(split_for(plan, numbered(1000), seed)) for seed in (3, 3, 4))

    assert first == again
    assert len(set(first) & set(other)) < 30, "10 of 100 are in both by chance"


def test_a_split_is_drawn_from_everywhere_and_not_from_an_end() -> None:
    drawn = held_out(split_for(Plan(validation="split", validation_split=0.5), numbered(1000), seed=3))

    assert np.histogram(drawn, bins=10, range=(0, 1000))[0].min() > 25


def test_the_smallest_share_still_holds_an_image_out() -> None:
    assert len(held_out(split_for(Plan(validation="split", validation_split=0.01), numbered(20), seed=3))) == 1


def test_without_a_split_all_training_images_are_learned_from() -> None:
    dataset = numbered(50)

    nothing, test = (split_for(Plan(validation=kind), dataset, seed=3) for kind in ("none", "test"))

    assert numbers(nothing.train_images) == numbers(test.train_images) == list(range(50))
    assert nothing.validation_images is nothing.validation_labels is None
    assert test.validation_images is dataset.test_images
    assert test.validation_labels is dataset.test_labels


def test_what_is_held_out_is_not_learned_from(whole_batches: Dataset) -> None:
    """Whatever is drawn on the images that were held out, the weights become the same, bit for bit."""
    parameters = TrainingParameters(**SMALL, validation="split", validation_split=0.25, epochs=1, seed=5)
    labels = whole_batches.train_labels
    order = held_out(split_for(parameters.plan(), replace(numbered(len(labels)), train_labels=labels), seed=5))
    images = whole_batches.train_images.copy()
    images[order] = 255 - images[order]
    scribbled = Dataset("scribbled", images, labels, whole_batches.test_images, whole_batches.test_labels)

    clean, other = train(parameters, whole_batches), train(parameters, scribbled)

    assert weights(clean) == weights(other)
    assert clean.history[0].val_loss != other.history[0].val_loss


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_class_has_its_share_held_out(seed: int) -> None:
    """Of 30 images of a rare class among 1,030 three are held out, whatever the seed."""
    images = np.zeros((1030, 28, 28), np.uint8)
    labels = np.where(np.arange(1030) % 34 == 33, 1, 0).astype(np.uint8)
    rare = Dataset("rare", images, labels, images[:4], labels[:4], class_names=("usual", "rare"))

    split = split_for(Plan(validation="split", validation_split=0.1), rare, seed)

    assert labels.sum() == 30
    assert split.validation_labels is not None
    assert np.bincount(split.validation_labels).tolist() == [100, 3]


def test_balanced_weights_are_the_images_over_classes_times_images_of_the_class() -> None:
    """Of five images, 3 are of class 0 and 2 of class 7; the classes between have none."""
    weights = balanced_weights(np.array([0, 7, 0, 7, 0], np.uint8))

    assert weights.dtype == np.float32
    assert weights == pytest.approx([5 / 6, 5 / 4, 5 / 6, 5 / 4, 5 / 6])
    assert weights.mean() == pytest.approx(1)
