"""Real classifications whose answers are doubtful, since the net that gives them was never trained."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job, Model
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tests.uploads import received, zipped


def untrained_model(services: Services, class_names: Sequence[str] = "0123456789") -> str:
    """A net in the registry that knows these classes by name only."""
    directory = services.volume.model("untrained")
    directory.mkdir()
    build_model(RECIPES["dropout-128"].plan, classes=len(class_names), seed=1, steps=1).save(directory / "model.keras")
    metrics = {"class_names": list(class_names), "test_accuracy": 0.1, "parameter_count": 101_770}
    with services.database.write() as session:
        session.add(
            Model(
                id="untrained",
                recipe="dropout-128",
                dataset="mnist",
                parameters={},
                metrics=metrics,
                created_at=1.0,
            )
        )
    services.aliases.promote("untrained", who=None)
    return "untrained"


def digits(mnist: Dataset, count: int) -> dict[str, bytes]:
    """The first test images as PNGs, by their names."""
    return {f"{number:03d}.png": png(image) for number, image in enumerate(mnist.test_images[:count])}


def classified(services: Services, files: dict[str, bytes], **parameters: Any) -> Job:
    """The job that classified these files, at its end; without other parameters, all that can be read is to review."""
    return classified_archive(services, zipped(files), **parameters)


def classified_archive(services: Services, content: bytes, **parameters: Any) -> Job:
    """The same of an archive's bytes."""
    given = ClassificationParameters.model_validate({"review_below": 1, **parameters})
    return work_off(services, submit_classification(services, given, received(services, content, "scans.zip")))


def work_off(services: Services, job: Job) -> Job:
    """Run the job's steps in this process, as a worker does; the job at its end."""
    while steps := services.jobs.queued_steps(job.id):
        for step in steps:
            Runner(services, shutting_down=lambda: False).run(step)
    return services.jobs.get(job.id)


def with_settings(services: Services, **settings: Any) -> Services:
    return replace(services, settings=services.settings.model_copy(update=settings))
