"""What a bucket cannot do is refused when it is asked for, with the reason."""

from http import HTTPStatus
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from tenfold.cli import tenfold
from tenfold.web.app import create_app
from tenfold.web.core.settings import WebSettings
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tests.reviews import untrained_model


@pytest.fixture
def volume_kind() -> str:
    return "bucket"


def test_a_directory_of_the_inbox(services: Services) -> None:
    untrained_model(services)

    with pytest.raises(InvalidSubmission, match="Pack the images into an archive"):
        submit_classification(services, ClassificationParameters(directory="scans"), None)


def test_a_database_on_it() -> None:
    with pytest.raises(ValidationError, match="TENFOLD_DATABASE_URL must name a database"):
        Settings(data="s3://bucket/prefix")


@pytest.mark.parametrize("data", ["s3://", "gs://bucket/prefix"])
def test_what_is_neither_a_directory_nor_such_a_bucket(data: str) -> None:
    with pytest.raises(ValidationError, match="give a directory, or s3://bucket/prefix"):
        Settings(data=data)


def test_no_disk_is_told_of(settings: Settings) -> None:
    web = create_app(WebSettings(**settings.model_dump())).test_client()

    assert 'id="disk"' not in web.get("/").text
    assert "tenfold_jobs" in web.get("/metrics").text
    assert "tenfold_volume" not in web.get("/metrics").text


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_command_that_makes_a_directory(command: str) -> None:
    refused = CliRunner().invoke(tenfold, [command, "--data", "s3://bucket/prefix"])

    assert refused.exit_code == 2
    assert "needs a directory" in refused.output


def test_a_bucket_that_is_away_is_told_and_not_taken_for_an_empty_one(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_dump() | {"data": "s3://there-is-no-such-bucket/volume", "session_key": "x" * 32}
    web = create_app(WebSettings(**away)).test_client()

    ready = web.get("/api/v1/readyz")
    listed = web.get("/api/v1/datasets")

    assert ready.status_code == listed.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "there-is-no-such-bucket" in ready.json["checks"]["volume"]
    assert "is unreachable" in listed.text
