"""`tenfold doctor`, `gc`, `backup` and `restore` as a person runs them."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tenfold.cli import tenfold
from tenfold.worker.services import Services

DAY = 86_400


@pytest.fixture(autouse=True)
def _no_installation_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TENFOLD_")]:
        monkeypatch.delenv(name)


def run(services: Services, *arguments: str) -> Result:
    environment = {"TENFOLD_DATA": str(services.volume.root), "TENFOLD_REDIS_URL": services.settings.redis_url}
    return CliRunner().invoke(tenfold, arguments, env=environment)


def test_doctor_ends_with_1_where_something_fails_and_says_the_remedy(services: Services) -> None:
    result = run(services, "doctor")

    assert result.exit_code == 1
    assert "ok    database" in result.stdout
    assert "fail  workers: No workers online." in result.stdout
    assert "tenfold-worker" in result.stdout


def test_doctor_as_json(services: Services) -> None:
    findings = json.loads(run(services, "doctor", "-o", "json").stdout)["items"]

    assert {finding["status"] for finding in findings} <= {"ok", "warn", "fail"}
    assert all(finding["remedy"] for finding in findings if finding["status"] != "ok")


def test_gc_says_what_would_go_then_removes_it(services: Services) -> None:
    stale = services.volume.uploads / "0123.part"
    stale.write_bytes(b"x" * 2**20)
    os.utime(stale, (1, 1))

    would = run(services, "gc", "--dry-run")
    assert "unfinished upload" in would.stdout
    assert stale.exists()
    document = json.loads(run(services, "gc", "-o", "json").stdout)

    assert [item["name"] for item in document["garbage"]] == ["uploads/0123.part"]
    assert not stale.exists()


def test_gc_without_a_volume_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(tenfold, ["gc", "--data", str(tmp_path / "none")])

    assert result.exit_code == 1
    assert "No volume at" in result.output
    assert not (tmp_path / "none").exists()


def test_a_backup_is_taken_and_restored_by_command(services: Services, model: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    made = json.loads(run(services, "backup", str(file), "-o", "json").stdout)
    assert made["rows"]["models"] == 1

    target = tmp_path / "restored"
    result = CliRunner().invoke(tenfold, ["restore", str(file), "--data", str(target)])

    assert result.exit_code == 0, result.output
    assert (target / "models" / model / "model.keras").read_bytes() == b"0123456789"
    again = CliRunner().invoke(tenfold, ["restore", str(file), "--data", str(target)])
    assert again.exit_code == 1
    assert "Restore backup.tar.gz into an empty one" in again.output
