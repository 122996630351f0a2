"""`tenfold predict`."""

import sys
from pathlib import Path
from typing import Any

import click

from web.client import Client, ServerError
from web.commands.console import print_json
from web.commands.options import check, options_of
from web.commands.server import connect
from web.commands.submit import json_option
from worker.parameters import PredictionParameters

UNREADABLE = 1


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@options_of(PredictionParameters, besides=["steps"])
@json_option
def predict(files: tuple[Path, ...], as_json: bool, **parameters: Any) -> None:
    """Say at once which digit each FILE, an image, shows.

    One line a file: name, label, confidence, and the runner-up with its own. Exits 1 if a file could not be read.
    """
    parameters = check(PredictionParameters, parameters)
    with connect() as client:
        answers = []
        for file in files:
            answers.append(_answer(client, file, parameters))
            if not as_json:
                click.echo(_line(answers[-1]), err="error" in answers[-1])
    if as_json:
        print_json({"predictions": answers})
    if any("error" in answer for answer in answers):
        sys.exit(UNREADABLE)


def _answer(client: Client, file: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"file": str(file), **client.predict(file, **parameters)}
    except ServerError as error:
        about_the_file = error.status == 413 or "file" in [wrong["field"] for wrong in error.problem.get("errors", [])]
        if not about_the_file:
            raise
        return {"file": str(file), "error": str(error)}


def _line(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['file']}: {answer['error']}"
    runner_up = answer["runner_up"]
    return (
        f"{answer['file']}  {answer['label']}  {answer['confidence']:.2%}  "
        f"(else {runner_up['label']}, {runner_up['confidence']:.2%})"
    )
