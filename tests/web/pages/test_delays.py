"""Pages while Redis is away: they answer, and say what is delayed."""

from pathlib import Path

from flask.testing import FlaskClient

from tenfold.web.app import create_app
from tenfold.web.core.settings import WebSettings


def test_without_redis_every_page_says_what_is_delayed(tmp_path: Path) -> None:
    pages = create_app(WebSettings(data=tmp_path / "data", redis_url="redis://127.0.0.1:1/0")).test_client()

    for path in ("/", "/train", "/models"):
        page = pages.get(path)
        assert page.status_code == 200, path
        assert "start when it is back" in page.text, path


def test_with_redis_nothing_is_delayed(api: FlaskClient) -> None:
    assert "start when it is back" not in api.get("/").text
