"""What `pip install tenfold` without extras can do: no package of the server or the worker may be needed."""

import re
import subprocess
import sys
import tomllib

import pytest

from tenfold.cli import tenfold
from tests.paths import ROOT

# Runs the command as if only these packages were installed.
CODE = """
import sys
from importlib.metadata import packages_distributions

for name in set(packages_distributions()) - set(sys.argv[1].split(",")) - {"tenfold"}:
    sys.modules[name] = None
from tenfold.cli import run
sys.exit(run(sys.argv[2:]))
"""

# The imports of the base's packages, and of theirs.
BASE = (
    "click,httpx,httpx_retries,pydantic,rich,httpcore,h11,anyio,idna,certifi,pygments,markdown_it,mdurl,"
    "pydantic_core,annotated_types,typing_extensions,typing_inspection"
)


def run_without_extras(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", CODE, BASE, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_list_of_packages_above_begins_with_those_of_the_base() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=]", package)[0].replace("-", "_") for package in project["dependencies"]}

    assert declared == set(BASE.split(",")[: len(declared)])


@pytest.mark.parametrize("name", [name for name, entry in tenfold.entries.items() if entry.extra is None])
def test_a_command_that_talks_to_a_server_needs_no_extra(name: str) -> None:
    done = run_without_extras(name, *(["-h"] if name != "reproduce" else []))

    if name == "reproduce":
        assert done.stderr == "Error: This command needs the worker: pip install 'tenfold[worker]'\n"
    else:
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"Usage: tenfold {name}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["user", "list"], "This command needs the server: pip install 'tenfold[server]'"),
        (["doctor"], "This command needs the server: pip install 'tenfold[server]'"),
        (["samples", "digits.zip"], "This command needs the worker: pip install 'tenfold[worker]'"),
        (["demo"], "This command needs the server and the worker: pip install 'tenfold[all]'"),
    ],
)
def test_a_command_that_needs_an_extra_names_it(arguments: list[str], message: str) -> None:
    done = run_without_extras(*arguments)

    assert (done.returncode, done.stderr) == (1, f"Error: {message}\n")


def test_a_client_is_made_without_extras() -> None:
    code = CODE.replace(
        "from tenfold.cli import run\nsys.exit(run(sys.argv[2:]))",
        "from tenfold import Client, Job\nprint(Client('http://127.0.0.1:9').server, Job.__name__)",
    )

    done = subprocess.run([sys.executable, "-c", code, BASE], capture_output=True, text=True)

    assert done.stdout == "http://127.0.0.1:9 Job\n", done.stderr
