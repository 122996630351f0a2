"""The step of a sweep: looks at its trials, queues new ones, and ranks them all when the last has ended.

It runs whenever a trial has ended, so it takes no worker while they run, and keeps no state but the trials' rows.
"""

import csv
import io
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from optuna.trial import TrialState
from pydantic import ValidationError

from tenfold.trainer.reports.plots import plot_sweep
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import LeaseLost, NoTrialSucceeded, TrialPruned
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.submission import new_id
from tenfold.worker.observability.tracing import trace_link
from tenfold.worker.services import Services
from tenfold.worker.storage.whole import atomic_write, list_files
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.ranking import PRUNED, objectives_of, ranking
from tenfold.worker.sweeps.study import Trial, should_prune, suggest

log = logging.getLogger(__name__)


def advance(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Queue more trials, or end the sweep when there is nothing left to try.

    Raises:
        NoTrialSucceeded: all have ended and none succeeded.
        LeaseLost: the sweep was cancelled or another worker has the step.
    """
    parameters = SweepParameters(**lease.parameters)
    jobs = services.jobs.trials(lease.job_id)
    trials = [trial_of(job, parameters) for job in jobs]
    ended = sum(job.state.final for job in jobs)
    if ended == parameters.trial_count:
        _finish(services, lease, parameters, jobs)
        return
    running = len(jobs) - ended
    new: list[Job] = []
    while running < parameters.parallel and len(trials) < parameters.trial_count:
        check()
        number = len(trials)
        job = _new_trial(services, lease, parameters, number, suggest(parameters, trials, number))
        new.append(job)
        trials.append(trial_of(job, parameters))
        running += not job.state.final
        log.info("trial %d: %s%s", number, _text(job.source["values"]), f": {job.error}" if job.error else "")
    detail = {"ranking": ranking(jobs, parameters), "seconds_per_trial": _seconds_per_trial(jobs)}
    try:
        steps = services.leases.await_trials(lease, new, ended, detail)
    except LeaseLost:
        for job in new:
            services.volume.delete_job(job.id)
        raise
    services.queue.announce(JobKind.TRAINING, steps)


def stop_if_pruned(services: Services, lease: Lease, history: Sequence[dict[str, Any]]) -> None:
    """Check a trial after each epoch.

    Raises:
        TrialPruned: it is worse than half of the other trials were at this epoch.
    """
    if lease.parent_id is None:
        return
    parameters = SweepParameters(**services.jobs.get(lease.parent_id).parameters)
    if not parameters.pruning:
        return
    jobs = services.jobs.trials(lease.parent_id)
    mine = next(job for job in jobs if job.id == lease.job_id)
    others = [trial_of(job, parameters) for job in jobs if job.id != lease.job_id]
    objectives = tuple(epoch[parameters.objective] for epoch in history)
    trial = Trial(mine.source["trial"], mine.source["values"], objectives, TrialState.RUNNING)
    if should_prune(parameters, others, trial):
        raise TrialPruned(
            f"Pruned after epoch {len(history)}: {parameters.objective} {objectives[-1]:.4f} is worse than half of "
            "the sweep's other trials at that epoch."
        )


def trial_of(job: Job, parameters: SweepParameters) -> Trial:
    """The trial in a job's row."""
    states = {JobState.SUCCEEDED: TrialState.COMPLETE, JobState.CANCELLED: TrialState.PRUNED}
    state = states.get(job.state, TrialState.FAIL) if job.state.final else TrialState.RUNNING
    return Trial(job.source["trial"], job.source["values"], objectives_of(job, parameters), state)


def _seconds_per_trial(jobs: Sequence[Job]) -> float | None:
    """The mean time between the ends of trials, on all workers; None before the first has ended."""
    ends = [job.finished_at for job in jobs if job.finished_at is not None]
    starts = [job.started_at for job in jobs if job.started_at is not None]
    return round((max(ends) - min(starts)) / len(ends), 3) if ends and starts else None


def _new_trial(
    services: Services, lease: Lease, parameters: SweepParameters, number: int, values: dict[str, Any]
) -> Job:
    """A training to queue; if the combination of values is invalid, one that has already failed, with the reason."""
    now = services.clock()
    try:
        training, ended = parameters.trial(values), {}
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        training = parameters.trial({})
        message = f"{_text(values)} cannot be trained: {reason}. Narrow the search space to avoid such trials."
        ended = {"state": JobState.FAILED, "error": message, "finished_at": now}
    job_id = new_id()
    services.volume.job(job_id).mkdir()
    return Job(
        owner=lease.owner,
        id=job_id,
        parent_id=lease.job_id,
        kind=JobKind.TRAINING,
        parameters=training.resolved().model_dump(mode="json"),
        source={"trial": number, "values": values, **trace_link()},
        fingerprint=f"{lease.job_id} trial {number}",
        created_at=now,
        total=training.plan().epochs,
        detail={},
        **{"state": JobState.QUEUED} | ended,
    )


def _finish(services: Services, lease: Lease, parameters: SweepParameters, jobs: Sequence[Job]) -> None:
    ranked = ranking(jobs, parameters)
    best = ranked[0] if ranked[0]["state"] == JobState.SUCCEEDED else None
    if best is None:
        raise NoTrialSucceeded(f"None of the {len(ranked)} trials succeeded; see the error of each trial.")
    directory = services.volume.job(lease.job_id)
    with atomic_write(directory / "trials.csv") as file:
        file.write(_table(ranked, parameters).encode())
    with atomic_write(directory / "sweep.json") as file:
        file.write(json.dumps({"parameters": lease.parameters, "ranking": ranked}, indent=2).encode())
    with atomic_write(directory / "sweep.png") as file:
        plot_sweep(ranked, list(parameters.space), parameters.objective, file)
    summary = {
        "model": best["job"],
        "best": best,
        "test_accuracy": best["test_accuracy"],
        "trials": len(ranked),
        "pruned": sum(row["state"] == PRUNED for row in ranked),
        "failed": sum(row["state"] == JobState.FAILED for row in ranked),
        "ranking": ranked,
        "seconds": round(services.clock() - min(job.created_at for job in jobs), 3),
    }
    services.volume.storage.publish(*list_files(directory).values())
    services.leases.finish_job(lease, summary, best_trial=best["job"])
    log.info("best of %d trials: %s", len(ranked), _text(best["values"]))


def _table(ranked: Sequence[dict[str, Any]], parameters: SweepParameters) -> str:
    text = io.StringIO()
    columns = ["rank", "trial", "state", *parameters.space, parameters.objective, "test_accuracy", "epochs", "job"]
    table = csv.DictWriter(text, columns, extrasaction="ignore")
    table.writeheader()
    for rank, row in enumerate(ranked, start=1):
        table.writerow({"rank": rank, **row, **row["values"]})
    return text.getvalue()


def _text(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )
