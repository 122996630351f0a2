"""`tenfold dataset check` and `tenfold dataset relabel`."""

import csv
from pathlib import Path
from typing import Any

import click

from tenfold.cli.commands.submit import submitted, wait_option
from tenfold.cli.completions import complete_datasets
from tenfold.cli.output import output_option, print_json
from tenfold.cli.server import connect

# In the column `corrected`: leave the image out.
NONE = "(none)"


@click.command("check")
@click.argument("name", metavar="NAME", shell_complete=complete_datasets)
@wait_option
@output_option
def check_labels(name: str, wait: bool, as_json: bool) -> None:
    """Find labels of a data set that are probably wrong.

    Small networks judge images that they did not learn from. The job's file suspects.csv lists the labels, the clearest
    mistakes first; its page shows the images.
    """
    with connect() as client:
        submitted(client.check_dataset(name), wait=wait, as_json=as_json)


@click.command()
@click.argument("name", metavar="NAME", shell_complete=complete_datasets)
@click.argument("new", metavar="NEW")
@click.argument("table", metavar="TABLE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
def relabel(name: str, new: str, table: Path, as_json: bool) -> None:
    """Make the data set NEW from NAME with the corrected labels of TABLE.

    TABLE is a CSV with the columns part (train or test), index and corrected, such as the suspects.csv of a check with
    a column added. Rows without a value in corrected are skipped; (none) leaves the image out. NAME stays as it is.
    """
    corrections = _read(table)
    with connect() as client:
        made = client.relabel_dataset(name, new, corrections)
    if as_json:
        print_json(made)
    else:
        click.echo(" ".join(made["report"]["notes"]))


def _read(table: Path) -> list[dict[str, Any]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if missing := {"part", "index", "corrected"} - set(rows.fieldnames or ()):
            raise click.UsageError(f"{table} has no column {', '.join(sorted(missing))}.")
        filled = [(number, row) for number, row in enumerate(rows, 2) if (row["corrected"] or "").strip()]
    corrections = []
    for number, row in filled:
        if not (row["index"] or "").strip().isdecimal():
            raise click.UsageError(f"{table}, line {number}: the index {row['index']!r} is no number.")
        label = row["corrected"].strip()
        corrections.append({"part": row["part"], "index": int(row["index"]), "label": None if label == NONE else label})
    if not corrections:
        raise click.UsageError(f"{table} has no value in the column corrected.")
    return corrections
