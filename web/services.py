"""What the request handlers share: the worker's services, opened once for each web process."""

from typing import cast

from flask import current_app, g

from web.settings import WebSettings
from worker.partial_uploads import PartialUploadStore
from worker.services import Services

EXTENSION = "tenfold"


def services() -> Services:
    """The services of the application that handles this request, on behalf of whoever sent it."""
    return opened_services().on_behalf_of(g.get("owner"))


def opened_services() -> Services:
    """The same, on behalf of nobody."""
    return cast(Services, current_app.extensions[EXTENSION])


def partial_uploads() -> PartialUploadStore:
    return PartialUploadStore(services().volume.uploads, settings().upload_expiry_seconds)


def settings() -> WebSettings:
    return cast(WebSettings, services().settings)
