"""How commands print results to standard output: tables, lines or JSON."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

GAP = "  "

# Wider than any table.
MAX_COLUMNS = 100_000

# If the last column is narrower than this, its text goes on separate lines, indented.
MIN_LAST_COLUMN = 20
INDENT = 4


def _output_option(default: str) -> Callable[[F], F]:
    return click.option(
        "-o",
        "--output",
        "as_json",
        type=click.Choice([default, "json"]),
        default=default,
        show_default=True,
        callback=lambda context, parameter, value: value == "json",
        help="Output format. JSON is one line, the last.",
    )


# The command receives `as_json`.
output_option = _output_option("text")
table_option = _output_option("table")


def print_json(document: Mapping[str, Any]) -> None:
    """Print a JSON object on one line."""
    click.echo(json.dumps(document, ensure_ascii=False))


def print_list(
    documents: Sequence[Any], header: Sequence[str], rows: Sequence[Sequence[str]], *, as_json: bool, empty: str
) -> None:
    """Print a list as `{"items": […]}`, as a table, or, where there is nothing to show, as a message."""
    if as_json:
        print_json({"items": documents})
    elif rows:
        print_table(header, rows)
    else:
        click.echo(empty, err=True)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a header. In a terminal, cells are folded to its width; elsewhere each row is one line."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0))
    for place, title in enumerate(header):
        table.add_column(title, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else MAX_COLUMNS
    out = Console(width=width, highlight=False)
    with out.capture() as printed:
        out.print(table)
    click.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))


def print_lines(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as aligned columns without a header, one line each. In a terminal, the last column is folded."""
    if not rows:
        return
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    indent = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    columns = get_terminal_size().columns if sys.stdout.isatty() else indent + widths[-1]
    for row in rows:
        line = GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(line if len(line) <= columns else _folded(line[:indent].rstrip(), row[-1], indent, columns))


def _folded(line: str, last: str, indent: int, columns: int) -> str:
    beside = columns - indent >= MIN_LAST_COLUMN
    if not beside:
        indent = INDENT
    first, *others = wrap(last, columns - indent, break_long_words=False, break_on_hyphens=False)
    start = line.ljust(indent) + first if beside else f"{line}\n{' ' * indent}{first}"
    return "\n".join([start, *(" " * indent + other for other in others)])
