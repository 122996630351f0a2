"""`tenfold sweep`."""

from typing import Any

import click

from trainer.recipes import RECIPES
from web.commands.options import check, options_of
from web.commands.server import connect
from web.commands.submit import json_option, report, wait_option
from worker.sweep_parameters import SweepParameters


@click.command()
@click.argument("recipe", metavar="RECIPE", type=click.Choice(list(RECIPES)))
@click.option(
    "--over",
    "axes",
    multiple=True,
    required=True,
    metavar="NAME=VALUES",
    help="A hyper-parameter to search: dropout=0|0.2|0.4, batch_size=32..256 or learning_rate=log:0.0001..0.01. "
    "Can be given several times.",
)
@options_of(SweepParameters, besides=["recipe", "space"])
@wait_option
@json_option
def sweep(recipe: str, axes: tuple[str, ...], wait: bool, as_json: bool, **parameters: Any) -> None:
    """Search for better hyper-parameters of RECIPE.

    Each trial is a training.
    """
    parameters = check(SweepParameters, {"recipe": recipe, "space": "\n".join(axes), **parameters})
    with connect() as client:
        report(client.sweep(**parameters), wait=wait, as_json=as_json)
