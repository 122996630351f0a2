"""Lists and downloads the files of a job or a model, for `files` and `fetch` of `tenfold job` and `tenfold model`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tenfold.cli.console import transfer_bar
from tenfold.cli.output import print_json, print_list
from tenfold.client import Client
from tenfold.client.job import choose

if TYPE_CHECKING:
    from tenfold.web.api.documents.jobs import FileItem

F = TypeVar("F", bound=Callable[..., Any])


def fetch_options(function: F) -> F:
    """`[NAME]...` and `--to`."""
    to = click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Directory.  [default: the ID]")
    return click.argument("names", metavar="[NAME]...", nargs=-1)(to(function))


def show_files(files: "Sequence[FileItem]", as_json: bool) -> None:
    rows = [(f"{file['bytes']:>12,}", file["name"]) for file in files]
    print_list(files, (f"{'BYTES':>12}", "NAME"), rows, as_json=as_json, empty="No files.")


def download(
    client: Client, files: "Sequence[FileItem]", names: Sequence[str], directory: Path, *, as_json: bool
) -> None:
    """Download these files, or without names all but the upload, and print their paths."""
    try:
        wanted = choose(files, names or None)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from error
    with transfer_bar() as progress:
        bar = progress.add_task(f"fetching {len(wanted)} files", total=sum(file["bytes"] for file in wanted))
        paths = client.fetch_files(wanted, directory, on_bytes=lambda count: progress.advance(bar, count))
    if as_json:
        print_json({"items": [str(path) for path in paths]})
        return
    for path in paths:
        click.echo(path)
