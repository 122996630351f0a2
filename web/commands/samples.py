"""`tenfold samples`: real digits to try things out with."""

from pathlib import Path

import click

from web.commands.console import console, print_json
from web.commands.modules import run_module
from web.commands.volumes import Directory


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--count", type=click.IntRange(1, 10_000), default=10_000, show_default=True, help="How many, from the first."
)
@click.option(
    "--data",
    type=Directory(),
    default=Path("data"),
    show_default=True,
    envvar="TENFOLD_DATA",
    help="Where MNIST is kept, or put if it is not there yet.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def samples(file: Path, count: int, data: Path, as_json: bool) -> None:
    """Write MNIST's test images to FILE, a zip of PNGs.

    There is a folder for each digit. Needs no server.
    """
    datasets = data / "datasets"
    with console.status("getting MNIST"):
        run_module("trainer.fetch", "mnist", "--root", datasets)
    with console.status(f"writing {count:,} images to {file}"):
        run_module("trainer.samples", "mnist", "--root", datasets, "--count", str(count), file)
    if as_json:
        print_json({"file": str(file), "images": count})
    else:
        click.echo(file)
