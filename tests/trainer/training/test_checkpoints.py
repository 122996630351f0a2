"""A training that was interrupted goes on from its last epoch as if it had never stopped."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.training.checkpoints import Checkpoint, EpochResult, restore_checkpoint, save_checkpoint
from tenfold.trainer.training.engines import make_engine
from tenfold.trainer.training.loop import Progress, Trained, train
from tests.trainer.trainings import SMALL, Killed, arrays, figures, kill_in_epoch, run_in_order, state, weights

# The hash of what a model learns from.
DATA = "of-the-data"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.npz"


def test_an_interrupted_training_ends_with_the_same_weights(
    with_dropout: Trained, whole_batches: Dataset, checkpoint: Path
) -> None:
    assert_resumes_as(with_dropout, whole_batches, checkpoint, epoch=2)


def test_one_with_all_that_has_a_state_does_too(whole_batches: Dataset, checkpoint: Path) -> None:
    """Batch normalization, dropout, a schedule, an optimizer of its own, class weights, distortions of each epoch."""
    few = whole_batches.head(train=640, test=100)
    parameters = TrainingParameters(
        **{"filters": (4,), "units": (8,), "batch_normalization": True, "dropout": 0.2, "augmentation": "elastic"},
        **{"schedule": "cosine", "optimizer": "rmsprop", "loss": "categorical_crossentropy", "epochs": 4},
        class_weights="balanced",
    )

    assert_resumes_as(train(parameters, few), few, checkpoint, epoch=3)


def assert_resumes_as(uninterrupted: Trained, dataset: Dataset, checkpoint: Path, *, epoch: int) -> None:
    """The same training, killed in this epoch, goes on from there to the same end."""
    parameters = uninterrupted.parameters
    with pytest.raises(Killed):
        train(parameters, dataset, checkpoint=checkpoint, on_progress=kill_in_epoch(epoch))
    epochs_run: set[int] = set()

    resumed = train(parameters, dataset, checkpoint=checkpoint, on_progress=lambda seen: epochs_run.add(seen.epoch))

    assert epochs_run == set(range(epoch, parameters.epochs + 1)), "the finished epochs are not run again"
    assert state(resumed.model) == state(uninterrupted.model)
    assert figures(resumed) == figures(uninterrupted)


def test_one_interrupted_in_the_middle_of_an_epoch_runs_that_epoch_again(mnist: Dataset, checkpoint: Path) -> None:
    """5,000 images are told of in some parts; the second epoch ends after the first of them."""
    parameters = TrainingParameters(**SMALL, epochs=2)
    many = mnist.head(train=5_000, test=100)
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


@pytest.fixture(scope="module")
def finished(whole_batches: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, bytes]:
    """A training of two epochs, and what its checkpoint was at the end."""
    path = tmp_path_factory.mktemp("finished") / "checkpoint.npz"
    return train(TrainingParameters(**SMALL, epochs=2), whole_batches, checkpoint=path), path.read_bytes()


def test_one_interrupted_between_two_epochs_does_not_run_the_finished_one_again(
    finished: tuple[Trained, bytes], whole_batches: Dataset, checkpoint: Path
) -> None:
    uninterrupted, _ = finished
    epochs_run: set[int] = set()

    def kill_after_the_first_epoch(progress: Progress) -> None:
        if progress.history:
            raise Killed

    with pytest.raises(Killed):
        train(uninterrupted.parameters, whole_batches, checkpoint=checkpoint, on_progress=kill_after_the_first_epoch)
    resumed = train(
        uninterrupted.parameters,
        whole_batches,
        checkpoint=checkpoint,
        on_progress=lambda seen: epochs_run.add(seen.epoch),
    )

    assert epochs_run == {2}
    assert weights(resumed) == weights(uninterrupted)
    assert figures(resumed) == figures(uninterrupted)


def test_a_finished_training_is_not_run_again(
    finished: tuple[Trained, bytes], whole_batches: Dataset, checkpoint: Path
) -> None:
    first, saved = finished
    checkpoint.write_bytes(saved)
    told: list[Progress] = []

    again = train(first.parameters, whole_batches, checkpoint=checkpoint, on_progress=told.append)

    assert told == []
    assert weights(again) == weights(first)


def test_a_training_with_a_damaged_checkpoint_starts_anew(
    finished: tuple[Trained, bytes], whole_batches: Dataset, checkpoint: Path
) -> None:
    whole, saved = finished
    checkpoint.write_bytes(saved[: len(saved) // 2])

    assert weights(train(whole.parameters, whole_batches, checkpoint=checkpoint)) == weights(whole)


def test_one_of_other_images_is_not_gone_on_with_and_that_is_said(
    finished: tuple[Trained, bytes], whole_batches: Dataset, checkpoint: Path
) -> None:
    """The data set of this name was deleted and imported again."""
    whole, saved = finished
    checkpoint.write_bytes(saved)
    others = replace(whole_batches, train_images=whole_batches.train_images[::-1])

    resumed = train(whole.parameters, others, checkpoint=checkpoint)

    assert weights(resumed) == weights(train(whole.parameters, others))
    assert resumed.notes == [
        "The data set mnist has changed since this training started, so it started over: its first 2 epochs were on "
        "other data."
    ]
    assert not train(whole.parameters, others, checkpoint=checkpoint).notes, "it goes on with its own"


def test_one_of_an_earlier_version_without_a_content_hash_starts_over_and_that_is_said(
    finished: tuple[Trained, bytes], whole_batches: Dataset, checkpoint: Path
) -> None:
    whole, saved = finished
    checkpoint.write_bytes(saved)
    with np.load(checkpoint, allow_pickle=False) as arrays:
        kept = dict(arrays)
    about = json.loads(str(kept.pop("about")))
    about["data"] = about.pop("content")
    np.savez(checkpoint, about=np.array(json.dumps(about)), **kept)

    resumed = train(whole.parameters, whole_batches, checkpoint=checkpoint)

    assert weights(resumed) == weights(whole)
    assert "without the content hash of the data set mnist" in resumed.notes[0]


@pytest.mark.parametrize(
    "other", [{"seed": 2}, {"learning_rate": 0.002}, {"dataset": "others"}, {"units": "3"}], ids=str
)
def test_the_checkpoint_of_other_parameters_is_ignored(other: dict[str, Any], checkpoint: Path) -> None:
    mine, theirs = (TrainingParameters(**SMALL | changed).resolved() for changed in ({}, other))
    save_checkpoint(checkpoint, build(mine), mine, DATA, Checkpoint(ONE_EPOCH))
    fresh = build(theirs)
    before = state(fresh)

    assert restore_checkpoint(checkpoint, fresh, theirs, DATA) == Checkpoint([])
    assert state(fresh) == before


ONE_EPOCH = [EpochResult(epoch=1, loss=0.5, accuracy=0.9, val_loss=None, val_accuracy=None, seconds=1.0)]


def build(parameters: TrainingParameters) -> keras.Model:
    return build_model(parameters.plan(), classes=10, seed=parameters.seed, steps=10)


def test_a_whole_checkpoint_gives_back_all_that_a_training_goes_on_from(
    whole_batches: Dataset, checkpoint: Path
) -> None:
    """Weights, moving means, the optimizer's memory and dropout's random state, all of which an epoch has changed."""
    parameters = TrainingParameters(**SMALL | {"units": "4"}, dropout=0.3, batch_normalization=True).resolved()
    saved, fresh = build(parameters), build(parameters)
    run_in_order(
        make_engine(saved, whole_batches.train_images[:64], whole_batches.train_labels[:64], batch_size=32), 64
    )
    save_checkpoint(checkpoint, saved, parameters, DATA, Checkpoint(ONE_EPOCH))
    variables = [*saved.variables, *saved.optimizer.variables]
    moved = [v.path for v, one, other in zip(variables, state(saved), state(fresh), strict=True) if one != other]
    for part in ("hidden_1/kernel", "moving_mean", "seed_generator", "iteration", "kernel_velocity"):
        assert any(part in path for path in moved), (part, moved)

    restored = restore_checkpoint(checkpoint, fresh, parameters, DATA)

    assert restored == Checkpoint(ONE_EPOCH, best=None)
    assert state(fresh) == state(saved)


def test_a_whole_checkpoint_gives_back_the_best_weights(checkpoint: Path) -> None:
    """More arrays than ten, in their order."""
    parameters = TrainingParameters(units=(5, 4, 3, 2), batch_normalization=True).resolved()
    model = build(parameters)
    best = [array + number for number, array in enumerate(model.get_weights())]
    save_checkpoint(checkpoint, model, parameters, DATA, Checkpoint(ONE_EPOCH, best))

    restored = restore_checkpoint(checkpoint, build(parameters), parameters, DATA)

    assert restored.best is not None
    assert [array.tobytes() for array in restored.best] == [array.tobytes() for array in best]


def test_there_is_nothing_to_go_on_from_without_a_checkpoint(checkpoint: Path) -> None:
    parameters = TrainingParameters(**SMALL).resolved()

    assert restore_checkpoint(checkpoint, build(parameters), parameters, DATA) == Checkpoint([])


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
    parameters = TrainingParameters(**SMALL).resolved()
    saved, fresh = build(parameters), build(parameters)
    saved.set_weights([array + 1 for array in saved.get_weights()])
    save_checkpoint(checkpoint, saved, parameters, DATA, Checkpoint(ONE_EPOCH, saved.get_weights()))
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    before = arrays(fresh)

    assert restore_checkpoint(checkpoint, fresh, parameters, DATA) == Checkpoint([])
    assert arrays(fresh) == before


def test_a_checkpoint_needs_no_pickle_and_leaves_nothing_beside_it(whole_batches: Dataset, checkpoint: Path) -> None:
    train(
        TrainingParameters(**SMALL, epochs=2, validation="split", early_stopping=1),
        whole_batches,
        checkpoint=checkpoint,
    )

    with np.load(checkpoint, allow_pickle=False) as saved:
        assert all(saved[name].dtype != object for name in saved.files)
    assert list(checkpoint.parent.iterdir()) == [checkpoint]
