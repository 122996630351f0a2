"""What request handlers share: the worker's services, opened once per web process."""

from typing import cast

from flask import current_app, g

from tenfold.web.core.settings import WebSettings
from tenfold.worker.services import Services
from tenfold.worker.uploads.in_bucket import PiecewiseUploadStore
from tenfold.worker.uploads.resumable import PartialUpload, PartialUploadStore, unknown_upload

EXTENSION = "tenfold"

UploadStore = PartialUploadStore | PiecewiseUploadStore


def services() -> Services:
    """The services, acting for the user who sent this request."""
    return opened_services().on_behalf_of(g.get("owner"))


def opened_services() -> Services:
    """The services, acting for no user."""
    return cast(Services, current_app.extensions[EXTENSION])


def partial_uploads() -> UploadStore:
    return open_uploads(services(), settings())


def open_uploads(services: Services, settings: WebSettings) -> UploadStore:
    """The resumable uploads of a volume that is a directory or a bucket."""
    if settings.bucket is None:
        return PartialUploadStore(services.volume.uploads, settings.upload_expiry_seconds)
    return PiecewiseUploadStore(services.volume, settings.upload_expiry_seconds)


def own_upload(upload_id: str) -> PartialUpload:
    """A resumable upload of the user who sent this request. Others, even administrators, cannot see it.

    Raises:
        UnknownUpload: there is none with this id, or somebody else started it.
    """
    upload = partial_uploads().get(upload_id)
    if upload.owner != g.get("owner"):
        raise unknown_upload(upload_id)
    return upload


def settings() -> WebSettings:
    return cast(WebSettings, services().settings)
