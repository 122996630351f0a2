"""The tutorial and the example notebook, run as a person would, against the whole stack."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.paths import ROOT
from tests.up import Up
from tests.waiting import PATIENCE_SECONDS

DOCS = ROOT / "docs"

NOTEBOOK = DOCS / "notebooks" / "first-steps.ipynb"

# What runs a block of each language. In a `console` block a person starts the server, and puts the command on the path.
RUN_BY = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_tutorial_runs_in_its_order(up: Up, tmp_path: Path) -> None:
    blocks = [match.groups() for match in BLOCK.finditer((DOCS / "tutorial.md").read_text())]
    printed = ""

    for language, text in blocks:
        if language in RUN_BY:
            done = subprocess.run(
                [*RUN_BY[language], text],
                cwd=up.directory,
                env=up.environment() | {"TENFOLD_SERVER": up.url},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            printed += done.stdout

    assert "500 images, 0 with errors" in printed
    assert "60,002" in printed
    assert "2 reviewed" in printed
    assert "confidence" in printed.splitlines()[-6]


def test_the_notebook_runs_to_its_end_and_shows_what_it_promises(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (up.environment() | {"TENFOLD_SERVER": up.url}).items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    NotebookClient(notebook, timeout=PATIENCE_SECONDS, resources={"metadata": {"path": str(up.directory)}}).execute()

    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in shown if output.get("name") == "stderr"], "a cell complains"
    assert sum("image/png" in output.get("data", {}) for output in shown) == 3
    assert any("<table" in output.get("data", {}).get("text/html", "") for output in shown)
    assert "% right" in "".join(output.get("text", "") for output in shown)


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    assert all(not cell.get("outputs") for cell in notebook.cells)
