"""What is kept on the volume, a directory or a bucket: each host finds what another has published, and nothing half."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tenfold.worker.errors import LeaseLost
from tenfold.worker.settings import Settings
from tenfold.worker.storage.opening import open_volume
from tenfold.worker.storage.volume import Volume
from tests.conftest import every_volume

pytestmark = every_volume

Open = Callable[[], Volume]


class Interrupted(Exception):
    pass


@pytest.fixture
def another_host(settings: Settings, tmp_path: Path) -> Open:
    """Opens the volume as a host does that has not seen it yet."""
    hosts = 0

    def open_anew() -> Volume:
        nonlocal hosts
        hosts += 1
        volume = open_volume(settings.model_copy(update={"cache": tmp_path / f"host-{hosts}"}))
        volume.create()
        return volume

    return open_anew


@pytest.fixture
def volume(another_host: Open) -> Volume:
    return another_host()


def put(volume: Volume, path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    volume.storage.publish(path)
    return path


def put_model(volume: Volume, **files: bytes) -> None:
    with volume.storage.write_directory(volume.model("m")) as directory:
        for name, content in files.items():
            (directory / name.replace("__", "/")).parent.mkdir(exist_ok=True)
            (directory / name.replace("__", "/")).write_bytes(content)


def test_a_published_file_is_fetched_by_another_host(volume: Volume, another_host: Open) -> None:
    put(volume, volume.archive_of_kind("j", ".zip"), b"images")
    other = another_host()

    assert other.storage.fetch(other.archive("j")).read_bytes() == b"images"


def test_a_file_that_was_published_anew_is_fetched_anew(volume: Volume, another_host: Open) -> None:
    path, other = volume.job("j") / "results.csv", another_host()
    put(volume, path, b"before")
    assert other.storage.fetch(other.job("j") / "results.csv", may_change=True).read_bytes() == b"before"

    put(volume, path, b"after!")

    assert other.storage.fetch(other.job("j") / "results.csv", may_change=True).read_bytes() == b"after!"


def test_what_is_not_there_is_not_there(volume: Volume) -> None:
    storage = volume.storage

    assert not storage.fetch(volume.upload("j")).exists()
    assert not storage.fetch(volume.log("j"), may_change=True).exists()
    assert not storage.fetch(volume.model("m")).exists()
    assert storage.find(volume.upload("j")) is storage.find(volume.model("m") / "model.keras") is None
    assert not storage.names(volume.models)
    assert not storage.files(volume.job("j"))
    for missing in (volume.upload("j"), volume.model("m") / "model.keras"):
        with pytest.raises(FileNotFoundError):
            storage.open(missing)
    for missing in (volume.upload("j"), volume.model("m"), volume.job("j")):
        with pytest.raises(FileNotFoundError):
            storage.remove(missing)


def test_a_file_is_read_from_any_position_without_being_fetched(volume: Volume, another_host: Open) -> None:
    put(volume, volume.job("j") / "results.csv", b"0123456789")
    other = another_host()

    with other.storage.open(other.job("j") / "results.csv") as file:
        file.seek(4)
        assert file.read(3) == b"456"


def test_a_whole_directory_appears_with_all_its_files(volume: Volume, another_host: Open) -> None:
    other = another_host()
    with volume.storage.write_directory(volume.model("m")) as directory:
        (directory / "model.keras").write_bytes(b"net")
        (directory / "tensorboard").mkdir()
        (directory / "tensorboard" / "events").write_bytes(b"events")
        assert not other.model_files("m")
        assert not other.storage.names(other.models)

    fetched = other.storage.fetch(other.model("m"))

    assert (fetched / "model.keras").read_bytes() == b"net"
    assert {name: file.bytes for name, file in other.model_files("m").items()} == {
        "model.keras": 3,
        "tensorboard/events": 6,
    }
    assert other.storage.names(other.models) == ["m"]


def test_an_interrupted_directory_is_not_there(volume: Volume, another_host: Open) -> None:
    with pytest.raises(Interrupted), volume.storage.write_directory(volume.model("m")) as directory:
        (directory / "model.keras").write_bytes(b"half")
        raise Interrupted

    other = another_host()
    assert not other.storage.names(other.models)
    assert not other.storage.fetch(other.model("m")).exists()


def test_a_directory_whose_writer_has_lost_its_lease_is_not_there(volume: Volume, another_host: Open) -> None:
    @contextmanager
    def lost() -> Iterator[None]:
        raise LeaseLost("another worker has it")
        yield

    put_model(volume, kept=b"1")
    with (
        pytest.raises(LeaseLost),
        volume.storage.write_directory(volume.model("m"), renaming=lost) as directory,
    ):
        (directory / "late").write_bytes(b"2")

    other = another_host()
    assert list(other.model_files("m")) == ["kept"]
    assert not other.storage.unfinished(other.models)


def test_a_directory_replaces_another_as_a_whole(volume: Volume, another_host: Open) -> None:
    put_model(volume, old=b"1", kept=b"1")
    other = another_host()
    other.storage.fetch(other.model("m"))

    put_model(volume, new=b"2", kept=b"2")

    fetched = other.storage.fetch(other.model("m"), may_change=True)
    assert {path.name: path.read_bytes() for path in fetched.iterdir()} == {"new": b"2", "kept": b"2"}


def test_of_two_that_take_a_name_the_first_has_it(volume: Volume, another_host: Open) -> None:
    first, second = another_host(), another_host()
    with pytest.raises(FileExistsError), first.storage.write_directory(first.dataset("d"), replace=False) as late:
        (late / "about.json").write_bytes(b"late")
        with second.storage.write_directory(second.dataset("d"), replace=False) as early:
            (early / "about.json").write_bytes(b"early")

    assert (volume.storage.fetch(volume.dataset("d"), may_change=True) / "about.json").read_bytes() == b"early"
    assert [file.bytes for file in volume.storage.files(volume.datasets)] == [5]


def test_what_several_append_is_one_file(volume: Volume, another_host: Open) -> None:
    for host, line in ((volume, b"first\n"), (another_host(), b"second\n")):
        host.job("j").mkdir(parents=True, exist_ok=True)
        with host.storage.append(host.log("j")) as path, path.open("ab") as file:
            file.write(line)
    reader = another_host()

    assert reader.storage.fetch(reader.log("j"), may_change=True).read_bytes() == b"first\nsecond\n"
    assert {name: file.bytes for name, file in reader.artifacts("j").items()} == {"log.txt": 13}
    with reader.storage.open(reader.log("j")) as file:
        assert file.read() == b"first\nsecond\n"


def test_a_removed_job_is_gone_for_everybody(volume: Volume, another_host: Open) -> None:
    other = another_host()
    put(volume, volume.archive_of_kind("j", ".zip"))
    put(volume, volume.work("j") / "shard")
    with volume.storage.write_directory(volume.review("j")) as directory:
        (directory / "queue.sqlite").touch()
    put(volume, volume.archive_of_kind("k", ".zip"))
    assert volume.bytes_of_job("j") == 14

    other.delete_job("j")

    assert other.storage.names(other.jobs) == volume.storage.names(volume.jobs) == ["k"]
    assert not volume.storage.files(volume.job("j"))


def test_a_data_set_is_deleted_and_its_name_taken_anew(volume: Volume, another_host: Open) -> None:
    other = another_host()
    for content in (b"first", b"other"):
        with volume.storage.write_directory(volume.dataset("d"), replace=False) as directory:
            (directory / "about.json").write_bytes(content)
        assert (other.catalog() / "d" / "about.json").read_bytes() == content
        assert (other.storage.fetch(other.dataset("d"), may_change=True) / "about.json").read_bytes() == content
        other.delete_dataset("d")
        assert not (volume.catalog() / "d").exists()

    with pytest.raises(FileNotFoundError):
        volume.delete_dataset("d")


def test_the_catalog_knows_the_beginning_and_the_length_of_long_files(volume: Volume, another_host: Open) -> None:
    images = b"IDX header" + bytes(5 * 2**20)
    with volume.storage.write_directory(volume.dataset("d")) as directory:
        (directory / "images").write_bytes(images)
    other = another_host()

    path = other.catalog() / "d" / "images"

    assert path.stat().st_size == len(images)
    assert path.read_bytes()[:10] == b"IDX header"
    assert (other.storage.fetch(other.dataset("d")) / "images").read_bytes() == images


def test_a_file_is_new_only_once(volume: Volume, another_host: Open) -> None:
    other = another_host()
    put(volume, volume.session_key, b"first")

    if other.root != volume.root:
        other.session_key.write_bytes(b"second")
        with pytest.raises(FileExistsError):
            other.storage.publish(other.session_key, replace=False)

    assert other.storage.fetch(other.session_key, may_change=True).read_bytes() == b"first"
