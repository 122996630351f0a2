"""A training that was interrupted goes on from its last epoch as if it had never stopped."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer.datasets import Dataset
from trainer.parameters import TrainingParameters
from trainer.training import Progress, Trained, train


class Killed(Exception):
    """Stands for whatever ends a worker."""


def kill_in_epoch(epoch: int) -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.epoch == epoch:
            raise Killed

    return on_progress


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.npz"


@pytest.mark.parametrize("recipe", ["sigmoid-100", "rmsprop-512", "dropout-128-32"])
def test_an_interrupted_training_ends_with_the_same_weights(recipe: str, digits: Dataset, checkpoint: Path) -> None:
    parameters = TrainingParameters(recipe=recipe, epochs=4)
    uninterrupted = train(parameters, digits)

    with pytest.raises(Killed):
        train(parameters, digits, checkpoint=checkpoint, on_progress=kill_in_epoch(3))
    epochs_run: set[int] = set()
    resumed = train(
        parameters, digits, checkpoint=checkpoint, on_progress=lambda progress: epochs_run.add(progress.epoch)
    )

    assert epochs_run == {3, 4}, "the finished epochs are not run again"
    assert weights(resumed) == weights(uninterrupted)
    assert figures(resumed) == figures(uninterrupted)


def test_a_finished_training_is_not_run_again(digits: Dataset, checkpoint: Path) -> None:
    parameters = TrainingParameters(recipe="dropout-128", epochs=1)
    first = train(parameters, digits, checkpoint=checkpoint)

    again = train(parameters, digits, checkpoint=checkpoint, on_progress=kill_in_epoch(1))

    assert weights(again) == weights(first)


def test_the_checkpoint_of_other_parameters_is_ignored(digits: Dataset, checkpoint: Path) -> None:
    train(TrainingParameters(recipe="dropout-128", epochs=1, seed=1), digits, checkpoint=checkpoint)

    other = TrainingParameters(recipe="dropout-128", epochs=1, seed=2)

    assert weights(train(other, digits, checkpoint=checkpoint)) == weights(train(other, digits))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_damaged_checkpoint_is_ignored(share: float, digits: Dataset, checkpoint: Path) -> None:
    parameters = TrainingParameters(recipe="dropout-128", epochs=1)
    whole = train(parameters, digits, checkpoint=checkpoint)
    data = checkpoint.read_bytes()
    checkpoint.write_bytes(data[: int(len(data) * share)])

    assert weights(train(parameters, digits, checkpoint=checkpoint)) == weights(whole)


def test_a_checkpoint_needs_no_pickle_and_leaves_nothing_beside_it(digits: Dataset, checkpoint: Path) -> None:
    train(TrainingParameters(recipe="dropout-128", epochs=2), digits, checkpoint=checkpoint)

    with np.load(checkpoint, allow_pickle=False) as saved:
        assert all(saved[name].dtype != object for name in saved.files)
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


def weights(trained: Trained) -> list[bytes]:
    return [array.tobytes() for array in trained.model.get_weights()]


def figures(trained: Trained) -> list[tuple[float | None, ...]]:
    return [(r.epoch, r.loss, r.accuracy, r.val_loss, r.val_accuracy) for r in trained.history]
