"""`tenfold review`, `corrections` and `correct`."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from web.client import Job
from web.commands.console import print_json, print_lines, say
from web.commands.find import find_job, job_argument
from web.commands.options import check, options_of
from web.commands.server import connect
from web.commands.submit import json_option, report, wait_option
from web.documents import ReviewItem
from worker.corrections import NONE_OF_THESE
from worker.parameters import ReviewParameters
from worker.states import JobKind

# What a person says of an image that shows none of the classes.
NONE = "none"

# The pictures are PNGs or JPEGs.
PNG_START = b"\x89PNG"


@click.command()
@job_argument
@click.option("--open", "only_open", is_flag=True, help="Only answers that nobody has looked at yet.")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="ROW=LABEL",
    help="First say that the image in ROW shows LABEL, or none of the classes: ROW=none. Can be given several times.",
)
@click.option(
    "--take-back",
    "taken_back",
    multiple=True,
    type=click.IntRange(0),
    metavar="ROW",
    help="First forget what was said of ROW. Can be given several times.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save the listed images into this directory, named after their rows.",
)
@json_option
def review(
    job_id: str,
    only_open: bool,
    answers: tuple[str, ...],
    taken_back: tuple[int, ...],
    pictures: Path | None,
    as_json: bool,
) -> None:
    """List the doubtful answers of JOB, a classification.

    The least certain come first.
    """
    said = [_answer(answer) for answer in answers]
    with connect() as client:
        job = find_job(client, job_id, JobKind.CLASSIFICATION)
        for row in taken_back:
            job.take_back(row)
        for row, label in said:
            job.correct(row, label)
        items = list(job.review(only_open=only_open))
        if pictures is not None:
            _save_pictures(job, items, pictures)
    if as_json:
        print_json({"items": items})
        return
    say(f"{len(items)} answers. Review them at {job.page}/review")
    print_lines([_row(item) for item in items])


@click.command()
@job_argument
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@json_option
def corrections(job_id: str, out: Path | None, as_json: bool) -> None:
    """Print what people said of the doubtful answers, as CSV."""
    with connect() as client:
        table = find_job(client, job_id, JobKind.CLASSIFICATION).corrections()
    if out is not None:
        out.write_text(table, encoding="utf-8")
    if as_json:
        print_json({"corrections": list(csv.DictReader(io.StringIO(table)))})
    else:
        click.echo(table if out is None else out, nl=out is not None)


@click.command()
@job_argument
@options_of(ReviewParameters, besides=["classification"])
@wait_option
@json_option
def correct(job_id: str, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Merge the corrections of JOB into its results.

    And into a new data set, where one is named.
    """
    with connect() as client:
        job = find_job(client, job_id, JobKind.CLASSIFICATION)
        parameters = check(ReviewParameters, {"classification": job.id, **parameters})
        report(client.merge_corrections(**parameters), wait=wait, as_json=as_json)


def _answer(answer: str) -> tuple[int, str | None]:
    row, _, label = answer.partition("=")
    if not row.isdecimal() or not label:
        raise click.UsageError(f"--answer {answer}: write the row and what its image shows, such as 17=7 or 17=none.")
    return int(row), None if label == NONE else label


def _save_pictures(job: Job, items: Iterable[ReviewItem], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for item in items:
        if item["links"]["picture"] is not None:
            picture = job.picture(item["row"])
            suffix = ".png" if picture.startswith(PNG_START) else ".jpg"
            (directory / f"{item['row']}{suffix}").write_bytes(picture)


def _row(item: ReviewItem) -> tuple[str, ...]:
    said = item["correction"]
    label = said and (NONE_OF_THESE if said["label"] is None else said["label"])
    other = f"or {item['runner_up']} {item['runner_up_confidence']:.1%}" if item["runner_up"] is not None else ""
    return (
        f"{item['row']:>7}",
        f"{item['label']} {item['confidence']:.1%}",
        other,
        item["quality"] or "",
        f"corrected: {label}" if said else "",
        item["name"],
    )
