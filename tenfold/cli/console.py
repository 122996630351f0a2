"""Messages, questions and progress bars, on standard error."""

import sys

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from tenfold.cli.exits import FAILURE
from tenfold.client import Job
from tenfold.client.progress import progress_bar

console = Console(stderr=True, highlight=False)

yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


def say(message: str) -> None:
    """Print a message; an address in it is never broken over two lines."""
    console.print(message, markup=False, soft_wrap=True)


def confirm(question: str, yes: bool) -> None:
    """Ask, and exit unless the answer is yes.

    Args:
        yes: do not ask.

    Raises:
        click.UsageError: there is no terminal to ask in.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("No terminal to ask for confirmation: add --yes.")
    if not click.confirm(question, err=True):
        say("Nothing was changed.")
        sys.exit(FAILURE)


def follow(job: Job, timeout_seconds: float | None = None) -> Job:
    """Show a job's progress until it has finished."""
    with progress_bar(job, console) as show:
        return job.wait(on_change=show, timeout_seconds=timeout_seconds)


def transfer_bar() -> Progress:
    """A bar for bytes sent or received."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console
    )
