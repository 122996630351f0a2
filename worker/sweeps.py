"""The step of a sweep: look at its trials, think of new ones, and rank them all when the last has ended.

It runs whenever a trial has ended, takes no time of a worker's while they run, and holds nothing in memory between:
the rows of the trials are all that it knows.
"""

import csv
import io
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from optuna.trial import TrialState
from pydantic import ValidationError

from trainer.plots import plot_sweep
from worker.errors import LeaseLost, NoTrialSucceeded, TrialPruned
from worker.leases import Lease
from worker.ranking import GIVEN_UP, objectives_of, ranking
from worker.records import Job
from worker.services import Services
from worker.states import JobKind, JobState
from worker.storage.whole import list_files, write_whole
from worker.study import Trial, is_hopeless, suggest
from worker.submissions import new_id
from worker.sweep_parameters import SweepParameters
from worker.tracing import trace_link

log = logging.getLogger(__name__)


def advance(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Queue further trials, or end the sweep when there is nothing left to try.

    Raises:
        NoTrialSucceeded: all have ended, and none of them well.
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
    detail = {"ranking": ranking(jobs, parameters), "seconds_a_trial": _seconds_a_trial(jobs)}
    try:
        steps = services.leases.await_trials(lease, new, ended, detail)
    except LeaseLost:
        for job in new:
            services.volume.delete_job(job.id)
        raise
    services.queue.announce(JobKind.TRAINING, steps)


def give_up_if_hopeless(services: Services, lease: Lease, history: Sequence[dict[str, Any]]) -> None:
    """Called by a trial after each epoch.

    Raises:
        TrialPruned: it is worse than half of the others were at this epoch.
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
    if is_hopeless(parameters, others, trial):
        raise TrialPruned(
            f"Given up after epoch {len(history)}: {parameters.objective} {objectives[-1]:.4f} is worse than half of "
            "the sweep's other trials were by then."
        )


def trial_of(job: Job, parameters: SweepParameters) -> Trial:
    """What a study has to know of a trial's row."""
    states = {JobState.SUCCEEDED: TrialState.COMPLETE, JobState.CANCELLED: TrialState.PRUNED}
    state = states.get(job.state, TrialState.FAIL) if job.state.final else TrialState.RUNNING
    return Trial(job.source["trial"], job.source["values"], objectives_of(job, parameters), state)


def _seconds_a_trial(jobs: Sequence[Job]) -> float | None:
    """How often a trial has ended so far, on however many workers there are; None before the first has."""
    ends = [job.finished_at for job in jobs if job.finished_at is not None]
    starts = [job.started_at for job in jobs if job.started_at is not None]
    return round((max(ends) - min(starts)) / len(ends), 3) if ends and starts else None


def _new_trial(
    services: Services, lease: Lease, parameters: SweepParameters, number: int, values: dict[str, Any]
) -> Job:
    """A training to queue; or, where the values do not go together, one that has failed already and says why."""
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
        raise NoTrialSucceeded(f"None of the {len(ranked)} trials succeeded; see what each of them says.")
    directory = services.volume.job(lease.job_id)
    with write_whole(directory / "trials.csv") as file:
        file.write(_table(ranked, parameters).encode())
    with write_whole(directory / "sweep.json") as file:
        file.write(json.dumps({"parameters": lease.parameters, "ranking": ranked}, indent=2).encode())
    with write_whole(directory / "sweep.png") as file:
        plot_sweep(ranked, list(parameters.space), parameters.objective, file)
    summary = {
        "model": best["job"],
        "best": best,
        "test_accuracy": best["test_accuracy"],
        "trials": len(ranked),
        "given_up": sum(row["state"] == GIVEN_UP for row in ranked),
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
