"""`tenfold models`."""

import click

from web.commands.completions import complete_models
from web.commands.console import print_json, print_lines, say
from web.commands.server import connect
from web.commands.submit import json_option
from web.documents import ModelDocument


@click.command()
@click.argument("model_id", metavar="[MODEL]", required=False, shell_complete=complete_models)
@click.option(
    "--default",
    "default_id",
    metavar="MODEL",
    help="Let MODEL serve wherever none is named.",
    shell_complete=complete_models,
)
@click.option(
    "--remove",
    metavar="MODEL",
    help="Delete MODEL and its files; the training that made it stays, and so do the results that it gave.",
    shell_complete=complete_models,
)
@json_option
def models(model_id: str | None, default_id: str | None, remove: str | None, as_json: bool) -> None:
    """List the trained models, or show MODEL.

    MODEL is an id, or to be shown `default`.
    """
    with connect() as client:
        if default_id is not None:
            client.set_default_model(default_id)
        if remove is not None:
            client.delete_model(remove)
            say(f"Deleted the model {remove}.")
        if model_id is not None:
            _show(client.model(model_id), as_json)
            return
        found = client.models()
    if as_json:
        print_json({"models": found})
        return
    if not found:
        say("No models yet. Train one: tenfold train dropout-128 --wait")
        return
    print_lines([_row(model) for model in found])


def _row(model: ModelDocument) -> tuple[str, ...]:
    role = "default" if model["default"] else "a sweep's trial" if model["trial"] else ""
    return (model["id"], model["recipe"], model["dataset"], f"{model['metrics']['test_accuracy']:.2%}", role)


def _show(model: ModelDocument, as_json: bool) -> None:
    if as_json:
        print_json(model)
        return
    print_lines([_row(model)])
    figures = {name: value for name, value in model["metrics"].items() if isinstance(value, int | float)}
    print_lines([(name, f"{value:,.6g}") for name, value in figures.items()])
    print_lines([(name, str(value)) for name, value in model["parameters"].items()])
