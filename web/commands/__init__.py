"""The `tenfold` command, a module for each group of subcommands, each loaded when it is used."""

import sys
from collections.abc import Sequence

import click

from web.commands.config import load_config
from web.commands.exits import INTERRUPTED, tell
from web.commands.lazy import Entry, LazyGroup

SECTIONS = {
    "Start": (
        Entry("up", "up:up", "Run Redis, a worker, a predictor and the web on this machine until Ctrl-C."),
        Entry(
            "demo",
            "demo:demo",
            "Train on MNIST's 60,000 images, then classify its 10,000 test images from a zip of PNGs.",
        ),
        Entry(
            "samples", "samples:samples", "Write MNIST's test images to FILE, a zip of PNGs in a folder for each digit."
        ),
        Entry(
            "reproduce",
            "reproduce:reproduce",
            "Train the five recipes several times and compare with their published figures.",
        ),
    ),
    "Submit": (
        Entry("train", "submit:train", "Train a model by RECIPE."),
        Entry("sweep", "sweep:sweep", "Search for better hyper-parameters of RECIPE; each trial is a training."),
        Entry(
            "classify",
            "submit:classify",
            "Classify images: each FILE is one, or the only FILE is a zip or a tar of them.",
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
        Entry("cancel", "jobs:cancel", "Stop JOB."),
        Entry("retry", "jobs:retry", "Queue JOB again after it failed or was cancelled; what it had finished is kept."),
        Entry("delete", "jobs:delete", "Remove JOB, which has ended, and its files; a model that it trained stays."),
    ),
    "Results": (
        Entry("files", "files:files", "List the files of JOB."),
        Entry("fetch", "files:fetch", "Download the files of JOB: results, pictures, the model."),
        Entry(
            "review", "review:review", "List the doubtful answers of JOB, a classification, the least certain first."
        ),
        Entry("corrections", "review:corrections", "Print what people said of the doubtful answers of JOB, as CSV."),
        Entry(
            "correct",
            "review:correct",
            "Merge the corrections of JOB into its results, and into a data set where one is named.",
        ),
    ),
    "What there is": (
        Entry("recipes", "recipes:recipes", "List the recipes that a training can name."),
        Entry("models", "models:models", "List the trained models, or show MODEL."),
        Entry(
            "datasets",
            "datasets:datasets",
            "List the data sets that a model can be trained on, or show the one called NAME.",
        ),
    ),
    "Upkeep": (
        Entry("doctor", "upkeep:doctor", "Look at volume, database, Redis, clocks and workers, and say what to do."),
        Entry("gc", "upkeep:gc", "Remove what the rules of the settings no longer keep, and what killed writers left."),
        Entry(
            "backup",
            "upkeep:backup",
            "Write database, models, data sets and jobs to FILE, a tar (.tar.gz: compressed), while all runs on.",
        ),
        Entry(
            "restore",
            "upkeep:restore",
            "Put the backup FILE into an empty volume and database, SQLite or PostgreSQL.",
        ),
    ),
    "Set up": (
        Entry("users", "users:users", "Add, list, change and remove users, who then sign in."),
        Entry("keys", "users:keys", "Make, list and revoke API keys."),
        Entry("health", "health:health", "Say whether the server takes jobs, and how each part of it is."),
        Entry("config", "config:config", "Say which server and key are used, and where that is set."),
        Entry(
            "completion",
            "completion:completion",
            "Print the script that completes commands, options, ids and names in SHELL.",
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

    JOB is an id, or `last` for the newest.

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
    except click.Abort:
        click.echo("tenfold: interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        return tell(error)
