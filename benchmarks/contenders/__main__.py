"""Trains one recipe in one way and prints a JSON object: `python -m benchmarks.contenders plain dropout-128`."""

import importlib
import json
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.contenders import Result
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.fetch import ensure_dataset


@click.command()
@click.argument("name")
@click.argument("recipe")
@click.option("--epochs", type=int, required=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
def main(name: str, recipe: str, epochs: int, seed: int, datasets: Path) -> None:
    ensure_dataset("mnist", datasets)
    contender = importlib.import_module(f"benchmarks.contenders.{name}")
    result: Result = contender.train(recipe, epochs, seed, load_dataset("mnist", datasets))
    print(json.dumps(asdict(result) | {"seconds_an_epoch": result.seconds_an_epoch}))


if __name__ == "__main__":
    main()
