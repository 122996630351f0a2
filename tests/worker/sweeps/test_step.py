"""A sweep from its submission to its ranking, run step by step with real trainings on a few hundred real digits."""

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import InvalidSubmission, LeaseLost, WrongState
from tenfold.worker.jobs import submission
from tenfold.worker.jobs.transitions import wake_sweep
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tenfold.worker.sweeps import step as sweeps
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.submission import submit_sweep
from tests.conftest import every_database, write_dataset
from tests.trainer.trainings import SMALL

Submit = Callable[..., Job]


@pytest.fixture
def submit(services: Services, mnist: Dataset) -> Submit:
    write_dataset(mnist.head(train=1000, test=200), services.volume.datasets / "tiny")

    def submit(**parameters: Any) -> Job:
        given = {"dataset": "tiny", "epochs": 2, "space": "dropout=0|0.2"} | SMALL | parameters
        return submit_sweep(services, SweepParameters(**given))

    return submit


class Worker:
    """Runs what is in line, as a worker would that gets every message."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._runner = Runner(services, shutting_down=lambda: False)

    def run_sweep_step(self, sweep: Job) -> None:
        for step in self._services.jobs.queued_steps(sweep.id):
            self._runner.run(step)

    def run_next_trial(self, sweep: Job) -> None:
        unfinished = (job for job in self._services.jobs.trials(sweep.id) if not job.state.final)
        trial = next(unfinished, None)
        if trial is None:  # the sweep's own step is in line again
            return
        for step in self._services.jobs.queued_steps(trial.id):
            self._runner.run(step)

    def run_to_the_end(self, sweep: Job) -> Job:
        self.run_sweep_step(sweep)
        while not (current := self._services.jobs.get(sweep.id)).state.final:
            self.run_next_trial(sweep)
            self.run_sweep_step(sweep)
        return current


@pytest.fixture
def worker(services: Services) -> Worker:
    return Worker(services)


def test_a_grid_tries_every_combination_and_ranks_them(services: Services, submit: Submit, worker: Worker) -> None:
    sweep = submit(method="grid", space="batch_size=8|512\nlearning_rate=0.001|0.01", epochs=1)
    assert sweep.total == 4

    ended = worker.run_to_the_end(sweep)

    assert ended.state is JobState.SUCCEEDED
    assert ended.summary is not None
    ranked = ended.summary["ranking"]
    assert {(row["values"]["batch_size"], row["values"]["learning_rate"]) for row in ranked} == {
        *(("8", "0.001"), ("8", "0.01"), ("512", "0.001"), ("512", "0.01"))
    }
    figures = [row["val_accuracy"] for row in ranked]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > figures[-1], "two steps at a low learning rate are worse than many at a high one"
    directory = services.volume.job(sweep.id)
    with (directory / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["job"] for row in rows] == [row["job"] for row in ranked]
    assert json.loads((directory / "sweep.json").read_text())["ranking"] == ranked
    assert (directory / "sweep.png").read_bytes().startswith(b"\x89PNG")

    production = services.models.in_production()
    assert production is not None
    assert production.id == ended.summary["model"] == ranked[0]["job"], "the best one serves, and no other trial does"
    assert [model.trial for model in services.models.list()].count(False) == 1


def test_trials_are_judged_on_a_split_of_the_training_images(
    services: Services, submit: Submit, worker: Worker
) -> None:
    sweep = submit(recipe="dropout-128", trials=1, epochs=1)

    worker.run_sweep_step(sweep)

    (trial,) = services.jobs.trials(sweep.id)
    assert trial.parameters["validation"] == "split"


def test_only_so_many_trials_are_in_line_at_a_time(services: Services, submit: Submit, worker: Worker) -> None:
    sweep = submit(trials=5, parallel=2, method="random", space="dropout=0..0.5", epochs=1, pruning=False)

    worker.run_sweep_step(sweep)
    assert len(services.jobs.trials(sweep.id)) == 2
    worker.run_sweep_step(sweep)
    assert len(services.jobs.trials(sweep.id)) == 2, "nothing has ended, so nothing is to be done"
    worker.run_next_trial(sweep)
    worker.run_sweep_step(sweep)

    states = [trial.state for trial in services.jobs.trials(sweep.id)]
    assert states == [JobState.SUCCEEDED, JobState.QUEUED, JobState.QUEUED]
    assert services.jobs.get(sweep.id).done == 1


def test_the_same_seed_searches_the_same_values(services: Services, submit: Submit, worker: Worker) -> None:
    def values(seed: int) -> list[Any]:
        sweep = submit(seed=seed, method="random", trials=3, space="dropout=0..0.5; learning_rate=log:0.0001..0.1")
        worker.run_sweep_step(sweep)
        return [trial.source["values"] for trial in services.jobs.trials(sweep.id)]

    first, again, other = values(7), values(7), values(8)

    assert first == again != other
    assert len({json.dumps(one) for one in first}) == 3


def test_a_hopeless_trial_is_pruned_early(services: Services, submit: Submit, worker: Worker) -> None:
    sweep = submit(method="grid", space="learning_rate=0.01|0.011|0.012|0.0000001", epochs=3, parallel=1)

    ended = worker.run_to_the_end(sweep)

    assert ended.summary is not None
    *_, last = services.jobs.trials(sweep.id)
    assert last.state is JobState.CANCELLED
    assert "worse than half" in (last.error or "")
    assert last.done < last.total
    assert ended.summary["pruned"] == 1
    assert ended.summary["ranking"][-1]["state"] == "pruned"


@every_database
def test_cancelling_a_sweep_cancels_its_trials_and_retrying_goes_on(
    services: Services, submit: Submit, worker: Worker
) -> None:
    sweep = submit(method="grid", space="learning_rate=0.001|0.002|0.003", epochs=1, parallel=2)
    worker.run_sweep_step(sweep)
    worker.run_next_trial(sweep)

    services.jobs.cancel(sweep.id)
    assert [trial.state for trial in services.jobs.trials(sweep.id)] == [JobState.SUCCEEDED, JobState.CANCELLED]
    submission.retry(services, sweep.id)
    ended = worker.run_to_the_end(sweep)

    assert ended.state is JobState.SUCCEEDED
    assert [trial.state for trial in services.jobs.trials(sweep.id)] == [JobState.SUCCEEDED] * 3


def test_a_trial_that_fails_counts_and_the_sweep_goes_on(services: Services, submit: Submit, worker: Worker) -> None:
    sweep = submit(
        method="grid", space="optimizer=sgd|adam", learning_rate=10, filters="none", units="512,512", epochs=2
    )

    ended = worker.run_to_the_end(sweep)

    states = {trial.source["values"]["optimizer"]: trial.state for trial in services.jobs.trials(sweep.id)}
    assert states["sgd"] is JobState.FAILED
    assert ended.state is JobState.SUCCEEDED
    assert ended.summary is not None
    assert ended.summary["ranking"][-1]["state"] == "failed"


def test_a_trial_whose_values_do_not_go_together_has_failed_and_the_others_go_on(
    services: Services, submit: Submit, worker: Worker
) -> None:
    sweep = submit(method="grid", space="units=none|2048; filters=2|64", epochs=1, parallel=1)

    ended = worker.run_to_the_end(sweep)

    assert ended.state is JobState.SUCCEEDED
    assert ended.summary is not None
    assert ended.summary["failed"] == 1
    trials = services.jobs.trials(sweep.id)
    assert [trial.state for trial in trials] == [JobState.SUCCEEDED] * 3 + [JobState.FAILED]
    assert "the maximum is 20,000,000" in (trials[-1].error or "")
    with pytest.raises(WrongState, match="the maximum is 20,000,000"):
        submission.retry(services, trials[-1].id)


def test_a_sweep_of_which_no_trial_is_possible_fails_and_says_so(
    services: Services, submit: Submit, worker: Worker
) -> None:
    sweep = submit(method="grid", space="units=8192; filters=16|32", epochs=1)

    ended = worker.run_to_the_end(sweep)

    assert ended.state is JobState.FAILED
    assert "None of the 2 trials succeeded" in (ended.error or "")


@pytest.mark.parametrize("method", ["tpe", "random"])
def test_any_seed_can_be_swept(services: Services, submit: Submit, worker: Worker, method: str) -> None:
    sweep = submit(seed=2**31 - 1, method=method, trials=2, space="dropout=0..0.5")

    worker.run_sweep_step(sweep)

    first, second = (trial.source["values"]["dropout"] for trial in services.jobs.trials(sweep.id))
    assert first != second


def test_a_message_that_comes_twice_makes_no_trial_twice(services: Services, submit: Submit, worker: Worker) -> None:
    sweep = submit(trials=3, epochs=1)
    (step,) = services.jobs.queued_steps(sweep.id)
    runner = Runner(services, shutting_down=lambda: False)

    runner.run(step)
    runner.run(step)

    assert len(services.jobs.trials(sweep.id)) == 3


@every_database
def test_a_trial_that_ends_while_the_sweep_looks_is_not_missed(
    services: Services, submit: Submit, worker: Worker
) -> None:
    """It ends between the look at the trials and the moment at which the sweep begins to wait."""
    sweep = submit(method="grid", space="units=4|8", epochs=1, parallel=1)
    worker.run_sweep_step(sweep)
    (first,) = services.jobs.trials(sweep.id)
    (advance,) = _steps(services, sweep)
    with services.database.write() as session:
        wake_sweep(session, sweep.id)
    lease = services.leases.claim(advance, "a worker")
    assert lease is not None
    services.jobs.cancel(first.id)

    services.leases.await_trials(lease, [], 0, {})

    assert list(services.jobs.queued_steps(sweep.id)) == [advance]


def test_a_sweep_that_loses_its_lease_leaves_no_directories_of_trials(services: Services, submit: Submit) -> None:
    sweep = submit(method="grid", space="units=4|8", epochs=1)
    (advance,) = _steps(services, sweep)
    lease = services.leases.claim(advance, "a worker")
    assert lease is not None
    before = set((services.volume.root / "jobs").iterdir())
    services.jobs.cancel(sweep.id)

    with pytest.raises(LeaseLost):
        sweeps.advance(services, lease, check=lambda: None)

    assert set((services.volume.root / "jobs").iterdir()) == before


def test_trials_are_listed_with_their_sweep_only(services: Services, submit: Submit, worker: Worker) -> None:
    sweep = submit(trials=2, epochs=1)
    worker.run_sweep_step(sweep)

    assert [job.id for job in services.jobs.list()] == [sweep.id]
    assert len(services.jobs.list(parent=sweep.id)) == 2


@every_database
def test_deleting_a_sweep_deletes_its_trials_and_their_files(
    services: Services, submit: Submit, worker: Worker
) -> None:
    sweep = submit(trials=2, epochs=1)
    worker.run_sweep_step(sweep)
    trials = [trial.id for trial in services.jobs.trials(sweep.id)]
    with pytest.raises(WrongState):
        submission.delete(services, sweep.id)
    services.jobs.cancel(sweep.id)

    submission.delete(services, sweep.id)

    assert services.jobs.trials(sweep.id) == []
    assert not any(services.volume.job(job_id).exists() for job_id in (sweep.id, *trials))


def test_a_sweep_over_an_unknown_data_set_is_refused(submit: Submit) -> None:
    with pytest.raises(InvalidSubmission, match="letters"):
        submit(dataset="letters")


def test_the_kind_of_a_trial_is_a_training(services: Services, submit: Submit, worker: Worker) -> None:
    sweep = submit(trials=1)
    worker.run_sweep_step(sweep)

    assert [trial.kind for trial in services.jobs.trials(sweep.id)] == [JobKind.TRAINING]


def _steps(services: Services, job: Job) -> list[int]:
    with services.database.read() as session:
        return list(session.scalars(select(Step.id).where(Step.job_id == job.id)))
