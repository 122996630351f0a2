"""The web application on a volume of the test's own, with a real Redis and no worker."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import expect

from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.records import Model
from tenfold.worker.services import Services
from tests.waiting import PATIENCE_MS

# Playwright waits five seconds by default, which a busy machine exceeds.
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def app(tmp_path: Path, redis_url: str) -> Iterator[Flask]:
    settings = WebSettings(
        data=tmp_path / "data", redis_url=redis_url, max_upload_bytes=2_000_000, max_wait_seconds=3600
    )
    application = create_app(settings)
    yield application
    application.extensions[EXTENSION].database.close()


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def services(app: Flask) -> Services:
    opened: Services = app.extensions[EXTENSION]
    return opened


@pytest.fixture
def model(services: Services) -> str:
    """A model in production, with one file."""
    directory = services.volume.model("model-1")
    directory.mkdir()
    (directory / "model.keras").write_bytes(b"0123456789")
    metrics = {"test_accuracy": 0.98, "parameter_count": 101_770}
    with services.database.write() as session:
        session.add(
            Model(
                id="model-1",
                recipe="dropout-128",
                dataset="mnist",
                parameters={},
                metrics=metrics,
                created_at=1.0,
            )
        )
    services.aliases.promote("model-1", who=None)
    return "model-1"


def zip_bytes(*names: str) -> bytes:
    """A zip with members of these names; the same names give the same bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"content")
    return data.getvalue()
