"""The files of jobs and models: lists, and downloads with `Range`."""

from typing import Any

from flask import Blueprint, Response, jsonify, request, send_file, url_for
from werkzeug.exceptions import NotFound

from tenfold.web.api.documents.jobs import FileItem, FileList
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import Answer, operation
from tenfold.web.api.parts.caching import hold_if_small
from tenfold.web.core.problems import with_code
from tenfold.web.core.services import services
from tenfold.worker.storage import StoredFile

routes = Blueprint("files", __name__)

# Shown in the browser; everything else is downloaded, so that no uploaded file is rendered as a page.
TEXT = "text/plain"
SHOWN_IN_PLACE = {".png": "image/png", ".txt": TEXT, ".md": TEXT, ".json": "application/json"}
DOWNLOADED = {".csv": "text/csv", ".jsonl": "application/jsonl"}


FILES = Answer(200, "Its files.", FileList, {"items": [examples.FILE], "next": None}, headers=("ETag",))
CONTENT = (
    Answer(200, "The file.", media_types=["*/*"], example="(the file)", headers=("ETag",)),
    Answer(206, "The part that `Range` names.", media_types=["*/*"], headers=("ETag",)),
)


@routes.get("/jobs/<job_id>/files")
@operation("Jobs", "List the files of a job", answers=[FILES], problems=(404,))
def list_job_files(job_id: str) -> Response:
    """All files of a job."""
    services().jobs.get(job_id)
    files = services().volume.artifacts(job_id)
    return _listing(files, "api.files.get_job_file", job_id=job_id)


@routes.get("/jobs/<job_id>/files/<path:name>")
@operation("Jobs", "Download a file of a job", headers=("Range",), answers=CONTENT, problems=(404, 416))
def get_job_file(job_id: str, name: str) -> Response:
    """One file of a job."""
    services().jobs.get(job_id)
    return _send(services().volume.artifacts(job_id), name)


@routes.get("/models/<model_id>/files")
@operation("Models", "List the files of a model", answers=[FILES], problems=(404,))
def list_model_files(model_id: str) -> Response:
    """All files of a model."""
    found = services().models.get(model_id).id
    return _listing(services().volume.model_files(found), "api.files.get_model_file", model_id=found)


@routes.get("/models/<model_id>/files/<path:name>")
@operation("Models", "Download a file of a model", headers=("Range",), answers=CONTENT, problems=(404, 416))
def get_model_file(model_id: str, name: str) -> Response:
    """One file of a model."""
    return _send(services().volume.model_files(services().models.get(model_id).id), name)


def _listing(files: dict[str, StoredFile], endpoint: str, **owner: Any) -> Response:
    listed: list[FileItem] = [
        {"name": name, "bytes": file.bytes, "href": url_for(endpoint, name=name, **owner)}
        for name, file in files.items()
    ]
    answer: FileList = {"items": listed, "next": None}
    return jsonify(answer)


def _send(files: dict[str, StoredFile], name: str) -> Response:
    file = files.get(name)
    if file is None:
        missing = NotFound(f"There is no file {name!r}. Available files: {', '.join(files) or 'none yet'}.")
        raise with_code(missing, "file_not_found")
    shown_as = SHOWN_IN_PLACE.get(file.path.suffix)
    text = DOWNLOADED.get(file.path.suffix)
    response = send_file(
        services().volume.storage.open(file.path),
        mimetype=shown_as or text or "application/octet-stream",
        as_attachment=shown_as is None,
        download_name=file.path.name,
        max_age=0,
        etag=f"{file.modified}-{file.bytes}",
        last_modified=file.modified,
    )
    response.content_length = file.bytes
    response.make_conditional(request.environ, accept_ranges=True, complete_length=file.bytes)
    # Even if the type is wrong, the file can load and run nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if text or (shown_as and file.path.suffix != ".png"):
        hold_if_small(response, file.bytes)
    return response
