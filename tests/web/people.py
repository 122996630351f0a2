"""People on a test's server, and how each of them asks."""

from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services

PASSWORD = "correct horse battery"
HERE = {"Origin": "http://localhost"}


@dataclass(frozen=True)
class Person:
    """Somebody with a key of their own scope."""

    name: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def add_person(services: Services, name: str, scope: Scope) -> Person:
    services.users.add(name, PASSWORD, scope)
    return Person(name, services.keys.add(name, "tests", scope)[1])


def sign_in(app: Flask, name: str, password: str = PASSWORD) -> FlaskClient:
    """A browser in which somebody has signed in."""
    browser = app.test_client()
    response = try_to_sign_in(browser, name, password)
    assert response.status_code == 303, response.text
    return browser


def try_to_sign_in(browser: FlaskClient, name: str, password: str, path: str = "/sign-in") -> TestResponse:
    return browser.post(path, data={"name": name, "password": password}, headers=HERE)
