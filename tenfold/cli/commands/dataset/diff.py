"""`tenfold dataset diff`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenfold.cli.completions import complete_datasets
from tenfold.cli.output import output_option, print_json, print_table
from tenfold.cli.server import connect
from tenfold.client import Client

if TYPE_CHECKING:
    from tenfold.web.api.documents.dataset_differences import DatasetDifferences, DatasetImage

HEADER = ("CHANGE", f"{'A':>12}", f"{'B':>12}", "LABEL")


@click.command()
@click.argument("a", metavar="A", shell_complete=complete_datasets)
@click.argument("b", metavar="B", shell_complete=complete_datasets)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save the listed images to this directory.",
)
@output_option
def diff(a: str, b: str, pictures: Path | None, as_json: bool) -> None:
    """Show what differs between the data sets A and B.

    Images are compared by their pixels: those that B has more or less, with another label, or in the other part.
    """
    with connect() as client:
        found = client.dataset_differences(a, b)
        if pictures is not None:
            _save_pictures(client, found, pictures)
    if as_json:
        print_json(found)
        return
    click.echo(found["summary"])
    for title, names in (("Classes added", found["classes_added"]), ("Classes removed", found["classes_removed"])):
        if names:
            click.echo(f"{title}: {', '.join(names)}")
    if rows := list(_rows(found)):
        print_table(HEADER, rows)


def _rows(found: "DatasetDifferences") -> list[tuple[str, ...]]:
    """The first images of each kind; `-o json` has up to 500 of each."""
    rows: list[tuple[str, ...]] = []
    for change in ("relabeled", "moved"):
        for pair in found[change]["items"]:
            labels = dict.fromkeys((pair["a"]["label"], pair["b"]["label"]))
            rows.append((change, f"{_place(pair['a']):>12}", f"{_place(pair['b']):>12}", " → ".join(labels)))
    rows += [("removed", f"{_place(image):>12}", " " * 12, image["label"]) for image in found["removed"]["items"]]
    rows += [("added", " " * 12, f"{_place(image):>12}", image["label"]) for image in found["added"]["items"]]
    return rows


def _place(image: "DatasetImage") -> str:
    return f"{image['part']} {image['index']}"


def _save_pictures(client: Client, found: "DatasetDifferences", directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    a, b = found["a"]["name"], found["b"]["name"]
    images = [("relabeled", b, pair["b"]) for pair in found["relabeled"]["items"]]
    images += [("moved", b, pair["b"]) for pair in found["moved"]["items"]]
    images += [("removed", a, image) for image in found["removed"]["items"]]
    images += [("added", b, image) for image in found["added"]["items"]]
    for change, name, image in images:
        picture = client.dataset_image(name, image["part"], image["index"])
        (directory / f"{change}-{image['part']}-{image['index']}.png").write_bytes(picture)
