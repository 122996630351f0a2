"""Submits a comparison."""

from collections.abc import Sequence

from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.datasets.datasets import check_usable, get_dataset
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission, UnknownDataset, UnknownJob, WrongState
from tenfold.worker.jobs.submission import Submission
from tenfold.worker.models.aliases import aliases_among
from tenfold.worker.review.reviews import class_names, reviewable
from tenfold.worker.services import Services

# Class names listed in an error.
MAX_NAMED = 10


def submit_comparison(services: Services, parameters: ComparisonParameters, idempotency_key: str | None = None) -> Job:
    """Queue a comparison of models on the same images.

    Raises:
        InvalidSubmission: a model or the images do not exist, the images have no labels, or a model does not have
            their classes.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    submission = Submission.of(services, JobKind.COMPARISON, parameters, idempotency_key)
    if existing := submission.earlier_job():
        return existing
    models = _models(services, parameters.models)
    on = parameters.on or next((model.dataset for model in models if is_dataset(services, model.dataset)), None)
    if on is None:
        raise InvalidSubmission(
            "on", "The data sets of these models are not on the volume. Name the images to compare on."
        )
    total = _check_images(services, on, models)
    resolved = ComparisonParameters(models=tuple(model.id for model in models), on=on)
    aliases = aliases_among(parameters.models, resolved.models)
    return submission.commit(submission.make_directory(), resolved, total=total, aliases=aliases)


def is_dataset(services: Services, on: str) -> bool:
    """Whether the images are a data set's rather than a classification's."""
    try:
        get_dataset(services.volume, on)
    except UnknownDataset:
        return False
    return True


def _models(services: Services, named: Sequence[str]) -> list[Model]:
    try:
        models = [services.models.serving(name) for name in named]
    except InvalidSubmission as error:
        raise InvalidSubmission("models", str(error)) from error
    if len({model.id for model in models}) < len(models):
        raise InvalidSubmission("models", "A model is named twice. Name two or more different models.")
    return models


def _check_images(services: Services, on: str, models: Sequence[Model]) -> int:
    """The number of images, which have labels that all models know."""
    if is_dataset(services, on):
        try:
            check_usable(services.volume, on)
        except InvalidSubmission as error:
            raise InvalidSubmission("on", str(error)) from error
        entry = get_dataset(services.volume, on)
        if not entry.test:
            raise InvalidSubmission("on", f"The data set {on} has no test images. Choose another one.")
        _check_classes(f"data set {on}", entry.class_names, models)
        return entry.test
    try:
        job = reviewable(services, on)
    except (UnknownJob, WrongState) as error:
        there_is_none = f"There is no data set and no job {on[:64]!r}. `tenfold dataset list` shows all data sets."
        raise InvalidSubmission("on", there_is_none if isinstance(error, UnknownJob) else str(error)) from error
    if not (job.summary or {}).get("labeled") and not services.corrections.count(on):
        raise InvalidSubmission(
            "on",
            f"The classification {on} has no labels, so nothing says which model is right. Classify images in folders "
            "named after their classes, add a manifest with true labels, or review answers first.",
        )
    _check_classes(f"classification {on}", class_names(services, job), models)
    return job.total


def _check_classes(images: str, known: Sequence[str], models: Sequence[Model]) -> None:
    for model in models:
        if missing := [name for name in known if name not in model.class_names]:
            listed = ", ".join(missing[:MAX_NAMED]) + (
                f" and {len(missing) - MAX_NAMED} more" * (len(missing) > MAX_NAMED)
            )
            raise InvalidSubmission(
                "models",
                f"The model {model.id} does not have these classes of the {images}: {listed}. Models are compared by "
                "the names of their classes: choose images of classes that every model has.",
            )
