"""Commands that run a module of the trainer, in its own process since it imports NumPy or TensorFlow."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from tenfold.cli.console import console
from tenfold.cli.lazy import MissingExtra
from tenfold.cli.output import output_option, print_json
from tenfold.cli.volumes import Directory


def run_module(module: str, *arguments: str | Path) -> None:
    """Run `python -m module` and wait for it.

    Raises:
        MissingExtra: the packages of the worker are not installed.
        click.ClickException: it failed; with what it printed.
    """
    _require_worker()
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise click.ClickException(f"{module} failed:\n{done.stderr}")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--count", type=click.IntRange(1, 10_000), default=10_000, show_default=True, help="Number of images.")
@click.option(
    "--data",
    type=Directory(),
    default=Path("data"),
    show_default=True,
    envvar="TENFOLD_DATA",
    help="Where MNIST is kept; it is downloaded if missing.",
)
@output_option
def samples(file: Path, count: int, data: Path, as_json: bool) -> None:
    """Write MNIST's test images to FILE, a zip of PNGs.

    Each digit has its folder. Needs no server.
    """
    datasets = data / "datasets"
    with console.status("getting MNIST"):
        run_module("tenfold.trainer.data.fetch", "mnist", "--root", datasets)
    with console.status(f"writing {count:,} images to {file}"):
        run_module("tenfold.trainer.data.samples", "mnist", "--root", datasets, "--count", str(count), file)
    if as_json:
        print_json({"file": str(file), "images": count})
    else:
        click.echo(file)


@click.command(add_help_option=False, options_metavar="", context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def reproduce(options: tuple[str, ...]) -> None:
    """Train the five recipes and compare with their published results.

    Each is trained several times, with different seeds. Needs no server. `tenfold reproduce --help` lists the options.
    """
    _require_worker()
    sys.exit(subprocess.call([sys.executable, "-m", "tenfold.trainer", *options]))


def _require_worker() -> None:
    if find_spec("tensorflow") is None:
        raise MissingExtra("worker")
