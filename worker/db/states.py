"""The states of a job and of the steps it is made of.

A job goes `queued → running → succeeded | failed | cancelled`. A failed or cancelled job can be retried: `queued`
again. A step goes `waiting → queued → running → done`; a running step that is released is `queued` again. Every
transition is one conditional UPDATE in `worker/jobs/`.
"""

from enum import StrEnum


class JobKind(StrEnum):
    TRAINING = "training"
    CLASSIFICATION = "classification"
    IMPORT = "import"
    SWEEP = "sweep"
    REVIEW = "review"
    COMPARISON = "comparison"
    MODEL_IMPORT = "model_import"
    CHECK = "check"


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
    them ends. A review is one `correct` step, a comparison one `compare` step, an import of a model one `import_model`
    step.
    """

    TRAIN = "train"
    PLAN = "plan"
    SHARD = "shard"
    MERGE = "merge"
    IMPORT = "import"
    ADVANCE = "advance"
    CORRECT = "correct"
    COMPARE = "compare"
    CHECK = "check"
    IMPORT_MODEL = "import_model"


FIRST_STEP = {
    JobKind.TRAINING: StepKind.TRAIN,
    JobKind.CLASSIFICATION: StepKind.PLAN,
    JobKind.IMPORT: StepKind.IMPORT,
    JobKind.SWEEP: StepKind.ADVANCE,
    JobKind.REVIEW: StepKind.CORRECT,
    JobKind.COMPARISON: StepKind.COMPARE,
    JobKind.MODEL_IMPORT: StepKind.IMPORT_MODEL,
    JobKind.CHECK: StepKind.CHECK,
}


class StepState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
