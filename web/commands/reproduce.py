"""`tenfold reproduce`: runs `python -m trainer`, in a process of its own since it loads TensorFlow."""

import subprocess
import sys

import click


@click.command(add_help_option=False, options_metavar="", context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def reproduce(options: tuple[str, ...]) -> None:
    """Train the five recipes, and compare with their published figures.

    Each several times, with other seeds. Needs no server. `tenfold reproduce --help` lists the options.
    """
    sys.exit(subprocess.call([sys.executable, "-m", "trainer", *options]))
