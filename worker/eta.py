"""How long an unfinished job will still take, as far as what is done so far tells. None where it tells nothing."""

from statistics import median
from typing import Any

from worker.progress import Live
from worker.records import Job
from worker.states import JobKind, JobState

# Of a training: so many of the last epochs say how long the next ones take. The first one also compiled the net.
EPOCHS_LOOKED_AT = 5

# Less than this share of a job says too little about the rest.
LEAST_SHARE = 0.01


def eta_seconds(job: Job, live: Live) -> float | None:
    """Seconds from the last sign of progress to the end of the job's work.

    It looks at no clock: while nothing is reported, it stays the same, and so does a poll's ETag.
    """
    if job.state is not JobState.RUNNING:
        return None
    if job.kind is JobKind.TRAINING and (history := job.detail.get("history")):
        left: float | None = (job.total - job.done - live.done) * _epoch_seconds(history)
    elif job.kind is JobKind.SWEEP:
        left = _left_of_sweep(job)
    else:
        left = _left_at_the_same_pace(job, live)
    return None if left is None else round(max(left, 0), 1)


def _epoch_seconds(history: list[dict[str, Any]]) -> float:
    return float(median(epoch["seconds"] for epoch in history[1:][-EPOCHS_LOOKED_AT:] or history))


def _left_of_sweep(job: Job) -> float | None:
    seconds_a_trial = job.detail.get("seconds_a_trial")
    return None if seconds_a_trial is None else (job.total - job.done) * float(seconds_a_trial)


def _left_at_the_same_pace(job: Job, live: Live) -> float | None:
    """What was done before a retry does not count: neither the work nor the time."""
    retry = job.detail.get("retry", {"at": job.started_at, "done": 0})
    done = job.done + live.done - retry["done"]
    if live.at is None or retry["at"] is None or live.at <= retry["at"] or done < LEAST_SHARE * job.total:
        return None
    return float((live.at - retry["at"]) / done * (job.total - job.done - live.done))
