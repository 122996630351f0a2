"""`tenfold review` and `tenfold correct`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tenfold.cli.commands.job import find_job, job_argument
from tenfold.cli.commands.submit import submitted, wait_option
from tenfold.cli.console import say
from tenfold.cli.options import check, options_of
from tenfold.cli.output import output_option, print_list, table_option
from tenfold.cli.server import connect
from tenfold.client import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.review.parameters import ReviewParameters

if TYPE_CHECKING:
    from tenfold.web.api.documents.reviews import ReviewItem

HEADER = (f"{'ROW':>7}", "PREDICTION", "RUNNER-UP", "QUALITY", "CORRECTION", "NAME")

# Given as a label, it means that the image shows none of the classes.
NONE = "none"

# The pictures are PNGs or JPEGs.
PNG_START = b"\x89PNG"


@click.command()
@job_argument
@click.option("--open", "only_open", is_flag=True, help="Only answers that nobody has reviewed yet.")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="ROW=LABEL",
    help="Correct ROW first: its image shows LABEL, or with ROW=none, none of the classes. Repeat it for several.",
)
@click.option(
    "--undo",
    "undone",
    multiple=True,
    type=click.IntRange(0),
    metavar="ROW",
    help="Remove the correction of ROW first. Repeat it for several.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save the listed images to this directory, named after their rows.",
)
@table_option
def review(
    job_id: str,
    only_open: bool,
    answers: tuple[str, ...],
    undone: tuple[int, ...],
    pictures: Path | None,
    as_json: bool,
) -> None:
    """List and correct the uncertain answers of a classification.

    The least certain come first.
    """
    corrections = [_correction(answer) for answer in answers]
    with connect() as client:
        job = find_job(client, job_id, JobKind.CLASSIFICATION)
        for row in undone:
            job.take_back(row)
        for row, label in corrections:
            job.correct(row, label)
        items = list(job.review(only_open=only_open))
        if pictures is not None:
            _save_pictures(job, items, pictures)
    if not as_json:
        say(f"{len(items)} answers. Review them at {job.page}/review")
    print_list(items, HEADER, [_row(item) for item in items], as_json=as_json, empty="Nothing to review.")


@click.command()
@job_argument
@options_of(ReviewParameters, besides=["classification"])
@wait_option
@output_option
def correct(job_id: str, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Merge the corrections of a classification into its results.

    With --dataset, also into a new data set.
    """
    with connect() as client:
        job = find_job(client, job_id, JobKind.CLASSIFICATION)
        parameters = check(ReviewParameters, {"classification": job.id, **parameters})
        submitted(client.merge_corrections(**parameters), wait=wait, as_json=as_json)


def _correction(answer: str) -> tuple[int, str | None]:
    row, _, label = answer.partition("=")
    if not row.isdecimal() or not label:
        raise click.UsageError(f"--answer {answer}: give the row and what its image shows, such as 17=7 or 17=none.")
    return int(row), None if label == NONE else label


def _save_pictures(job: Job, items: "Iterable[ReviewItem]", directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for item in items:
        if item["links"]["picture"] is not None:
            picture = job.picture(item["row"])
            suffix = ".png" if picture.startswith(PNG_START) else ".jpg"
            (directory / f"{item['row']}{suffix}").write_bytes(picture)


def _row(item: "ReviewItem") -> tuple[str, ...]:
    correction = item["correction"]
    runner_up = f"{item['runner_up']} {item['runner_up_confidence']:.1%}" if item["runner_up"] is not None else ""
    return (
        f"{item['row']:>7}",
        f"{item['prediction']} {item['confidence']:.1%}",
        runner_up,
        item["quality"] or "",
        "" if correction is None else NONE if correction["label"] is None else correction["label"],
        item["name"],
    )
