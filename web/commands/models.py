"""`tenfold models`."""

import click

from web.commands.console import print_json, print_lines, say
from web.commands.server import connect
from web.commands.submit import json_option


@click.command()
@click.option("--default", "default_id", metavar="MODEL", help="Let MODEL serve wherever none is named.")
@json_option
def models(default_id: str | None, as_json: bool) -> None:
    """List the trained models."""
    with connect() as client:
        if default_id is not None:
            client.set_default_model(default_id)
        found = client.models()
    if as_json:
        print_json({"models": found})
        return
    if not found:
        say("No models yet. Train one: tenfold train dropout-128 --wait")
        return
    print_lines(
        [
            (
                model["id"],
                model["recipe"],
                model["dataset"],
                f"{model['metrics']['test_accuracy']:.2%}",
                "default" if model["default"] else "a sweep's trial" if model["trial"] else "",
            )
            for model in found
        ]
    )
