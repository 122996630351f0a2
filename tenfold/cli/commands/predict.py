"""`tenfold predict`."""

import sys
from pathlib import Path
from typing import Any

import click

from tenfold.cli.exits import FAILURE
from tenfold.cli.options import check, options_of
from tenfold.cli.output import output_option, print_json
from tenfold.cli.server import connect
from tenfold.client import Client, ServerError
from tenfold.worker.predictions.parameters import PredictionParameters


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@options_of(PredictionParameters, besides=["steps"])
@output_option
def predict(files: tuple[Path, ...], as_json: bool, **parameters: Any) -> None:
    """Classify single images immediately.

    Prints a line for each FILE: name, prediction, confidence, and the runner-up with its confidence. Exits 1 if a file
    could not be read.
    """
    parameters = check(PredictionParameters, parameters)
    with connect() as client:
        answers = []
        for file in files:
            answers.append(_answer(client, file, parameters))
            if not as_json:
                click.echo(_line(answers[-1]), err="error" in answers[-1])
    if as_json:
        print_json({"items": answers})
    if any("error" in answer for answer in answers):
        sys.exit(FAILURE)


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
        f"{answer['file']}  {answer['prediction']}  {answer['confidence']:.2%}  "
        f"(else {runner_up['prediction']}, {runner_up['confidence']:.2%})"
    )
