"""Ranks the trials of a sweep."""

from collections.abc import Sequence
from typing import Any

from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.sweeps.parameters import SweepParameters

# The state of a trial that its sweep stopped early.
PRUNED = "pruned"


def ranking(trials: Sequence[Job], parameters: SweepParameters) -> list[dict[str, Any]]:
    """A row for each trial, best first; trials that have not succeeded come last."""
    rows = []
    for job in trials:
        objectives = objectives_of(job, parameters)
        rows.append(
            {
                "trial": job.source["trial"],
                "job": job.id,
                "state": PRUNED if job.state is JobState.CANCELLED and job.error else job.state.value,
                "values": job.source["values"],
                parameters.objective: objectives[-1] if objectives else None,
                "epochs": job.done,
                "test_accuracy": (job.summary or {}).get("test_accuracy"),
            }
        )
    sign = -1 if parameters.objective == "val_accuracy" else 1

    def order(row: dict[str, Any]) -> tuple[bool, bool, float]:
        figure = row[parameters.objective]
        return (row["state"] != JobState.SUCCEEDED, figure is None, sign * (figure or 0))

    return sorted(rows, key=order)


def objectives_of(trial: Job, parameters: SweepParameters) -> tuple[float, ...]:
    """The objective after each epoch; a succeeded trial adds that of its final weights."""
    objectives = tuple(epoch[parameters.objective] for epoch in trial.detail.get("history", []))
    return (*objectives, trial.summary[parameters.objective]) if trial.summary else objectives
