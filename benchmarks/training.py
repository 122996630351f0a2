"""Seconds an epoch, side by side in one call: `python -m benchmarks.training [--json FILE]`.

For each recipe: the source's plain script, Tenfold, a PyTorch loop, Keras on JAX with a scan, and the floor (the same
matrix products in bare NumPy). PyTorch and JAX come with `pip install -e '.[benchmarks]'` and are left out without it.
The first epoch is not counted; what compiling adds to it is shown for Tenfold.
"""

import importlib.util
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from tenfold.trainer.architecture.recipes import RECIPES, Recipe

# Name in the table and the JSON → module in `benchmarks.contenders`, and the package it needs.
CONTENDERS = {
    "plain": ("plain", "tensorflow"),
    "tenfold": ("tenfold", "tensorflow"),
    "torch": ("torch_loop", "torch"),
    "jax": ("jax_scan", "jax"),
    "floor": ("floor", "numpy"),
}

# The contenders whose accuracy is reported train for all of the recipe's epochs; for the others a few tell the speed.
FULLY_TRAINED = ("plain", "tenfold")
EPOCHS_FOR_SPEED = 4


@click.command()
@click.option("--recipes", help="Comma-separated; default: the five published systems.")
@click.option("--epochs", type=int, help="Train for so many epochs only; default: the recipe's.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows here.")
def main(recipes: str | None, epochs: int | None, seed: int, datasets: Path, json_file: Path | None) -> None:
    """Compare ways to train the recipes."""
    names = recipes.split(",") if recipes else [name for name in RECIPES if RECIPES[name].origin == "source"]
    rows = []
    click.echo(
        f"{'s/epoch':15}" + "".join(f"{name:>9}" for name in CONTENDERS) + "  vs plain  vs floor  compile  accuracy"
    )
    for name in names:
        row = _compare(RECIPES[name], epochs, seed, datasets)
        rows.append(row)
        click.echo(_line(row))
    if json_file:
        json_file.write_text(json.dumps({"machine": _machine(), "rows": rows}, indent=2))


def _compare(recipe: Recipe, epochs: int | None, seed: int, datasets: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"recipe": recipe.name}
    for name, (module, package) in CONTENDERS.items():
        trained = epochs or (recipe.plan.epochs if name in FULLY_TRAINED else EPOCHS_FOR_SPEED)
        result = _run(module, recipe.name, trained, seed, datasets) if importlib.util.find_spec(package) else None
        row[name] = result["seconds_an_epoch"] if result else None
        row[f"{name}_accuracy"] = result["test_accuracy"] if result else None
        if result and name == "tenfold":
            row["tenfold_compile"] = result["epoch_seconds"][0] - result["seconds_an_epoch"]
    return row


def _run(module: str, recipe: str, epochs: int, seed: int, datasets: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.contenders", module, recipe]
    options = ["--epochs", str(epochs), "--seed", str(seed), "--datasets", str(datasets)]
    environment = os.environ | {"KERAS_BACKEND": "jax" if module == "jax_scan" else "tensorflow"}
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"{module} on {recipe} failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _line(row: dict[str, Any]) -> str:
    times = "".join(f"{row[name]:9.3f}" if row[name] else f"{'–':>9}" for name in CONTENDERS)
    return (
        f"{row['recipe']:15}{times}{row['plain'] / row['tenfold']:9.1f}×{row['tenfold'] / row['floor']:9.1f}×"
        f"{row['tenfold_compile']:7.1f} s  {row['plain_accuracy']:.2%} plain, {row['tenfold_accuracy']:.2%} tenfold"
    )


def _machine() -> dict[str, Any]:
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": sys.version}


if __name__ == "__main__":
    main()
