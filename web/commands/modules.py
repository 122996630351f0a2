"""Runs a module in a process of its own, since it loads what the command does without: NumPy, Keras."""

import subprocess
import sys
from pathlib import Path

import click


def run_module(module: str, *arguments: str | Path) -> None:
    """Return when it has ended well.

    Raises:
        click.ClickException: it has not; says what it said.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise click.ClickException(f"{module} failed:\n{done.stderr}")
