"""What a job's estimate is made from, and when there is none."""

from typing import Any

import pytest

from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.eta import eta_seconds
from tenfold.worker.jobs.progress import Live, LiveProgress
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.services import Services

SILENCE = Live(0, {}, None)


def job(kind: JobKind = JobKind.TRAINING, state: JobState = JobState.RUNNING, **values: Any) -> Job:
    return Job(kind=kind, state=state, **({"done": 0, "total": 10, "started_at": 100.0, "detail": {}} | values))


def epochs(*seconds: float) -> dict[str, Any]:
    return {"history": [{"epoch": number, "seconds": each} for number, each in enumerate(seconds, start=1)]}


def test_a_training_takes_as_long_as_its_last_epochs_and_the_first_does_not_count() -> None:
    assert eta_seconds(job(done=3, detail=epochs(30, 2, 2)), SILENCE) == 14
    assert eta_seconds(job(done=3, detail=epochs(30, 2, 2)), Live(0.5, {}, None)) == 13
    assert eta_seconds(job(done=1, detail=epochs(30)), SILENCE) == 270


def test_a_training_that_was_resumed_does_not_count_the_time_it_lay_still() -> None:
    resumed = job(done=2, started_at=0.0, detail=epochs(3, 2))

    assert eta_seconds(resumed, Live(0, {}, 1e9)) == 16


def test_within_the_first_epoch_it_is_told_from_how_far_that_is() -> None:
    assert eta_seconds(job(), Live(0.5, {}, 105.0)) == 95
    assert eta_seconds(job(), Live(0.01, {}, 105.0)) is None


def test_a_classification_goes_on_at_its_pace() -> None:
    running = job(JobKind.CLASSIFICATION, total=1000, done=300)

    assert eta_seconds(running, Live(100, {}, 104.0)) == 6


def test_what_was_done_before_a_retry_says_nothing_of_the_pace() -> None:
    retried = job(JobKind.CLASSIFICATION, total=1000, done=700, detail={"retry": {"at": 9000.0, "done": 600}})

    assert eta_seconds(retried, Live(0, {}, 9010.0)) == 30
    assert eta_seconds(retried, Live(0, {}, 8000.0)) is None


def test_a_sweep_ends_trials_as_often_as_it_did() -> None:
    assert eta_seconds(job(JobKind.SWEEP, done=4, detail={"seconds_per_trial": 5.0}), SILENCE) == 30
    assert eta_seconds(job(JobKind.SWEEP, detail={"seconds_per_trial": None}), SILENCE) is None


@pytest.mark.parametrize("kind", JobKind)
@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED])
def test_what_does_not_run_has_none(kind: JobKind, state: JobState) -> None:
    assert eta_seconds(job(kind, state, done=5, detail=epochs(1, 1) | {"seconds_per_trial": 1.0}), SILENCE) is None


@pytest.mark.parametrize("kind", [kind for kind in JobKind if kind is not JobKind.SWEEP])
def test_there_is_none_before_there_is_something_to_go_by(kind: JobKind) -> None:
    assert eta_seconds(job(kind), SILENCE) is None
    assert eta_seconds(job(kind), Live(0, {}, 200.0)) is None


def test_live_figures_tell_when_they_were_last_heard_of(services: Services) -> None:
    live: LiveProgress = services.live
    assert live.read("job").at is None

    live.publish("job", 1, 0.5)
    first = live.read("job")
    live.clear("job", 1)
    second = live.read("job")

    assert (first.done, second.done) == (0.5, 0)
    assert first.at is not None
    assert second.at is not None
    assert second.at >= first.at


def test_a_retry_notes_where_it_began(jobs: JobStore) -> None:
    jobs.submit("job-1", JobKind.CLASSIFICATION, {}, total=10, fingerprint="any")
    jobs.cancel("job-1")

    assert jobs.retry("job-1").detail["retry"]["done"] == 0
