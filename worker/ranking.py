"""The trials of a sweep in the order of what they reached."""

from collections.abc import Sequence
from typing import Any

from worker.records import Job
from worker.states import JobState
from worker.sweep_parameters import SweepParameters

# What a trial is called whose sweep stopped it early.
GIVEN_UP = "given up"


def ranking(trials: Sequence[Job], parameters: SweepParameters) -> list[dict[str, Any]]:
    """A row for each trial, the best first; those that did not succeed (yet) come after all that did."""
    rows = []
    for job in trials:
        objectives = objectives_of(job, parameters)
        rows.append(
            {
                "trial": job.source["trial"],
                "job": job.id,
                "state": GIVEN_UP if job.state is JobState.CANCELLED and job.error else job.state.value,
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
    """The objective after each epoch; last, for a trial that succeeded, that of the weights that it kept."""
    objectives = tuple(epoch[parameters.objective] for epoch in trial.detail.get("history", []))
    return (*objectives, trial.summary[parameters.objective]) if trial.summary else objectives
