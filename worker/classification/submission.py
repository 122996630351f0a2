"""Submits a classification."""

from collections.abc import Sequence
from pathlib import Path

from tenfold.worker.classification.inputs import store_listing
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import ArchiveError, InvalidSubmission
from tenfold.worker.jobs.submission import Submission, new_id
from tenfold.worker.models.aliases import aliases_among
from tenfold.worker.models.preparing import preparation_for
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.sources import Limits, Listing, count_images, list_zip, suffix_of
from tenfold.worker.uploads.upload import Upload


def submit_classification(
    services: Services,
    parameters: ClassificationParameters,
    upload: Upload | None,
    idempotency_key: str | None = None,
) -> Job:
    """Queue the classification of an uploaded archive, or of the directory that the parameters name.

    The upload is moved to the job, or removed.

    Args:
        upload: None when the parameters name a directory.

    Raises:
        InvalidSubmission: no usable images, unknown model, or none in production.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    content = [upload.sha256] if upload else []
    try:
        submission = Submission.of(services, JobKind.CLASSIFICATION, parameters, idempotency_key, *content)
        if existing := submission.earlier_job():
            return existing
        resolved, aliases = _resolved(services, parameters)
        if upload is None:
            directory = _inbox_directory(services, parameters.directory)
            total, *_ = _inspect(directory, "directory", services.settings)
            job_id, source = submission.make_directory(), {"name": f"inbox/{parameters.directory}"}
        else:
            total, suffix, listing = _inspect(upload.path, "file", services.settings)
            job_id, source = new_id(), upload.source
            upload.move(services.volume.archive_of_kind(job_id, suffix), services.volume.storage)
            if listing is not None:
                store_listing(services.volume, job_id, listing)
    finally:
        if upload is not None:
            upload.path.unlink(missing_ok=True)
    return submission.commit(job_id, resolved, total=total, source=source, aliases=aliases)


def _resolved(
    services: Services, parameters: ClassificationParameters
) -> tuple[ClassificationParameters, dict[str, str]]:
    """The parameters with the ids of the models that will answer, and the aliases that named them."""
    names = parameters.model or (None,)
    models = [services.models.serving(name) for name in names]
    if any(model.class_names != models[0].class_names for model in models):
        raise InvalidSubmission("model", "Models that answer together must have the same classes; these do not.")
    preparation_for(parameters.normalize, parameters.polarity, models)
    shadow = _shadow(services, parameters, models)
    ids = tuple(model.id for model in models)
    aliases = aliases_among(names, ids) | (aliases_among([parameters.shadow], [shadow.id]) if shadow else {})
    resolved = {"model": ids, "shadow": shadow and shadow.id}
    return parameters.model_copy(update=resolved), aliases


def _shadow(services: Services, parameters: ClassificationParameters, models: Sequence[Model]) -> Model | None:
    """The shadow model, which is given the images as they are prepared for the others."""
    if parameters.shadow is None:
        return None
    try:
        shadow = services.models.serving(parameters.shadow)
    except InvalidSubmission as error:
        raise InvalidSubmission("shadow", str(error)) from error
    first = models[0]
    if shadow.id in (model.id for model in models):
        raise InvalidSubmission("shadow", f"The model {shadow.id} answers already. Choose another one as the shadow.")
    if set(shadow.class_names) != set(first.class_names):
        raise InvalidSubmission("shadow", f"The models {first.id} and {shadow.id} have different classes.")
    alike = parameters.normalize != "model" or shadow.input.images == first.input.images
    if shadow.input.shape != first.input.shape or not alike:
        raise InvalidSubmission(
            "shadow",
            f"The shadow model must take the same input: {first.id} takes {first.input.size} with preprocessing "
            f"{first.input.preprocessing}, {shadow.id} {shadow.input.size} with {shadow.input.preprocessing}. Compare "
            "them after the classification: tenfold model compare, which prepares the images for each.",
        )
    return shadow


def _inbox_directory(services: Services, directory: str | None) -> Path:
    if directory is not None and services.settings.bucket is not None:
        raise InvalidSubmission(
            "directory",
            f"The volume is the bucket {services.settings.bucket}, of which no directory is read. Pack the images into "
            "an archive and send that.",
        )
    if directory is None:
        raise InvalidSubmission("file", "There is nothing to classify: send a file, or name a directory of the inbox.")
    found = services.volume.inbox_directory(directory)
    if found is None:
        raise InvalidSubmission(
            "directory",
            f"There is no directory {directory[:200]!r} in the inbox. Put the images into a directory in "
            f"{services.volume.inbox}, and give its path from there.",
        )
    return found


def _inspect(path: Path, field: str, settings: Settings) -> tuple[int, str, Listing | None]:
    """The number of images, the suffix for such an archive, and its listing if one was made to count them."""
    limits = Limits.of(settings)
    try:
        suffix = "" if path.is_dir() else suffix_of(path)
        listing = list_zip(path, limits)
        return count_images(path, limits) if listing is None else len(listing.images), suffix, listing
    except ArchiveError as error:
        raise InvalidSubmission(field, str(error)) from error
