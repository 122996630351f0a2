"""The errors of this package. Every message says what is wrong, where, and what to do."""


class WorkerError(Exception):
    """Base of this package's errors."""


class InvalidSubmission(WorkerError):
    """An invalid submission. `field` names the invalid parameter, for forms and problem documents."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class IdempotencyConflict(WorkerError):
    """The idempotency key was used for another submission."""


class UnknownJob(WorkerError):
    """No job has this id."""


class OfLaterVersion(WorkerError):
    """A job of a kind that only a later version knows, as may exist during a rolling upgrade."""


class UnknownModel(WorkerError):
    """No model has this id or alias."""


class UnknownAlias(WorkerError):
    """No model has this alias, or never had it."""


class UnknownRow(WorkerError):
    """A classification's review has no such row."""


class UnknownUser(WorkerError):
    """No user has this name."""


class UnknownKey(WorkerError):
    """No API key has this id."""


class QuotaExceeded(WorkerError):
    """The owner's quota of unfinished jobs or bytes is used up."""


class UnknownDataset(WorkerError):
    """No data set has this name."""


class DatasetNameTaken(WorkerError):
    """Another job has published a data set with this name first."""


class UnknownWebhook(WorkerError):
    """No webhook has this id."""


class UnknownUpload(WorkerError):
    """No upload has this id, or it has expired."""


class UploadBusy(WorkerError):
    """Another request is writing to this upload."""


class OffsetConflict(WorkerError):
    """A piece of an upload does not start where the last one ended."""


class UploadTooLong(WorkerError):
    """A piece of an upload exceeds the announced length."""


class UploadIncomplete(WorkerError):
    """Part of the upload is missing."""


class WrongState(WorkerError):
    """The state of the job, data set, model or alias does not allow the request."""


class AliasChanged(WrongState):
    """An alias was changed since the caller looked."""


class ArchiveError(WorkerError):
    """An archive that cannot be used."""


class LeaseLost(WorkerError):
    """The job was cancelled or removed, or the lease expired and another worker may hold it: stop, write nothing."""


class ShuttingDown(WorkerError):
    """This worker was told to stop: release the step."""


class PredictorAway(WorkerError):
    """No predictor answered in time: none is running, it is starting, or it is overloaded."""


class NoPredictor(PredictorAway):
    """None is online: none is running, or it is still starting."""


class PredictionFailed(WorkerError):
    """The predictor had an error that the image did not cause."""


class NoTrialSucceeded(WorkerError):
    """All trials of a sweep have ended and none succeeded."""


class TrialPruned(WorkerError):
    """A sweep prunes one of its trials, which is worse than the others."""


class DatabaseTooNew(WorkerError):
    """A later version has migrated the database, and this one cannot use it."""


class BackupUnusable(WorkerError):
    """A backup that cannot be restored: it is damaged, or the target is not empty."""
