"""A training that was interrupted goes on from its last epoch as if it had never stopped."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from trainer.checkpoints import EpochResult, restore_checkpoint, save_checkpoint
from trainer.datasets import Dataset
from trainer.networks import build_from
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


def test_one_interrupted_in_the_middle_of_an_epoch_runs_that_epoch_again(mnist: Dataset, checkpoint: Path) -> None:
    """10,000 images are told of in three parts; the second epoch ends after the first of them."""
    parameters = TrainingParameters(recipe="dropout-128-32", epochs=2)
    many = mnist.head(train=10_000, test=100)
    uninterrupted = train(parameters, many)
    stopped_at: list[Progress] = []

    def kill_midway(progress: Progress) -> None:
        if progress.epoch == 2:
            stopped_at.append(progress)
            raise Killed

    with pytest.raises(Killed):
        train(parameters, many, checkpoint=checkpoint, on_progress=kill_midway)
    resumed = train(parameters, many, checkpoint=checkpoint)

    assert 0 < stopped_at[0].step < stopped_at[0].steps
    assert weights(resumed) == weights(uninterrupted)
    assert figures(resumed) == figures(uninterrupted)


def test_one_interrupted_between_two_epochs_does_not_run_the_finished_one_again(
    digits: Dataset, checkpoint: Path
) -> None:
    parameters = TrainingParameters(recipe="dropout-128-32", epochs=2)
    uninterrupted = train(parameters, digits)
    epochs_run: set[int] = set()

    def kill_after_the_first_epoch(progress: Progress) -> None:
        if progress.history:
            raise Killed

    with pytest.raises(Killed):
        train(parameters, digits, checkpoint=checkpoint, on_progress=kill_after_the_first_epoch)
    resumed = train(
        parameters, digits, checkpoint=checkpoint, on_progress=lambda progress: epochs_run.add(progress.epoch)
    )

    assert epochs_run == {2}
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


ONE_EPOCH = [EpochResult(epoch=1, loss=0.5, accuracy=0.9, val_loss=None, val_accuracy=None, seconds=1.0)]


def test_a_whole_checkpoint_gives_its_weights_and_its_history(checkpoint: Path) -> None:
    parameters = TrainingParameters(recipe="sigmoid-100").resolved()
    saved, fresh = build_from(parameters), build_from(parameters)
    saved.set_weights([array + 1 for array in saved.get_weights()])
    save_checkpoint(checkpoint, saved, parameters, ONE_EPOCH)

    assert restore_checkpoint(checkpoint, fresh, parameters) == ONE_EPOCH
    assert arrays(fresh) == arrays(saved)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:1],
        lambda whole: whole[:100],
        lambda whole: whole[: len(whole) // 10],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
        lambda whole: np.random.default_rng(1).bytes(len(whole)),
        lambda whole: b"<html>502 Bad Gateway</html>",
    ],
    ids=["empty", "a byte", "100 bytes", "a tenth", "half", "all but a byte", "a flipped bit", "noise", "text"],
)
def test_damage_leaves_the_model_untouched(damage: Callable[[bytes], bytes], checkpoint: Path) -> None:
    parameters = TrainingParameters(recipe="sigmoid-100").resolved()
    saved, fresh = build_from(parameters), build_from(parameters)
    saved.set_weights([array + 1 for array in saved.get_weights()])
    save_checkpoint(checkpoint, saved, parameters, ONE_EPOCH)
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    before = arrays(fresh)

    assert restore_checkpoint(checkpoint, fresh, parameters) == []
    assert arrays(fresh) == before


def test_a_checkpoint_needs_no_pickle_and_leaves_nothing_beside_it(digits: Dataset, checkpoint: Path) -> None:
    train(TrainingParameters(recipe="dropout-128", epochs=2), digits, checkpoint=checkpoint)

    with np.load(checkpoint, allow_pickle=False) as saved:
        assert all(saved[name].dtype != object for name in saved.files)
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


def weights(trained: Trained) -> list[bytes]:
    return arrays(trained.model)


def arrays(model: keras.Model) -> list[bytes]:
    return [array.tobytes() for array in model.get_weights()]


def figures(trained: Trained) -> list[tuple[float | None, ...]]:
    return [(r.epoch, r.loss, r.accuracy, r.val_loss, r.val_accuracy) for r in trained.history]
