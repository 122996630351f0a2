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


class UnknownModel(WorkerError):
    """No model has this id."""


class WrongState(WorkerError):
    """The job's state does not allow what was asked."""


class ArchiveError(WorkerError):
    """An uploaded archive that cannot be used at all."""


class LeaseLost(WorkerError):
    """The job was cancelled or removed, or the lease expired and another worker may hold it: stop, write nothing."""


class ShuttingDown(WorkerError):
    """This worker was told to stop: give the step back."""
