"""`tenfold config`, and the file that it tells of: defaults for the command's options, in TOML."""

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

GROUP_OPTIONS = ("server", "key")


def config_path() -> Path:
    """What TENFOLD_CONFIG names, else `tenfold/config.toml` where this user keeps configuration."""
    named = os.environ.get("TENFOLD_CONFIG")
    return Path(named) if named else Path(click.get_app_dir("tenfold")) / "config.toml"


def load_config(commands: Collection[str]) -> dict[str, Any]:
    """What the file says: `server`, `key`, and a table of options for each of these commands. Empty without a file.

    Raises:
        click.ClickException: it cannot be read, or sets what is not there to be set.
    """
    path = config_path()
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path} cannot be read: {error}") from error
    for name, value in config.items():
        fits = isinstance(value, str) if name in GROUP_OPTIONS else name in commands and isinstance(value, dict)
        if not fits:
            raise click.ClickException(
                f"{path}: {name!r} is not to be set there; set {' or '.join(GROUP_OPTIONS)} to a text, "
                "or a command's options in a table that is named after it: [train]"
            )
    return config


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def config(as_json: bool) -> None:
    """Say which server and key are used, and where that is set.

    What is named first counts: --server and --key, TENFOLD_SERVER and TENFOLD_KEY, the configuration file, the server
    that `tenfold up` last started from this directory, http://127.0.0.1:8000. A key is never shown.
    """
    from web.commands.console import print_json, print_lines
    from web.commands.server import connection

    used = connection()
    path = config_path()
    if as_json:
        print_json(
            {
                "server": used.server,
                "server_from": used.server_from,
                "key_set": used.key is not None,
                "key_from": used.key_from,
                "file": str(path),
                "file_exists": path.is_file(),
            }
        )
        return
    print_lines(
        [
            ("server", used.server, f"({used.server_from})"),
            ("key", "is set" if used.key else "none", f"({used.key_from})" if used.key_from else ""),
            ("file", str(path), "" if path.is_file() else "(not there)"),
        ]
    )
