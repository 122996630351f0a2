"""The `tenfold` command, a module for each group of subcommands."""

import sys

import click

from web.client import ServerAway, ServerError
from web.commands import datasets, demo, jobs, models, predict, reproduce, review, submit, sweep, up, users

# Exit codes that scripts can use.
FAILED_JOB = 1
USAGE = 2
NO_SERVER = 3
REFUSED = 4


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tenfold")
def tenfold() -> None:
    """Train handwritten-digit classifiers and classify images in bulk.

    All commands but `up`, `users`, `keys`, `demo` and `reproduce` talk to a server: the one that TENFOLD_SERVER names,
    else the one that `tenfold up` last started from this directory, else http://127.0.0.1:8000.

    Exit codes: 0 well, 1 a job failed or was cancelled, 2 wrong usage, 3 no server answers, 4 refused.
    """


for command in (
    up.up,
    submit.train,
    submit.classify,
    predict.predict,
    sweep.sweep,
    datasets.import_,
    datasets.datasets,
    jobs.jobs,
    jobs.status,
    jobs.wait,
    jobs.cancel,
    jobs.retry,
    jobs.fetch,
    review.review,
    review.corrections,
    review.correct,
    models.models,
    users.users,
    users.keys,
    demo.demo,
    reproduce.reproduce,
):
    tenfold.add_command(command)


def main() -> None:
    """Run the command and turn what the server says into a message and an exit code."""
    try:
        tenfold()
    except ServerAway as error:
        click.echo(f"tenfold: {error}", err=True)
        sys.exit(NO_SERVER)
    except ServerError as error:
        click.echo(f"tenfold: {error}", err=True)
        sys.exit(REFUSED)
