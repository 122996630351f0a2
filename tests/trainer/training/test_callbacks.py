"""Keras' callbacks hear of a training what `fit` would tell them."""

from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.training.loop import train
from tests.trainer.trainings import SMALL, Killed, kill_in_epoch


class Told(keras.callbacks.Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.calls.append(("train begins", self.model.name))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.calls.append(("begins", epoch))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.calls.append(("ends", epoch, logs))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.calls.append(("train ends",))


def test_callbacks_are_called_as_by_fit(whole_batches: Dataset) -> None:
    parameters = TrainingParameters(**SMALL, epochs=3, validation="test")
    told, told_by_fit = Told(), Told()

    trained = train(parameters, whole_batches, callbacks=[told])
    trained.model.fit(
        whole_batches.test_images / 255.0,
        whole_batches.test_labels,
        epochs=3,
        validation_data=(whole_batches.test_images / 255.0, whole_batches.test_labels),
        callbacks=[told_by_fit],
        verbose=0,
    )

    assert [call[:2] for call in told.calls] == [call[:2] for call in told_by_fit.calls]
    assert told.calls[0] == ("train begins", "custom")
    logs, logs_of_fit = ([call[2] for call in calls if call[0] == "ends"] for calls in (told.calls, told_by_fit.calls))
    assert [set(figures) for figures in logs] == [set(figures) for figures in logs_of_fit]
    assert logs == [
        {"loss": r.loss, "accuracy": r.accuracy, "val_loss": r.val_loss, "val_accuracy": r.val_accuracy}
        for r in trained.history
    ]


def test_without_validation_the_logs_have_no_figures_of_it(whole_batches: Dataset) -> None:
    seen: list[set[str]] = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(set(logs)))

    train(TrainingParameters(**SMALL, epochs=3), whole_batches, callbacks=[note])

    assert seen == [{"loss", "accuracy"}] * 3


def test_a_callback_sees_the_weights_of_the_epoch_that_ended(whole_batches: Dataset, tmp_path: Path) -> None:
    saving = keras.callbacks.ModelCheckpoint(str(tmp_path / "epoch-{epoch}.keras"))
    told = Told()

    trained = train(TrainingParameters(**SMALL, epochs=2, validation="test"), whole_batches, callbacks=[saving, told])

    assert len(told.calls) == 6
    for result in trained.history:
        saved = keras.models.load_model(tmp_path / f"epoch-{result.epoch}.keras")
        loss, _ = saved.evaluate(whole_batches.test_images / 255.0, whole_batches.test_labels, verbose=0)
        assert loss == pytest.approx(result.val_loss, rel=1e-4)


def test_a_training_that_goes_on_tells_of_the_epochs_that_it_runs(whole_batches: Dataset, tmp_path: Path) -> None:
    parameters, checkpoint, told = TrainingParameters(**SMALL, epochs=3), tmp_path / "checkpoint.npz", Told()
    with pytest.raises(Killed):
        train(parameters, whole_batches, checkpoint=checkpoint, on_progress=kill_in_epoch(2))

    train(parameters, whole_batches, checkpoint=checkpoint, callbacks=[told])

    assert [call[1] for call in told.calls if call[0] == "begins"] == [1, 2]


def test_tensorboard_reads_the_curves(whole_batches: Dataset, tmp_path: Path) -> None:
    parameters = TrainingParameters(**SMALL, epochs=3, validation="split", schedule="cosine", learning_rate=0.01)
    tensorboard = keras.callbacks.TensorBoard(str(tmp_path), write_graph=False)

    trained = train(parameters, whole_batches, callbacks=[tensorboard])

    assert curve(tmp_path / "train", "epoch_loss") == pytest.approx([r.loss for r in trained.history])
    assert curve(tmp_path / "train", "epoch_accuracy") == pytest.approx([r.accuracy for r in trained.history])
    assert curve(tmp_path / "validation", "epoch_loss") == pytest.approx([r.val_loss for r in trained.history])
    assert curve(tmp_path / "validation", "epoch_accuracy") == pytest.approx([r.val_accuracy for r in trained.history])
    assert curve(tmp_path / "train", "epoch_learning_rate") == pytest.approx([0.0075, 0.0025, 0.0], abs=1e-8)


def curve(directory: Path, name: str) -> list[float]:
    """What TensorBoard shows, epoch by epoch."""
    events = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    events.Reload()
    points = events.Tensors(name)
    assert [point.step for point in points] == list(range(len(points)))
    return [float(tf.make_ndarray(point.tensor_proto)) for point in points]
