"""The `tenfold` command. `commands/` has its subcommands, each imported when it is used; here is what they share."""

import sys
from collections.abc import Sequence

import click

from tenfold.cli.config import load_config
from tenfold.cli.exits import INTERRUPTED, print_notes, report_error
from tenfold.cli.lazy import Entry, LazyGroup

SECTIONS = {
    "Start": (
        Entry("up", "up:up", "Run everything on this machine until Ctrl-C.", "all"),
        Entry("down", "up:down", "Stop what `tenfold up` runs on --data.", "all"),
        Entry("demo", "demo:demo", "Train on MNIST, classify its test images, and print the accuracy.", "all"),
        Entry("samples", "trainer:samples", "Write MNIST's test images to FILE, a zip of PNGs."),
        Entry("reproduce", "trainer:reproduce", "Train the five recipes and compare with their published results."),
    ),
    "Submit": (
        Entry("train", "submit:train", "Train a model."),
        Entry("sweep", "submit:sweep", "Search for better hyperparameters."),
        Entry("classify", "submit:classify", "Classify images in bulk."),
        Entry("predict", "predict:predict", "Classify single images immediately."),
    ),
    "Review": (
        Entry("review", "review:review", "List and correct the uncertain answers of a classification."),
        Entry("correct", "review:correct", "Merge the corrections of a classification into its results."),
    ),
    "Manage": (
        Entry("job", "job:job", "List, show, follow and change jobs."),
        Entry("model", "model.model:model", "List, show and manage trained models."),
        Entry("alias", "model.alias:alias", "List, show, roll back and delete aliases of models."),
        Entry("dataset", "dataset.dataset:dataset", "List, show, check, compare, import and delete data sets."),
        Entry("recipe", "recipe:recipe", "List and show the recipes for training."),
        Entry("worker", "worker:worker", "List the workers."),
        Entry("webhook", "webhook:webhook", "Manage webhooks."),
        Entry("user", "user:user", "Manage users.", "server"),
        Entry("key", "key:key", "Manage API keys.", "server"),
    ),
    "Operate": (
        Entry("health", "connection:health", "Show whether the server and its parts are ready."),
        Entry("doctor", "upkeep:doctor", "Report problems and how to fix them.", "server"),
        Entry("gc", "upkeep:gc", "Remove expired jobs and leftover files.", "server"),
        Entry("backup", "upkeep:backup", "Back up everything to FILE, a tar.", "server"),
        Entry("restore", "upkeep:restore", "Restore the backup FILE into an empty volume and database.", "server"),
    ),
    "Configure": (
        Entry("config", "connection:config", "Show which server and key are used, and where each is set."),
        Entry("token", "connection:token", "Print the start-up token of your server on this machine."),
        Entry("completion", "completion:completion", "Print the completion script for SHELL."),
    ),
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--server", metavar="URL", envvar="TENFOLD_SERVER", help="Address of the server.")
@click.option("--key", metavar="KEY", envvar="TENFOLD_KEY", help="API key, if the server requires one.")
@click.version_option(package_name="tenfold")
def tenfold(server: str | None, key: str | None) -> None:
    """Train handwritten-digit classifiers and classify images in bulk.

    Most commands talk to a server: that of --server, TENFOLD_SERVER or the configuration file, or else the one that
    `tenfold up` last started from this directory, or http://127.0.0.1:8000. `tenfold config` shows which. The commands
    under Start, and user, key, doctor, gc, backup and restore, work on this machine instead.

    JOB is an ID, or `last` for the newest job that you submitted.

    Exit codes: 0 success, 1 failure, 2 usage error, 3 the server cannot be reached, 4 the server refused the request,
    5 timed out, 130 interrupted.
    """


def main() -> None:
    """Run the command and exit."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; errors become messages.

    Args:
        arguments: default: those of the process.

    Returns:
        The exit code (`tenfold.cli.exits`).
    """
    try:
        defaults = load_config(tenfold.list_commands(click.Context(tenfold)))
        return int(tenfold.main(arguments, prog_name="tenfold", standalone_mode=False, default_map=defaults) or 0)
    except click.Abort as abort:
        click.echo("tenfold: interrupted", err=True)
        print_notes(abort.__cause__)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        return report_error(error)
