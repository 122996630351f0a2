"""The step of a training: loads the data, trains with checkpoints, evaluates, and publishes the model."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import keras

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.evaluation.calibration import calibrate
from tenfold.trainer.reports.artifacts import write_artifacts
from tenfold.trainer.training.loop import Progress, train
from tenfold.worker.datasets.loading import load
from tenfold.worker.db.records import Model
from tenfold.worker.errors import LeaseLost
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.outputs import unpublish_model_unless_wanted
from tenfold.worker.observability.metrics import EPOCH_SECONDS, STAGE_SECONDS
from tenfold.worker.observability.stopwatch import Stopwatch
from tenfold.worker.services import Services
from tenfold.worker.sweeps.step import stop_if_pruned
from tenfold.worker.training.start import forgetting, load_ancestor

log = logging.getLogger(__name__)

# The folder of TensorBoard's logs, in the job's work directory and then in the model's.
TENSORBOARD = "tensorboard"


def train_model(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Train with the lease's parameters, continuing from the last checkpoint if there is one.

    Raises:
        TrainerError: the training cannot succeed (its loss diverged, the data set is unavailable, the model to start
            from was deleted).
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker was told to stop; the last checkpoint is kept.
    """
    parameters = TrainingParameters(**lease.parameters)
    volume = services.volume
    watch = Stopwatch()
    with watch.stage("load"):
        dataset = load(volume, parameters.dataset)
        ancestor = load_ancestor(services, parameters.from_model) if parameters.from_model else None
        if ancestor is not None:
            dataset = ancestor.prepared(dataset)
    work = volume.storage.fetch(volume.work(lease.job_id), may_change=True)
    work.mkdir(exist_ok=True)

    epochs_recorded = 0

    def report(progress: Progress) -> None:
        nonlocal epochs_recorded
        check()
        epochs_done = len(progress.history)
        if epochs_done > epochs_recorded:
            epochs_recorded = epochs_done
            volume.storage.publish(work)
            last = progress.history[-1]
            # A resumed training reports from within an epoch that the epochs before it are finished.
            if last.epoch == progress.epoch:
                EPOCH_SECONDS.observe(last.seconds)
                log.info(
                    "epoch %d of %d: loss %.4f, accuracy %.4f", last.epoch, progress.epochs, last.loss, last.accuracy
                )
            history = [asdict(result) for result in progress.history]
            services.leases.record_progress(lease, epochs_done, {"history": history})
            stop_if_pruned(services, lease, history)
            services.live.clear(lease.job_id, lease.step_id)
        else:
            services.live.publish(
                lease.job_id,
                lease.step_id,
                progress.step / progress.steps,
                {"epoch": progress.epoch, "loss": progress.loss, "accuracy": progress.accuracy},
            )

    tensorboard = keras.callbacks.TensorBoard(str(work / TENSORBOARD), write_graph=False)
    with watch.stage("train"):
        trained = train(
            parameters,
            dataset,
            ancestor=ancestor,
            checkpoint=work / "checkpoint.npz",
            on_progress=report,
            callbacks=[tensorboard],
        )
    with watch.stage("evaluate"):
        evaluation = evaluate(trained.model, dataset.test_images, dataset.test_labels, dataset.input)
        calibration = calibrate(trained, evaluation, dataset)
        forgot, notes = forgetting(services, trained, dataset)
    renaming = partial(services.leases.locked, lease)
    place = volume.model(lease.job_id)
    with watch.stage("write"), volume.storage.write_directory(place, renaming=renaming) as directory:
        metrics = write_artifacts(trained, evaluation, calibration, dataset, directory, forgot)
        shutil.copytree(work / TENSORBOARD, directory / TENSORBOARD, dirs_exist_ok=True)
    log.info("test accuracy %.4f", metrics["test_accuracy"])

    model = Model(
        id=lease.job_id,
        recipe=trained.parameters.recipe,
        dataset=dataset.name,
        parameters=trained.parameters.model_dump(mode="json"),
        metrics=metrics,
        created_at=services.clock(),
        trial=lease.parent_id is not None,
    )
    summary = {
        "model": lease.job_id,
        "test_accuracy": metrics["test_accuracy"],
        "test_loss": metrics["test_loss"],
        "train_accuracy": metrics["train_accuracy"],
        "val_accuracy": metrics["val_accuracy"],
        "val_loss": metrics["val_loss"],
        "parameters": metrics["parameter_count"],
        "seconds": metrics["seconds"],
        "input": metrics["input"],
        "notes": [*trained.notes, *notes],
        "calibration_error": metrics["calibration"]["before"]["error"],
        "temperature": metrics["calibration"]["temperature"],
    }
    try:
        services.leases.finish_job(lease, summary, model=model)
    except LeaseLost:
        unpublish_model_unless_wanted(services, lease.job_id)
        raise
    watch.observe(STAGE_SECONDS, lease.kind)
    volume.delete_work(lease.job_id)
