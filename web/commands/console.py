"""What the commands show: progress bars and messages on standard error, results on standard output."""

import json
import sys
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from web.client import Job
from web.client.progress import progress_bar
from web.commands.exits import FAILED_JOB

console = Console(stderr=True, highlight=False)

GAP = "  "

# More than any line of a table has.
MOST_COLUMNS = 100_000

# A last column that has fewer characters is folded onto lines of its own.
LEAST_ROOM = 20
FOLDED_INDENT = 4


def say(message: str) -> None:
    """Tell a person something; an address in it is never broken over two lines."""
    console.print(message, markup=False, soft_wrap=True)


def follow(job: Job, timeout_seconds: float | None = None) -> Job:
    """Show the job's progress until it has ended."""
    with progress_bar(job, console) as show:
        return job.wait(on_change=show, timeout_seconds=timeout_seconds)


def transfer_bar() -> Progress:
    """A bar for bytes sent or received."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console
    )


def print_lines(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as aligned columns, nothing cut. One line each, for `grep`; in a terminal, what is too long for a line
    goes on under its own column, or where that is narrow on lines of its own."""
    if not rows:
        return
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    indent = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    columns = get_terminal_size().columns if sys.stdout.isatty() else indent + widths[-1]
    for row in rows:
        line = GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(line if len(line) <= columns else _folded(line[:indent].rstrip(), row[-1], indent, columns))


def _folded(line: str, last: str, indent: int, columns: int) -> str:
    beside = columns - indent >= LEAST_ROOM
    if not beside:
        indent = FOLDED_INDENT
    first, *others = wrap(last, columns - indent, break_long_words=False, break_on_hyphens=False)
    begun = line.ljust(indent) + first if beside else f"{line}\n{' ' * indent}{first}"
    return "\n".join([begun, *(" " * indent + other for other in others)])


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a header. In a terminal cells are folded to its width; else each row is a line, for `grep`."""
    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0))
    for place, title in enumerate(header):
        table.add_column(title, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else MOST_COLUMNS
    out = Console(width=width, highlight=False)
    with out.capture() as printed:
        out.print(table)
    click.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))


def print_json(document: Mapping[str, Any]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False))


def end_with(job: Job) -> None:
    """Exit 0 if the job succeeded; else say why not and exit 1."""
    if job.state == "succeeded":
        return
    say(f"Job {job.id} {job.state}. {job.document['error'] or ''}")
    sys.exit(FAILED_JOB)


def done_of(job: Job) -> str:
    """How far it is."""
    made = job.document["progress"]
    return f"{made['done']:,} of {made['total']:,} {made['unit']}"


def print_outcome(job: Job) -> None:
    """Print what came of a job: of a classification, first whether too many accepted answers are wrong, and last what
    was skipped and assumed, and what may be wrong."""
    if message := (job.summary.get("accepted_error") or {}).get("message"):
        click.echo(message)
    click.echo(headline(job))
    for note in job.summary.get("notes", []):
        click.echo(note)
    for warning in job.summary.get("warnings", []):
        click.echo(f"Warning: {warning}")


def subject(job: Job) -> str:
    """What a job is about: the file that was uploaded, else what its parameters name."""
    parameters, source = job.document["parameters"], job.document["source"] or {}
    match job.document["kind"]:
        case "training" | "sweep":
            return f"{parameters['recipe']} on {parameters['dataset']}"
        case "import":
            return f"{parameters['name']} from {source.get('name', 'a file')}"
        case "review":
            return f"corrections of {parameters['classification']}"
    return str(source.get("name") or parameters.get("directory") or "images")


def headline(job: Job) -> str:
    """What came of a job, in a few words."""
    summary = job.summary
    if "best" in summary:
        values = ", ".join(f"{name}={value}" for name, value in summary["best"]["values"].items())
        return f"best of {summary['trials']} trials: {values}; test accuracy {summary['test_accuracy']:.2%}"
    if "test_accuracy" in summary:
        return f"test accuracy {summary['test_accuracy']:.2%}, model {summary['model']}"
    if job.document["kind"] == "import" and summary:
        return (
            f"{summary['name']}: {len(summary['classes'])} classes, {summary['train']:,} training and "
            f"{summary['test']:,} test images"
        )
    if job.document["kind"] == "review" and summary:
        made = f"; data set {summary['dataset']['name']}" if summary["dataset"] else ""
        return f"{summary['reviewed']} reviewed, {summary['changed']} changed{made}"
    if "images" in summary:
        right = "" if summary["accuracy"] is None else f", {summary['accuracy']:.2%} of {summary['labelled']} right"
        return f"{summary['images']} images, {summary['errors']} with errors{right}, {summary['seconds']:.1f} s"
    return job.document["error"] or ""
