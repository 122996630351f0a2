"""The files of jobs and models: lists, and downloads with `Range`."""

from typing import Any

from flask import Response, jsonify, request, send_file, url_for
from werkzeug.exceptions import NotFound

from web.api import api, examples
from web.api.caching import hold_if_small
from web.api.operations import Answer, operation
from web.documents import FileLine, FileList
from web.problems import with_code
from web.services import services
from worker.storage import StoredFile

# What a browser may show in place; everything else is downloaded, so that no upload is ever rendered as a page.
TEXT = "text/plain"
SHOWN_IN_PLACE = {".png": "image/png", ".txt": TEXT, ".md": TEXT, ".json": "application/json"}
DOWNLOADED = {".csv": "text/csv", ".jsonl": "application/jsonl"}


FILES = Answer(200, "Its files.", FileList, {"files": [examples.FILE]}, headers=("ETag",))
CONTENT = (
    Answer(200, "The file.", media_types=["*/*"], example="(the file)", headers=("ETag",)),
    Answer(206, "The part that `Range` names.", media_types=["*/*"], headers=("ETag",)),
)


@api.get("/jobs/<job_id>/files")
@operation("Jobs", "List the files of a job", answers=[FILES], problems=(404,))
def list_files(job_id: str) -> Response:
    """What can be fetched of a job."""
    services().jobs.get(job_id)
    files = services().volume.artefacts(job_id)
    return _listing(files, "api.get_file", job_id=job_id)


@api.get("/jobs/<job_id>/files/<path:name>")
@operation("Jobs", "Fetch a file of a job", headers=("Range",), answers=CONTENT, problems=(404, 416))
def get_file(job_id: str, name: str) -> Response:
    """One file of a job."""
    services().jobs.get(job_id)
    return _send(services().volume.artefacts(job_id), name)


@api.get("/models/<model:model_id>/files")
@operation("Models", "List the files of a model", answers=[FILES], problems=(404,))
def list_model_files(model_id: str) -> Response:
    """What can be fetched of a model."""
    services().models.get(model_id)
    return _listing(services().volume.model_files(model_id), "api.get_model_file", model_id=model_id)


@api.get("/models/<model:model_id>/files/<path:name>")
@operation("Models", "Fetch a file of a model", headers=("Range",), answers=CONTENT, problems=(404, 416))
def get_model_file(model_id: str, name: str) -> Response:
    """One file of a model."""
    services().models.get(model_id)
    return _send(services().volume.model_files(model_id), name)


def _listing(files: dict[str, StoredFile], endpoint: str, **owner: Any) -> Response:
    listed: list[FileLine] = [
        {"name": name, "bytes": file.bytes, "href": url_for(endpoint, name=name, **owner)}
        for name, file in files.items()
    ]
    return jsonify({"files": listed})


def _send(files: dict[str, StoredFile], name: str) -> Response:
    file = files.get(name)
    if file is None:
        missing = NotFound(f"There is no file {name!r} here; there are: {', '.join(files) or 'none yet'}.")
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
    # Should a file be something else after all, it can load nothing and run nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if text or (shown_as and file.path.suffix != ".png"):
        hold_if_small(response, file.bytes)
    return response
