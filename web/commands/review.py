"""`tenfold review`, `corrections` and `correct`."""

from pathlib import Path
from typing import Any

import click

from web.commands.console import print_json, print_lines, say
from web.commands.jobs import job_argument
from web.commands.options import check, options_of
from web.commands.server import connect
from web.commands.submit import json_option, report, wait_option
from worker.corrections import NONE_OF_THESE
from worker.parameters import ReviewParameters


@click.command()
@job_argument
@click.option("--open", "only_open", is_flag=True, help="Only answers that nobody has looked at yet.")
@json_option
def review(job_id: str, only_open: bool, as_json: bool) -> None:
    """List the doubtful answers of JOB, a classification, the least certain first."""
    with connect() as client:
        job = client.job(job_id)
        items = list(job.review(only_open=only_open))
    if as_json:
        print_json({"items": items})
        return
    say(f"{len(items)} answers. Review them at {client.server}/jobs/{job_id}/review")
    print_lines([_row(item) for item in items])


@click.command()
@job_argument
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
def corrections(job_id: str, out: Path | None) -> None:
    """Print what people said of the doubtful answers of JOB, as CSV."""
    with connect() as client:
        table = client.job(job_id).corrections()
    if out is None:
        click.echo(table, nl=False)
        return
    out.write_text(table, encoding="utf-8")
    click.echo(out)


@click.command()
@job_argument
@options_of(ReviewParameters, besides=["classification"])
@wait_option
@json_option
def correct(job_id: str, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Merge the corrections of JOB into its results, and into a data set where one is named."""
    parameters = check(ReviewParameters, {"classification": job_id, **parameters})
    with connect() as client:
        report(client.merge_corrections(**parameters), wait=wait, as_json=as_json)


def _row(item: dict[str, Any]) -> tuple[str, ...]:
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
