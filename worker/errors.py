"""What can go wrong with a job. Every message says what was wrong, where, and what to do."""


class WorkerError(Exception):
    """Base of this package's errors."""


class InvalidSubmission(WorkerError):
    """A submission that can never run. `field` names the offending parameter, for forms and problem documents."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class IdempotencyConflict(WorkerError):
    """An idempotency key was used before with other content."""


class UnknownJob(WorkerError):
    """No job has this id."""


class OfLaterVersion(WorkerError):
    """A job of a kind that this version does not know: a later one made it, in the course of an update."""


class UnknownModel(WorkerError):
    """No model has this id."""


class UnknownRow(WorkerError):
    """A classification's review has no such row."""


class UnknownUser(WorkerError):
    """There is nobody of this name."""


class UnknownKey(WorkerError):
    """No API key has this id."""


class QuotaExceeded(WorkerError):
    """Somebody would have more unfinished jobs, or more bytes on the volume, than they may."""


class UnknownDataset(WorkerError):
    """No data set has this name."""


class DatasetNameTaken(WorkerError):
    """An import that others were faster than: its name now belongs to another data set."""


class UnknownWebhook(WorkerError):
    """No webhook has this id."""


class UnknownUpload(WorkerError):
    """No upload has this id, or it has expired."""


class UploadBusy(WorkerError):
    """Another request is writing to this upload."""


class OffsetConflict(WorkerError):
    """A piece of an upload does not go on where the last one ended."""


class UploadTooLong(WorkerError):
    """A piece of an upload goes beyond the length that was said."""


class UploadIncomplete(WorkerError):
    """A part of the upload is still missing."""


class WrongState(WorkerError):
    """The job's state, or the data set's, does not allow what was asked."""


class ArchiveError(WorkerError):
    """An uploaded archive that cannot be used at all."""


class LeaseLost(WorkerError):
    """The job was cancelled or removed, or the lease expired and another worker may hold it: stop, write nothing."""


class ShuttingDown(WorkerError):
    """This worker was told to stop: give the step back."""


class PredictorAway(WorkerError):
    """No predictor has answered: none runs, it is still starting, or it has too much to do."""


class PredictionFailed(WorkerError):
    """The predictor met an error that the image is not to blame for."""


class NoTrialSucceeded(WorkerError):
    """All trials of a sweep have ended, and none of them succeeded."""


class TrialPruned(WorkerError):
    """A sweep gives up one of its trials, which is worse than the others."""


class DatabaseTooNew(WorkerError):
    """The database has migrations that this version does not know."""


class BackupUnusable(WorkerError):
    """A backup that cannot be restored: it is damaged, or there is something where it is to go."""
