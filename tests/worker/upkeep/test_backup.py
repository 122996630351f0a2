"""A backup holds what was there at one moment, and is restored whole or not at all, on either database."""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import BackupUnusable
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.models.aliases import AliasStore
from tenfold.worker.models.registry import ModelStore
from tenfold.worker.review.reviews import correct
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.storage.volume import Volume
from tenfold.worker.training.submission import submit_training
from tenfold.worker.upkeep.backup import MANIFEST, back_up
from tenfold.worker.upkeep.restore import restore
from tests.conftest import every_database
from tests.postgres import Postgres
from tests.reviews import classified, digits, untrained_model, work_off

Place = Callable[[str], tuple[Database, Volume]]


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Makes an empty database of a kind, without any table, and an empty volume beside it."""
    opened: list[Database] = []

    def make(kind: str) -> tuple[Database, Volume]:
        volume = Volume(tmp_path / f"restored-{len(opened)}")
        volume.create()
        if kind == "sqlite":
            url = f"sqlite:///{volume.root / 'tenfold.db'}"
        else:
            postgres: Postgres = request.getfixturevalue("postgres")
            url = postgres.new_database(empty=True)
        opened.append(Database(url))
        return opened[-1], volume

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def job(services: Services, mnist: Dataset) -> Job:
    """A classification that was reviewed, by a model that is in production."""
    untrained_model(services)
    job = classified(services, digits(mnist, 6))
    correct(services, job.id, 2, "7")
    correct(services, job.id, 3, None)
    return job


def take(services: Services, path: Path, **options: bool) -> Path:
    back_up(services.database, services.volume, path, now=services.clock(), **options)
    return path


def files(volume: Volume) -> dict[str, bytes]:
    found = (path for folder in ("jobs", "models", "datasets") for path in (volume.root / folder).rglob("*"))
    return {str(path.relative_to(volume.root)): path.read_bytes() for path in found if path.is_file()}


@every_database
@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_all_is_there_again_on_either_database(
    services: Services, job: Job, tmp_path: Path, place: Place, to: str
) -> None:
    database, volume = place(to)

    restore(database, volume, take(services, tmp_path / "all.tar"))

    assert files(volume) == files(services.volume)
    restored = JobStore(database).get(job.id)
    assert (restored.state, restored.summary, restored.parameters) == (job.state, job.summary, job.parameters)
    aliases = AliasStore(database, services.clock)
    assert [(change.alias, change.model) for change in aliases.list()] == [("production", "untrained")]
    settings = Settings(data=volume.root, database_url=str(database.engine.url), redis_url=services.settings.redis_url)
    again = Services.open(settings)
    assert {one.row: one.label for one in again.corrections.list(job.id)} == {2: "7", 3: None}


@every_database
def test_a_restored_installation_takes_new_jobs(
    services: Services, job: Job, tmp_path: Path, place: Place, database_kind: str, mnist: Dataset
) -> None:
    database, volume = place(database_kind)
    restore(database, volume, take(services, tmp_path / "all.tar.gz"))
    settings = Settings(
        data=volume.root,
        database_url=database.engine.url.render_as_string(hide_password=False),
        redis_url=services.settings.redis_url,
    )

    new = classified(Services.open(settings), digits(mnist, 3))

    assert new.state is JobState.SUCCEEDED, new.error


@every_database
def test_a_job_that_was_under_way_begins_again_and_ends_well(
    services: Services, job: Job, tmp_path: Path, place: Place, mnist: Dataset, database_kind: str
) -> None:
    from tenfold.worker.classification.parameters import ClassificationParameters
    from tenfold.worker.process.runner import Runner
    from tests.uploads import received, zipped

    upload = received(services, zipped(digits(mnist, 4)), "more.zip")
    under_way = submit_classification(services, ClassificationParameters(), upload)
    for _ in range(2):  # its plan and its only shard are done, its merge is not
        Runner(services, shutting_down=lambda: False).run(services.jobs.queued_steps(under_way.id)[0])
    database, volume = place(database_kind)

    restore(database, volume, take(services, tmp_path / "all.tar"))

    assert not volume.work(under_way.id).exists()
    url = database.engine.url.render_as_string(hide_password=False)
    again = Services.open(Settings(data=volume.root, database_url=url, redis_url=services.settings.redis_url))
    ended = work_off(again, again.jobs.get(under_way.id))
    assert ended.state is JobState.SUCCEEDED, ended.error
    assert ended.done == ended.total == 4


def test_without_jobs_models_and_data_sets_are_put_in_alone(
    services: Services, job: Job, tmp_path: Path, place: Place
) -> None:
    database, volume = place("sqlite")

    restore(database, volume, take(services, tmp_path / "models.tar", with_jobs=False))

    assert JobStore(database).list() == []
    assert [model.id for model in ModelStore(database).list()] == ["untrained"]
    assert {name.split("/")[0] for name in files(volume)} == {"models"}


@every_database
def test_rows_written_while_it_is_taken_are_all_in_it_or_none(
    services: Services, tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenfold.worker.upkeep import backup

    services.jobs.submit("before", JobKind.TRAINING, {}, total=1, fingerprint="1")
    dump = backup.dump_rows

    def submit_in_between(connection, table):  # type: ignore[no-untyped-def]
        yield from dump(connection, table)
        if table.name == "jobs":
            services.jobs.submit("between", JobKind.TRAINING, {}, total=1, fingerprint="2")

    monkeypatch.setattr(backup, "dump_rows", submit_in_between)
    database, volume = place("sqlite")

    restore(database, volume, take(services, tmp_path / "all.tar"))

    store = JobStore(database)
    assert [one.id for one in store.list()] == ["before"]
    assert store.queued_steps("between") == []


def test_files_are_on_disk_before_the_rows_say_that_they_are_there(
    services: Services, job: Job, tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = take(services, tmp_path / "all.tar")
    database, volume = place("sqlite")
    synced: set[int] = set()
    sync = os.fsync

    def noting(descriptor: int) -> None:
        sync(descriptor)
        if JobStore(database).list() == []:
            synced.add(os.fstat(descriptor).st_ino)

    migrate(database)
    monkeypatch.setattr(os, "fsync", noting)

    restore(database, volume, path)

    restored = [volume.jobs, *volume.jobs.rglob("*"), volume.models, *volume.models.rglob("*")]
    assert [entry for entry in restored if entry.stat().st_ino not in synced] == []


def test_no_file_of_a_backup_is_found_by_going_through_all(
    services: Services, job: Job, tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = take(services, tmp_path / "all.tar")
    database, volume = place("sqlite")
    monkeypatch.delattr(tarfile.TarFile, "getmember")  # which looks through the whole list

    restore(database, volume, path)

    assert files(volume) == files(services.volume)


def test_a_damaged_backup_is_told_and_leaves_nothing(
    services: Services, job: Job, tmp_path: Path, place: Place
) -> None:
    path = take(services, tmp_path / "all.tar")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 40] ^= 1
    path.write_bytes(data)
    database, volume = place("sqlite")

    with pytest.raises(BackupUnusable, match="damaged"):
        restore(database, volume, path)

    assert files(volume) == {}
    migrate(database)
    assert JobStore(database).list() == []


def test_a_backup_cut_short_is_told(services: Services, job: Job, tmp_path: Path, place: Place) -> None:
    path = take(services, tmp_path / "all.tar")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(BackupUnusable):
        restore(*place("sqlite"), path)


def test_nothing_is_restored_over_what_is_there(services: Services, job: Job, tmp_path: Path, place: Place) -> None:
    path = take(services, tmp_path / "all.tar")
    before = files(services.volume)

    with pytest.raises(BackupUnusable, match="has 1 rows"):
        restore(services.database, services.volume, path)

    assert files(services.volume) == before
    assert services.jobs.get(job.id).state is JobState.SUCCEEDED


def test_a_backup_that_names_files_elsewhere_is_refused(tmp_path: Path, place: Place) -> None:
    path = tmp_path / "evil.tar"
    name = "files/../outside"
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    manifest = {"format": 1, "made_at": 0, "revision": "0001", "rows": {}, "sha256": {name: digest}}
    with tarfile.open(path, "w") as tar:
        for member, content in ((name, b""), (MANIFEST, json.dumps(manifest).encode())):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))

    with pytest.raises(BackupUnusable, match="does not belong in a backup"):
        restore(*place("sqlite"), path)


def test_a_data_set_that_is_there_already_stays(services: Services, tmp_path: Path, place: Place) -> None:
    (services.volume.dataset("mine")).mkdir()
    (services.volume.dataset("mine") / "about.json").write_text("theirs")
    path = take(services, tmp_path / "all.tar")
    database, volume = place("sqlite")
    volume.dataset("mine").mkdir()
    (volume.dataset("mine") / "about.json").write_text("ours")

    restore(database, volume, path)

    assert (volume.dataset("mine") / "about.json").read_text() == "ours"


def test_a_training_that_failed_can_be_retried_after_a_restore(
    services: Services, tmp_path: Path, place: Place
) -> None:
    job = submit_training(services, TrainingParameters(recipe="dropout-128"))
    services.jobs.cancel(job.id)
    database, volume = place("sqlite")
    restore(database, volume, take(services, tmp_path / "all.tar"))

    JobStore(database).retry(job.id)

    assert len(JobStore(database).queued_steps(job.id)) == 1
