"""Submits the import of a model."""

from tenfold.trainer.errors import InputUnsupported
from tenfold.worker.datasets.datasets import check_usable
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.jobs.submission import Submission, new_id
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.services import Services
from tenfold.worker.uploads.upload import Upload


def submit_model_import(
    services: Services,
    parameters: ModelImportParameters,
    upload: Upload,
    sample: Upload | None = None,
    idempotency_key: str | None = None,
) -> Job:
    """Queue the import of an uploaded model. The uploads are moved to the job, or removed.

    Args:
        sample: a zip of class folders to check the declaration on.

    Raises:
        InvalidSubmission: the declaration contradicts itself, or the data set does not exist or cannot be used.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    uploads = [upload, *([sample] if sample else [])]
    try:
        digests = [each.sha256 for each in uploads]
        submission = Submission.of(services, JobKind.MODEL_IMPORT, parameters, idempotency_key, *digests)
        if existing := submission.earlier_job():
            return existing
        _check(services, parameters, sample)
        job_id = new_id()
        upload.move(services.volume.upload(job_id), services.volume.storage)
        if sample:
            sample.move(services.volume.sample(job_id), services.volume.storage)
    finally:
        for each in uploads:
            each.path.unlink(missing_ok=True)
    source = upload.source | ({"sample": sample.source} if sample else {})
    return submission.commit(job_id, parameters, total=1, source=source)


def _check(services: Services, parameters: ModelImportParameters, sample: Upload | None) -> None:
    try:
        _ = parameters.spec
    except InputUnsupported as error:
        raise InvalidSubmission("preprocessing", str(error)) from error
    if parameters.check is None:
        return
    if sample:
        raise InvalidSubmission("check", "Check on a data set or on a zip, not on both.")
    check_usable(services.volume, parameters.check, field="check")
