"""`tenfold model compare` and `tenfold model differences`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tenfold.cli.commands.job import find_job, job_argument
from tenfold.cli.commands.submit import submitted, wait_option
from tenfold.cli.completions import complete_models
from tenfold.cli.console import say
from tenfold.cli.options import check, options_of
from tenfold.cli.output import output_option, print_list, table_option
from tenfold.cli.server import connect
from tenfold.client import Job
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.db.states import JobKind

if TYPE_CHECKING:
    from tenfold.web.api.documents.comparisons import DifferenceItem

HEADER = (f"{'RANK':>7}", f"{'ROW':>7}", "TRUE LABEL", "ANSWERS", "NAME")

PNG_START = b"\x89PNG"


@click.command()
@click.argument("models", metavar="MODEL MODEL...", nargs=-1, required=True, shell_complete=complete_models)
@options_of(ComparisonParameters, besides=["models"])
@wait_option
@output_option
def compare(models: tuple[str, ...], wait: bool, as_json: bool, **parameters: Any) -> None:
    """Say which model is better on the same labeled images.

    Each model is compared with the first, by McNemar's exact test and a bootstrap interval of the difference.
    """
    given = check(ComparisonParameters, {"models": models, **parameters})
    with connect() as client:
        submitted(client.compare(*given["models"], on=given.get("on")), wait=wait, as_json=as_json)


@click.command()
@job_argument
@click.option("--right", multiple=True, metavar="MODEL", help="Only images that this model has right: A, B or its ID.")
@click.option("--wrong", multiple=True, metavar="MODEL", help="Only images that this model has wrong: A, B or its ID.")
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save thumbnails to this directory, named after the ranks.",
)
@table_option
def differences(
    job_id: str, right: tuple[str, ...], wrong: tuple[str, ...], pictures: Path | None, as_json: bool
) -> None:
    """List the images on which the models of a comparison differ.

    Those that one model has right and another wrong come first, the surest mistakes first.
    """
    with connect() as client:
        job = find_job(client, job_id, JobKind.COMPARISON)
        items = list(job.differences(right=right, wrong=wrong))
        if pictures is not None:
            _save_pictures(job, items, pictures)
    if not as_json:
        say(f"{len(items)} images. See them at {job.page}/differences")
    print_list(items, HEADER, [_row(item) for item in items], as_json=as_json, empty="No such images.")


def _save_pictures(job: Job, items: "Iterable[DifferenceItem]", directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for item in items:
        if item["links"]["picture"] is not None:
            picture = job.difference_picture(item["rank"])
            suffix = ".png" if picture.startswith(PNG_START) else ".jpg"
            (directory / f"{item['rank']}{suffix}").write_bytes(picture)


def _row(item: "DifferenceItem") -> tuple[str, ...]:
    answers = [
        f"{answer['name']} {answer['prediction']} {answer['confidence']:.1%}{'' if answer['right'] else ' wrong'}"
        for answer in item["answers"]
    ]
    return f"{item['rank']:>7}", f"{item['row']:>7}", item["true_label"], ", ".join(answers), item["name"]
