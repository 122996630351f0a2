"""The `tenfold` command, a module for each group of subcommands, each loaded when it is used."""

import sys
from collections.abc import Sequence

import click

from web.commands.config import load_config
from web.commands.exits import INTERRUPTED, tell, tell_notes
from web.commands.lazy import Entry, LazyGroup

SECTIONS = {
    "Start": (
        Entry("up", "up:up", "Run everything on this machine until Ctrl-C."),
        Entry("down", "up:down", "Stop what `tenfold up` runs on --data."),
        Entry(
            "demo",
            "demo:demo",
            "Train on MNIST, classify its test images, and show the figures.",
        ),
        Entry("samples", "samples:samples", "Write MNIST's test images to FILE, a zip of PNGs."),
        Entry(
            "reproduce",
            "reproduce:reproduce",
            "Train the five recipes, and compare with their published figures.",
        ),
    ),
    "Submit": (
        Entry("train", "submit:train", "Train a model by RECIPE."),
        Entry("sweep", "sweep:sweep", "Search for better hyper-parameters of RECIPE."),
        Entry(
            "classify",
            "submit:classify",
            "Classify images, or a zip, a tar, a 7z or a folder of them.",
        ),
        Entry("predict", "predict:predict", "Say at once which digit each FILE, an image, shows."),
        Entry("import", "datasets:import_", "Make FILE the data set NAME."),
    ),
    "Watch": (
        Entry("jobs", "jobs:jobs", "List the newest jobs."),
        Entry("status", "jobs:status", "Say how JOB stands."),
        Entry("wait", "jobs:wait", "Show progress until JOB has ended."),
        Entry("log", "jobs:log", "Print the log of JOB."),
        Entry("open", "jobs:open_", "Open the page of JOB in a browser; without JOB, the first page."),
        Entry("workers", "workers:workers", "List the workers that are alive, and what each is doing."),
        Entry("cancel", "jobs:cancel", "Stop JOB, after asking."),
        Entry("retry", "jobs:retry", "Queue JOB again after it failed or was cancelled."),
        Entry("delete", "jobs:delete", "Remove JOB, which has ended, and its files, after asking."),
    ),
    "Results": (
        Entry("files", "files:files", "List the files of JOB."),
        Entry("fetch", "files:fetch", "Download the files of JOB: results, pictures, the model."),
        Entry("review", "review:review", "List the doubtful answers of JOB, a classification."),
        Entry("corrections", "review:corrections", "Print what people said of the doubtful answers, as CSV."),
        Entry(
            "correct",
            "review:correct",
            "Merge the corrections of JOB into its results.",
        ),
    ),
    "What there is": (
        Entry("recipes", "recipes:recipes", "List the recipes that a training can name."),
        Entry("models", "models:models", "List the trained models, or show MODEL."),
        Entry(
            "datasets",
            "datasets:datasets",
            "List the data sets that can be trained on, or show NAME.",
        ),
    ),
    "Upkeep": (
        Entry("doctor", "upkeep:doctor", "Look at every part, and say what is amiss and what to do."),
        Entry("gc", "upkeep:gc", "Remove what the rules no longer keep, and leftovers."),
        Entry(
            "backup",
            "upkeep:backup",
            "Write everything to FILE, a tar, while all runs on.",
        ),
        Entry(
            "restore",
            "upkeep:restore",
            "Put the backup FILE into an empty volume and database.",
        ),
    ),
    "Set up": (
        Entry(
            "users",
            "users:users",
            "Add, list, change and remove users.",
        ),
        Entry("keys", "keys:keys", "Make, list and revoke API keys."),
        Entry(
            "webhooks",
            "webhooks:webhooks",
            "Add, list and remove webhooks, and see what was sent.",
        ),
        Entry("health", "health:health", "Say whether the server takes jobs, and how each part of it is."),
        Entry("token", "token:token", "Print the start-up token of the server that you run on this machine."),
        Entry("config", "config:config", "Say which server and key are used, and where that is set."),
        Entry(
            "completion",
            "completion:completion",
            "Print the script for completion in SHELL.",
        ),
    ),
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--server", metavar="URL", envvar="TENFOLD_SERVER", help="Address of the server to talk to.")
@click.option("--key", metavar="KEY", envvar="TENFOLD_KEY", help="API key, where the server asks for one.")
@click.version_option(package_name="tenfold")
def tenfold(server: str | None, key: str | None) -> None:
    """Train handwritten-digit classifiers and classify images in bulk.

    All commands but those under Start and Upkeep, `users` and `keys` talk to a server: the one that --server,
    TENFOLD_SERVER or the configuration file names, else the one that `tenfold up` last started from this directory,
    else http://127.0.0.1:8000. `tenfold config` says which.

    JOB is an id, or `last` for the newest that you submitted.

    Exit codes: 0 well, 1 a job failed or was cancelled, or something here went wrong, 2 wrong usage, 3 no server
    answers, 4 the server refused, 5 the time to wait is up, 130 interrupted by Ctrl-C.
    """


def main() -> None:
    """Run the command and turn what went wrong into a message and an exit code."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default those of the process; returns the exit code."""
    try:
        defaults = load_config(tenfold.list_commands(click.Context(tenfold)))
        return int(tenfold.main(arguments, prog_name="tenfold", standalone_mode=False, default_map=defaults) or 0)
    except click.Abort as abort:
        click.echo("tenfold: interrupted", err=True)
        tell_notes(abort.__cause__)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        return tell(error)
