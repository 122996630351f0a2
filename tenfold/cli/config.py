"""The configuration file: defaults for the command's options, in TOML."""

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

GROUP_OPTIONS = ("server", "key")


def config_path() -> Path:
    """TENFOLD_CONFIG, by default `tenfold/config.toml` in the user's configuration directory."""
    named = os.environ.get("TENFOLD_CONFIG")
    return Path(named) if named else Path(click.get_app_dir("tenfold")) / "config.toml"


def load_config(commands: Collection[str]) -> dict[str, Any]:
    """The content of the file: `server`, `key`, and a table of options for each command. Empty without a file.

    Raises:
        click.ClickException: it cannot be read, or has a name that is neither.
    """
    path = config_path()
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path} cannot be read: {error}") from error
    for name, value in config.items():
        valid = isinstance(value, str) if name in GROUP_OPTIONS else name in commands and isinstance(value, dict)
        if not valid:
            raise click.ClickException(
                f"{path}: unknown setting {name!r}. Set {' or '.join(GROUP_OPTIONS)} to a string, or the options of a "
                "command in a table with its name: [train] or [job.list]"
            )
    return config
