"""What the server binds, and what the commands for people do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tenfold.cli import tenfold
from tenfold.web.auth.exposure import is_access_restricted
from tenfold.web.core.settings import WebSettings
from tests.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("given", "few"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "::1"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "192.168.1.4"}, False),
        ({"host": "0.0.0.0", "open": True}, True),
        ({"host": "0.0.0.0", "published_on": "127.0.0.1:8000"}, True),
        ({"host": "0.0.0.0", "published_on": "[::1]:8000"}, True),
        ({"host": "0.0.0.0", "published_on": "0.0.0.0:8000"}, False),
        ({"host": "0.0.0.0", "published_on": "8000"}, False),
    ],
)
def test_loopback_is_for_few(given: dict[str, object], few: bool) -> None:
    assert is_access_restricted(WebSettings.model_validate(given)) is few


def test_serving_everybody_without_users_is_refused_with_the_remedy(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tenfold.web.serve", "--host", "0.0.0.0", "--port", "0"]

    done = subprocess.run(
        command, env={"TENFOLD_DATA": str(tmp_path)}, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )

    assert done.returncode == 1
    assert "tenfold user add NAME --admin" in done.stderr


def test_people_and_keys_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))

    def run(*arguments: str, given: str = "", status: int = 0) -> str:
        done = CliRunner().invoke(tenfold, arguments, input=given)
        assert done.exit_code == status, done.output
        return done.output

    assert "first user must be" in run("user", "add", "anna", "--password-stdin", given="a password\n", status=1)
    run("user", "add", "anna", "--admin", "--password-stdin", given="a password\n")
    asked = run("user", "add", "bert", given="secret words\nsecret words\n")
    assert "secret words" not in asked
    run("user", "change", "bert", "--max-jobs", "5")
    run("user", "password", "bert", "--password-stdin", given="other words\n")
    [anna, bert] = json.loads(run("user", "list", "-o", "json"))["items"]
    assert (anna["scope"], bert["scope"], bert["max_jobs"]) == ("admin", "submit", 5)

    key = run("key", "add", "bert", "--scope", "read", "--for", "a script").strip()
    [listed] = json.loads(run("key", "list", "-o", "json"))["items"]
    assert key.startswith(listed["id"])
    assert (listed["user"], listed["scope"], listed["for"], listed["last_used_at"]) == (
        "bert",
        "read",
        "a script",
        None,
    )
    run("key", "delete", listed["id"], "--yes")
    assert json.loads(run("key", "list", "-o", "json"))["items"] == []
    run("user", "delete", "bert", "--yes")
    run("user", "delete", "bert", "--yes", status=1)
