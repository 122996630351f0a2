"""A worker that stops in the middle of its work, and wakes up when another has the step, replaces nothing."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tenfold.worker.errors import LeaseLost
from tenfold.worker.jobs.leases import Lease, LeaseStore
from tenfold.worker.jobs.outputs import commit_outputs, staging_directory
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.storage.local import LocalStorage
from tenfold.worker.storage.whole import atomic_write_directory
from tests.conftest import Clock, every_database
from tests.worker.conftest import LEASE_SECONDS, Submit

pytestmark = every_database


@pytest.fixture
def late(jobs: JobStore, leases: LeaseStore, submit: Submit) -> Lease:
    """The claim of a worker that is going to be late."""
    lease = leases.claim(jobs.queued_steps(submit().id)[0], "late")
    assert lease is not None
    return lease


@pytest.fixture
def take_over(leases: LeaseStore, late: Lease, clock: Clock) -> Callable[[], Lease]:
    """Let the lease expire and another worker take the step."""

    def take() -> Lease:
        clock.advance(LEASE_SECONDS + 1)
        lease = leases.claim(late.step_id, "other")
        assert lease is not None
        return lease

    return take


def made_by(lease: Lease, work: Path, text: str) -> Path:
    work.mkdir(exist_ok=True)
    made = staging_directory(work, lease)
    (made / "results.csv").write_text(text)
    (made / "review").mkdir()
    (made / "review" / "queue").write_text(text)
    return made


def test_what_was_made_under_a_lost_lease_is_not_handed_in(
    leases: LeaseStore, late: Lease, take_over: Callable[[], Lease], tmp_path: Path
) -> None:
    directory = tmp_path / "job"
    directory.mkdir()
    made_late = made_by(late, directory / "work", "late")
    other = take_over()
    commit_outputs(leases, other, made_by(other, directory / "work", "other"), directory, LocalStorage(tmp_path))

    with pytest.raises(LeaseLost):
        commit_outputs(leases, late, made_late, directory, LocalStorage(tmp_path))

    assert (directory / "results.csv").read_text() == "other"
    assert (directory / "review" / "queue").read_text() == "other"
    assert list((directory / "work").iterdir()) == []


def test_what_an_earlier_attempt_has_handed_in_is_replaced(
    leases: LeaseStore, late: Lease, take_over: Callable[[], Lease], tmp_path: Path
) -> None:
    directory = tmp_path / "job"
    directory.mkdir()
    commit_outputs(leases, late, made_by(late, directory / "work", "late"), directory, LocalStorage(tmp_path))
    other = take_over()

    commit_outputs(leases, other, made_by(other, directory / "work", "other"), directory, LocalStorage(tmp_path))

    assert (directory / "results.csv").read_text() == "other"
    assert (directory / "review" / "queue").read_text() == "other"


def test_a_directory_that_was_written_under_a_lost_lease_does_not_appear(
    leases: LeaseStore, late: Lease, take_over: Callable[[], Lease], tmp_path: Path
) -> None:
    with (
        pytest.raises(LeaseLost),
        atomic_write_directory(tmp_path / "model", renaming=lambda: leases.locked(late)) as directory,
    ):
        (directory / "model.keras").write_text("late")
        take_over()

    assert not (tmp_path / "model").exists()


def test_nobody_takes_a_step_while_its_files_are_renamed(leases: LeaseStore, late: Lease, clock: Clock) -> None:
    clock.advance(LEASE_SECONDS - 1)
    taken: list[Lease | None] = []
    other = threading.Thread(target=lambda: taken.append(leases.claim(late.step_id, "other")))

    with leases.locked(late):
        clock.advance(LEASE_SECONDS - 1)
        other.start()
        other.join(0.5)
        assert taken == []
    other.join()

    assert taken == [None]
