"""The types of `--data`: the volume of an installation, or a directory where a bucket is not possible."""

from pathlib import Path
from typing import Any

import click

BUCKET = "s3://"


class Directory(click.Path):
    """A directory, which may not exist yet."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if str(value).startswith(BUCKET):
            self.fail(f"{value} is a bucket; this command needs a directory (docs/operations/storage.md).", param, ctx)
        return super().convert(value, param, ctx)


class VolumeRoot(Directory):
    """A directory, or a bucket by its URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if str(value).startswith(BUCKET) else super().convert(value, param, ctx)
