"""What must be true when the troubles are over and all is quiet, whatever happened. Each finds what contradicts it.

This is the one place where it is stated; docs/explanation/reliability.md promises no more and no less to users.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import or_, select

from benchmarks.chaos.customers import FINAL, Story
from benchmarks.chaos.outcomes import Outcome, outcome_of, part_of
from tenfold.worker.db.records import Job, Model, Step
from tenfold.worker.db.states import JobKind, JobState, StepState
from tenfold.worker.errors import UnknownJob
from tenfold.worker.services import Services
from tenfold.worker.storage.local import UNFINISHED
from tenfold.worker.upkeep.collecting import collect

LATER_SECONDS = 7 * 86_400.0

FILES = {
    JobKind.CLASSIFICATION: ("results.csv", "results.jsonl", "results.parquet", "summary.json"),
    JobKind.TRAINING: ("model.keras", "metrics.json", "history.csv"),
    JobKind.SWEEP: ("sweep.json", "trials.csv"),
}


@dataclass(frozen=True)
class Evidence:
    """All that there is to judge by.

    `images` and `expected` are for each thing that can be ordered: how many rows it must have, and what came of it
    undisturbed. `deaths` are the processes that ended though nobody killed them.
    """

    stories: Sequence[Story]
    services: Services
    images: Mapping[str, int]
    expected: Mapping[str, Outcome]
    deaths: Sequence[str] = ()


Invariant = Callable[[Evidence], Iterator[str]]


def every_accepted_job_has_ended_truly(evidence: Evidence) -> Iterator[str]:
    """Nobody was left without an answer, and nothing has ended in a way that nobody asked for or that has no reason."""
    for story in evidence.stories:
        if story.lost:
            yield f"{_name(story)}: {story.lost}"
        elif not story.deleted and story.state not in FINAL:
            yield f"{_name(story)}: it is {story.state}"
        elif story.state == "cancelled" and not story.asked_to_cancel:
            yield f"{_name(story)}: it was cancelled, and nobody had asked for that"
        elif story.state == "failed":
            yield f"{_name(story)}: it failed, also when it was retried in peace: {story.reason or 'for no reason'}"


def what_was_told_is_what_is(evidence: Evidence) -> Iterator[str]:
    """The row says what the customer was last told, and who was told of a success was never told otherwise."""
    for story in evidence.stories:
        if "succeeded" in story.told[:-1]:
            yield f"{_name(story)}: it was told {' → '.join(story.told)}"
        job = _job(evidence, story)
        if job is not None and not story.lost and job.state.value != story.state:
            yield f"{_name(story)}: told {story.state}, and the row says {job.state.value}"


def a_deleted_job_is_gone(evidence: Evidence) -> Iterator[str]:
    """Neither its row nor its files are there, once `tenfold gc --orphans` has removed what a killed web had left."""
    collect(a_week_later(evidence.services), with_orphans=True)
    for story in evidence.stories:
        if story.deleted and _job(evidence, story) is not None:
            yield f"{_name(story)}: it has a row"
        if story.deleted and evidence.services.volume.job(story.job_id).exists():
            yield f"{_name(story)}: it has files"


def one_key_makes_one_job(evidence: Evidence) -> Iterator[str]:
    """However often a submission was repeated, there is one job of it."""
    for story in evidence.stories:
        if len(story.ids) > 1:
            yield f"{_name(story)}: answered with {len(story.ids)} jobs"
    known = {job_id for story in evidence.stories for job_id in story.ids}
    keys = {story.order.key: story for story in evidence.stories}
    with evidence.services.database.read() as session:
        rows = session.execute(select(Job.id, Job.idempotency_key).where(Job.idempotency_key.in_(keys))).all()
    for row in rows:
        if row.id not in known and not keys[row.idempotency_key].lost:
            yield f"{_name(keys[row.idempotency_key])}: job {row.id} of the same key was told to nobody"


def no_success_without_its_files(evidence: Evidence) -> Iterator[str]:
    """Clients that were told `succeeded` could fetch every file immediately, and complete."""
    for story, job in _succeeded(evidence):
        lacking = set(FILES[job.kind]) - set(story.files or ())
        if lacking:
            yield f"{_name(story)}: told that it has succeeded, without {', '.join(sorted(lacking))}"
        files = evidence.services.volume.artifacts(job.id)
        if "model.keras" in files and not zipfile.is_zipfile(files["model.keras"].path):
            yield f"{_name(story)}: its model.keras is damaged"
    with evidence.services.database.read() as session:
        for model in session.scalars(select(Model)):
            if not (evidence.services.volume.model(model.id) / "model.keras").is_file():
                yield f"model {model.id} is in the registry and has no file"


def every_image_has_one_row(evidence: Evidence) -> Iterator[str]:
    """Results and summary count each image of the archive once, in its order."""
    for story, job in _succeeded(evidence):
        if job.kind is not JobKind.CLASSIFICATION:
            continue
        expected, directory = evidence.images[story.order.work], evidence.services.volume.job(job.id)
        with (directory / "results.csv").open(newline="") as file:
            rows = [int(row["row"]) for row in csv.DictReader(file)]
        if rows != list(range(expected)):
            yield f"{_name(story)}: {len(rows)} rows, {len(set(rows))} different, for {expected} images"
        summary = json.loads((directory / "summary.json").read_text())
        counted = {summary["images"], sum(summary["workers"].values()), job.done, job.total}
        if counted != {expected}:
            yield f"{_name(story)}: counts {sorted(counted)} for {expected} images"
        if job.summary is None or job.summary["seconds"] != summary["seconds"]:
            yield f"{_name(story)}: summary.json is not that of the worker whose work counted"


def results_are_those_of_an_undisturbed_run(evidence: Evidence) -> Iterator[str]:
    """Byte for byte: rows, pictures, review queues, weights, metrics, trials.

    A sweep may lack a trial that has failed, with the reason on its row: it goes on without.
    """
    for story, job in _succeeded(evidence):
        expected = evidence.expected[story.order.work]
        try:
            found = outcome_of(evidence.services, job)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            yield f"{_name(story)}: its results cannot be read: {error!r}"
            continue
        differing = sorted(part for part in expected.keys() | found.keys() if expected.get(part) != found.get(part))
        trials = evidence.services.jobs.trials(job.id)
        failed = [part_of(trial) for trial in trials if trial.state is JobState.FAILED and trial.error]
        if failed:
            differing = [part for part in differing if not part.startswith(("ranking", *failed))]
        if differing:
            yield f"{_name(story)}: differs in {', '.join(differing)}"


def no_lease_is_left(evidence: Evidence) -> Iterator[str]:
    """Nobody holds anything any more, and nothing is in line."""
    held = or_(Step.state.in_([StepState.RUNNING, StepState.QUEUED]), Step.lease_token.is_not(None))
    with evidence.services.database.read() as session:
        for step in session.scalars(select(Step).where(held)):
            yield f"{step.kind.value} step {step.id} of job {step.job_id} is {step.state.value}, held by {step.worker}"


def nothing_temporary_is_left(evidence: Evidence) -> Iterator[str]:
    """What killed processes have left goes with `tenfold gc --orphans` once it is old, and nothing else is there."""
    collect(a_week_later(evidence.services), with_orphans=True)
    root = evidence.services.volume.root
    for path in sorted(root.rglob("*")):
        if UNFINISHED.fullmatch(path.name) or path.name == "work":
            yield f"{path.relative_to(root)} is left"


def no_process_ended_by_itself(evidence: Evidence) -> Iterator[str]:
    """Whatever was wrong, web and workers waited for it to pass."""
    yield from evidence.deaths


INVARIANTS: tuple[Invariant, ...] = (
    every_accepted_job_has_ended_truly,
    what_was_told_is_what_is,
    a_deleted_job_is_gone,
    one_key_makes_one_job,
    no_success_without_its_files,
    every_image_has_one_row,
    results_are_those_of_an_undisturbed_run,
    no_lease_is_left,
    no_process_ended_by_itself,
    nothing_temporary_is_left,
)


def violations(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What contradicts the invariants, each with its name."""
    for invariant in INVARIANTS:
        for found in invariant(evidence):
            yield invariant.__name__, found


def a_week_later(services: Services) -> Services:
    """When whatever a killed process has left is old."""
    return replace(services, clock=lambda: services.clock() + LATER_SECONDS)


def _succeeded(evidence: Evidence) -> Iterator[tuple[Story, Job]]:
    for story in evidence.stories:
        job = _job(evidence, story)
        if job is not None and job.state is JobState.SUCCEEDED:
            yield story, job


def _job(evidence: Evidence, story: Story) -> Job | None:
    if not story.ids:
        return None
    try:
        return evidence.services.jobs.get(story.job_id)
    except UnknownJob:
        return None


def _name(story: Story) -> str:
    return f"{story.order.work} {min(story.ids, default=story.order.key)} ({story.order.then.value})"
