"""`tenfold jobs`, `status`, `wait`, `cancel`, `retry`, `fetch`."""

from pathlib import Path

import click

from web.client import UPLOADS
from web.commands.console import end_with, follow, headline, print_json, print_lines, say, transfer_bar
from web.commands.server import connect
from web.commands.submit import json_option
from worker.states import JobKind, JobState

job_argument = click.argument("job_id", metavar="JOB")


@click.command()
@click.option("--kind", type=click.Choice([kind.value for kind in JobKind]), help="Only jobs of this kind.")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many.")
@json_option
def jobs(kind: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """List the newest jobs."""
    with connect() as client:
        found = client.jobs(kind=kind, state=state, limit=limit)
    if as_json:
        print_json({"jobs": [job.document for job in found]})
        return
    if not found:
        say("No jobs yet. Start with: tenfold train dropout-128 --wait")
        return
    print_lines([(job.id, job.document["kind"], job.state, headline(job)) for job in found])


@click.command()
@job_argument
@json_option
def status(job_id: str, as_json: bool) -> None:
    """Say how JOB stands."""
    with connect() as client:
        job = client.job(job_id)
    if as_json:
        print_json(job.document)
        return
    made = job.document["progress"]
    click.echo(f"{job.document['kind']} {job.id} {job.state}: {made['done']} of {made['total']} {made['unit']}")
    if line := headline(job):
        click.echo(line)


@click.command()
@job_argument
@json_option
def wait(job_id: str, as_json: bool) -> None:
    """Show progress until JOB has ended."""
    with connect() as client:
        job = follow(client.job(job_id))
    if as_json:
        print_json(job.summary | {"job": job.document})
    else:
        click.echo(headline(job))
    end_with(job)


@click.command()
@job_argument
def cancel(job_id: str) -> None:
    """Stop JOB."""
    with connect() as client:
        click.echo(f"{job_id} {client.job(job_id).cancel().state}")


@click.command()
@job_argument
def retry(job_id: str) -> None:
    """Queue JOB again after it failed or was cancelled; what it had finished is kept."""
    with connect() as client:
        click.echo(f"{job_id} {client.job(job_id).retry().state}")


@click.command()
@job_argument
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Directory; default: the job's id.")
def fetch(job_id: str, to: Path | None) -> None:
    """Download the files of JOB: results, pictures, the model."""
    with connect() as client, transfer_bar() as progress:
        job = client.job(job_id)
        sizes = {file["name"]: file["bytes"] for file in job.files() if file["name"] not in UPLOADS}
        bar = progress.add_task(f"fetching {len(sizes)} files", total=sum(sizes.values()))
        paths = job.fetch(to or Path(job_id), on_bytes=lambda count: progress.advance(bar, count))
    for path in paths:
        click.echo(path)
