"""Early stopping: a training ends when its validation loss rises no more to a better one, and keeps the best."""

from pathlib import Path

import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.splits import split_for
from tenfold.trainer.training.loop import Progress, Trained, train
from tests.trainer.trainings import SMALL, STOPPED_EARLY, Killed, figures, kill_in_epoch, weights


def val_losses(trained: Trained) -> list[float]:
    return [result.val_loss or 0.0 for result in trained.history]


def validated(trained: Trained, dataset: Dataset) -> float:
    """The loss of the model, as it is, on what was held out."""
    split = split_for(trained.plan, dataset, trained.parameters.seed)
    assert split.validation_images is not None
    loss, _ = trained.model.evaluate(split.validation_images / 255.0, split.validation_labels, verbose=0)
    return float(loss)


def test_a_training_ends_after_so_many_epochs_without_a_better_loss(stopped_early: Trained) -> None:
    losses = val_losses(stopped_early)

    assert len(losses) == stopped_early.best_epoch + 2 < 30
    assert losses[stopped_early.best_epoch - 1] == min(losses)
    for epochs in range(1, len(losses)):
        best = losses.index(min(losses[:epochs])) + 1
        assert epochs - best < 2, "it did not end before, since it had no reason to"


def test_the_model_has_the_weights_of_its_best_epoch(stopped_early: Trained, whole_batches: Dataset) -> None:
    losses = val_losses(stopped_early)

    assert validated(stopped_early, whole_batches) == pytest.approx(min(losses), rel=1e-4)
    assert losses[-1] > min(losses) * 1.01, "which are others than those of the last one"


def test_the_best_epoch_is_the_one_that_a_training_of_as_many_epochs_ends_with(
    stopped_early: Trained, whole_batches: Dataset
) -> None:
    parameters = TrainingParameters(**STOPPED_EARLY | {"epochs": stopped_early.best_epoch, "early_stopping": 0})

    assert weights(train(parameters, whole_batches)) == weights(stopped_early)


@pytest.mark.parametrize("epochs_after_the_best", [1, 2])
def test_the_best_weights_survive_an_interruption(
    epochs_after_the_best: int, stopped_early: Trained, whole_batches: Dataset, tmp_path: Path
) -> None:
    """Of the first epoch after the best one, or of the second: then another epoch's weights were saved as well."""
    parameters, checkpoint = TrainingParameters(**STOPPED_EARLY), tmp_path / "checkpoint.npz"
    interrupted_in = stopped_early.best_epoch + epochs_after_the_best

    with pytest.raises(Killed):
        train(parameters, whole_batches, checkpoint=checkpoint, on_progress=kill_in_epoch(interrupted_in))
    epochs_run: set[int] = set()
    resumed = train(
        parameters, whole_batches, checkpoint=checkpoint, on_progress=lambda seen: epochs_run.add(seen.epoch)
    )

    assert min(epochs_run) == interrupted_in
    assert weights(resumed) == weights(stopped_early)
    assert figures(resumed) == figures(stopped_early)
    assert resumed.best_epoch == stopped_early.best_epoch


def test_a_training_that_stopped_early_is_not_run_on(
    stopped_early: Trained, whole_batches: Dataset, tmp_path: Path
) -> None:
    """Nor is anything lost when its worker dies between its last epoch and its end."""
    parameters, checkpoint, told = TrainingParameters(**STOPPED_EARLY), tmp_path / "checkpoint.npz", list[Progress]()
    train(parameters, whole_batches, checkpoint=checkpoint)

    again = train(parameters, whole_batches, checkpoint=checkpoint, on_progress=told.append)

    assert told == []
    assert weights(again) == weights(stopped_early)
    assert figures(again) == figures(stopped_early)


def test_a_training_that_gets_better_all_the_time_runs_to_its_last_epoch(whole_batches: Dataset) -> None:
    parameters = TrainingParameters(**SMALL, learning_rate=1e-4, epochs=3, validation="split", early_stopping=1)

    trained = train(parameters, whole_batches)

    assert val_losses(trained) == sorted(val_losses(trained), reverse=True)
    assert (len(trained.history), trained.best_epoch) == (3, 3)


def test_without_early_stopping_the_last_epoch_s_weights_are_kept_however_good(
    stopped_early: Trained, whole_batches: Dataset
) -> None:
    """The same training over the same epochs, told not to stop, ends worse than at its best."""
    epochs = len(stopped_early.history)
    parameters = TrainingParameters(**STOPPED_EARLY | {"early_stopping": 0, "epochs": epochs})

    trained = train(parameters, whole_batches)

    assert val_losses(trained) == val_losses(stopped_early)
    assert trained.best_epoch == epochs
    assert validated(trained, whole_batches) == pytest.approx(val_losses(trained)[-1], rel=1e-4)
