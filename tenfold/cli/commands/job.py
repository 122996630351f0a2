"""`tenfold job`."""

import csv
import io
import sys
import time
from pathlib import Path

import click

from tenfold.cli.completions import LAST, complete_jobs
from tenfold.cli.console import confirm, follow, say, yes_option
from tenfold.cli.exits import TIMED_OUT
from tenfold.cli.files import download, fetch_options, show_files
from tenfold.cli.outcomes import exit_unless_succeeded, headline, print_outcome, progress_of, subject
from tenfold.cli.output import output_option, print_json, print_list, table_option
from tenfold.cli.server import connect
from tenfold.client import Client, Job, ServerError
from tenfold.durations import about, age
from tenfold.worker.db.states import JobKind, JobState

# Between two requests for a log that is followed.
LOG_SECONDS = 1.0

job_argument = click.argument("job_id", metavar="JOB", shell_complete=complete_jobs)


def find_job(client: Client, job_id: str, kind: str | None = None) -> Job:
    """The job with this id. `last` is the newest job of the caller, with `kind` the newest of that kind.

    Raises:
        ServerError: there is no such job.
    """
    if job_id != LAST:
        return client.job(job_id)
    newest = client.jobs(kind=kind, mine=True, limit=1)
    if not newest:
        raise ServerError(404, {"detail": f"You have not submitted a {kind or 'job'} yet, so there is no last one."})
    return newest[0].refresh()


@click.group()
def job() -> None:
    """List, show, follow and change jobs.

    JOB is an ID, or `last` for the newest job that you submitted.
    """


@job.command("list")
@click.option("--kind", type=click.Choice([kind.value for kind in JobKind]), help="Only jobs of this kind.")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
@click.option("--sweep", metavar="SWEEP", help="The trials of this sweep; other lists omit them.")
@click.option("--mine", is_flag=True, help="Only jobs that you submitted.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of jobs.")
@table_option
def list_jobs(kind: str | None, state: str | None, sweep: str | None, mine: bool, limit: int, as_json: bool) -> None:
    """List jobs, newest first."""
    with connect() as client:
        found = client.jobs(kind=kind, state=state, sweep=sweep, mine=mine, limit=limit)
    owned = any(job.document["owner"] for job in found)
    header = ("JOB", *(("OWNER",) if owned else ()), "KIND", "STATE", "SUBJECT", "AGE", "OUTCOME")
    empty = "No such jobs." if kind or state or sweep or mine else "No jobs yet. Start with: tenfold train dropout-128"
    documents = [job.document for job in found]
    print_list(documents, header, [_row(job, owned) for job in found], as_json=as_json, empty=empty)


@job.command("show")
@job_argument
@output_option
def show_job(job_id: str, as_json: bool) -> None:
    """Show job status."""
    with connect() as client:
        job = find_job(client, job_id)
    if as_json:
        print_json(job.document)
        return
    left = "" if job.eta_seconds is None else f", {about(job.eta_seconds)} left"
    owner = f" of {job.document['owner']}" if job.document["owner"] else ""
    click.echo(f"{job.document['kind']} {job.id}{owner} {job.state}: {progress_of(job)}{left}")
    for alias, model_id in (job.document["source"] or {}).get("aliases", {}).items():
        click.echo(f"model {model_id}, named by the alias {alias}")
    if headline(job):
        print_outcome(job)


@job.command("wait")
@job_argument
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this time, exit 5.")
@output_option
def wait_for_job(job_id: str, timeout: float | None, as_json: bool) -> None:
    """Show progress until a job has finished.

    Exits 1 unless it succeeded.
    """
    with connect() as client:
        try:
            job = follow(find_job(client, job_id), timeout)
        except TimeoutError as error:
            say(f"{error} It continues on the server.")
            sys.exit(TIMED_OUT)
    if as_json:
        print_json(job.summary | {"job": job.document})
    else:
        print_outcome(job)
    exit_unless_succeeded(job)


@job.command("log")
@job_argument
@click.option("--follow", "-f", "following", is_flag=True, help="Keep printing until the job has finished.")
@output_option
def show_log(job_id: str, following: bool, as_json: bool) -> None:
    """Print the log of a job."""
    with connect() as client:
        job = find_job(client, job_id)
        if as_json:
            job = job.wait() if following else job
            print_json({"log": job.log().decode()})
            return
        _print_log(job, following)


@job.command("open")
@job_argument
@output_option
def open_job(job_id: str, as_json: bool) -> None:
    """Open the page of a job in the browser."""
    with connect() as client:
        page = find_job(client, job_id).page
    if as_json:
        print_json({"url": page})
    else:
        click.echo(page)
    click.launch(page)


@job.command("files")
@job_argument
@table_option
def list_files(job_id: str, as_json: bool) -> None:
    """List the files of a job."""
    with connect() as client:
        show_files(find_job(client, job_id).files(), as_json)


@job.command("fetch")
@job_argument
@fetch_options
@output_option
def fetch_files(job_id: str, names: tuple[str, ...], to: Path | None, as_json: bool) -> None:
    """Download files of a job: results, plots, the model.

    Without NAME, all files except the upload.
    """
    with connect() as client:
        job = find_job(client, job_id)
        download(client, job.files(), names, to or Path(job.id), as_json=as_json)


@job.command("corrections")
@job_argument
@output_option
def show_corrections(job_id: str, as_json: bool) -> None:
    """Print the corrections of a classification as CSV."""
    with connect() as client:
        table = find_job(client, job_id, JobKind.CLASSIFICATION).corrections()
    if as_json:
        print_json({"items": list(csv.DictReader(io.StringIO(table)))})
    else:
        click.echo(table, nl=False)


@job.command("cancel")
@job_argument
@yes_option
@output_option
def cancel_job(job_id: str, yes: bool, as_json: bool) -> None:
    """Cancel a job.

    Asks for confirmation in a terminal. `tenfold job retry` continues a cancelled job.
    """
    with connect() as client:
        job = find_job(client, job_id)
        confirm(f"Cancel {_described(job)}?", yes or not sys.stdin.isatty())
        _print_state(job.cancel(), as_json)


@job.command("retry")
@job_argument
@output_option
def retry_job(job_id: str, as_json: bool) -> None:
    """Queue a failed or cancelled job again.

    Steps that had finished are not repeated.
    """
    with connect() as client:
        _print_state(find_job(client, job_id).retry(), as_json)


@job.command("delete")
@job_argument
@yes_option
@output_option
def delete_job(job_id: str, yes: bool, as_json: bool) -> None:
    """Delete a finished job and its files.

    A model that it trained is kept.
    """
    with connect() as client:
        job = find_job(client, job_id)
        confirm(f"Delete {_described(job)} and its files?", yes)
        job.delete()
    if as_json:
        print_json({"deleted": job.id})
    else:
        click.echo(f"{job.id} deleted")


def _row(job: Job, with_owner: bool) -> tuple[str, ...]:
    document = job.document
    owner = (document["owner"] or "",) if with_owner else ()
    outcome = headline(job).removesuffix(f", model {job.id}") if job.finished else progress_of(job)
    return (job.id, *owner, document["kind"], job.state, subject(job), age(document["created_at"]), outcome)


def _print_log(job: Job, following: bool) -> None:
    printed = 0
    while True:
        last = job.finished or not following
        lines = job.log(printed)
        printed += len(lines)
        click.echo(lines, nl=False)
        if last:
            return
        time.sleep(LOG_SECONDS)
        job.refresh()


def _described(job: Job) -> str:
    document = job.document
    owner = f", of {document['owner']}" if document["owner"] else ""
    return f"the {document['kind']} {job.id} ({subject(job)}, {job.state}, {age(document['created_at'])} old{owner})"


def _print_state(job: Job, as_json: bool) -> None:
    if as_json:
        print_json(job.document)
    else:
        click.echo(f"{job.id} {job.state}")
