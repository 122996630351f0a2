"""Estimates the time left of a running job from its progress so far."""

from statistics import median
from typing import Any

from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.progress import Live

# The median of this many last epochs predicts the next ones. The first epoch is left out: it includes compilation.
EPOCHS_LOOKED_AT = 5

# Below this share of a job there is no estimate.
MIN_SHARE = 0.01


def eta_seconds(job: Job, live: Live) -> float | None:
    """Seconds from the last reported progress to the end of the job; None if there is no estimate.

    It reads no clock: without new progress it stays the same, and so does the ETag of a poll.
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
    seconds_per_trial = job.detail.get("seconds_per_trial")
    return None if seconds_per_trial is None else (job.total - job.done) * float(seconds_per_trial)


def _left_at_the_same_pace(job: Job, live: Live) -> float | None:
    """Counts only the work and the time since the last retry."""
    retry = job.detail.get("retry", {"at": job.started_at, "done": 0})
    done = job.done + live.done - retry["done"]
    if live.at is None or retry["at"] is None or live.at <= retry["at"] or done < MIN_SHARE * job.total:
        return None
    return float((live.at - retry["at"]) / done * (job.total - job.done - live.done))
