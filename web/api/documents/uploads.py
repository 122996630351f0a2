"""Resumable uploads."""

from flask import url_for
from typing_extensions import TypedDict

from tenfold.web.api.documents.common import SelfLink, timestamp
from tenfold.worker.uploads.resumable import PartialUpload


class UploadDocument(TypedDict):
    """A resumable upload: `received_bytes` of `bytes` are on the server."""

    id: str
    name: str
    bytes: int
    received_bytes: int
    complete: bool
    expires_at: str
    links: SelfLink


class UploadList(TypedDict):
    """Your uploads, the newest first; `next` is always null."""

    items: list[UploadDocument]
    next: None


def upload_document(upload: PartialUpload, expires_at: float) -> UploadDocument:
    """
    Args:
        expires_at: seconds since the epoch.
    """
    return {
        "id": upload.id,
        "name": upload.name,
        "bytes": upload.bytes,
        "received_bytes": upload.received,
        "complete": upload.complete,
        "expires_at": timestamp(expires_at),
        "links": {"self": url_for("api.uploads.get_upload", upload_id=upload.id)},
    }
