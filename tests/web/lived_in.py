"""A volume on which everything has happened: a job of each kind in each state, and what came of them."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from flask import Flask

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.web.core.services import EXTENSION
from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.checks.submission import submit_check
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.comparisons.submission import submit_comparison
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.datasets.submission import submit_import
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.model_import.submission import submit_model_import
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.submission import submit_review
from tenfold.worker.services import Services
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.submission import submit_sweep
from tenfold.worker.training.submission import submit_training
from tests.conftest import write_dataset
from tests.foreign_models import linear_onnx
from tests.reviews import classified, digits, untrained_model, work_off
from tests.uploads import class_folders, received, zipped

NAMES = {0: "ring", 1: "stroke"}


@dataclass(frozen=True)
class LivedIn:
    """The application, and its jobs by kind and state, and the trials of the sweep that succeeded."""

    app: Flask
    jobs: dict[JobKind, dict[JobState, Job]]
    trials: list[Job]

    def succeeded(self, kind: JobKind) -> Job:
        return self.jobs[kind][JobState.SUCCEEDED]


def live_in(app: Flask, mnist: Dataset) -> LivedIn:
    """Let it all happen, with a worker in this process."""
    services: Services = app.extensions[EXTENSION]
    write_dataset(mnist.head(train=1000, test=200), services.volume.datasets / "tiny")
    untrained_model(services)
    files = digits(mnist, 12) | {"broken.png": b"no image"}
    reviewed, another = (classified(services, files) for _ in range(2))
    for job, row in product((reviewed, another), range(11)):
        app.test_client().put(f"/api/v1/jobs/{job.id}/review/{row}", json={"label": str(mnist.test_labels[row])})
    # One at a time merges the corrections of a classification.
    to_merge = iter((*4 * (reviewed,), another))
    network = linear_onnx().SerializeToString()
    names = iter(f"own-{number}" for number in range(10))
    training = TrainingParameters(recipe="custom", dataset="tiny", units="8", epochs=2, validation="split")
    sweep = SweepParameters(dataset="tiny", units="8", epochs=1, space="dropout=0", trials=1)  # type: ignore[arg-type]

    def classify() -> Job:
        return submit_classification(
            services, ClassificationParameters(), received(services, zipped(files), "scans.zip")
        )

    def bring_in() -> Job:
        content = class_folders(mnist, NAMES, images=100)
        return submit_import(services, ImportParameters(name=next(names)), received(services, content))

    def merge() -> Job:
        given = ReviewParameters(classification=next(to_merge).id, dataset=next(names))
        return submit_review(services, given)

    def bring_in_a_model() -> Job:
        given = ModelImportParameters.model_validate({"input": "28x28x1", "preprocessing": "digit"})
        return submit_model_import(services, given, received(services, network, "mine.onnx"))

    jobs = {
        JobKind.TRAINING: _in_each_state(services, lambda: submit_training(services, training)),
        JobKind.SWEEP: _in_each_state(services, lambda: submit_sweep(services, sweep)),
        JobKind.CLASSIFICATION: _in_each_state(services, classify) | {JobState.SUCCEEDED: reviewed},
        JobKind.IMPORT: _in_each_state(services, bring_in),
        JobKind.REVIEW: _in_each_state(services, merge),
        JobKind.MODEL_IMPORT: _in_each_state(services, bring_in_a_model),
        JobKind.CHECK: _in_each_state(services, lambda: submit_check(services, CheckParameters(dataset="tiny"))),
    }
    given = ComparisonParameters(models=("untrained", jobs[JobKind.TRAINING][JobState.SUCCEEDED].id), on="tiny")
    jobs[JobKind.COMPARISON] = _in_each_state(services, lambda: submit_comparison(services, given))
    _promote_and_roll_back(services, jobs[JobKind.TRAINING][JobState.SUCCEEDED].id)
    return LivedIn(app, jobs, list(services.jobs.trials(jobs[JobKind.SWEEP][JobState.SUCCEEDED].id)))


def _promote_and_roll_back(services: Services, model_id: str) -> None:
    """Aliases with a history: of one that was rolled back, of one that names a model, and of one that was removed."""
    services.aliases.promote(model_id, "candidate", who="anna", reason="Fewer errors on scans of March. " * 10)
    services.aliases.promote(model_id, who="anna", reason="Better by 0.31 points.")
    services.aliases.roll_back("production", who="bert", reason="Slower than expected.")
    services.aliases.promote(model_id, "retired", who=None)
    services.aliases.delete("retired", who=None)


def _in_each_state(services: Services, submit: Callable[[], Job]) -> dict[JobState, Job]:
    """Five jobs: one that has succeeded, then one that failed, one cancelled, one that runs and one in line."""
    succeeded = submit()
    _work_to_the_end(services, succeeded)
    failed = submit()
    services.leases.fail_job(_begin(services, failed), "It could not be done: there was no more room on the volume.")
    cancelled = submit()
    services.jobs.cancel(cancelled.id)
    running = submit()
    _begin(services, running)
    found = (succeeded, failed, cancelled, running, submit())
    jobs = {job.state: job for job in (services.jobs.get(each.id) for each in found)}
    assert set(jobs) == set(JobState)
    return jobs


def _begin(services: Services, job: Job) -> Lease:
    [step] = services.jobs.queued_steps(job.id)
    lease = services.leases.claim(step, "lab-7")
    assert lease is not None
    return lease


def _work_to_the_end(services: Services, job: Job) -> None:
    """A sweep goes on after each of its trials."""
    while not work_off(services, job).state.final:
        for trial in services.jobs.trials(job.id):
            work_off(services, trial)
