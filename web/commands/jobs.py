"""`tenfold jobs`, `status`, `wait`, `log`, `open`, `cancel`, `retry`, `delete`."""

import sys
import time

import click

from web.client import Job
from web.commands.completions import complete_jobs
from web.commands.console import (
    done_of,
    end_with,
    follow,
    headline,
    print_json,
    print_outcome,
    print_table,
    say,
    subject,
)
from web.commands.exits import TIME_UP
from web.commands.find import find_job, job_argument
from web.commands.server import connect
from web.commands.submit import json_option
from web.durations import about, age
from worker.states import JobKind, JobState

NOT_CONFIRMED = 1

# Between two looks at a log that is followed.
LOG_SECONDS = 1.0


@click.command()
@click.option("--kind", type=click.Choice([kind.value for kind in JobKind]), help="Only jobs of this kind.")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
@click.option("--parent", metavar="SWEEP", help="The trials of this sweep, which are listed nowhere else.")
@click.option("--mine", is_flag=True, help="Only jobs that you submitted.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@json_option
def jobs(kind: str | None, state: str | None, parent: str | None, mine: bool, limit: int, as_json: bool) -> None:
    """List the newest jobs."""
    with connect() as client:
        found = client.jobs(kind=kind, state=state, parent=parent, mine=mine, limit=limit)
    if as_json:
        print_json({"jobs": [job.document for job in found]})
        return
    if not found:
        some = "such jobs" if kind or state or parent or mine else "jobs yet"
        say(f"No {some}. Start with: tenfold train dropout-128 --wait")
        return
    owned = any(job.document["owner"] for job in found)
    header = ("JOB", *(("OWNER",) if owned else ()), "KIND", "STATE", "ABOUT", "AGE", "OUTCOME")
    print_table(header, [_row(job, owned) for job in found])


def _row(job: Job, with_owner: bool) -> tuple[str, ...]:
    document = job.document
    owner = (document["owner"] or "",) if with_owner else ()
    outcome = headline(job).removesuffix(f", model {job.id}") if job.finished else done_of(job)
    return (job.id, *owner, document["kind"], job.state, subject(job), age(document["created_at"]), outcome)


@click.command()
@job_argument
@json_option
def status(job_id: str, as_json: bool) -> None:
    """Say how JOB stands."""
    with connect() as client:
        job = find_job(client, job_id)
    if as_json:
        print_json(job.document)
        return
    left = "" if job.eta_seconds is None else f", {about(job.eta_seconds)} left"
    owner = job.document["owner"]
    of_whom = f" of {owner}" if owner else ""
    click.echo(f"{job.document['kind']} {job.id}{of_whom} {job.state}: {done_of(job)}{left}")
    if headline(job):
        print_outcome(job)


@click.command()
@job_argument
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Give up after so long, and exit 5.")
@json_option
def wait(job_id: str, timeout: float | None, as_json: bool) -> None:
    """Show progress until JOB has ended."""
    with connect() as client:
        try:
            job = follow(find_job(client, job_id), timeout)
        except TimeoutError as error:
            say(f"{error} It goes on.")
            sys.exit(TIME_UP)
    if as_json:
        print_json(job.summary | {"job": job.document})
    else:
        print_outcome(job)
    end_with(job)


@click.command()
@job_argument
@click.option("--follow", "-f", "following", is_flag=True, help="Go on until JOB has ended.")
@json_option
def log(job_id: str, following: bool, as_json: bool) -> None:
    """Print the log of JOB."""
    with connect() as client:
        job = find_job(client, job_id)
        if as_json:
            job = job.wait() if following else job
            print_json({"log": job.log().decode()})
            return
        _print_log(job, following)


def _print_log(job: Job, following: bool) -> None:
    printed = 0
    while True:
        ended = job.finished or not following
        lines = job.log(printed)
        printed += len(lines)
        click.echo(lines, nl=False)
        if ended:
            return
        time.sleep(LOG_SECONDS)
        job.refresh()


@click.command(name="open")
@click.argument("job_id", metavar="[JOB]", required=False, shell_complete=complete_jobs)
@json_option
def open_(job_id: str | None, as_json: bool) -> None:
    """Open the page of JOB in a browser; without JOB, the first page."""
    with connect() as client:
        page = client.server if job_id is None else find_job(client, job_id).page
    if as_json:
        print_json({"url": page})
    else:
        click.echo(page)
    click.launch(page)


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@job_argument
@yes_option
@json_option
def cancel(job_id: str, yes: bool, as_json: bool) -> None:
    """Stop JOB, after asking.

    Without a terminal there is nobody to ask, and it is stopped.
    """
    with connect() as client:
        job = find_job(client, job_id)
        if not yes and sys.stdin.isatty():
            _ask(f"Cancel {_described(job)}?")
        _report_state(job.cancel(), as_json)


@click.command()
@job_argument
@json_option
def retry(job_id: str, as_json: bool) -> None:
    """Queue JOB again after it failed or was cancelled.

    What it had finished is kept.
    """
    with connect() as client:
        _report_state(find_job(client, job_id).retry(), as_json)


@click.command()
@job_argument
@yes_option
@json_option
def delete(job_id: str, yes: bool, as_json: bool) -> None:
    """Remove JOB, which has ended, and its files, after asking.

    A model that it trained stays. Without a terminal it takes --yes.
    """
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask in whether to delete the job: add --yes.")
    with connect() as client:
        job = find_job(client, job_id)
        if not yes:
            _ask(f"Delete {_described(job)} and its files?")
        job.delete()
    if as_json:
        print_json({"deleted": job.id})
    else:
        click.echo(f"{job.id} deleted")


def _described(job: Job) -> str:
    document = job.document
    owner = f", of {document['owner']}" if document["owner"] else ""
    return f"the {document['kind']} {job.id} ({subject(job)}, {job.state}, {age(document['created_at'])} old{owner})"


def _ask(question: str) -> None:
    """Go on only if the person says yes."""
    if not click.confirm(question, err=True):
        say("Nothing was changed.")
        sys.exit(NOT_CONFIRMED)


def _report_state(job: Job, as_json: bool) -> None:
    if as_json:
        print_json(job.document)
    else:
        click.echo(f"{job.id} {job.state}")
