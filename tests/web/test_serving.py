"""What the server binds, and what the commands for people do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from web.access.reach import reaches_few
from web.commands import tenfold
from web.settings import WebSettings


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
    assert reaches_few(WebSettings.model_validate(given)) is few


def test_serving_everybody_without_users_is_refused_with_the_remedy(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "web.serve", "--host", "0.0.0.0", "--port", "0"]

    done = subprocess.run(command, env={"TENFOLD_DATA": str(tmp_path)}, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert "tenfold users add NAME --admin" in done.stderr


def test_people_and_keys_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))

    def run(*arguments: str, given: str = "", status: int = 0) -> str:
        done = CliRunner().invoke(tenfold, arguments, input=given)
        assert done.exit_code == status, done.output
        return done.output

    assert "first user must be" in run("users", "add", "anna", "--password-stdin", given="a password\n", status=1)
    run("users", "add", "anna", "--admin", "--password-stdin", given="a password\n")
    asked = run("users", "add", "bert", given="secret words\nsecret words\n")
    assert "secret words" not in asked
    run("users", "change", "bert", "--max-jobs", "5")
    run("users", "password", "bert", "--password-stdin", given="other words\n")
    [anna, bert] = json.loads(run("users", "list", "--json"))["users"]
    assert (anna["scope"], bert["scope"], bert["max_jobs"]) == ("admin", "submit", 5)

    key = run("keys", "add", "bert", "--scope", "read", "--for", "a script").strip()
    [listed] = json.loads(run("keys", "list", "--json"))["keys"]
    assert key.startswith(listed["id"])
    assert (listed["user"], listed["scope"], listed["for"], listed["last_used_at"]) == (
        "bert",
        "read",
        "a script",
        None,
    )
    run("keys", "revoke", listed["id"])
    assert json.loads(run("keys", "list", "--json"))["keys"] == []
    run("users", "remove", "bert")
    run("users", "remove", "bert", status=1)
