"""Chaos: its plans can be repeated, its invariants can fail, and a short run of it finds nothing."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.chaos import invariants
from benchmarks.chaos.clocks import moved
from benchmarks.chaos.customers import Story
from benchmarks.chaos.disk import make_disk
from benchmarks.chaos.invariants import INVARIANTS, Evidence, Invariant, violations
from benchmarks.chaos.outcomes import PICTURES, outcome_of
from benchmarks.chaos.plan import Order, Plan, Then, TroubleKind
from benchmarks.chaos.run import Pace, plan_of, run
from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.classification.review_queue.queue import SCHEMA
from tenfold.worker.db.records import Job, Model, Step
from tenfold.worker.db.states import JobKind, JobState, StepState
from tenfold.worker.services import Services

IMAGES = 3

# Each kind of trouble once, and of each kind of work some that their customers wait for.
SHORT_SEED = 56
SHORT_SECONDS = 14.0
SHORT = Pace(order_every_seconds=3.5, trouble_every_seconds=1.1, workers=2, works=("training", "digits"))


def test_the_same_seed_plans_the_same_jobs_and_the_same_troubles() -> None:
    assert plan_of(7, 300, Pace()) == plan_of(7, 300, Pace())


def test_another_seed_plans_others() -> None:
    assert plan_of(7, 300, Pace()).troubles != plan_of(8, 300, Pace()).troubles


def test_a_plan_of_some_minutes_leaves_no_kind_of_trouble_or_of_work_out() -> None:
    plan: Plan = plan_of(1, 300, Pace())

    assert {trouble.kind for trouble in plan.troubles} == set(TroubleKind)
    assert {order.work for order in plan.orders} == set(Pace().works)
    assert {order.then for order in plan.orders} == set(Then)
    assert all(0 <= event.at < 300 for event in (*plan.troubles, *plan.orders))


def test_a_short_run_breaks_no_promise(mnist: Dataset) -> None:
    said: list[str] = []

    report = run("sqlite", SHORT_SEED, SHORT_SECONDS, mnist, said.append, pace=SHORT)

    assert report["violations"] == [], "\n".join(said)
    assert len(report["troubles"]) > len(TroubleKind) / 2
    assert sum(report["ends"].values()) >= 3


def test_a_moved_clock_is_as_far_off_as_its_file_says(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("-3600")

    assert moved(lambda: 10_000.0, file)() == 6_400


def test_a_full_disk_takes_nothing_until_it_has_room_again(tmp_path: Path) -> None:
    root = tmp_path / "disk"
    with make_disk(root) as disk:
        if "tmpfs" not in disk.what:
            pytest.skip(disk.what)
        with disk.full(lambda: []), pytest.raises(OSError, match="No space left"):
            (root / "file").write_bytes(b"x" * 10_000)
        (root / "file").write_bytes(b"x" * 10_000)


@pytest.fixture
def evidence(services: Services) -> Evidence:
    """Of a classification that a customer was told the truth about, and in which nothing is wrong."""
    order = Order(0, "digits", "key", Then.WAIT, 0)
    files = ("results.csv", "results.jsonl", "results.parquet", "summary.json")
    story = Story(order, {"job"}, ["queued", "running", "succeeded"], files=files)
    summary = {"images": IMAGES, "seconds": 1.5, "workers": {"one": 2, "two": 1}}
    with services.database.write() as session:
        session.add(
            Job(
                id="job",
                kind=JobKind.CLASSIFICATION,
                state=JobState.SUCCEEDED,
                parameters={"model": ["model"]},
                source={},
                idempotency_key="key",
                fingerprint="f",
                created_at=services.clock(),
                total=IMAGES,
                done=IMAGES,
                summary=summary,
            )
        )
        session.add(Model(id="model", recipe="r", dataset="d", parameters={}, metrics={}, created_at=1.0))
    directory = services.volume.job("job")
    directory.mkdir()
    (directory / "results.csv").write_text("row,name\n" + "".join(f"{row},x\n" for row in range(IMAGES)))
    (directory / "summary.json").write_text(json.dumps(summary))
    for name in ("results.jsonl", "results.parquet", *PICTURES):
        (directory / name).write_text("x")
    (directory / "review").mkdir()
    with closing(sqlite3.connect(directory / "review" / "queue.sqlite")) as queue:
        queue.executescript(SCHEMA)
    services.volume.model("model").mkdir()
    (services.volume.model("model") / "model.keras").write_bytes(b"x")
    expected = outcome_of(services, services.jobs.get("job"))
    return Evidence([story], services, {"digits": IMAGES}, {"digits": expected})


def _change_job(**values: object) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        with evidence.services.database.write() as session:
            job = session.get_one(Job, "job")
            for name, value in values.items():
                setattr(job, name, value)
        return evidence

    return change


def _change_story(**values: object) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(evidence, stories=[replace(evidence.stories[0], **values)])  # type: ignore[arg-type]


def _write(path: str, text: str) -> Callable[[Evidence], Evidence]:
    def write(evidence: Evidence) -> Evidence:
        file = evidence.services.volume.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return evidence

    return write


def _lose_model(evidence: Evidence) -> Evidence:
    (evidence.services.volume.model("model") / "model.keras").unlink()
    return evidence


def _leave_lease(evidence: Evidence) -> Evidence:
    with evidence.services.database.write() as session:
        session.add(Step(job_id="job", kind="merge", state=StepState.RUNNING, worker="dead", lease_token="t"))
    return evidence


BREAKS: dict[Invariant, list[Callable[[Evidence], Evidence]]] = {
    invariants.every_accepted_job_has_ended_truly: [
        _change_story(lost="no answer"),
        _change_story(told=["queued"]),
        _change_story(told=["cancelled"]),
        _change_story(told=["failed"], reason=""),
    ],
    invariants.what_was_told_is_what_is: [
        _change_story(told=["succeeded", "running", "succeeded"]),
        _change_job(state=JobState.FAILED),
    ],
    invariants.a_deleted_job_is_gone: [_change_story(deleted=True)],
    invariants.one_key_makes_one_job: [_change_story(ids={"job", "zzz"}), _change_story(ids={"zzz"})],
    invariants.no_success_without_its_files: [_change_story(files=("results.csv",)), _lose_model],
    invariants.every_image_has_one_row: [
        _write("jobs/job/results.csv", "row,name\n0,x\n1,x\n1,x\n"),
        _write("jobs/job/summary.json", json.dumps({"images": IMAGES, "seconds": 9, "workers": {"one": 3}})),
        _change_job(done=IMAGES + 1),
    ],
    invariants.results_are_those_of_an_undisturbed_run: [
        _write("jobs/job/results.csv", "row,name\n0,y\n1,x\n2,x\n"),
        _write("jobs/job/results.jsonl", "y"),
    ],
    invariants.no_lease_is_left: [_leave_lease],
    invariants.no_process_ended_by_itself: [lambda evidence: replace(evidence, deaths=["worker-1 ended"])],
    invariants.nothing_temporary_is_left: [_write("jobs/job/unknown/work", "x")],
}


def test_every_invariant_is_shown_to_fail() -> None:
    assert set(BREAKS) == set(INVARIANTS)


@pytest.mark.parametrize(
    ("invariant", "broken"),
    [
        pytest.param(invariant, broken, id=f"{invariant.__name__}-{number}")
        for invariant, breaks in BREAKS.items()
        for number, broken in enumerate(breaks)
    ],
)
def test_what_is_wrong_is_found(
    evidence: Evidence, invariant: Invariant, broken: Callable[[Evidence], Evidence]
) -> None:
    assert list(invariant(broken(evidence)))


def test_where_nothing_is_wrong_nothing_is_found(evidence: Evidence) -> None:
    assert list(violations(evidence)) == []
