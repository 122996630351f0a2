"""The states of a job and of the steps it is made of.

A job goes `queued → running → succeeded | failed | cancelled`. A failed or cancelled job can be put back to
`queued`. A step goes `waiting → queued → running → done`; a running step whose lease is given back is `queued`
again. Every transition is one conditional UPDATE in `jobs.py` or `leases.py`.
"""

from enum import StrEnum


class JobKind(StrEnum):
    TRAINING = "training"
    CLASSIFICATION = "classification"
    IMPORT = "import"
    SWEEP = "sweep"
    REVIEW = "review"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self not in UNFINISHED


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class StepKind(StrEnum):
    """The pieces of each kind of job.

    A training is one `train` step, an import one `import` step. A classification is `plan`, then its `shard`s in any
    order, then `merge`. A sweep is one `advance` step, which waits for its trials and is queued again whenever one of
    them ends. A review is one `correct` step.
    """

    TRAIN = "train"
    PLAN = "plan"
    SHARD = "shard"
    MERGE = "merge"
    IMPORT = "import"
    ADVANCE = "advance"
    CORRECT = "correct"


class StepState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
