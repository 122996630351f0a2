"""What the request handlers share: the worker's services, opened once for each web process."""

from typing import cast

from flask import current_app, g

from web.settings import WebSettings
from worker.partial_uploads import PartialUpload, PartialUploadStore, unknown_upload
from worker.piecewise_uploads import PiecewiseUploadStore
from worker.services import Services

EXTENSION = "tenfold"

UploadStore = PartialUploadStore | PiecewiseUploadStore


def services() -> Services:
    """The services of the application that handles this request, on behalf of whoever sent it."""
    return opened_services().on_behalf_of(g.get("owner"))


def opened_services() -> Services:
    """The same, on behalf of nobody."""
    return cast(Services, current_app.extensions[EXTENSION])


def partial_uploads() -> UploadStore:
    return open_uploads(services(), settings())


def open_uploads(services: Services, settings: WebSettings) -> UploadStore:
    """The resumable uploads of the volume, of whichever kind it is."""
    if settings.bucket is None:
        return PartialUploadStore(services.volume.uploads, settings.upload_expiry_seconds)
    return PiecewiseUploadStore(services.volume, settings.upload_expiry_seconds)


def own_upload(upload_id: str) -> PartialUpload:
    """A resumable upload of whoever sent this request; to others, administrators too, it is as if it were not there.

    Raises:
        UnknownUpload: there is none with this id, or it is somebody else's.
    """
    upload = partial_uploads().get(upload_id)
    if upload.owner != g.get("owner"):
        raise unknown_upload(upload_id)
    return upload


def settings() -> WebSettings:
    return cast(WebSettings, services().settings)
