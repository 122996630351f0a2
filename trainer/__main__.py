"""`python -m tenfold.trainer`, which `tenfold reproduce` runs: compares the recipes with their published figures."""

import json
from pathlib import Path
from typing import get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tenfold.trainer.architecture.recipes import RECIPES, Recipe, get_recipe
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.fetch import ensure_dataset
from tenfold.trainer.errors import UnknownRecipe
from tenfold.trainer.runtime import Device, Precision, configure


def _recipes(_context: click.Context, _option: click.Parameter, names: str | None) -> list[Recipe]:
    try:
        if names:
            return [get_recipe(name.strip()) for name in names.split(",")]
        return [recipe for recipe in RECIPES.values() if recipe.origin == "source"]
    except UnknownRecipe as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="Number of runs of each recipe."
)
@click.option("--recipes", callback=_recipes, help="Comma-separated recipe names; default: the five published systems.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the results to this JSON file.",
)
@click.option("--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True, envvar="TENFOLD_DATA")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; default: all cores.")
@click.option("--device", type=click.Choice(get_args(Device)), default="auto", show_default=True)
@click.option("--precision", type=click.Choice(get_args(Precision)), default="float32", show_default=True)
def main(
    seeds: int,
    recipes: list[Recipe],
    json_file: Path | None,
    data: Path,
    threads: int | None,
    device: Device,
    precision: Precision,
) -> None:
    """Train the recipes several times, print a table with their published figures, and write a report page."""
    console = Console(stderr=True)
    ensure_dataset("mnist", data / "datasets", report=console.print)
    configure(threads, device=device, precision=precision)
    from tenfold.trainer.reports.reproduce import markdown_table, reproduce, write_report

    dataset = load_dataset("mnist", data / "datasets")
    reproductions = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        for recipe in recipes:
            bar = progress.add_task(recipe.name, total=recipe.plan.epochs * seeds)
            reproductions.append(
                reproduce(recipe, range(1, seeds + 1), dataset, on_epoch=lambda bar=bar: progress.advance(bar))  # type: ignore[misc]
            )
    rows = [reproduction.row() for reproduction in reproductions]
    click.echo("\n".join(markdown_table(rows)))
    page = write_report(reproductions, data / "reproduce")
    console.print(f"report: {page}", soft_wrap=True)
    if json_file:
        json_file.write_text(json.dumps({"rows": rows}, indent=2))


if __name__ == "__main__":
    main(prog_name="tenfold reproduce")
